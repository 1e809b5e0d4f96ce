"""The error for a refused model: one line, for any length of path or library message."""

from agnews_ray.errors import ModelError

MAX_LINE = 400
"""The largest length of the whole line, in characters."""


def refused(model: str, wanted: str, found: str, hint: str) -> ModelError:
    """Make the error that says why a model is refused.

    Args:
        model: the name that the user wrote, or a folder.
        wanted: what would have been right.
        found: what was there instead; shortened to fit the line.
        hint: what to do next, in the imperative.

    Returns:
        An error of one line with at most ``MAX_LINE`` characters.
    """
    # repr shows a line break or a quote in a path, and keeps the message on one line.
    quoted = repr(model)
    where = f"model {quoted[0]}{_middle_left_out(quoted[1:-1], 88)}{quoted[-1]}"
    wanted, hint = clipped(wanted, 90), clipped(hint, 170)
    rest = MAX_LINE + 1 - len(str(ModelError(where, wanted, "…", hint)))
    return ModelError(where, wanted, clipped(found, max(rest, 20)), hint)


def clipped(text: str, length: int) -> str:
    """Shorten a text to one line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _middle_left_out(text: str, length: int) -> str:
    """Leave out the middle of a path; its start and the model's own name are kept."""
    if len(text) <= length:
        return text
    return f"{text[: length // 3]}…{text[-(length - length // 3 - 1) :]}"

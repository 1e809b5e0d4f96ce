"""A refused model in one line, however long a path or a library's message is."""

from agnews_ray.errors import ModelError

MAX_LINE = 400
"""Characters of the whole line."""


def refused(model: str, wanted: str, found: str, hint: str) -> ModelError:
    """Make the error that says why a model is not taken.

    Args:
        model: as the user wrote it, or a folder.
        wanted: what would have been right.
        found: what was there instead; shortened to what the line leaves for it.
        hint: what to do next, in the imperative.

    Returns:
        An error of one line of at most ``MAX_LINE`` characters.
    """
    # repr: a line break or a quote in a path stays visible, and the line one line.
    quoted = repr(model)
    where = f"model {quoted[0]}{_middle_left_out(quoted[1:-1], 88)}{quoted[-1]}"
    wanted, hint = clipped(wanted, 90), clipped(hint, 170)
    rest = MAX_LINE + 1 - len(str(ModelError(where, wanted, "…", hint)))
    return ModelError(where, wanted, clipped(found, max(rest, 20)), hint)


def clipped(text: str, length: int) -> str:
    """Bring a text into one line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else f"{line[: length - 1]}…"


def _middle_left_out(text: str, length: int) -> str:
    """Both ends of a path tell: where it begins, and the model's own name."""
    if len(text) <= length:
        return text
    return f"{text[: length // 3]}…{text[-(length - length // 3 - 1) :]}"

"""The trials that a budget left out, kept beside the study so that tables and reports name them."""

from collections.abc import Collection
from pathlib import Path

from pydantic import ValidationError

from agnews_ray.record.durable import write_whole
from agnews_ray.record.json_text import to_json
from agnews_ray.record.schema import Record

LEFT_OUT_FILE = "left_out.json"


class LeftOutTrial(Record):
    """A trial that was planned and not started."""

    trial_id: str
    model: str
    """The name of its variant."""
    seed: int
    budget: str
    """The limit of the submit that left it out, as the user wrote it."""
    reason: str


class LeftOutTrials(Record):
    """The trials that the latest submit left out."""

    trials: tuple[LeftOutTrial, ...] = ()


def save_left_out(folder: Path, trials: Collection[LeftOutTrial]) -> None:
    """Keep what the latest submit left out, in place of what an earlier one did.

    Args:
        folder: the study's folder.
        trials: the trials; if there are none, nothing is written to a folder without the file.

    Raises:
        StoreError: the file cannot be written.
    """
    path = folder / LEFT_OUT_FILE
    if trials or path.exists():
        write_whole(path, to_json(LeftOutTrials(trials=tuple(trials))) + "\n")


def load_left_out(folder: Path, finished: Collection[str]) -> tuple[LeftOutTrial, ...]:
    """Read which trials were left out and have not been run since.

    Args:
        folder: the study's folder.
        finished: the ids of trials with a record.

    Returns:
        The trials; none if the file is missing or damaged, as it holds no result.
    """
    try:
        kept = LeftOutTrials.model_validate_json((folder / LEFT_OUT_FILE).read_bytes())
    except (OSError, ValidationError):
        return ()
    return tuple(one for one in kept.trials if one.trial_id not in finished)

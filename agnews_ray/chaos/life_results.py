"""What a life of a study has left: equal results, steps made again, and files too many."""

import filecmp
from collections.abc import Iterable
from pathlib import Path

from agnews_ray.record.attempts import repeated
from agnews_ray.record.checkpoints import CHECKPOINTS
from agnews_ray.record.finished import RECORD_FILE, load_record
from agnews_ray.record.store import STAGING

COMPARED = ("artifact/model.safetensors", "predictions.parquet")
"""The files of a trial that must be equal, by the byte."""

UNFINISHED = (STAGING, CHECKPOINTS, "*.partial")
"""The names that nothing has under a runs folder once its studies are finished."""


def differing(reference: Path, trials: Path) -> tuple[str, ...]:
    """Compare the results of two runs of one study.

    Args:
        reference: the folder of the undisturbed run's trials.
        trials: the folder of the other run's.

    Returns:
        A line for each trial that is missing, too many or different; empty: all is equal.
    """
    wanted, found = _trials(reference), _trials(trials)
    lines = [f"{name} is missing" for name in sorted(wanted - found)]
    lines += [f"{name} is one too many" for name in sorted(found - wanted)]
    for name in sorted(wanted & found):
        for file in COMPARED:
            one, other = reference / name / file, trials / name / file
            if one.is_file() and not (other.is_file() and filecmp.cmp(one, other, shallow=False)):
                lines.append(f"{name}/{file} differs")
    return tuple(lines)


def steps_repeated(trials: Path) -> int | None:
    """Add up the steps that were made again, from the attempts in the records.

    Args:
        trials: the folder of a study's trials.

    Returns:
        The number of steps; None if the records name no attempts.
    """
    records = [load_record(path) for path in trials.glob(f"*/{RECORD_FILE}")]
    made = [repeated(record.attempts).steps for record in records if record.attempts]
    return sum(made) if made else None


def unfinished(runs: Path) -> tuple[str, ...]:
    """List what is left under a runs folder of what was being written."""
    found: Iterable[Path] = (path for name in UNFINISHED for path in runs.rglob(name))
    return tuple(sorted(str(path.relative_to(runs)) for path in found))


def temporary(folder: Path) -> tuple[str, ...]:
    """List what is left in a folder for temporary files."""
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def _trials(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob(f"*/{RECORD_FILE}")}

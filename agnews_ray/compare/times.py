"""The time and memory of a row's trials, for each kind of machine and engine that ran."""

from collections.abc import Sequence
from statistics import fmean, stdev

from pydantic import BaseModel, ConfigDict

from agnews_ray.record.schema import TrialRecord


class TrainingTimes(BaseModel):
    """The time (s) and memory (bytes) of a row's trials on one kind of machine with one engine."""

    model_config = ConfigDict(frozen=True)

    device: str
    """The name of the machine that trained."""
    num_seeds: int
    """The number of the row's trials that were trained in this way."""
    train_seconds: float
    train_seconds_std: float | None
    samples_per_second: float
    peak_memory_bytes: int
    """The largest peak memory of the seeds."""
    num_machines: int | None
    """The number of machines of a trial's workers; None if the records do not say, or differ."""
    engine: str = "fast"
    """The engine that really ran, such as ``fast, unrecorded`` on a GPU whose steps cannot be
    recorded."""
    engine_note: str | None = None
    """Why it was not the requested engine; None if it was."""
    paused_seconds: float = 0.0
    """The seconds in which these trials were paused; not part of their train time."""


def times_of(records: Sequence[TrialRecord]) -> tuple[TrainingTimes, ...]:
    """Average the time and memory of trials, for each kind of machine and engine that ran.

    Args:
        records: the records of one row of the table.

    Returns:
        The times, those of most trials first.
    """
    alike: dict[tuple[str, str], list[TrialRecord]] = {}
    for record in records:
        ran = record.training.engine or record.variant.engine
        alike.setdefault((device_of(record), ran), []).append(record)
    times = []
    for (device, engine), trials in alike.items():
        trainings = [record.training for record in trials]
        seconds = [training.train_seconds for training in trainings]
        times.append(
            TrainingTimes(
                device=device,
                num_seeds=len(trainings),
                train_seconds=fmean(seconds),
                train_seconds_std=spread(seconds),
                samples_per_second=fmean(training.samples_per_second for training in trainings),
                peak_memory_bytes=max(training.peak_memory_bytes for training in trainings),
                num_machines=num_machines_of(trials),
                engine=engine,
                engine_note="; ".join(
                    dict.fromkeys(t.engine_note for t in trainings if t.engine_note)
                )
                or None,
                paused_seconds=sum(training.paused_seconds or 0.0 for training in trainings),
            )
        )
    return tuple(sorted(times, key=lambda one: -one.num_seeds))


def num_machines_of(records: Sequence[TrialRecord]) -> int | None:
    """Return the number of machines of a trial; None if the records do not say, or differ.

    It is one for a single worker of any record.
    """
    found = {
        1 if record.scaling.num_workers == 1 else record.training.num_machines for record in records
    }
    return found.pop() if len(found) == 1 else None


def device_of(record: TrialRecord) -> str:
    """Return the name of the machine that trained a trial."""
    environment = record.environment
    return environment.gpu or "GPU" if record.device == "cuda" else environment.cpu


def spread(values: Sequence[float]) -> float | None:
    """Return the sample standard deviation; None for a single value."""
    return stdev(values) if len(values) > 1 else None

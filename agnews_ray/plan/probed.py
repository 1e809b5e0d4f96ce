"""What a probe measured of a model on a machine, and what a trial is predicted to take by it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from agnews_ray.record.schema import Record

QUIET_CORES = 0.3
"""The number of processors that other programs may keep busy while a probe measures; above it the
measurement is made again as soon as possible."""

FILE_NAME = "probe.json"


class Probed(Record):
    """The times and sizes that a probe measured; a time of a batch is by its padded length."""

    rows_per_step: int
    """The rows of a train batch on one worker."""
    step_seconds: tuple[tuple[int, float], ...]
    """Padded length in tokens and seconds of a training step, by length."""
    first_seconds: float
    """What the first step took longer than a later one."""
    seconds_per_shape: float
    """What the first steps of each length took longer: on a GPU they are recorded; else 0."""
    rows_per_forward: int
    """The rows of a batch in scoring."""
    forward_seconds: tuple[tuple[int, float], ...]
    """Padded length in tokens and seconds of a batch in scoring, by length."""
    loading_seconds: float
    """The time to build the model."""
    saving_seconds: float
    """The time to save the artifact, load it again and compare it."""
    tokenizer: str
    """A hash of the tokenizer and its longest length."""
    texts_per_second: float
    """The speed of tokenising on one processor."""
    train_lengths: tuple[int, ...]
    """The lengths in tokens of train rows at equal distances in the split, sorted."""
    test_lengths: tuple[int, ...]
    """The same of test rows."""
    peak_memory_bytes: int
    """The peak of the process, as ``training.peak_memory_bytes`` of a record."""
    size_bytes: int
    """The size of the saved weights."""
    others_cores: float | None
    """The number of processors that other programs kept busy; None: the machine does not say."""
    probe_seconds: float
    """The time that all of this took, without the start of its process."""

    @property
    def is_quiet(self) -> bool:
        """Whether the machine was quiet enough for the times to be used later."""
        return self.others_cores is None or self.others_cores < QUIET_CORES


Measured = dict[str, Probed | str]
"""What was measured of each variant, by its name; or why it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batches:
    """The padded lengths of the batches that a trial computes."""

    train: NDArray[np.int64]
    """Shape (steps of an epoch,): the padded length of each train batch."""
    test: NDArray[np.int64]
    """The same of the batches that score test; empty if it is not scored."""
    validation: NDArray[np.int64]
    """The same of the batches that score validation once; empty without a validation split."""
    num_texts: int
    """The number of texts to tokenise: all rows of all splits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What a trial of a variant takes according to a probe alone; all times in seconds."""

    train_s: float
    validation_s: float
    """Scoring the validation split in all epochs."""
    scoring_s: float
    """Scoring the test split."""
    loading_s: float
    saving_s: float
    tokenizer: str
    """The hash of the tokenizer."""
    tokenising_s: float
    """Tokenising all splits, which the first trial of a tokenizer waits for."""
    peak_memory_bytes: int
    size_bytes: int
    num_steps: int
    """The number of steps with all train rows."""
    is_quiet: bool
    """Whether other programs left the machine to the probe."""
    probe: str
    """The name of the probe in the cache."""

    @property
    def rest_s(self) -> float:
        """The trial without its training steps and without tokenising."""
        return self.validation_s + self.scoring_s + self.loading_s + self.saving_s


def workload(
    probed: Probed, batches: Batches, num_epochs: int, num_cpus: int, probe: str
) -> Workload:
    """Compute what a trial takes.

    Args:
        probed: the measurements.
        batches: the padded lengths of its batches.
        num_epochs: the number of passes over the train split.
        num_cpus: the number of processors that tokenise at the same time.
        probe: the name of the probe.

    Returns:
        The times and sizes.
    """
    shapes = len(np.unique(batches.train))
    once = probed.first_seconds + probed.seconds_per_shape * shapes
    return Workload(
        train_s=once + num_epochs * _sum_seconds(probed.step_seconds, batches.train),
        validation_s=num_epochs * _sum_seconds(probed.forward_seconds, batches.validation),
        scoring_s=_sum_seconds(probed.forward_seconds, batches.test),
        loading_s=probed.loading_seconds,
        saving_s=probed.saving_seconds,
        tokenizer=probed.tokenizer,
        tokenising_s=batches.num_texts / probed.texts_per_second / num_cpus,
        peak_memory_bytes=probed.peak_memory_bytes,
        size_bytes=probed.size_bytes,
        num_steps=num_epochs * len(batches.train),
        is_quiet=probed.is_quiet,
        probe=probe,
    )


def _sum_seconds(measured: Sequence[tuple[int, float]], lengths: NDArray[np.int64]) -> float:
    """Add up the times of batches; between two measured lengths, times lie on a line."""
    at, seconds = zip(*measured, strict=True)
    known = np.interp(lengths, at, seconds)
    # Below the shortest and above the longest, a batch takes as long per token as there.
    known = np.where(lengths > at[-1], seconds[-1] * lengths / at[-1], known)
    return float(known.sum())

"""What was predicted of a trial, as its record keeps it."""

from agnews_ray.record.shape import Record


class PredictionRecord(Record):
    """What was predicted of a trial before it started; the record beside it says what happened."""

    train_seconds: float
    """What ``training.train_seconds`` would be."""
    train_seconds_low: float
    train_seconds_high: float
    """The ends of the interval in which it lies in 8 of 10 trials."""
    measured_seconds: float
    """The same by the probe alone, before the errors of earlier predictions corrected it."""
    num_learned_from: int
    """The number of earlier trials whose errors corrected it."""
    num_steps: int
    """The number of planned steps; a trial that was stopped early made fewer."""
    scoring_seconds: float
    """What ``training.scoring_seconds`` would be."""
    total_seconds: float
    """What ``TrialRecord.total_seconds`` would be."""
    startup_seconds: float
    """The part of it for which a study's first trial waits for Ray and its workers; else 0."""
    peak_memory_bytes: int
    """What ``training.peak_memory_bytes`` would be."""
    size_bytes: int
    """What ``model.size_bytes`` would be."""
    is_quiet: bool = True
    """Whether other programs left the machine to the probe."""
    probe: str
    """The name of the probe in the cache: trials with the same one are predicted alike."""

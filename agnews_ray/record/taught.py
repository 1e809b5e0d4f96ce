"""What a record says about students and their teachers."""

from typing import Literal

from agnews_ray.record.shape import Record

Work = Literal["fine-tuning", "pretraining", "labelling"]
"""What a trial does: nearly always fine-tuning. ``pretraining`` trains a student's encoder on
texts, ``labelling`` computes a teacher's logits for the rows of its students."""


class TransferRecord(Record):
    """Texts without labels, as they were read."""

    source: str
    """The source as the user named it."""
    num_rows: int
    """The number of texts that were used."""
    num_read: int
    """The number of texts in the source."""
    num_in_test: int
    """The number of used texts that are also texts of test rows."""
    fingerprint: str
    """A hash of the used texts in order."""


class TeachingRecord(Record):
    """What a student learned from, beside labels."""

    starts_from: str | None = None
    """The id of the pre-training trial whose encoder it started from."""
    labelled_by: tuple[str, ...] = ()
    """The ids of the trials that computed its teachers' logits."""
    transfer: TransferRecord | None = None
    """The texts without labels among its rows."""
    uses_labelled_rows: bool = True
    """Whether the labelled train rows were among its rows."""


class LabellingRecord(Record):
    """A teacher's logits for the rows of its students; its scores on test are ``test``."""

    teacher: str
    """The teacher's name: of the variant, or as the user wrote it."""
    teacher_trial: str | None
    """The id of the trial of this study that trained it; None: it comes from elsewhere."""
    num_labelled: int
    """The number of labelled train rows."""
    num_transfer: int
    """The number of texts without labels."""
    accuracy: float | None
    """The teacher's accuracy on the labelled train rows, a fraction in [0, 1]; it was trained with
    them if it is a trial of this study. None: there were none."""
    calibration_error: float | None
    """The expected calibration error of its probabilities on these rows, in [0, 1], over the bins
    of ``compare.calibration``."""
    mean_confidence: float
    """The mean of its highest probability over all rows, in [0, 1]."""
    seconds: float
    """The wall time of computing all of them, without start-up and the scoring of test."""


class PretrainingRecord(Record):
    """How an encoder was pre-trained on texts."""

    teacher: str | None
    """The teacher's name: of the variant, or as the user wrote it; None: there was none."""
    teacher_trial: str | None
    """The id of the pre-training trial of this study that trained it; None: it comes from
    elsewhere."""
    num_texts: int
    """The number of texts of an epoch."""
    transfer: TransferRecord | None
    """The further texts among them."""
    final_parts: dict[str, float | None]
    """The mean of each part of the loss over the last tenth of the steps; ``curve.parquet`` has
    all."""

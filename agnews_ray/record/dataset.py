"""What a record says about the rows of a study."""

from typing import Literal

from agnews_ray.record.shape import Record


class SplitRecord(Record):
    """One split as it was read."""

    files: tuple[str, ...]
    """The names of the files, without their folder."""
    num_rows: int
    """The number of rows in the files, before any limit."""
    num_selected: int
    """The number of used rows."""
    num_empty: int
    """The number of rows whose text is empty or white space; they are kept, and reported."""
    class_counts: tuple[int, ...]
    """The number of rows of each class, in label order, before any limit."""
    fingerprint: str
    """A hash of texts and labels in row order, which does not depend on the file format."""


class DatasetRecord(Record):
    """A dataset as it was read."""

    source: str
    """The source as the user named it."""
    kind: str
    """The file format: csv, parquet, arrow or jsonl."""
    text_columns: tuple[str, ...]
    """The columns that were joined into the text."""
    label_column: str
    """The column of the labels; for a file without header its position."""
    label_kind: Literal["integers from 0", "integers from 1", "names"]
    """How labels are written in the source, as stated or inferred."""
    class_names: tuple[str, ...]
    """The class names in label order."""
    revision: str | None = None
    """The hub's revision or the generator's settings, if there is either."""
    train: SplitRecord
    test: SplitRecord
    validation: SplitRecord | None = None
    """The source's own validation split, if it has one."""
    num_validation: int
    """The number of validation rows taken from the selected train rows; 0 if the source has its own
    validation split."""
    missing_classes: tuple[str, ...] = ()
    """A sentence for each split whose used rows lack some classes."""
    assumptions: tuple[str, ...] = ()
    """The assumptions made to read the source, in a few words each."""

    @property
    def fingerprint(self) -> str:
        """One short hash for all splits."""
        splits = [self.train, self.test, *([self.validation] if self.validation else [])]
        return "-".join(split.fingerprint[:16] for split in splits)

    @property
    def num_train(self) -> int:
        """The number of train rows: the selected ones without the validation split.

        A trial with a share of them has fewer: ``TrainingRecord.num_train_examples``.
        """
        return self.train.num_selected - self.num_validation

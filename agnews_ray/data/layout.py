"""What is needed to read a file: a value that is sent to the workers, which read the file again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.data.columns import Roles, choose_columns, choose_text, plain
from agnews_ray.data.dialect import Dialect
from agnews_ray.data.json_rows import Form
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

BATCH_ROWS = 8192
"""The number of rows read at a time; it limits memory for files of any size."""

SAMPLE_ROWS = 1000
"""The number of rows from which columns are judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLayout:
    """All that is needed to read a file: its format, and how its columns become text and label."""

    kind: str
    """The file's format: csv, parquet, arrow, jsonl, or text (one text a line)."""
    columns: tuple[str, ...]
    """All columns in file order; ``column_1`` and so on if they have no names."""
    has_header: bool
    """Whether the file has a header; AG News, as it is published, has none."""
    text_columns: tuple[str, ...]
    label_column: str
    """The label column; empty if labels are not read."""
    encoding: str = "utf-8"
    """The encoding of a CSV or JSON file."""
    dialect: Dialect | None = None
    """The dialect of a CSV file."""
    num_header_rows: int = 0
    """The number of rows of a CSV before the first data row."""
    form: Form | None = None
    """How a JSON file holds its rows."""
    class_names: tuple[str, ...] | None = None
    """Class names in label order, if the file has them."""
    notes: tuple[str, ...] = ()
    """The assumptions made to read it."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that are read, without repetition."""
        labels = (self.label_column,) if self.label_column else ()
        return tuple(dict.fromkeys((*self.text_columns, *labels)))


def choose_roles(
    path: Path,
    columns: tuple[str, ...],
    sample: Sequence[Sequence[object]],
    spec: DataSpec,
    like: FileLayout | None,
    is_labelled: bool = True,
) -> Roles:
    """Find text and label columns: those of the train split's first file, else by name.

    Args:
        path: for messages.
        columns: all names, in file order.
        sample: some rows of every column, for hints.
        spec: the user's settings, which may name the columns.
        like: the layout of the train split's first file.
        is_labelled: whether a label column is wanted.

    Returns:
        The columns, and the assumptions made.

    Raises:
        DataError: as for ``choose_columns``, or the file has texts but no labels.
    """
    if not is_labelled:
        return _text_alone(path, columns, spec, like)
    if like is None or not like.has_header:
        return choose_columns(path, columns, sample, spec)
    by_plain = {plain(name): name for name in columns}
    same = [by_plain.get(plain(name)) for name in (*like.text_columns, like.label_column)]
    found = [name for name in same if name is not None]
    if len(found) == len(same):
        return Roles(tuple(found[:-1]), found[-1])
    if same[-1] is None and len(found) == len(like.text_columns):
        wanted = f"a column {like.label_column!r}, as in the train file"
        shown = f"columns {', '.join(columns[:12])}"
        hint = "rows without labels cannot be scored: pass the train file alone with --dataset"
        raise DataError(str(path), wanted, shown, f"{hint}, and a test split is cut from it")
    return choose_columns(path, columns, sample, spec)


def _text_alone(
    path: Path, columns: tuple[str, ...], spec: DataSpec, like: FileLayout | None
) -> Roles:
    """Find the text columns: the stated ones, those of the train split, else by name."""
    by_plain = {plain(name): name for name in columns}
    if spec.text_columns is None and like is not None and like.has_header:
        same = [by_plain.get(plain(name)) for name in like.text_columns]
        found = [name for name in same if name is not None]
        if len(found) == len(same):
            return Roles(tuple(found), "")
    return choose_text(path, columns, spec)

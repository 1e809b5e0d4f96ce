"""What reading a file takes: a value that travels to the workers, who read the file again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.data.columns import Roles, choose_columns, plain
from agnews_ray.data.dialect import Dialect
from agnews_ray.data.json_rows import Form
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

BATCH_ROWS = 8192
"""Rows read at a time: bounds memory whatever the file's size."""

SAMPLE_ROWS = 1000
"""Rows that columns are judged by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLayout:
    """All that reading a file needs: its format, and how its columns become text and label."""

    kind: str
    """csv, parquet, arrow or jsonl."""
    columns: tuple[str, ...]
    """All columns in file order; ``column_1`` and so on where they have no names."""
    has_header: bool
    """False where columns have no names, as in AG News as it is published."""
    text_columns: tuple[str, ...]
    label_column: str
    encoding: str = "utf-8"
    """Of CSV and JSON."""
    dialect: Dialect | None = None
    """Of CSV."""
    num_header_rows: int = 0
    """Rows of a CSV before the first of data."""
    form: Form | None = None
    """Of JSON."""
    class_names: tuple[str, ...] | None = None
    """Names in label order, where the file says them itself."""
    notes: tuple[str, ...] = ()
    """What was taken for granted to read it."""

    @property
    def wanted(self) -> tuple[str, ...]:
        """The columns that are read, each once."""
        return tuple(dict.fromkeys((*self.text_columns, self.label_column)))


def choose_roles(
    path: Path,
    columns: tuple[str, ...],
    sample: Sequence[Sequence[object]],
    spec: DataSpec,
    like: FileLayout | None,
) -> Roles:
    """Find text and label columns: those of the train split's first file, else by name.

    Args:
        path: for messages.
        columns: all names, in file order.
        sample: some rows of every column, for hints.
        spec: may name the columns.
        like: the layout of the train split's first file.

    Returns:
        The columns, and what was assumed.

    Raises:
        DataError: as ``choose_columns``, or the file has the texts but no labels.
    """
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

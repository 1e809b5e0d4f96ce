"""A split that can be read again, here or on a worker."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from agnews_ray.data.batches import NO_LABEL
from agnews_ray.data.files import iter_batches
from agnews_ray.data.layout import FileLayout


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRows:
    """A split that can be read again: its files, and which of their rows are used."""

    files: tuple[Path, ...]
    layouts: tuple[FileLayout, ...]
    file_num_rows: tuple[int, ...]
    rows: NDArray[np.int64]
    """The numbers of the used rows, counted over all files, in rising order."""
    raw_labels: tuple[str, ...]
    """The labels as the files write them, by class id; empty if labels are not read."""
    first_number: int | None = None
    """The number of the first used row, from which the others are counted; None: they have the
    numbers of the source."""

    @property
    def num_rows(self) -> int:
        """The number of used rows."""
        return int(self.rows.size)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Shape (num_rows,): the numbers that the rows have in tables."""
        if self.first_number is None:
            return self.rows
        return self.first_number + np.arange(self.num_rows)

    def table(self) -> pa.Table:
        """Read all used rows: ``text``, ``label`` and ``row``, in file order."""
        tables = [one for index in range(len(self.files)) for one in self.iter_selected(index)]
        return pa.concat_tables(tables)

    def iter_selected(self, file_index: int) -> Iterator[pa.Table]:
        """Stream the used rows of one file.

        Args:
            file_index: position in ``files``.

        Yields:
            Tables with ``text`` (string), ``label`` (int64 class id, ``NO_LABEL`` if labels are
            not read) and ``row`` (int64).
        """
        start = sum(self.file_num_rows[:file_index])
        value_set, numbers = pa.array(self.raw_labels, pa.string()), self.numbers
        for batch in iter_batches(self.files[file_index], self.layouts[file_index]):
            stop = start + batch.num_rows
            first, last = np.searchsorted(self.rows, [start, stop])
            rows = self.rows[first:last]
            if rows.size:
                used = pa.Table.from_batches([batch]).take(pa.array(rows - start))
                label = pc.index_in(used["label"], value_set).cast(pa.int64()).fill_null(NO_LABEL)
                row = pa.array(numbers[first:last])
                yield pa.table({"text": used["text"], "label": label, "row": row})
            start = stop

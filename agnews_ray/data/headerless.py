"""Columns without names: whether the first row is a header, and which are label and text."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

MAX_LABEL_CHARS = 60
INTEGER = re.compile(r"[+-]?\d+(\.0*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Positions:
    """The columns that are read, counted from 0, and the assumptions made."""

    text: tuple[int, ...]
    label: int
    notes: tuple[str, ...]


def is_label_like(values: Sequence[object]) -> bool:
    """Whether a sample of a column may be labels: short values that repeat."""
    words = [str(value).strip() for value in values if value is not None]
    if not words or any(len(word) > MAX_LABEL_CHARS for word in words):
        return False
    num_different = len(set(words))
    return num_different > 1 and num_different * 2 <= len(words)


def is_one_hot(values: Sequence[object]) -> bool:
    """Whether a sample of a column holds only 0 and 1, and both of them unless it is short."""
    words = {str(value).strip().removesuffix(".0").lower() for value in values}
    return bool(words) and (words <= {"0", "1"} or words <= {"true", "false"})


def is_index(values: Sequence[str]) -> bool:
    """Whether a sample of a column numbers its rows: 0, 1, 2, ... or 1, 2, 3, ..."""
    if len(values) < 3 or not values[0].strip().isascii() or not values[0].strip().isdigit():
        return False
    first = int(values[0])
    return all(value.strip() == str(first + i) for i, value in enumerate(values))


def is_numbering(cells: Sequence[str]) -> bool:
    """Whether a first row is the header that pandas writes for columns without names: ``0,1,2``."""
    named = list(cells[1:]) if cells and not cells[0].strip() else list(cells)
    return len(named) > 1 and named == [str(i) for i in range(len(named))]


def is_data(first: Sequence[str], later: Sequence[Sequence[str]]) -> bool:
    """Whether a first row is data: it has numbers, or values that occur again below.

    Args:
        first: its cells.
        later: the columns of the rows below it.
    """
    if any(re.fullmatch(r"[+-]?\d+(\.\d+)?", cell.strip(), re.ASCII) for cell in first):
        return True
    return any(
        cell.strip() and cell in column and is_label_like(column)
        for cell, column in zip(first, later, strict=False)
    )


def choose_positions(path: Path, columns: Sequence[Sequence[str]], spec: DataSpec) -> Positions:
    """Find the label and text columns of a file without header by their content.

    Args:
        path: for messages.
        columns: the sample's values of each column.
        spec: may give positions, counted from 1, with --text-column and --label-column.

    Returns:
        The label is the first or last column, not counting one that numbers the rows; the other
        columns are text.

    Raises:
        DataError: no choice, or more than one, is likely.
    """
    notes = ["no header row"]
    if spec.label_column is not None or spec.text_columns is not None:
        return _both_stated(path, len(columns), spec, notes)
    kept = list(range(len(columns)))
    if len(kept) > 2 and is_index(columns[0]):
        kept.pop(0)
        notes.append("column 1 numbers the rows")
    if len(kept) < 2:
        raise _unclear(path, columns, f"{len(columns)} column(s) without header")
    label = _label_end(path, columns, kept)
    notes.append(f"label in column {label + 1}")
    texts = tuple(i for i in kept if i != label)
    doubtful = [i for i in texts if not _reads_like_text(columns[i])]
    if len(texts) > 1 and doubtful:
        raise _unclear(path, columns, f"column {doubtful[0] + 1}, which is not text")
    return Positions(texts, label, tuple(notes))


def _label_end(path: Path, columns: Sequence[Sequence[str]], kept: list[int]) -> int:
    """Decide between the first and the last column."""
    first, last = columns[kept[0]], columns[kept[-1]]
    as_labels = [is_label_like(first), is_label_like(last)]
    as_integers = [_all_integers(first), _all_integers(last)]
    for likely in (as_labels, as_integers):
        if sum(likely) == 1:
            return kept[0] if likely[0] else kept[-1]
    if all(as_integers) or not any(as_labels):
        raise _unclear(path, columns, "no column that is clearly the label")
    words = [sum(len(v.split()) for v in column) / max(len(column), 1) for column in (first, last)]
    if as_labels == [True, True] and min(words) * 2 < max(words):
        return kept[0] if words[0] < words[1] else kept[-1]  # texts that repeat
    raise _unclear(path, columns, "a first and a last column that could both be the label")


def stated_positions(path: Path, num_columns: int, wanted: Sequence[str]) -> list[int]:
    """Read positions as the user writes them, ``2`` or ``column_2``.

    Args:
        path: for messages.
        num_columns: the number of columns.
        wanted: the positions, counted from 1.

    Returns:
        The positions, counted from 0.

    Raises:
        DataError: not a number, or no such column.
    """
    numbers = [re.sub(r"^column[_ ]?", "", word.strip().lower()) for word in wanted]
    bad = [w for w, n in zip(wanted, numbers, strict=True) if not n.isascii() or not n.isdigit()]
    bad += [
        w
        for w, n in zip(wanted, numbers, strict=True)
        if w not in bad and not _fits(n, num_columns)
    ]
    if bad:
        found = f"{num_columns} columns without header, and {bad[0]!r} requested"
        hint = f"give positions from 1 to {num_columns}, or add a header row"
        raise DataError(str(path), "columns that exist", found, hint)
    return [int(number) - 1 for number in numbers]


def _both_stated(path: Path, num_columns: int, spec: DataSpec, notes: list[str]) -> Positions:
    wanted = [*(spec.text_columns or ()), *([spec.label_column] if spec.label_column else [])]
    places = stated_positions(path, num_columns, wanted)
    if spec.label_column is None:
        rest = [i for i in range(num_columns) if i not in places]
        if len(rest) != 1:
            raise DataError(
                str(path),
                "a label column",
                f"{len(rest)} left",
                "give its position with --label-column",
            )
        return Positions(tuple(places), rest[0], tuple(notes))
    text = tuple(places[:-1]) or tuple(i for i in range(num_columns) if i != places[-1])
    if places[-1] in text:
        hint = "name another with --label-column or --text-column"
        raise DataError(str(path), "text and label in two columns", "one as both", hint)
    return Positions(text, places[-1], tuple(notes))


def _fits(number: str, num_columns: int) -> bool:
    return 1 <= int(number) <= num_columns


def _all_integers(values: Sequence[str]) -> bool:
    return bool(values) and all(INTEGER.fullmatch(value.strip()) for value in values)


def _reads_like_text(values: Sequence[str]) -> bool:
    """Whether at least a quarter of the values have several words."""
    filled = [value for value in values if value.strip()]
    several = sum(len(value.split()) > 1 or not value.isascii() for value in filled)
    return several * 4 >= len(filled)


def _unclear(path: Path, columns: Sequence[Sequence[str]], found: str) -> DataError:
    shown = [column[0][:20] if column else "" for column in columns[:6]]
    hint = "name them with --label-column 1 --text-column 2 (positions), or add a header row"
    found = f"{found}; first row {', '.join(shown)}"
    return DataError(str(path), "a header, or a label column first or last", found, hint)

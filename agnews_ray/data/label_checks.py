"""Labels that cannot be used as classes: missing ones, several in a cell, measurements."""

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from agnews_ray.errors import DataError

Places = Mapping[str, tuple[Path, int]]
"""Each distinct label, with the file and row where it first occurs."""

INTEGER = re.compile(r"-?(0|[1-9]\d{0,999})", re.ASCII)
FRACTION = re.compile(r"[+-]?(\d+\.\d*|\.\d+|\d+(\.\d*)?e[+-]?\d+)", re.ASCII | re.IGNORECASE)

MISSING = {
    "nan",
    "NaN",
    "NAN",
    "<NA>",
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "\\N",
    "NULL",
    "null",
    "None",
    "NaT",
}
"""Words that programs write for a missing value. ``none`` in lower case counts as a class."""

MAX_DIGITS = 1000
"""The largest number of digits; Python refuses to read longer numbers."""

SEPARATORS = (";", "|", ",")


def refuse_doubtful(places: Places) -> None:
    """Raise for labels that are not exactly one class per row.

    Args:
        places: each distinct label of the train split, with the place where it first occurs.

    Raises:
        DataError: names the kind, an example and its row.
    """
    _refuse_missing(places)
    _refuse_lists(places)
    _refuse_fractions(places)
    _refuse_combined(places)
    _refuse_alike(places)


def fold(label: str) -> str:
    """Reduce a label to a form without case, white space, letter variants and leading zeros."""
    if label.isascii() and label.isdigit():
        return str(int(label)) if len(label) < MAX_DIGITS else label
    seen = (c for c in label if unicodedata.category(c) != "Cf")
    return "".join(unicodedata.normalize("NFKC", "".join(seen)).casefold().split())


def is_fraction(word: str) -> bool:
    """Whether a label is written as a number with a fraction."""
    return FRACTION.fullmatch(word) is not None


def _refuse_missing(places: Places) -> None:
    for word, (path, row) in places.items():
        if word in MISSING:
            hint = "fill it in, remove the row, or list it as a class with --class-names"
            raise DataError(f"{path}, row {row}", "a label", f"{word!r} (nothing)", hint)


def _refuse_lists(places: Places) -> None:
    for word, (path, row) in places.items():
        if word[0] + word[-1] in ("[]", "{}") or (word[0] + word[-1] == "()" and "," in word):
            hint = "keep one plain label a row; several labels a row are another task"
            raise DataError(f"{path}, row {row}", "one label in a cell", repr(word[:60]), hint)


def _refuse_fractions(places: Places) -> None:
    numeric = [word for word in places if INTEGER.fullmatch(word) or is_fraction(word)]
    broken = [word for word in numeric if is_fraction(word)]
    if broken and len(numeric) * 2 > len(places):
        path, row = places[broken[0]]
        found = f"numbers with fractions such as {broken[0]!r}"
        hint = "turn them into classes, or list them as such with --class-names"
        raise DataError(f"{path}, row {row}", "a class, not a measurement", found, hint)


def _refuse_combined(places: Places) -> None:
    """Find cells with several labels: their parts occur as labels alone or in other cells."""
    for separator in SEPARATORS:
        cut = {w: [p.strip() for p in w.split(separator)] for w in places if separator in w}
        uses = Counter(part for parts in cut.values() for part in set(parts))
        for word, parts in cut.items():
            if all(part and (part in places or uses[part] > 1) for part in parts):
                path, row = places[word]
                hint = "keep one label a row, or list all as classes with --class-names"
                wanted = "one label in a cell"
                raise DataError(f"{path}, row {row}", wanted, repr(word[:60]), hint)


def _refuse_alike(places: Places) -> None:
    seen: dict[str, str] = {}
    for word, (path, row) in places.items():
        other = seen.setdefault(fold(word), word)
        if other != word:
            found = f"{json.dumps(word[:60], ensure_ascii=False)} beside "
            found += json.dumps(other[:60], ensure_ascii=False)
            hint = "write both the same way, or list them as two classes with --class-names"
            wanted = "labels that differ by more than case and spaces"
            raise DataError(f"{path}, row {row}", wanted, found, hint)

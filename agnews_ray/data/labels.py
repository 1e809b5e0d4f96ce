"""How labels as written become class ids: integers from 0 or 1, or names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NoReturn

from agnews_ray.data.label_checks import INTEGER, fold, refuse_doubtful
from agnews_ray.data.values import clean_label
from agnews_ray.errors import DataError

LabelKind = Literal["integers from 0", "integers from 1", "names"]

RARE = 0.01
"""The share of an average class's rows; a label beyond a gap with fewer rows is taken as a
mistake."""


FEW_CLASSES = 12
"""The number of labels that may all be different in a small file."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a label first occurs, and how often it occurs."""

    path: Path
    row: int
    """The row number, counted from 1 without the header."""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """The labels as written, in class id order, and their names."""

    kind: LabelKind
    raw: tuple[str, ...]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    """The assumptions made."""

    def class_id(self, word: str) -> int:
        """Turn a label as written into its class id.

        Raises:
            ValueError: the label is not one of these.
        """
        return self.raw.index(word)


def decide_labels(
    sightings: Mapping[str, Sighting], names: tuple[str, ...] | None, base: int | None
) -> LabelMap:
    """Infer how a train split writes its labels, and check every one of them.

    Args:
        sightings: each distinct label of the train split, with the place where it first occurs.
        names: class names in label order, if they are known.
        base: lowest integer label, if it was given; otherwise 0 if a 0 occurs, else 1.

    Returns:
        The map from labels to class ids.

    Raises:
        DataError: a label is outside the set or not a number, the labels cannot be classes,
            or there are fewer than two classes.
    """
    path = next(iter(sightings.values())).path
    cleaned = tuple(clean_label(name) or name for name in names) if names else None
    are_named = cleaned is not None and set(sightings) <= set(cleaned)
    if not are_named:
        refuse_doubtful({word: (seen.path, seen.row) for word, seen in sightings.items()})
    integers = {word for word in sightings if INTEGER.fullmatch(word)}
    if _are_padded(sightings):
        integers = set()
    if are_named and cleaned is not None:
        labels = LabelMap(kind="names", raw=cleaned, names=cleaned)
    elif len(integers) * 2 >= len(sightings):
        labels = _integer_labels(sightings, integers, names, base)
    else:
        found_names = cleaned or tuple(sorted(sightings))
        labels = LabelMap(kind="names", raw=found_names, names=found_names)
        if integers and cleaned is None:
            _refuse_number(sightings, integers)
    refuse_unknown(sightings, labels)
    _need_classes(path, sightings, labels)
    return labels


def refuse_unknown(sightings: Mapping[str, Sighting], labels: LabelMap) -> None:
    """Raise for the first label outside the set.

    Args:
        sightings: each distinct label of a split, with the place where it first occurs.
        labels: the train split's labels.

    Raises:
        DataError: names the file, the row and the label.
    """
    if len(sightings) == 1 and "-1" in sightings and "-1" not in labels.raw:
        seen = sightings["-1"]
        hint = "its labels are kept secret: score on the validation file with --test-dataset"
        raise DataError(str(seen.path), "labels to score by", "-1 in every row", hint)
    for word, seen in sightings.items():
        if word not in labels.raw:
            _refuse(word, seen, labels)


def _integer_labels(
    sightings: Mapping[str, Sighting],
    integers: set[str],
    names: tuple[str, ...] | None,
    base: int | None,
) -> LabelMap:
    """Read integers as class ids if they are a range from 0 or 1, else as names in order."""
    values = {int(word) for word in integers}
    asked = base
    if base is None:
        base = 0 if 0 in values else 1
    run = next(i for i in range(len(values) + 1) if base + i not in values)
    beyond = [value for value in sorted(values) if not base <= value < base + run]
    if asked is None and beyond and _are_names(sightings, beyond, run, names):
        raw = tuple(str(value) for value in sorted(values))
        note = f"labels {raw[0]} to {raw[-1]} are names in numeric order"
        return LabelMap(kind="names", raw=raw, names=names or raw, notes=(note,))
    # Without names, the range ends at the first gap: a label beyond it is refused, with its row.
    raw = tuple(str(base + i) for i in range(len(names) if names else run))
    if not raw:
        word = min(integers, key=int)
        seen = sightings[word]
        wanted = f"integer labels from {base}"
        hint = "give the lowest label with --label-base"
        raise DataError(f"{seen.path}, row {seen.row}", wanted, repr(word), hint)
    kind: LabelKind = "integers from 0" if base == 0 else "integers from 1"
    return LabelMap(kind=kind, raw=raw, names=names or raw)


def _are_padded(words: Iterable[str]) -> bool:
    """Whether labels are numbers with leading zeros: 01 to 12 are codes, which are names."""
    listed = list(words)
    is_padded = any(len(word) > 1 and word.startswith("0") for word in listed)
    return (
        is_padded
        and len({len(word) for word in listed}) == 1
        and all(w.isascii() and w.isdigit() for w in listed)
    )


def _are_names(
    sightings: Mapping[str, Sighting], beyond: list[int], run: int, names: tuple[str, ...] | None
) -> bool:
    """Whether integers that do not form a range are intended: stars, years, -1 and 1.

    They are not if they start as a range and labels beyond a gap are very rare, or if class names
    give the range's length.
    """
    if run < 2:
        return names is None or len(names) == len(beyond) + run
    if names is not None:
        return False
    average = sum(seen.count for seen in sightings.values()) / len(sightings)
    rarest = min(sightings[str(value)].count for value in beyond)
    return rarest > 1 and rarest >= RARE * average


def _need_classes(path: Path, sightings: Mapping[str, Sighting], labels: LabelMap) -> None:
    if len(labels.raw) < 2:
        found = f"only {labels.raw[0]!r}"
        raise DataError(str(path), "at least two classes", found, "check --label-column")
    missing = [word for word in labels.raw if word not in sightings]
    if missing:
        hint = "check --class-names, or add rows of that class"
        raise DataError(str(path), f"train rows of class {missing[0]!r}", "none", hint)


def refuse_unlikely(sightings: Mapping[str, Sighting]) -> None:
    """Raise for a column that the user did not name and that rarely repeats a value, as labels do.

    Args:
        sightings: each distinct label of the train split, and how often it occurs.

    Raises:
        DataError: there are at least half as many distinct labels as rows, and more than a few.
    """
    num_rows = sum(seen.count for seen in sightings.values())
    if len(sightings) > FEW_CLASSES and len(sightings) * 2 >= num_rows:
        path = next(iter(sightings.values())).path
        found = f"{len(sightings)} different values in {num_rows} rows"
        hint = "name the label column with --label-column"
        raise DataError(str(path), "a column of labels", found, hint)


def reordered(labels: LabelMap, path: Path, own: tuple[str, ...]) -> LabelMap:
    """Read a file whose own class names have another order than the train split's.

    Args:
        labels: the labels of the train split.
        path: the file, for messages.
        own: the file's class names, in the order of its integers.

    Returns:
        The labels as the file writes them, in the train split's order.

    Raises:
        DataError: the names differ.
    """
    if set(own) != set(labels.names) or labels.kind == "names":
        strange = sorted(set(own) ^ set(labels.names))[:3]
        found = f"other ones: {', '.join(strange)}"
        hint = "make both files with the same class names"
        raise DataError(str(path), "the train split's class names", found, hint)
    raw = tuple(str(own.index(name)) for name in labels.names)
    return replace(labels, raw=raw)


def _refuse_number(sightings: Mapping[str, Sighting], integers: set[str]) -> NoReturn:
    word = next(word for word in sightings if word in integers)
    seen = sightings[word]
    hint = "correct the row, or list every label with --class-names"
    raise DataError(f"{seen.path}, row {seen.row}", "a class name", repr(word), hint)


def _refuse(word: str, seen: Sighting, labels: LabelMap) -> NoReturn:
    if labels.kind == "names":
        alike = [raw for raw in labels.raw if fold(raw) == fold(word)]
        close = alike or get_close_matches(word, labels.raw, n=1)
        wanted = "one of the labels " + ", ".join(labels.raw[:20])
        hint = f"did you mean {close[0]!r}?" if close else "correct it, or remove the row"
    else:
        wanted = f"a number from {labels.raw[0]} to {labels.raw[-1]} without gaps"
        hint = "correct the row, or check --label-column and --label-base"
    raise DataError(f"{seen.path}, row {seen.row}", wanted, repr(word[:60]), hint)

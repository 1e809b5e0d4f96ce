"""How labels as written become class ids: integers from 0 or 1, or names."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Literal, NoReturn

from agnews_ray.errors import DataError

LabelKind = Literal["integers from 0", "integers from 1", "names"]


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where a label was first seen."""

    path: Path
    row: int
    """Counted from 1, a header not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelMap:
    """Labels as written, in class id order, and their names."""

    kind: LabelKind
    raw: tuple[str, ...]
    names: tuple[str, ...]

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
        sightings: each different label of the train split, and where it was first seen.
        names: class names in label order, where they are known.
        base: lowest integer label, where it was said; otherwise 0 if a 0 occurs, else 1.

    Returns:
        The map from labels to class ids.

    Raises:
        DataError: a label is outside the set or not a number, or there are fewer than two classes.
    """
    integers = {word for word in sightings if word.lstrip("-").isdigit()}
    if integers and not (names and set(sightings) <= set(names)):
        labels = _integer_labels(sightings, integers, names, base)
    else:
        found_names = names or tuple(sorted(sightings))
        labels = LabelMap(kind="names", raw=found_names, names=found_names)
    refuse_unknown(sightings, labels)
    if len(labels.raw) < 2:
        path = next(iter(sightings.values())).path
        found = f"only {labels.raw[0]!r}"
        raise DataError(str(path), "at least two classes", found, "check --label-column")
    missing = [word for word in labels.raw if word not in sightings]
    if missing:
        path = next(iter(sightings.values())).path
        hint = "check --class-names, or add rows of that class"
        raise DataError(str(path), f"train rows of class {missing[0]!r}", "none", hint)
    return labels


def refuse_unknown(sightings: Mapping[str, Sighting], labels: LabelMap) -> None:
    """Raise for the first label outside the set.

    Args:
        sightings: each different label of a split, and where it was first seen.
        labels: the train split's labels.

    Raises:
        DataError: names the file, the row and the label.
    """
    for word, seen in sightings.items():
        if word not in labels.raw:
            _refuse(word, seen, labels)


def _integer_labels(
    sightings: Mapping[str, Sighting],
    integers: set[str],
    names: tuple[str, ...] | None,
    base: int | None,
) -> LabelMap:
    values = {int(word) for word in integers}
    if base is None:
        base = 0 if 0 in values else 1
    if names:
        count = len(names)
    else:  # up to the first gap: what lies beyond is refused, with its row
        count = next(i for i in range(len(values) + 1) if base + i not in values)
    raw = tuple(str(base + i) for i in range(count))
    if not raw:
        word = min(integers, key=int)
        seen = sightings[word]
        wanted = f"integer labels from {base}"
        hint = "say the lowest label with --label-base"
        raise DataError(f"{seen.path}, row {seen.row}", wanted, repr(word), hint)
    kind: LabelKind = "integers from 0" if base == 0 else "integers from 1"
    return LabelMap(kind=kind, raw=raw, names=names or raw)


def _refuse(word: str, seen: Sighting, labels: LabelMap) -> NoReturn:
    if labels.kind == "names":
        close = get_close_matches(word, labels.raw, n=1)
        wanted = "one of the labels " + ", ".join(labels.raw[:20])
        hint = f"did you mean {close[0]!r}?" if close else "correct it, or remove the row"
    else:
        wanted = f"a number from {labels.raw[0]} to {labels.raw[-1]} without gaps"
        hint = "correct the row, or check --label-column and --label-base"
    raise DataError(f"{seen.path}, row {seen.row}", wanted, repr(word[:60]), hint)

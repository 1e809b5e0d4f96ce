"""The splits of a dataset before limits: read from their files, or cut from the train file."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agnews_ray.data.holdout import cut_test, rows_by_column
from agnews_ray.data.labels import LabelMap, decide_labels, refuse_unknown, reordered
from agnews_ray.data.layout import FileLayout
from agnews_ray.data.reading import SplitPass, read_split
from agnews_ray.data.rows import SplitRows
from agnews_ray.data.sources import SourceFiles
from agnews_ray.errors import DataError
from agnews_ray.record.schema import SplitRecord
from agnews_ray.spec.data import DataSpec


@dataclass(frozen=True, slots=True)
class Part:
    """A split's files, and which of their rows belong to it."""

    found: SplitPass
    written: LabelMap
    """The labels as the split's own files write them."""
    class_ids: NDArray[np.int16]
    rows: NDArray[np.int64]
    """The row numbers of the split, before any limit."""

    @classmethod
    def whole(cls, found: SplitPass, labels: LabelMap) -> "Part":
        class_ids = found.class_ids(labels)
        return cls(found, labels, class_ids, np.arange(class_ids.size))

    def some(self, rows: NDArray[np.int64]) -> "Part":
        return Part(self.found, self.written, self.class_ids, rows)

    @property
    def labels(self) -> NDArray[np.int16]:
        return self.class_ids[self.rows]

    def record(self, num_selected: int, labels: LabelMap) -> SplitRecord:
        content = self.found.text_digest.encode() + self.class_ids.tobytes()
        if self.rows.size < self.class_ids.size:
            content += self.rows.tobytes()
        counts = np.bincount(self.labels, minlength=len(labels.names))
        return SplitRecord(
            files=tuple(path.name for path in self.found.files),
            num_rows=self.rows.size,
            num_selected=num_selected,
            num_empty=int(self.found.is_empty[self.rows].sum()),
            class_counts=tuple(counts.tolist()),
            fingerprint=hashlib.blake2b(content, digest_size=16).hexdigest(),
        )

    def selected(self, chosen: NDArray[np.int64]) -> SplitRows:
        return SplitRows(
            files=self.found.files,
            layouts=self.found.layouts,
            file_num_rows=tuple(self.found.file_num_rows),
            rows=self.rows[chosen],
            raw_labels=self.written.raw,
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """The splits before limits, and the assumptions made to find them."""

    train: Part
    test: Part
    validation: Part | None
    notes: tuple[str, ...]


def find_parts(source: SourceFiles, read: SplitPass, labels: LabelMap, spec: DataSpec) -> Parts:
    """Read the other splits, or draw them from the train file."""
    train, layout = Part.whole(read, labels), read.layouts[0]
    notes = [*source.notes, *read.notes(), *labels.notes]
    held = _read_other(source.validation, spec, layout, labels)
    if held:
        notes += [*held.found.notes(), f"validation split: {source.validation[0].name}"]
    test = _read_other(source.test, spec, layout, labels)
    if test:
        _need_same_rows(source, spec, layout, labels, test)
        notes += test.found.notes()
        return Parts(train, test, held, tuple(dict.fromkeys(notes)))
    by_column = rows_by_column(read.files, layout, spec)
    if by_column:
        column, rows = by_column
        notes.append(f"splits from column {column!r}")
        held = held or (train.some(rows["validation"]) if "validation" in rows else None)
        chosen = Parts(train.some(rows["train"]), train.some(rows["test"]), held, tuple(notes))
        _need_every_class(chosen.train, labels)
        return chosen
    kept, tested, note = cut_test(read.files, train.class_ids, spec)
    notes.append(note)
    return Parts(train.some(kept), train.some(tested), held, tuple(dict.fromkeys(notes)))


def _read_other(
    files: tuple[Path, ...], spec: DataSpec, like: FileLayout, labels: LabelMap
) -> Part | None:
    if not files:
        return None
    found = read_split(files, spec, like)
    own = found.layouts[0].class_names
    if own is not None and like.class_names is not None and own != like.class_names:
        labels = reordered(labels, files[0], own)
    refuse_unknown(found.sightings, labels)
    return Part.whole(found, labels)


def _need_same_rows(
    source: SourceFiles, spec: DataSpec, like: FileLayout, labels: LabelMap, test: Part
) -> None:
    """Refuse test files in two formats that do not hold the same rows."""
    for files in source.test_twins:
        twin = read_split(files, spec, like)
        same_texts = twin.text_digest == test.found.text_digest
        # Test rows may lack a class, so only labels that are not train's are read by themselves.
        is_like_train = not same_texts or twin.sightings.keys() <= set(labels.raw)
        own = labels if is_like_train else decide_labels(twin.sightings, None, None)
        if not same_texts or (own.raw != labels.raw and len(own.raw) != len(labels.raw)):
            found = f"other rows in {files[0].name} than in {source.test[0].name}"
            hint = "name one with --test-dataset FILE, or delete the other"
            raise DataError(str(files[0].parent), "one test split", found, hint)
        if not np.array_equal(twin.class_ids(own), test.class_ids):
            found = f"other labels in {files[0].name} than in {source.test[0].name}"
            hint = "name one with --test-dataset FILE, or delete the other"
            raise DataError(str(files[0].parent), "one test split", found, hint)


def _need_every_class(train: Part, labels: LabelMap) -> None:
    missing = np.flatnonzero(np.bincount(train.labels, minlength=len(labels.names)) == 0)
    if missing.size:
        name = labels.names[int(missing[0])]
        hint = "correct the column that names the splits"
        raise DataError(str(train.found.files[0]), f"train rows of class {name!r}", "none", hint)

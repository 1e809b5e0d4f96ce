"""Check a whole dataset before anything is spent, and choose the rows of each split."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from agnews_ray.data.cutting import cut_test, rows_by_column
from agnews_ray.data.files import iter_batches
from agnews_ray.data.labels import (
    LabelMap,
    decide_labels,
    refuse_unknown,
    refuse_unlikely,
    reordered,
)
from agnews_ray.data.layout import FileLayout
from agnews_ray.data.reading import SplitPass, read_split
from agnews_ray.data.sources import SourceFiles, resolve_source
from agnews_ray.data.splits import select_limited, select_train_and_validation
from agnews_ray.errors import DataError
from agnews_ray.record.schema import DatasetRecord, SplitRecord
from agnews_ray.spec.study import DataSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitRows:
    """A split ready to be read again: its files, and which of their rows are used."""

    files: tuple[Path, ...]
    layouts: tuple[FileLayout, ...]
    file_num_rows: tuple[int, ...]
    rows: NDArray[np.int64]
    """Row numbers over all files, rising."""
    raw_labels: tuple[str, ...]
    """Label as written in the files, by class id."""

    @property
    def num_rows(self) -> int:
        """Rows used."""
        return int(self.rows.size)

    def iter_selected(self, file_index: int) -> Iterator[pa.Table]:
        """Stream the used rows of one file.

        Args:
            file_index: position in ``files``.

        Yields:
            Tables with ``text`` (string), ``label`` (int64 class id) and ``row`` (int64).
        """
        start = sum(self.file_num_rows[:file_index])
        value_set = pa.array(self.raw_labels)
        for batch in iter_batches(self.files[file_index], self.layouts[file_index]):
            stop = start + batch.num_rows
            first, last = np.searchsorted(self.rows, [start, stop])
            rows = self.rows[first:last]
            if rows.size:
                used = pa.Table.from_batches([batch]).take(pa.array(rows - start))
                label = pc.index_in(used["label"], value_set).cast(pa.int64())
                yield pa.table({"text": used["text"], "label": label, "row": pa.array(rows)})
            start = stop


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedDataset:
    """A checked dataset: the facts for the record, and the rows of each split."""

    record: DatasetRecord
    train: SplitRows
    validation: SplitRows
    test: SplitRows


@dataclass(frozen=True, slots=True)
class _Part:
    """The rows of a split, among those of its files."""

    found: SplitPass
    written: LabelMap
    """How its own files write the labels."""
    class_ids: NDArray[np.int16]
    rows: NDArray[np.int64]
    """All of them, before any limit."""

    @classmethod
    def whole(cls, found: SplitPass, labels: LabelMap) -> "_Part":
        class_ids = found.class_ids(labels)
        return cls(found, labels, class_ids, np.arange(class_ids.size))

    def some(self, rows: NDArray[np.int64]) -> "_Part":
        return _Part(self.found, self.written, self.class_ids, rows)

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
class _Parts:
    """The splits before limits, and what was taken for granted to find them."""

    train: _Part
    test: _Part
    validation: _Part | None
    notes: tuple[str, ...]


def scan_dataset(spec: DataSpec, cache: Path) -> ScannedDataset:
    """Check every row of a source and choose the rows of each split.

    Args:
        spec: names the source, columns, limits and the validation split.
        cache: folder for downloads and generated corpora.

    Returns:
        The checked dataset; texts are not held.

    Raises:
        DataError: a file, column or label is wrong; names the file and row.
        HubError: a hub id that cannot be loaded.
    """
    source = resolve_source(spec, cache)
    read = read_split(source.train, spec, None)
    layout = read.layouts[0]
    names = spec.class_names or source.class_names or layout.class_names
    if spec.class_names is None:
        _need_one_set_of_names(source, read)
    labels = decide_labels(read.sightings, names, spec.label_base)
    if names is None and spec.label_column is None:
        refuse_unlikely(read.sightings)
    if read.is_empty.all():
        hint = "name the column of the texts with --text-column"
        raise DataError(str(source.train[0]), "text in some rows", "empty texts only", hint)
    parts = _parts(source, read, labels, spec)
    used, cut = select_train_and_validation(
        parts.train.labels, spec.limit_train, spec.validation_fraction, spec.split_seed
    )
    if cut.size == 0 and spec.validation_fraction > 0:
        hint = "raise --validation-fraction, or use more rows"
        raise DataError(spec.source, "at least one validation row", "none", hint)
    rng = np.random.default_rng(spec.split_seed)
    tested = select_limited(parts.test.labels, spec.limit_test, rng)
    held = parts.validation
    record = DatasetRecord(
        source=spec.source,
        kind=layout.kind,
        text_columns=layout.text_columns,
        label_column=layout.label_column,
        label_kind=labels.kind,
        class_names=labels.names,
        revision=source.revision,
        train=parts.train.record(used.size + cut.size, labels),
        test=parts.test.record(tested.size, labels),
        validation=held.record(held.rows.size, labels) if held else None,
        num_validation=cut.size,
        assumptions=parts.notes,
    )
    validation = parts.train.selected(cut)
    if held:
        validation = held.selected(np.arange(held.rows.size))
    return ScannedDataset(
        record=record,
        train=parts.train.selected(used),
        validation=validation,
        test=parts.test.selected(tested),
    )


def _parts(source: SourceFiles, read: SplitPass, labels: LabelMap, spec: DataSpec) -> _Parts:
    """Read the other splits, or cut them from the train file."""
    train, layout = _Part.whole(read, labels), read.layouts[0]
    notes = [*source.notes, *read.notes(), *labels.notes]
    held = _read_other(source.validation, spec, layout, labels)
    if held:
        notes += [*held.found.notes(), f"validation split: {source.validation[0].name}"]
    test = _read_other(source.test, spec, layout, labels)
    if test:
        _need_same_rows(source, spec, layout, labels, test)
        notes += test.found.notes()
        return _Parts(train, test, held, tuple(dict.fromkeys(notes)))
    by_column = rows_by_column(read.files, layout, spec)
    if by_column:
        column, rows = by_column
        notes.append(f"splits as column {column!r} says")
        held = held or (train.some(rows["validation"]) if "validation" in rows else None)
        chosen = _Parts(train.some(rows["train"]), train.some(rows["test"]), held, tuple(notes))
        _need_every_class(chosen.train, labels)
        return chosen
    kept, tested, note = cut_test(read.files, train.class_ids, spec)
    notes.append(note)
    return _Parts(train.some(kept), train.some(tested), held, tuple(dict.fromkeys(notes)))


def _read_other(
    files: tuple[Path, ...], spec: DataSpec, like: FileLayout, labels: LabelMap
) -> _Part | None:
    if not files:
        return None
    found = read_split(files, spec, like)
    own = found.layouts[0].class_names
    if own is not None and like.class_names is not None and own != like.class_names:
        labels = reordered(labels, files[0], own)
    refuse_unknown(found.sightings, labels)
    return _Part.whole(found, labels)


def _need_one_set_of_names(source: SourceFiles, read: SplitPass) -> None:
    """Refuse names beside the data that contradict those inside."""
    told = source.class_names
    for path, layout in zip(read.files, read.layouts, strict=True):
        names = layout.class_names
        told = told or names
        if names is not None and told is not None and names != told:
            first = next(i for i, name in enumerate([*names, ""]) if name != [*told, ""][i])
            found = f"other class names in the file than beside it, at class {first}"
            hint = "say them with --class-names, or delete classes.txt or the other"
            raise DataError(str(path), "one list of class names", found, hint)


def _need_same_rows(
    source: SourceFiles, spec: DataSpec, like: FileLayout, labels: LabelMap, test: _Part
) -> None:
    """Refuse test files in two formats that do not hold the same rows."""
    for files in source.test_twins:
        twin = read_split(files, spec, like)
        same_texts = twin.text_digest == test.found.text_digest
        own = decide_labels(twin.sightings, None, None) if same_texts else labels
        if not same_texts or (own.raw != labels.raw and len(own.raw) != len(labels.raw)):
            found = f"other rows in {files[0].name} than in {source.test[0].name}"
            hint = "name one with --test-dataset FILE, or delete the other"
            raise DataError(str(files[0].parent), "one test split", found, hint)
        if not np.array_equal(twin.class_ids(own), test.class_ids):
            found = f"other labels in {files[0].name} than in {source.test[0].name}"
            hint = "name one with --test-dataset FILE, or delete the other"
            raise DataError(str(files[0].parent), "one test split", found, hint)


def _need_every_class(train: _Part, labels: LabelMap) -> None:
    missing = np.flatnonzero(np.bincount(train.labels, minlength=len(labels.names)) == 0)
    if missing.size:
        name = labels.names[int(missing[0])]
        hint = "correct the column that says the splits"
        raise DataError(str(train.found.files[0]), f"train rows of class {name!r}", "none", hint)

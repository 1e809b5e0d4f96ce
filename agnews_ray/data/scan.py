"""One pass over every row before anything is spent: labels, fingerprints, empty texts, splits."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from agnews_ray.data.coverage import describe_missing, refuse_low_limit
from agnews_ray.data.files import FileLayout, detect_layout, iter_batches
from agnews_ray.data.labels import LabelMap, Sighting, decide_labels, refuse_unknown
from agnews_ray.data.sources import resolve_source
from agnews_ray.data.splits import select_limited, select_train_and_validation
from agnews_ray.errors import DataError
from agnews_ray.record.schema import DatasetRecord, SplitRecord
from agnews_ray.spec.study import DataSpec

MAX_CLASSES = 1000
"""More different labels than this means that the column is not one of labels."""


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


@dataclass(slots=True)
class _Pass:
    """What one pass over a split's rows found."""

    files: tuple[Path, ...]
    layouts: tuple[FileLayout, ...]
    file_num_rows: list[int]
    codes: NDArray[np.int16]
    sightings: dict[str, Sighting]
    num_empty: int
    text_digest: str


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
    train, test = _read(source.train, spec), _read(source.test, spec)
    names = spec.class_names or source.class_names
    labels = decide_labels(train.sightings, names, spec.label_base)
    refuse_unknown(test.sightings, labels)
    train_labels, test_labels = _class_ids(train, labels), _class_ids(test, labels)
    refuse_low_limit(spec, train_labels)
    used, validation = select_train_and_validation(
        train_labels, spec.limit_train, spec.validation_fraction, spec.split_seed
    )
    if validation.size == 0 and spec.validation_fraction > 0:
        hint = "raise --validation-fraction, or use more rows"
        raise DataError(spec.source, "at least one validation row", "none", hint)
    rng = np.random.default_rng(spec.split_seed)
    tested = select_limited(test_labels, spec.limit_test, rng)
    num_used = used.size + validation.size
    record = DatasetRecord(
        source=spec.source,
        kind=train.layouts[0].kind,
        text_columns=train.layouts[0].text_columns,
        label_column=train.layouts[0].label_column,
        label_kind=labels.kind,
        class_names=labels.names,
        revision=source.revision,
        train=_split_record(train, train_labels, num_used, labels),
        test=_split_record(test, test_labels, tested.size, labels),
        num_validation=validation.size,
        missing_classes=describe_missing(
            {
                "train": train_labels[used],
                "validation": train_labels[validation],
                "test": test_labels[tested],
            },
            labels.names,
        ),
    )
    return ScannedDataset(
        record=record,
        train=_split_rows(train, used, labels),
        validation=_split_rows(train, validation, labels),
        test=_split_rows(test, tested, labels),
    )


def _read(files: tuple[Path, ...], spec: DataSpec) -> _Pass:
    """Read every row once, holding two bytes a row for its label."""
    layouts = tuple(detect_layout(path, spec) for path in files)
    texts, lengths = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    vocabulary: dict[str, int] = {}
    sightings: dict[str, Sighting] = {}
    codes, file_num_rows, num_empty = [], [], 0
    for path, layout in zip(files, layouts, strict=True):
        row = 0
        for batch in iter_batches(path, layout):
            _hash_texts(batch["text"], texts, lengths)
            num_empty += pc.sum(pc.equal(pc.utf8_trim_whitespace(batch["text"]), "")).as_py() or 0
            codes.append(_encode(batch["label"], vocabulary, sightings, path, row))
            row += batch.num_rows
        if row == 0:
            raise DataError(str(path), "at least one row", "none", "remove or replace the file")
        file_num_rows.append(row)
    return _Pass(
        files=files,
        layouts=layouts,
        file_num_rows=file_num_rows,
        codes=np.concatenate(codes),
        sightings=sightings,
        num_empty=num_empty,
        text_digest=texts.hexdigest() + lengths.hexdigest(),
    )


def _encode(
    labels: pa.Array,
    vocabulary: dict[str, int],
    sightings: dict[str, Sighting],
    path: Path,
    first_row: int,
) -> NDArray[np.int16]:
    """Give every different label a code, remembering where each was first seen."""
    encoded = labels.dictionary_encode()
    indices = encoded.indices
    if indices.null_count:
        row = first_row + indices.is_null().index(pa.scalar(True)).as_py() + 1
        raise DataError(f"{path}, row {row}", "a label", "none", "fill it in, or remove the row")
    local: NDArray[np.int32] = indices.to_numpy(zero_copy_only=False)
    words = encoded.dictionary.to_pylist()
    for code, word in enumerate(words):
        if word not in vocabulary:
            row = first_row + int(np.argmax(local == code)) + 1
            vocabulary[word] = len(vocabulary)
            sightings[word] = Sighting(path=path, row=row)
    if len(vocabulary) > MAX_CLASSES:
        found = f"over {MAX_CLASSES} different ones, such as {words[-1][:40]!r}"
        raise DataError(str(path), "a column of labels", found, "name it with --label-column")
    lookup = np.array([vocabulary[word] for word in words], dtype=np.int16)
    return lookup[local]


def _hash_texts(texts: pa.Array, content: hashlib.blake2b, lengths: hashlib.blake2b) -> None:
    """Feed bytes and lengths to two hashes, so that batch borders leave no trace."""
    if len(texts) == 0:
        return
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    offsets = offsets[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    if data is not None:
        content.update(memoryview(data)[offsets[0] : offsets[-1]])
    lengths.update(np.diff(offsets).tobytes())


def _class_ids(found: _Pass, labels: LabelMap) -> NDArray[np.int16]:
    ids = [labels.class_id(word) for word in found.sightings]
    return np.array(ids, dtype=np.int16)[found.codes].astype(np.int16, copy=False)


def _split_record(
    found: _Pass, class_ids: NDArray[np.int16], num_selected: int, labels: LabelMap
) -> SplitRecord:
    both = hashlib.blake2b(found.text_digest.encode() + class_ids.tobytes(), digest_size=16)
    return SplitRecord(
        files=tuple(path.name for path in found.files),
        num_rows=class_ids.size,
        num_selected=num_selected,
        num_empty=found.num_empty,
        class_counts=tuple(np.bincount(class_ids, minlength=len(labels.names)).tolist()),
        fingerprint=both.hexdigest(),
    )


def _split_rows(found: _Pass, rows: NDArray[np.int64], labels: LabelMap) -> SplitRows:
    return SplitRows(
        files=found.files,
        layouts=found.layouts,
        file_num_rows=tuple(found.file_num_rows),
        rows=rows,
        raw_labels=labels.raw,
    )

"""One pass over a split's rows: labels, fingerprint, empty texts. It keeps two bytes per row."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from agnews_ray.data.files import detect_layout, iter_batches
from agnews_ray.data.label_checks import is_fraction
from agnews_ray.data.labels import LabelMap, Sighting
from agnews_ray.data.layout import FileLayout
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

MAX_CLASSES = 1000
"""The largest number of distinct labels; a column with more is not a column of labels."""


@dataclass(slots=True)
class SplitPass:
    """What one pass over a split's rows found."""

    files: tuple[Path, ...]
    layouts: tuple[FileLayout, ...]
    file_num_rows: list[int]
    codes: NDArray[np.int16]
    """Shape (N,): each row's label, as a position in ``sightings``."""
    sightings: dict[str, Sighting]
    is_empty: NDArray[np.bool_]
    """Shape (N,): whether each row's text is empty or white space."""
    text_digest: str

    def class_ids(self, labels: LabelMap) -> NDArray[np.int16]:
        """Return each row's class id; all labels must be in the map."""
        ids = [labels.class_id(word) for word in self.sightings]
        return np.array(ids, dtype=np.int16)[self.codes].astype(np.int16, copy=False)

    def notes(self) -> tuple[str, ...]:
        """List the assumptions made to read the files, each once."""
        return tuple(dict.fromkeys(note for layout in self.layouts for note in layout.notes))


def read_split(files: tuple[Path, ...], spec: DataSpec, like: FileLayout | None) -> SplitPass:
    """Read every row of a split once.

    Args:
        files: in order.
        spec: the user's settings, which may state how the files are read.
        like: the layout of the train split's first file; None for that split itself.

    Returns:
        What was found.

    Raises:
        DataError: a file, column or label is wrong; the message names the file and row.
    """
    layouts: list[FileLayout] = []
    texts, lengths = hashlib.blake2b(digest_size=16), hashlib.blake2b(digest_size=16)
    vocabulary: dict[str, int] = {}
    sightings: dict[str, Sighting] = {}
    codes, empty, file_num_rows = [], [], []
    for path in files:
        layouts.append(detect_layout(path, spec, like or (layouts[0] if layouts else None)))
        row = 0
        for batch in iter_batches(path, layouts[-1]):
            _hash_texts(batch["text"], texts, lengths)
            blank = pc.equal(pc.utf8_trim_whitespace(batch["text"]), "")
            empty.append(blank.to_numpy(zero_copy_only=False))
            codes.append(_encode(batch["label"], vocabulary, sightings, path, row))
            row += batch.num_rows
        if row == 0:
            raise DataError(str(path), "at least one row", "none", "remove or replace the file")
        file_num_rows.append(row)
    all_codes = np.concatenate(codes)
    counts = np.bincount(all_codes, minlength=len(vocabulary)).tolist()
    return SplitPass(
        files=files,
        layouts=tuple(layouts),
        file_num_rows=file_num_rows,
        codes=all_codes,
        sightings={w: replace(s, count=counts[vocabulary[w]]) for w, s in sightings.items()},
        is_empty=np.concatenate(empty),
        text_digest=texts.hexdigest() + lengths.hexdigest(),
    )


def _encode(
    labels: pa.Array,
    vocabulary: dict[str, int],
    sightings: dict[str, Sighting],
    path: Path,
    first_row: int,
) -> NDArray[np.int16]:
    """Give every distinct label a code, and remember where each first occurs."""
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
        found = f"over {MAX_CLASSES} different values, such as {words[-1][:40]!r}"
        hint = "name it with --label-column"
        if is_fraction(words[-1]):
            hint = "these are measurements: turn them into classes, or name another column"
        raise DataError(str(path), "a column of labels", found, hint)
    lookup = np.array([vocabulary[word] for word in words], dtype=np.int16)
    return lookup[local]


def _hash_texts(texts: pa.Array, content: hashlib.blake2b, lengths: hashlib.blake2b) -> None:
    """Feed bytes and lengths to two hashes, so that batch borders do not change the result."""
    if len(texts) == 0:
        return
    offsets = np.frombuffer(texts.buffers()[1], dtype=np.int32)
    offsets = offsets[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    if data is not None:
        content.update(memoryview(data)[offsets[0] : offsets[-1]])
    lengths.update(np.diff(offsets).tobytes())

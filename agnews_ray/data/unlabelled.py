"""Texts without labels: found and read like a dataset, but no label is read."""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from agnews_ray.data.audit import normalise
from agnews_ray.data.batches import FIRST_TRANSFER_ROW
from agnews_ray.data.files import detect_layout, iter_batches
from agnews_ray.data.holdout import rows_by_column
from agnews_ray.data.layout import FileLayout
from agnews_ray.data.scan import ScannedDataset, SplitRows
from agnews_ray.data.sources import resolve_source
from agnews_ray.errors import OFFLINE_WAYS, DataError, HubError
from agnews_ray.record.taught import TransferRecord
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.distillation import TransferSpec

DRAWN_TEXTS = 20
"""A number beside the seed, which makes this sample independent of the seed's other samples."""

FILE_HINT = (
    "correct transfer.source or transfer.text_columns, or save the texts as .txt, one a line, "
    "or with one column 'text'"
)
HUB_HINT = f"{OFFLINE_WAYS}, or name a local file as transfer.source"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedTexts:
    """Texts without labels that were read once: the facts for the record, and the used rows."""

    record: TransferRecord
    rows: SplitRows
    """The used texts, numbered from ``FIRST_TRANSFER_ROW``."""
    is_only: bool
    """Whether they are trained on without the labelled train rows."""


def scan_texts(
    transfer: TransferSpec, spec: DataSpec, cache: Path, scanned: ScannedDataset
) -> ScannedTexts:
    """Read texts without labels, leave out the empty ones, and draw those that are used.

    The dataset itself may be the source: then its rows that the study uses are left out, of train
    unless there are only texts.

    Args:
        transfer: the source, its text columns and the number of texts.
        spec: the data settings, which have the seed.
        cache: folder for downloads and generated corpora.
        scanned: the labelled rows, whose text columns are tried first, and whose test rows are
            looked for among the texts.

    Returns:
        The texts; they are not kept in memory. A smaller number of texts are among those of every
        larger one.

    Raises:
        DataError: no such file, no text column, or only empty texts.
        HubError: a hub id that cannot be loaded.
    """
    try:
        found = _find_rows(transfer, _as_data(transfer, spec), cache, scanned)
    except (DataError, HubError) as error:
        if "--" not in error.hint:  # flags are about the labelled rows
            raise
        hint = HUB_HINT if isinstance(error, HubError) else FILE_HINT
        raise type(error)(error.where, error.wanted, error.found, hint) from error
    if found.rows.size == 0:
        hint = "name the columns of the texts with transfer.text_columns"
        raise DataError(transfer.source, "text in some rows", "empty texts only", hint)
    rows = _without_used(found, transfer, scanned)
    if rows.size == 0:
        hint = "use another source, or fewer labelled rows with --limit-train"
        raise DataError(transfer.source, "texts that are no rows of the study", "none", hint)
    if transfer.limit is not None and transfer.limit < rows.size:
        rng = np.random.default_rng([spec.split_seed, DRAWN_TEXTS])
        rows = np.sort(rng.permutation(rows)[: transfer.limit])
    used = replace(found, rows=rows)
    fingerprint, num_in_test = _look(used, scanned.test)
    record = TransferRecord(
        source=transfer.source,
        num_rows=rows.size,
        num_read=sum(found.file_num_rows),
        num_in_test=num_in_test,
        fingerprint=fingerprint,
    )
    return ScannedTexts(record=record, rows=used, is_only=transfer.only)


def _as_data(transfer: TransferSpec, spec: DataSpec) -> DataSpec:
    """Describe the texts as a dataset; what the user stated of the data holds for the same source.

    Splits other than train are not read, so that none of them has to exist.
    """
    if _place(transfer.source) == _place(spec.source):
        stated = {"test_source": None, "test_fraction": None, "validation_fraction": 0.0}
        data = spec.model_copy(update={**stated, "validation_source": "none"})
    else:
        data = DataSpec(source=transfer.source, validation_source="none")
    return data.model_copy(update={"text_columns": transfer.text_columns or data.text_columns})


def _place(source: str) -> str:
    path = Path(source).expanduser()
    return str(path.resolve()) if path.exists() else source


def _find_rows(
    transfer: TransferSpec, spec: DataSpec, cache: Path, scanned: ScannedDataset
) -> SplitRows:
    """Find the files of the train split, and their rows that have a text."""
    files = resolve_source(spec, cache).train
    paths = [path.resolve() for path in scanned.train.files]
    known = dict(zip(paths, scanned.train.layouts, strict=True))
    layouts: list[FileLayout] = []
    has_text: list[NDArray[np.bool_]] = []
    file_num_rows: list[int] = []
    for path in files:
        if path.resolve() in known and transfer.text_columns is None:
            layout = replace(known[path.resolve()], label_column="")
        else:
            like = layouts[0] if layouts else scanned.train.layouts[0]
            layout = detect_layout(path, spec, like, is_labelled=False)
        layouts.append(layout)
        filled = [
            pc.not_equal(pc.utf8_trim_whitespace(batch["text"]), "").to_numpy(zero_copy_only=False)
            for batch in iter_batches(path, layout)
        ]
        has_text += filled
        file_num_rows.append(sum(one.size for one in filled))
    rows = np.flatnonzero(np.concatenate(has_text)) if has_text else np.empty(0, np.int64)
    by_column = rows_by_column(files, layouts[0], spec)
    if by_column:
        rows = np.intersect1d(rows, by_column[1]["train"])
    return SplitRows(
        files=files,
        layouts=tuple(layouts),
        file_num_rows=tuple(file_num_rows),
        rows=rows,
        raw_labels=(),
        first_number=FIRST_TRANSFER_ROW,
    )


def _without_used(
    found: SplitRows, transfer: TransferSpec, scanned: ScannedDataset
) -> NDArray[np.int64]:
    """Leave out rows of the dataset's own files that the study uses as labelled rows."""
    splits = (scanned.validation, scanned.test, *(() if transfer.only else (scanned.train,)))
    here = {path.resolve(): first for path, first in zip(found.files, _firsts(found), strict=True)}
    used = []
    for split in splits:
        files = zip(split.files, _firsts(split), split.file_num_rows, strict=True)
        for path, first, count in files:
            if path.resolve() in here:
                own = split.rows[(split.rows >= first) & (split.rows < first + count)]
                used.append(own - first + here[path.resolve()])
    return np.setdiff1d(found.rows, np.concatenate(used)) if used else found.rows


def _firsts(split: SplitRows) -> list[int]:
    """Return the number of the first row of each file."""
    return [0, *np.cumsum(split.file_num_rows)[:-1].tolist()]


def _look(texts: SplitRows, test: SplitRows) -> tuple[str, int]:
    """Hash the used texts in order, and count those that read like the text of a test row."""
    tested = normalise(test.table()["text"].combine_chunks()).unique()
    tested = tested.filter(pc.not_equal(tested, ""))  # texts without words are never duplicates
    content, num_in_test = hashlib.blake2b(digest_size=16), 0
    for index in range(len(texts.files)):
        for table in texts.iter_selected(index):
            batch = table["text"].combine_chunks()
            num_in_test += pc.sum(pc.is_in(normalise(batch), tested)).as_py()
            for text in batch.to_pylist():
                encoded = text.encode()
                content.update(len(encoded).to_bytes(8, "little") + encoded)
    return content.hexdigest(), num_in_test

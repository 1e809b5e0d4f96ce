"""Tokenised splits, which are made once for each tokenizer and kept on disk."""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from agnews_ray.data.cached import cache_key, kept_folder
from agnews_ray.data.scan import ScannedDataset, SplitRows
from agnews_ray.data.stream import (
    TOKENISED_VERSION,
    TokenisedSplit,
    open_split,
    tokenise_split,
    write_tokenised,
)
from agnews_ray.data.unlabelled import ScannedTexts


def tokenised_splits(
    scanned: ScannedDataset,
    encoder: str,
    cache: Path,
    max_resident_mb: int,
    on_tokenised: Callable[[str, int, int], None],
    note: Callable[[str], None],
) -> dict[str, TokenisedSplit]:
    """Tokenise the splits of a dataset, or find them from an earlier run.

    Args:
        scanned: the dataset.
        encoder: a ``tokenizers`` tokenizer as JSON, truncation to the longest length included.
        cache: the folder in which they are kept.
        max_resident_mb: larger splits (MiB of token ids) are streamed.
        on_tokenised: called with the split, the rows done and the total number of rows.
        note: called with one line when a kept split was damaged and is made again.

    Returns:
        The tokenised splits by name: train, test, and validation if there is one.
    """
    rows = used_rows(scanned)
    folder = cache / "tokenised" / tokenised_key(scanned, encoder)

    def tokenise(new: Path) -> None:
        for name, split in rows.items():

            def report(done: int, name: str = name, total: int = split.num_rows) -> None:
                on_tokenised(name, done, total)

            tokenise_split(split, encoder, new / f"{name}.parquet", report)

    num_rows = {f"{name}.parquet": split.num_rows for name, split in rows.items()}
    kept_folder(folder, tokenise, note, num_rows)
    return {name: open_split(folder / f"{name}.parquet", encoder, max_resident_mb) for name in rows}


def with_transfer(
    splits: dict[str, TokenisedSplit],
    texts: ScannedTexts,
    encoder: str,
    max_resident_mb: int,
    on_rows: Callable[[int], None],
    note: Callable[[str], None],
) -> dict[str, TokenisedSplit]:
    """Tokenise texts without labels, and put them behind the train rows, or in their place.

    The train rows are not tokenised again. The texts begin a row group of their own, so that a
    stream shuffles both alike.

    Args:
        splits: the tokenised splits, from ``tokenised_splits`` with the same encoder.
        texts: the texts, and whether they are trained on alone.
        encoder: a ``tokenizers`` tokenizer as JSON, truncation to the longest length included.
        max_resident_mb: larger splits (MiB of token ids) are streamed.
        on_rows: called with the number of texts done so far.
        note: called with one line when a kept split was damaged and is made again.

    Returns:
        The splits, with another train split.
    """
    before = [] if texts.is_only else [splits["train"].path]
    content = [[path.parent.name for path in before], texts.record.fingerprint]
    key = cache_key([*content, digest(encoder.encode())], TOKENISED_VERSION, ["tokenizers"])

    def tokenise(new: Path) -> None:
        alone, joined = new / "texts.parquet", new / "train.parquet"
        tokenise_split(texts.rows, encoder, alone, on_rows)
        write_tokenised(_row_groups([*before, alone]), encoder, joined, lambda _: None)
        alone.unlink()

    num_rows = sum(pq.read_metadata(path).num_rows for path in before) + texts.rows.num_rows
    folder = splits["train"].path.parent.with_name(key)
    kept_folder(folder, tokenise, note, {"train.parquet": num_rows})
    return splits | {"train": open_split(folder / "train.parquet", encoder, max_resident_mb)}


def _row_groups(paths: list[Path]) -> Iterator[pa.Table]:
    for path in paths:
        with pq.ParquetFile(path) as file:
            for group in range(file.num_row_groups):
                yield file.read_row_group(group)


def used_rows(scanned: ScannedDataset) -> dict[str, SplitRows]:
    """Name the splits that trials use."""
    rows = {"train": scanned.train, "test": scanned.test}
    if scanned.validation.num_rows:
        rows["validation"] = scanned.validation
    return rows


def tokenised_key(scanned: ScannedDataset, encoder: str) -> str:
    """Make a name from all that the tokenised splits of a dataset depend on.

    Args:
        scanned: the dataset; its fingerprints cover every text and label of any source.
        encoder: a ``tokenizers`` tokenizer as JSON, the longest length in it; it decides the ids'
            type too.

    Returns:
        The name of their folder.
    """
    splits = (scanned.train, scanned.test, scanned.validation)
    rows = [digest(split.rows.tobytes()) for split in splits]
    content = [fingerprints(scanned), rows, digest(encoder.encode())]
    return cache_key(content, TOKENISED_VERSION, ["tokenizers"])


def fingerprints(scanned: ScannedDataset) -> list[str | None]:
    """Return the fingerprint of every part of a dataset, in a fixed order."""
    record = scanned.record
    parts = (record.train, record.test, record.validation)
    return [part.fingerprint if part else None for part in parts]


def digest(content: bytes) -> str:
    """Return the SHA-256 of some bytes, in hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()

"""Tokenised splits, which are made once for each tokenizer and kept on disk."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from agnews_ray.data.cached import cache_key, kept_folder
from agnews_ray.data.scan import ScannedDataset, SplitRows
from agnews_ray.data.stream import TOKENISED_VERSION, TokenisedSplit, open_split, tokenise_split


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

"""Duplicates inside the test split, and between it and the train rows."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from agnews_ray.data.scan import ScannedDataset, SplitRows
from agnews_ray.record.outputs import TestRows


def audit_test_rows(scanned: ScannedDataset) -> TestRows:
    """Read the test rows, and find duplicates of each in both splits.

    Args:
        scanned: the dataset; the train split is streamed, the test split held.

    Returns:
        The test rows in file order.
    """
    rows = pa.concat_tables(_iter_rows(scanned.test))
    texts, numbers = rows["text"].to_pylist(), rows["row"].to_pylist()
    keys = normalise(rows["text"].combine_chunks()).to_pylist()
    in_test = _Twins(texts, keys)
    in_train = _Twins(texts, keys)
    in_test.add(texts, keys, numbers)
    for table in _iter_rows(scanned.train):
        found = normalise(table["text"].combine_chunks())
        hits = table.append_column("key", found).filter(
            pc.is_in(found, pa.array(in_train.keys, pa.string()))
        )
        in_train.add(*(hits[name].to_pylist() for name in ("text", "key", "row")))
    test_twins = [in_test.of(*own) for own in zip(texts, keys, numbers, strict=True)]
    train_twins = [in_train.of(text, key, None) for text, key in zip(texts, keys, strict=True)]
    return TestRows(
        texts=texts,
        twin_in_test=[twin for twin, _ in test_twins],
        twin_in_train=[twin for twin, _ in train_twins],
        is_exact_in_test=[is_exact for _, is_exact in test_twins],
        is_exact_in_train=[is_exact for _, is_exact in train_twins],
    )


class _Twins:
    """The first two rows of each text, exact and normalised, that occurs in the test split."""

    def __init__(self, texts: list[str], keys: list[str]) -> None:
        self.keys = sorted(set(keys) - {""})  # texts without words are never duplicates
        self._exact: dict[str, list[int]] = {text: [] for text in texts}
        self._alike: dict[str, list[int]] = {key: [] for key in self.keys}

    def add(self, texts: list[str], keys: list[str], rows: list[int]) -> None:
        """Remember rows that are the first or second with their text."""
        for text, key, row in zip(texts, keys, rows, strict=True):
            for known in (self._exact.get(text), self._alike.get(key)):
                if known is not None and len(known) < 2:
                    known.append(row)

    def of(self, text: str, key: str, own: int | None) -> tuple[int | None, bool]:
        """A row's first duplicate other than itself; an exact one is preferred."""
        exact = next((row for row in self._exact[text] if row != own), None)
        if not key or exact is not None:
            return (exact, True) if key else (None, False)
        return next((row for row in self._alike[key] if row != own), None), False


def normalise(texts: pa.Array) -> pa.Array:
    """Reduce texts to lower-case words, so that texts that read the same become equal.

    Args:
        texts: strings.

    Returns:
        As many strings; anything that is neither a letter (with its marks) nor a digit becomes one
        space.
    """
    words = pc.replace_substring_regex(pc.utf8_lower(texts), r"[^\pL\pM\pN]+", " ")
    return pc.utf8_trim_whitespace(words)


def _iter_rows(split: SplitRows) -> Iterator[pa.Table]:
    for index in range(len(split.files)):
        yield from split.iter_selected(index)

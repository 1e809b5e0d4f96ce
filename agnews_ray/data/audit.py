"""Duplicates inside the test split, and between it and the rows trained on."""

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from agnews_ray.data.scan import ScannedDataset, SplitRows
from agnews_ray.record.outputs import TestRows


def audit_test_rows(scanned: ScannedDataset) -> TestRows:
    """Read the test rows, and find each one's twins in both splits.

    Args:
        scanned: the dataset; the train split is streamed, the test split held.

    Returns:
        The test rows in file order.
    """
    rows = pa.concat_tables(_iter_rows(scanned.test))
    texts, numbers = rows["text"].to_pylist(), rows["row"].to_pylist()
    keys = normalise(rows["text"].combine_chunks())
    names = keys.to_pylist()
    by_key: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        by_key.setdefault(name, []).append(position)
    twins = [next((p for p in by_key[name] if p != i), None) for i, name in enumerate(names)]
    in_train, exact_in_train = _find_in_train(scanned.train, keys, set(texts))
    return TestRows(
        texts=texts,
        twin_in_test=[None if twin is None else numbers[twin] for twin in twins],
        twin_in_train=[in_train.get(name) for name in names],
        is_exact_in_test=[
            any(texts[p] == texts[i] for p in by_key[name] if p != i)
            for i, name in enumerate(names)
        ],
        is_exact_in_train=[text in exact_in_train for text in texts],
    )


def normalise(texts: pa.Array) -> pa.Array:
    """Reduce texts to lower-case words: what is equal then reads the same.

    Args:
        texts: strings.

    Returns:
        As many strings; whatever is neither letter nor digit becomes one space.
    """
    words = pc.replace_substring_regex(pc.utf8_lower(texts), r"[^\pL\pN]+", " ")
    return pc.utf8_trim_whitespace(words)


def _find_in_train(
    train: SplitRows, keys: pa.Array, texts: set[str]
) -> tuple[dict[str, int], set[str]]:
    """The first train row of each test key that is there, and the exact texts that are."""
    wanted = pc.unique(keys)
    first: dict[str, int] = {}
    exact: set[str] = set()
    for table in _iter_rows(train):
        normalised = normalise(table["text"].combine_chunks())
        hits = table.append_column("key", normalised).filter(pc.is_in(normalised, wanted))
        for key, text, row in zip(
            hits["key"].to_pylist(), hits["text"].to_pylist(), hits["row"].to_pylist(), strict=True
        ):
            first.setdefault(key, row)
            if text in texts:
                exact.add(text)
    return first, exact


def _iter_rows(split: SplitRows) -> Iterator[pa.Table]:
    for index in range(len(split.files)):
        yield from split.iter_selected(index)

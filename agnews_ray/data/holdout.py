"""A test split for a single train file: from a column that names splits, or drawn at random."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agnews_ray.data.columns import SPLITS, plain
from agnews_ray.data.files import iter_batches
from agnews_ray.data.folders import split_of
from agnews_ray.data.layout import FileLayout
from agnews_ray.data.splits import cut_off, most_to_cut_off
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

TEST_FRACTION = 0.2
"""The share of a single train file that becomes the test split, unless the user sets it."""


def cut_test(
    files: Sequence[Path], labels: NDArray[np.int16], spec: DataSpec
) -> tuple[NDArray[np.int64], NDArray[np.int64], str]:
    """Draw a stratified test split that leaves at least one train row of every class.

    Args:
        files: the files of the train split, for messages.
        labels: shape (N,), class ids.
        spec: the data settings, with the seed and perhaps the share.

    Returns:
        The row numbers of train and of test, each rising, and the assumption made.

    Raises:
        DataError: the share is too small for a single test row.
    """
    fraction = TEST_FRACTION if spec.test_fraction is None else spec.test_fraction
    rng = np.random.default_rng([spec.split_seed, 1])  # not the validation split's draws
    count = min(round(labels.size * fraction), most_to_cut_off(labels))
    drawn = cut_off(labels, count, rng)
    if drawn.size == 0:
        hint = "raise --test-fraction, or name a test file with --test-dataset"
        raise DataError(str(files[0]), "at least one test row", "none", hint)
    name = files[0].name if len(files) == 1 else f"{len(files)} train files"
    note = f"test split: {fraction:.4g} of {name}, stratified, seed {spec.split_seed}"
    return np.setdiff1d(np.arange(labels.size), drawn), drawn, note


def rows_by_column(
    files: Sequence[Path], layout: FileLayout, spec: DataSpec
) -> tuple[str, dict[str, NDArray[np.int64]]] | None:
    """Use the splits that a column of the file names.

    Args:
        files: the files of the train split, all with the columns of the first.
        layout: the layout of the first file.
        spec: the data settings; such a column is ignored if they state a test share.

    Returns:
        The column and the row numbers of each split; None if no column names train and test.
    """
    named = [c for c in layout.columns if plain(c) in SPLITS and c not in layout.wanted]
    if not named or not layout.has_header or spec.test_fraction is not None or len(files) > 1:
        return None
    alone = replace(layout, text_columns=(named[0],))
    words: list[str] = []
    for batch in iter_batches(files[0], alone):
        words.extend(batch["text"].to_pylist())
    split_of_word = {word: split_of(word) for word in set(words)}
    found = {split for split in split_of_word.values() if split}
    if "train" in found and len(found) > 1 and "test" not in found:
        hint = "cut one from all rows with --test-fraction 0.2, or name a file with --test-dataset"
        said = f"column {named[0]!r} says {', '.join(sorted(split_of_word))}"
        raise DataError(str(files[0]), "a test split", said, hint)
    if not {"train", "test"} <= found:
        return None
    unknown = next((w for w, split in split_of_word.items() if split is None), None)
    if unknown is not None:
        place = f"{unknown!r} in row {words.index(unknown) + 1}"
        hint = "correct it, or cut the test split yourself with --test-fraction"
        wanted = f"train, validation or test in column {named[0]!r}"
        raise DataError(str(files[0]), wanted, place, hint)
    splits = np.array([split_of_word[word] for word in words])
    names = ("train", "test", "validation")
    rows = {name: np.flatnonzero(splits == name) for name in names}
    return named[0], {name: of_name for name, of_name in rows.items() if of_name.size}

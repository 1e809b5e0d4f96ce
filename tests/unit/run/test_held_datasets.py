"""Which of a trial's splits are read again; Ray Data's datasets are stand-ins."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from agnews_ray.run.held_datasets import HeldDatasets


class Split:
    """A tokenised split that keeps how it was read."""

    def __init__(self, name, is_resident):
        self.path = Path(name)
        self.is_resident = is_resident
        self.made = []

    def dataset(self, seed, epoch):
        return self._make(f"{self.path} of seed {seed}, epoch {epoch}")

    def ordered_dataset(self):
        return self._make(f"{self.path} in order")

    def _make(self, how):
        options = SimpleNamespace(preserve_order=False)
        context = SimpleNamespace(execution_options=options)
        self.made.append(SimpleNamespace(context=context, iterator=lambda: how))
        return self.made[-1]


@pytest.fixture
def held():
    return HeldDatasets()


def test_each_epoch_of_a_streamed_split_has_an_order_of_its_own(held):
    splits = {"train": Split("train", False), "test": Split("test", False)}
    assert held.iterators(splits, seed=7, num_epochs=2) == {
        "train-0": "train of seed 7, epoch 0",
        "train-1": "train of seed 7, epoch 1",
        "test": "test in order",
    }


def test_a_resident_split_is_one_dataset_for_every_epoch(held):
    splits = {"train": Split("train", True), "validation": Split("validation", True)}
    assert held.iterators(splits, seed=7, num_epochs=3) == {
        "train-0": "train in order",
        "validation": "validation in order",
    }


def test_blocks_come_in_order_or_rows_would_be_other_ones(held):
    splits = {"train": Split("train", False), "test": Split("test", True)}
    held.iterators(splits, seed=7, num_epochs=2)
    made = [one for split in splits.values() for one in split.made]
    assert len(made) == 3
    assert all(one.context.execution_options.preserve_order for one in made)


def test_trials_in_a_row_read_a_resident_split_once_and_a_stream_each_time(held):
    splits = {"train": Split("train", False), "test": Split("test", True)}
    for seed in (1, 2):
        held.iterators(splits, seed, num_epochs=1)
    assert len(splits["test"].made) == 1
    assert len(splits["train"].made) == 2


def test_what_the_next_trial_does_not_need_is_let_go(held):
    first, second = Split("of-bert", True), Split("of-minilm", True)
    for split in (first, second, second, first):
        held.iterators({"train": split}, seed=1, num_epochs=1)
    assert (len(first.made), len(second.made)) == (2, 1)

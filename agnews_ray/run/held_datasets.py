"""The Ray Data datasets of trials; a resident split is read once for successive trials."""

import threading
from collections.abc import Mapping

from ray.data import DataIterator, Dataset

from agnews_ray.data.stream import TokenisedSplit


class HeldDatasets:
    """The maker of trials' datasets, which keeps those of the last trial for the next one.

    A split that is small enough to be resident lies in Ray's shared memory as one block, which
    trials of the same tokenizer share.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._resident: dict[str, Dataset] = {}

    def iterators(
        self, splits: Mapping[str, TokenisedSplit], seed: int, num_epochs: int
    ) -> dict[str, DataIterator]:
        """Make the iterators of a trial, unsplit: each worker reads all rows.

        Args:
            splits: the splits by name, including "train".
            seed: the trial's seed; it decides the order of a streamed train split.
            num_epochs: the number of epochs; each reads a streamed train split in another order.

        Returns:
            The iterators by name: ``train-0``, one more for each further streamed epoch, and the
            other splits under their own names. They return blocks in order.
        """
        found: dict[str, Dataset] = {}
        resident = {name: split for name, split in splits.items() if split.is_resident}
        held = self._hold(resident)
        for name, split in splits.items():
            if name in held:
                found["train-0" if name == "train" else name] = held[name]
            elif name == "train":
                for epoch in range(num_epochs):
                    found[f"train-{epoch}"] = _in_order(split.dataset(seed, epoch))
            else:
                found[name] = _in_order(split.ordered_dataset())
        return {name: dataset.iterator() for name, dataset in found.items()}

    def _hold(self, splits: Mapping[str, TokenisedSplit]) -> dict[str, Dataset]:
        """Read the splits that are not kept yet, and drop others; running trials keep theirs."""
        with self._lock:
            self._resident = {
                str(split.path): self._resident.get(str(split.path))
                or _in_order(split.ordered_dataset())
                for split in splits.values()
            }
            return {name: self._resident[str(split.path)] for name, split in splits.items()}


def _in_order(dataset: Dataset) -> Dataset:
    dataset.context.execution_options.preserve_order = True
    return dataset

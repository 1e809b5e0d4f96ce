"""The rows of a worker's trial: global batches to train on, and all rows of a split to score."""

from collections.abc import Iterator

import numpy as np
import ray
import torch
from ray.data import DataIterator
from transformers import PreTrainedTokenizerBase

from agnews_ray.data.batches import TokenisedRows, evaluation_batches, train_batches
from agnews_ray.data.stream import iter_windows
from agnews_ray.data.subsets import chosen_windows
from agnews_ray.data.teacher_logits import attach_targets
from agnews_ray.engine.predict import predict
from agnews_ray.engine.results import Predictions, Rank
from agnews_ray.record.soft_labels import SoftLabels
from agnews_ray.run.engine_choice import of_all_ranks
from agnews_ray.run.mailbox import Task


class WorkerRows:
    """The rows of one trial, as every rank of it reads them.

    Args:
        task: the trial, with its splits.
        rank: this rank.
        tokenizer: the trial's tokenizer.
    """

    def __init__(self, task: Task, rank: Rank, tokenizer: PreTrainedTokenizerBase) -> None:
        self._config = task.config
        self._datasets: dict[str, DataIterator] = task.datasets
        self._soft_labels: list[SoftLabels] = [ray.get(one) for one in task.soft_labels]
        self._rank = rank
        self._pad_id: int = tokenizer.pad_token_id or 0
        self._side = tokenizer.padding_side

    @property
    def is_streamed(self) -> bool:
        """Whether train rows are streamed in windows instead of held in memory."""
        return self._config.window_rows["train"] > 0

    def epochs(self) -> Iterator[Iterator[TokenisedRows]]:
        """Make each epoch's global batches, the same on each rank."""
        recipe = self._config.recipe
        held = [] if self.is_streamed else list(self.train_windows(0))
        for epoch in range(recipe.num_epochs):
            windows = held or self.train_windows(epoch)
            yield train_batches(windows, recipe.global_batch_size, self._config.seed, epoch)

    def train_windows(self, epoch: int) -> Iterator[TokenisedRows]:
        """Read the train rows in windows, with what their teachers say of them.

        Args:
            epoch: counted from 0; those of a split in memory are all the same.
        """
        number = epoch if self.is_streamed else 0
        size = self._config.window_rows["train"]
        windows = iter_windows(self._datasets[f"train-{number}"], size)
        chosen = chosen_windows(windows, self._config.train_rows, size)
        if not self._soft_labels:
            return chosen
        return (attach_targets(window, self._soft_labels) for window in chosen)

    def predict(self, model: torch.nn.Module, split: str) -> Predictions:
        """Score all rows of a split over all ranks.

        Args:
            model: a transformers classifier.
            split: its name, such as ``test``.

        Returns:
            The predictions of all rows, in file order, on rank 0; elsewhere those of any order.
        """
        config = self._config
        windows = (
            self.train_windows(0)
            if split == "train"
            else iter_windows(self._datasets[split], config.window_rows[split])
        )
        batches = evaluation_batches(windows, config.recipe.evaluation_batch_size)
        mine = list(predict(model, batches, self._pad_id, self._rank, config.precision, self._side))
        parts = [part for rank_parts in of_all_ranks(mine, self._rank) for part in rank_parts]
        rows = np.concatenate([part.rows for part in parts])
        order = np.argsort(rows, kind="stable")
        return Predictions(
            rows[order],
            np.concatenate([part.labels for part in parts])[order],
            np.concatenate([part.logits for part in parts])[order],
        )

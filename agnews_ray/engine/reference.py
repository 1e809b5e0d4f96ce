"""The reference engine: the Hugging Face Trainer, as the paper used it or at its best.

The speed and the results of ``fast`` are compared with those of this engine.
"""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    DataCollatorWithPadding,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from agnews_ray.compat.of_transformers import on_one_gpu
from agnews_ray.data.batches import TokenisedRows
from agnews_ray.engine.callbacks import Action, Callback, StepDone, tell
from agnews_ray.engine.objective import (
    LOGITS_ONLY,
    PLAIN,
    CrossEntropy,
    ModelOutput,
    Objective,
    needed_targets,
)
from agnews_ray.engine.results import Rank, TrainLog, batch_facts, make_log
from agnews_ray.errors import TrialError
from agnews_ray.spec.base import Precision
from agnews_ray.spec.recipe import RecipeSpec

Plan = Sequence[NDArray[np.int64]]
"""The positions of the rows of each global batch, over all epochs."""

Style = Literal["paper", "best", "compiled"]
"""``paper``: the defaults of the paper's version, with random batches. ``best``: batches of similar
length and the fused optimiser. ``compiled``: the same with ``torch.compile``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReferenceEngine:
    """The engine that runs a recipe in the Hugging Face Trainer, on a single rank."""

    recipe: RecipeSpec
    precision: Precision
    tokenizer: PreTrainedTokenizerBase
    rank: Rank
    style: Style
    objective: Objective = PLAIN
    """The objective to minimise, of a model's logits; its tensors are on the CPU."""

    def train(
        self,
        model: Any,
        rows: TokenisedRows,
        seed: int,
        callbacks: Sequence[Callback] = (),
        plan: Plan | None = None,
    ) -> TrainLog:
        """Train a classifier.

        Args:
            model: a transformers classifier in float32.
            rows: the train split, in memory.
            seed: the seed of the order of the rows and of dropout.
            callbacks: the callbacks, called after each step and each epoch; they may stop the
                training.
            plan: the batches to use instead of the Trainer's own.

        Returns:
            The log of the steps that were made.

        Raises:
            TrialError: the objective needs more of the model than its logits.
            DataError: the rows lack a target.
        """
        if self.objective.needs != LOGITS_ONLY:
            found = f"{type(self.objective).__name__}, which needs more"
            raise TrialError("engine reference", "a loss of logits", found, "use engine fast")
        own = self._own_objective()
        collator = _Collator(self.tokenizer, self.objective if own else None)
        with tempfile.TemporaryDirectory() as folder:
            trainer = _LoggingTrainer(
                model=model,
                args=self._arguments(folder, seed, 1 if plan else self.recipe.num_epochs),
                train_dataset=_Rows(rows, self.objective),
                data_collator=collator,
                processing_class=self.tokenizer,
            )
            trainer.plan, trainer.objective = plan, own
            watcher = _Watcher(trainer, callbacks)
            trainer.add_callback(watcher)
            trainer.remove_callback(PrinterCallback)
            trainer.train()
        parts = torch.stack(trainer.losses).T
        losses = dict(zip(["loss", *self.objective.parts], parts, strict=True))
        return make_log(losses, trainer.rates, collator.facts, watcher.seconds, watcher.num_skipped)

    def _own_objective(self) -> Objective | None:
        """The objective where the Trainer has no such loss, on the device; it knows smoothing."""
        objective = self.objective
        if isinstance(objective, CrossEntropy) and objective.class_weights is None:
            return None
        return objective.to(self.rank.device)

    def _arguments(self, folder: str, seed: int, num_epochs: int) -> TrainingArguments:
        recipe, objective = self.recipe, self.objective
        smoothing = objective.label_smoothing if isinstance(objective, CrossEntropy) else 0.0
        arguments = TrainingArguments(
            output_dir=folder,
            num_train_epochs=num_epochs,
            learning_rate=recipe.learning_rate,
            per_device_train_batch_size=recipe.global_batch_size,
            weight_decay=recipe.weight_decay,
            warmup_steps=recipe.warmup_fraction,  # below 1 it is a share
            max_grad_norm=recipe.max_grad_norm,
            adam_beta1=recipe.adam_beta1,
            adam_beta2=recipe.adam_beta2,
            adam_epsilon=recipe.adam_epsilon,
            label_smoothing_factor=smoothing,
            fp16=self.precision == "fp16",
            bf16=self.precision == "bf16",
            use_cpu=self.rank.device.type == "cpu",
            seed=seed,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            remove_unused_columns=False,  # the collator needs the row numbers
            logging_strategy="no",  # each step's loss is kept below, without waiting for it
            **self._style_arguments(),
        )
        on_one_gpu(arguments)
        return arguments

    def _style_arguments(self) -> dict[str, Any]:
        if self.style == "paper":
            return {"optim": "adamw_torch"}
        known = {one.name for one in fields(TrainingArguments)}
        grouped = (
            {"train_sampling_strategy": "group_by_length"}
            if "train_sampling_strategy" in known
            else {"group_by_length": True}
        )
        is_compiled = self.style == "compiled"
        return {
            "optim": "adamw_torch_fused",
            "torch_compile": is_compiled,
            "logging_nan_inf_filter": False,  # it would read every loss
            **grouped,
        }


class _Rows(torch.utils.data.Dataset[dict[str, Any]]):
    """A dataset of single rows, as the Trainer reads them, with an objective's targets."""

    def __init__(self, rows: TokenisedRows, objective: Objective) -> None:
        self._rows = rows
        self._targets = needed_targets(objective, rows.targets)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: int) -> dict[str, Any]:
        start, stop = self._rows.offsets[index], self._rows.offsets[index + 1]
        return {
            "input_ids": self._rows.ids[start:stop].tolist(),
            "labels": int(self._rows.labels[index]),
            "row": int(self._rows.rows[index]),
            "targets": {name: values[index] for name, values in self._targets.items()},
        }


@dataclass(slots=True)
class _Collator:
    """The collator, which pads a batch to its longest row and counts its rows and tokens."""

    tokenizer: PreTrainedTokenizerBase
    objective: Objective | None
    """The objective, on the CPU, if the Trainer has no such loss: batches have its targets and the
    weights of their rows then."""
    facts: list[NDArray[np.float64]] = field(default_factory=list)

    def __call__(self, features: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
        rows = np.array([feature.pop("row") for feature in features])
        targets = [feature.pop("targets") for feature in features]
        num_tokens = sum(len(feature["input_ids"]) for feature in features)
        batch: dict[str, torch.Tensor] = DataCollatorWithPadding(self.tokenizer)(features)
        self.facts.append(batch_facts(rows, num_tokens, batch["input_ids"].numel()))
        if self.objective is not None:
            denominator = self.objective.denominator(batch["labels"].numpy())
            batch["row_weights"] = torch.full((len(rows),), 1.0 / denominator)
            for name in self.objective.targets:
                batch[name] = torch.from_numpy(np.stack([one[name] for one in targets]))
        return batch


class _LoggingTrainer(Trainer):  # type: ignore[misc]  # no type information
    """The Trainer, which keeps each step's losses and rate, and may use a plan and an objective."""

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.plan: Plan | None = None
        self.objective: Objective | None = None
        self.losses: list[torch.Tensor] = []
        """Shape (1 + P,) each: the loss and its parts."""
        self.rates: list[float] = []
        self.start = 0.0
        self._parts = torch.zeros(0, device=self.args.device)

    def compute_loss(self, model: Any, inputs: Any, *arguments: Any, **named: Any) -> Any:
        if self.objective is None:
            return super().compute_loss(model, inputs, *arguments, **named)
        labels, weights = inputs.pop("labels"), inputs.pop("row_weights")
        targets = {name: inputs.pop(name) for name in self.objective.targets}
        output = ModelOutput(logits=model(**inputs).logits)
        each = self.objective.losses(output, labels, targets)
        each = each if each.dim() == 2 else each[:, None]
        shares = (each * weights[:, None]).sum(dim=0)
        self._parts = shares[1:].detach()
        return shares[0]

    def get_train_dataloader(self) -> Any:
        if self.plan is None:
            return super().get_train_dataloader()
        batches = [batch.tolist() for batch in self.plan]
        return torch.utils.data.DataLoader(
            self.train_dataset, batch_sampler=batches, collate_fn=self.data_collator
        )

    def training_step(self, *arguments: Any, **named: Any) -> torch.Tensor:
        self.start = self.start or time.perf_counter()
        self.rates.append(self.lr_scheduler.get_last_lr()[0])
        loss: torch.Tensor = super().training_step(*arguments, **named)
        self.losses.append(torch.cat([loss.detach().reshape(1), self._parts]))
        return loss


class _Watcher(TrainerCallback):  # type: ignore[misc]  # no type information
    """Records the end of each step, calls our callbacks, and stops if one of them requests it."""

    def __init__(self, trainer: _LoggingTrainer, callbacks: Sequence[Callback]) -> None:
        self._trainer = trainer
        self._callbacks = callbacks
        self.seconds: list[float] = []
        self.num_skipped = 0
        self._num_epochs = 0
        self._is_stopped = False

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        trainer = self._trainer
        self.num_skipped += int(trainer.accelerator.optimizer_step_was_skipped)
        if len(trainer.losses) == state.max_steps and torch.cuda.is_available():
            torch.cuda.synchronize()
        self.seconds.append(time.perf_counter() - trainer.start)
        done = StepDone(len(self.seconds), trainer.losses[-1][0], self.seconds[-1])
        self._stop_if(tell(self._callbacks, done), control)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:  # noqa: ARG002
        if self._is_stopped:  # the Trainer also calls this for a stopped epoch
            return
        self._num_epochs += 1
        self._stop_if(tell(self._callbacks, self._num_epochs), control)

    def _stop_if(self, wanted: Action, control: Any) -> None:
        if Action.SAVE in wanted:
            wanted_engine = "an engine whose state can be saved"
            raise TrialError("engine reference", wanted_engine, "the Trainer", "use engine fast")
        if Action.STOP in wanted:
            self._is_stopped = control.should_training_stop = True

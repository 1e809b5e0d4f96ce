"""Each objective of pre-training: our engine against plain transformers modules, as a table.

    python benchmarks/pretraining.py DATASET TEACHER [ROWS] [ROUNDS] [BATCH] [OBJECTIVE ...]

The teacher is a folder; the student has every other layer of it. The plain side has whole forward
passes under autocast, hooks where an objective needs them, torch's fused AdamW, and the same padded
batches of similar length. Both take turns in one process, in another order each round, on one
thread, and are timed by the processor's time (see ``families.py``), which leaves out the first
tenth of the steps. In bf16 where the CPU has instructions for it, else in fp32.
"""

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from common import make_task  # beside this file
from families import ProcessorClock
from torch.nn.functional import cosine_embedding_loss, kl_div
from transformers import get_linear_schedule_with_warmup

from agnews_ray.bench.timing import WARM_UP_SHARE, TimingTask
from agnews_ray.data.batches import TokenisedRows, train_batches
from agnews_ray.data.masking import MASKED_TOKENS, count_tokens, masked_batches, masking_of
from agnews_ray.data.tensors import Batch, rank_share
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.predict import autocast
from agnews_ray.engine.pretraining import make_objective
from agnews_ray.engine.results import Rank
from agnews_ray.model.encoder import build_encoder
from agnews_ray.run.device import resolve_precision
from agnews_ray.spec.base import Precision
from agnews_ray.spec.distillation import OBJECTIVES_WITH_HEAD, PretrainingSpec, StudentSpec

OBJECTIVES = ("masked-lm", "distilbert", "minilm", "minilm-v2")

HEADER = (
    "| Objective | Ours (samples/s) | Plain | Ours is faster by | Loss, ours | Plain |\n"
    "| --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Pretraining:
    """One training by either side."""

    spec: PretrainingSpec
    task: TimingTask
    batches: list[TokenisedRows]
    precision: Precision

    def models(self) -> tuple[Any, Any]:
        """Build the student and, if there is one, its teacher."""
        variant, has_head = self.task.variant, self.spec.objective in OBJECTIVES_WITH_HEAD
        teacher = build_encoder(variant, 1, self.task.tokenizer, has_head)
        layers = tuple(range(0, teacher.config.num_hidden_layers, 2))
        smaller = variant.model_copy(update={"student": StudentSpec(layers=layers)})
        student = build_encoder(smaller, 2, self.task.tokenizer, has_head)
        return student, teacher if self.spec.has_teacher else None


def train_by_ours(training: Pretraining) -> tuple[list[float], float]:
    """Train by our engine.

    Args:
        training: what to train.

    Returns:
        The processor time after each step, and the mean loss of the last tenth.
    """
    student, teacher = training.models()
    objective = make_objective(
        training.spec, student, teacher, training.precision, is_recorded=False
    )
    engine = FastEngine(
        recipe=training.task.recipe,
        precision=training.precision,
        pad_id=training.task.tokenizer.pad_token_id,
        rank=Rank(),
        objective=objective,
    )
    clock = ProcessorClock()
    log = engine.train(student, [training.batches], len(training.batches), [clock])
    return clock.seconds, log.final_loss or float("nan")


def train_plainly(training: Pretraining) -> tuple[list[float], float]:
    """Train by transformers' modules and torch's optimiser, with the same result."""
    student, teacher = training.models()
    recipe, loss_of = training.task.recipe, LOSSES[training.spec.objective]
    optimizer = torch.optim.AdamW(
        student.parameters(), recipe.learning_rate, (recipe.adam_beta1, recipe.adam_beta2),
        recipe.adam_epsilon, recipe.weight_decay, fused=True,
    )  # fmt: skip
    num_steps = len(training.batches)
    num_warm_up = int(recipe.warmup_fraction * num_steps)
    schedule = get_linear_schedule_with_warmup(optimizer, num_warm_up, num_steps)
    seconds, losses = [], []
    student.train()
    if teacher is not None:
        teacher.eval()
    for batch in training.batches:
        share = rank_share(batch, 0, 1, training.task.tokenizer.pad_token_id)
        with autocast(torch.device("cpu"), training.precision):
            loss = loss_of(student, teacher, share, training.spec)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(student.parameters(), recipe.max_grad_norm)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        seconds.append(time.process_time())
    last = losses[-max(1, num_steps // 10) :]
    return seconds, sum(last) / len(last)


def masked_lm(student: Any, _: Any, share: Batch, __: PretrainingSpec) -> torch.Tensor:
    """The masked language model, as transformers computes it."""
    given = {"input_ids": share.input_ids, "attention_mask": share.attention_mask}
    loss: torch.Tensor = student(**given, labels=share.targets[MASKED_TOKENS]).loss
    return loss


def triple_loss(student: Any, teacher: Any, share: Batch, spec: PretrainingSpec) -> torch.Tensor:
    """DistilBERT's loss, in the manner of its own code."""
    given = {"input_ids": share.input_ids, "attention_mask": share.attention_mask}
    original = share.targets[MASKED_TOKENS]
    found = student(**given, output_hidden_states=True)
    with torch.no_grad():
        wanted = teacher(**given, output_hidden_states=True)
    mask = torch.ones_like(original) if share.attention_mask is None else share.attention_mask
    is_soft = mask.bool() if spec.soft_tokens == "all" else original != -100
    t = spec.temperature
    soft = kl_div(
        (found.logits[is_soft].float() / t).log_softmax(dim=-1),
        (wanted.logits[is_soft].float() / t).softmax(dim=-1),
        reduction="batchmean",
    )
    hard = torch.nn.functional.cross_entropy(found.logits.flatten(0, 1).float(), original.flatten())
    hidden = [output.hidden_states[-1][mask.bool()].float() for output in (found, wanted)]
    cosine = cosine_embedding_loss(*hidden, torch.ones(len(hidden[0])))
    return spec.soft_weight * soft * t**2 + spec.masked_lm_weight * hard + cosine


def relations(student: Any, teacher: Any, share: Batch, spec: PretrainingSpec) -> torch.Tensor:
    """MiniLM's losses, from the projections of the last block."""
    given = {"input_ids": share.input_ids, "attention_mask": share.attention_mask}
    found = projections(student, given)
    with torch.no_grad():
        wanted = projections(teacher, given)
    mask = share.attention_mask
    mask = torch.ones_like(share.input_ids) if mask is None else mask
    heads = spec.relation_heads or teacher.config.num_attention_heads
    pairs = [(0, 1), (2, 2)] if spec.objective == "minilm" else [(0, 0), (1, 1), (2, 2)]
    total = torch.zeros(())
    for first, second in pairs:
        logs = [scores(one[first], one[second], heads, mask) for one in (found, wanted)]
        each = kl_div(*logs, reduction="none", log_target=True).sum(dim=-1).mean(dim=1)
        total = total + ((each * mask).sum(dim=1) / mask.sum(dim=1)).mean()
    return total


def projections(model: Any, given: dict[str, Any]) -> list[torch.Tensor]:
    """Queries, keys and values of the last block, by hooks."""
    (*_, (_, parts)) = find_blocks(model)
    caught: list[torch.Tensor] = []
    hooks = [
        linear.register_forward_hook(lambda _, __, output: caught.append(output))
        for linear in parts.projections
    ]
    model(**given)
    for hook in hooks:
        hook.remove()
    return caught


def scores(
    first: torch.Tensor, second: torch.Tensor, heads: int, mask: torch.Tensor
) -> torch.Tensor:
    """Logarithms of a relation, for each head."""
    one, other = (x.float().unflatten(2, (heads, -1)).transpose(1, 2) for x in (first, second))
    products = (one @ other.transpose(2, 3)).float() / one.shape[-1] ** 0.5  # autocast casts it
    least = torch.finfo(torch.float32).min
    return products.masked_fill(mask[:, None, None] == 0, least).log_softmax(dim=-1)


LOSSES: dict[str, Callable[..., torch.Tensor]] = {
    "masked-lm": masked_lm,
    "distilbert": triple_loss,
    "minilm": relations,
    "minilm-v2": relations,
}


def take_turns(training: Pretraining, num_rounds: int) -> Iterator[tuple[float, ...]]:
    """Train by both sides in each round.

    Args:
        training: what to train.
        num_rounds: at least 1.

    Yields:
        Samples per second of processor time, ours and the plain side's, and their losses.
    """
    num_untimed = max(1, int(WARM_UP_SHARE * len(training.batches)))
    num_rows = sum(map(len, training.batches[num_untimed:]))
    sides = (train_by_ours, train_plainly)
    for number in range(num_rounds):
        found = {}
        for side in sides if number % 2 == 0 else sides[::-1]:
            seconds, loss = side(training)
            found[side] = (num_rows / (seconds[-1] - seconds[num_untimed - 1]), loss)
        (ours, our_loss), (plain, plain_loss) = (found[side] for side in sides)
        yield ours, plain, our_loss, plain_loss


def main() -> None:
    """Print a row for each objective as soon as it is there."""
    dataset, teacher, *rest = sys.argv[1:]
    num_rows, num_rounds, size = map(int, [*rest[:3], *("320", "2", "32")[len(rest) :]])
    torch.set_num_threads(1)
    print(HEADER, flush=True)
    task = make_task(teacher, dataset, num_rows, 1, size)
    tokenizer, recipe = task.tokenizer, task.recipe
    counts = count_tokens([task.rows], len(tokenizer))
    masking = masking_of(counts, tokenizer.all_special_ids, tokenizer.mask_token_id, 0.15, 0.7)
    batches = list(masked_batches(train_batches([task.rows], size, 1, 0), masking, 1, 0))
    precision = resolve_precision(recipe, "cpu")
    for objective in rest[3:] or OBJECTIVES:
        spec = PretrainingSpec(objective=objective)
        training = Pretraining(spec, task, batches, precision)
        rounds = list(take_turns(training, num_rounds))
        ratios = [ours / plain for ours, plain, *_ in rounds]
        cells = [median(column) for column in zip(*rounds, strict=True)]
        spread = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) x"
        print(
            f"| {objective}, {precision} | {cells[0]:.1f} | {cells[1]:.1f} | {spread} "
            f"| {cells[2]:.4f} | {cells[3]:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()

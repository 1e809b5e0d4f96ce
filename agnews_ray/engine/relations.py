"""MiniLM's losses: a student's last block learns the relations between tokens of its teacher's.

A relation is a softmax over scaled products of two of the queries, keys and values, for each head.
Version 1 (Wang et al. 2020, arXiv 2002.10957) takes attention, from queries and keys, and values
with values; version 2 (Wang et al. 2021, arXiv 2012.15828) takes each of the three with itself,
with heads of its own: the models' heads are joined, and cut anew.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.fused.teacher import Teacher
from agnews_ray.engine.kl import divergence
from agnews_ray.engine.objective import ModelNeeds, ModelOutput
from agnews_ray.errors import ModelError

LAST_PROJECTIONS = ModelNeeds(projections=(-1,), logits=False)
"""Queries, keys and values of the last block, and nothing after them."""

VERSION_1 = {"attention": (0, 1), "value": (2, 2)}
"""The pair of each relation among (queries, keys, values)."""
VERSION_2 = {"query": (0, 0), "key": (1, 1), "value": (2, 2)}

Pairs = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Relations:
    """The sum of a few relations' KL divergences, teacher to student, in nats.

    A row's divergence is the mean over heads and over the row's tokens; padding is neither a
    query nor a key.
    """

    teacher: Teacher
    pairs: Pairs
    """The relations by name."""
    num_heads: int
    """The number of heads, the same for teacher and student."""

    @property
    def parts(self) -> tuple[str, ...]:
        heads = range(self.num_heads)
        return (*self.pairs, *(f"{name} head {head}" for name in self.pairs for head in heads))

    @property
    def needs(self) -> ModelNeeds:
        return LAST_PROJECTIONS

    @property
    def targets(self) -> tuple[str, ...]:
        return ()

    def to(self, device: torch.device) -> "Relations":
        return replace(self, teacher=self.teacher.to(device))

    def losses(
        self,
        output: ModelOutput,
        labels: torch.Tensor,  # noqa: ARG002  # the teacher is enough
        targets: Mapping[str, torch.Tensor],  # noqa: ARG002
    ) -> torch.Tensor:
        if output.input_ids is None:
            raise ValueError("the teacher reads input_ids, and the output has none")
        mask = output.attention_mask
        taught = self.teacher.compute(output.input_ids, mask).projections[-1]
        mask = torch.ones_like(output.input_ids) if mask is None else mask
        models = (output.projections[-1], taught)
        of_student, of_teacher = ([_cut(one, self.num_heads) for one in m] for m in models)
        of_heads = []
        for first, second in self.pairs.values():
            scores = _scores(of_student[first], of_student[second], mask)
            wanted = _scores(of_teacher[first], of_teacher[second], mask)
            of_heads.append(_mean_over_tokens(divergence(scores, wanted), mask))
        by_head = torch.stack(of_heads, dim=1)  # (B, relations, heads)
        by_relation = by_head.mean(dim=2)
        loss = by_relation.sum(dim=1, keepdim=True)
        return torch.cat([loss, by_relation.detach(), by_head.detach().flatten(1)], dim=1)

    def denominator(self, labels: NDArray[np.int64]) -> float:
        return float(len(labels))


def attention_relations(student: Any, teacher: Any, dtype: torch.dtype) -> Relations:
    """Make the objective of MiniLM's version 1.

    Args:
        student: the encoder to train.
        teacher: the encoder that teaches, with as many heads; it is used up.
        dtype: the type of the teacher's matrix products.

    Returns:
        The objective.

    Raises:
        ModelError: the numbers of heads differ, or a model is of no known family.
    """
    held = Teacher(teacher, LAST_PROJECTIONS, dtype)
    num_heads, wanted = _num_heads(student), _num_heads(teacher)
    if num_heads != wanted:
        hint = "give the student as many, or use minilm-v2, which cuts heads anew"
        found = f"{num_heads}"
        raise ModelError("minilm", f"as many heads as the teacher's {wanted}", found, hint)
    return Relations(held, VERSION_1, num_heads)


def projection_relations(
    student: Any, teacher: Any, dtype: torch.dtype, num_heads: int | None = None
) -> Relations:
    """Make the objective of MiniLM's version 2.

    Args:
        student: the encoder to train.
        teacher: the encoder that teaches; it is used up.
        dtype: the type of the teacher's matrix products.
        num_heads: the number of heads of the relations; None: the teacher's.

    Returns:
        The objective.

    Raises:
        ModelError: a width is not a multiple of the number of heads, or a model is of no known
            family.
    """
    held = Teacher(teacher, LAST_PROJECTIONS, dtype)
    wanted = num_heads or _num_heads(teacher)
    for name, model in (("student", student), ("teacher", teacher)):
        width = model.config.hidden_size
        if width % wanted:
            hint = "choose relation_heads, or the student's width"
            where = f"a width of the {name} that is a multiple of {wanted} relation heads"
            raise ModelError("minilm-v2", where, f"{width}", hint)
    return Relations(held, VERSION_2, wanted)


def _cut(values: torch.Tensor, num_heads: int) -> torch.Tensor:
    """Cut shape (B, L, H) into heads: (B, heads, L, H / heads), float32."""
    rows, length, width = values.shape
    heads = values.float().view(rows, length, num_heads, width // num_heads)
    return heads.transpose(1, 2)


def _scores(first: torch.Tensor, second: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Compute scaled products of shape (B, heads, L, L), as good as -inf for padded keys."""
    scores: torch.Tensor = (first * first.shape[-1] ** -0.5) @ second.transpose(2, 3)
    is_padding = mask[:, None, None, :] == 0
    # A finite number, because the difference of two logarithms must stay one.
    return scores.masked_fill(is_padding, torch.finfo(scores.dtype).min)


def _mean_over_tokens(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Average shape (B, heads, L) over tokens without padding."""
    shares = mask / mask.sum(dim=1, keepdim=True)
    return (values * shares[:, None]).sum(dim=2)


def _num_heads(model: Any) -> int:
    parts = [parts for _, parts in find_blocks(model)]
    if not parts:
        hint = "use a model of a family in engine/fused/families.py"
        raise ModelError("minilm", "blocks of a known family", "none", hint)
    return parts[-1].settings.num_heads

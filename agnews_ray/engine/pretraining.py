"""The objective of a pre-training, and the parameters that it trains."""

from typing import Any

import torch

from agnews_ray.engine.fused.asked import AskedParts
from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.masked_lm import MEAN_MASKED, MEAN_TOKENS, ORIGINAL, MaskedLM
from agnews_ray.engine.objective import ModelOutput, Objective
from agnews_ray.engine.relations import attention_relations, projection_relations
from agnews_ray.engine.triple_loss import TripleLoss
from agnews_ray.model.artifact import DTYPES
from agnews_ray.spec.base import Precision
from agnews_ray.spec.distillation import PretrainingSpec


def make_objective(
    spec: PretrainingSpec,
    student: Any,
    teacher: Any | None,
    precision: Precision,
    *,
    is_recorded: bool = False,
) -> Objective:
    """Make the objective of a pre-training.

    Args:
        spec: the pre-training.
        student: the transformers model to train, which is moved to its device later: an encoder for
            MiniLM's objectives, otherwise a model with a masked-language-model head.
        teacher: a model of the same kind, on the CPU, which is no longer used elsewhere; None for
            ``masked-lm``.
        precision: the precision of matrix products.
        is_recorded: whether steps may be recorded on a GPU.

    Returns:
        The objective.

    Raises:
        ModelError: student and teacher do not fit together, or a model is of no known family.
    """
    if spec.objective == "minilm":
        return attention_relations(student, teacher, DTYPES[precision])
    if spec.objective == "minilm-v2":
        return projection_relations(student, teacher, DTYPES[precision], spec.relation_heads)
    if spec.objective == "distilbert":
        return TripleLoss.of(spec, student, teacher, precision, is_recorded)
    return MaskedLM(student=student, precision=precision, is_recorded=is_recorded)


def freeze_untrained(spec: PretrainingSpec, student: Any, objective: Objective) -> None:
    """Freeze the parameters that a pre-training does not train, so that they stay as they are.

    They are those that get no gradient, such as the pooler; with ``trains: head`` also all of the
    encoder, tied word embeddings included.

    Args:
        spec: the pre-training.
        student: the model to train, on the CPU.
        objective: the objective, likewise.
    """
    if spec.trains == "head":
        student.base_model.requires_grad_(False)
    was_training = student.training
    student.eval()
    asked = AskedParts(dict(find_blocks(student)), objective.needs)
    ids = torch.tensor([[0, 2]])  # two tokens of any kind
    asked.start()
    student.base_model(input_ids=ids)
    hidden_states, projections = asked.take()
    asked.release()
    output = ModelOutput(
        logits=torch.empty(0),
        hidden_states=hidden_states,
        projections=projections,
        input_ids=ids,
    )
    ones = torch.ones(1)
    targets = {ORIGINAL: ids, MEAN_MASKED: ones, MEAN_TOKENS: ones}
    losses = objective.losses(output, ids[:, 0], targets)
    torch.autograd.backward(losses.view(1, -1)[0, 0])
    for parameter in student.parameters():
        parameter.requires_grad = parameter.requires_grad and parameter.grad is not None
        parameter.grad = None
    student.train(was_training)

"""The objective of a pre-training, and the parameters that it trains."""

from typing import Any

import torch

from agnews_ray.data.masking import MASKED_TOKENS
from agnews_ray.engine.fused.asked import AskedParts
from agnews_ray.engine.fused.families import find_blocks
from agnews_ray.engine.masked_lm import MaskedLM
from agnews_ray.engine.objective import MEAN_MASKED, MEAN_TOKENS, ModelOutput, Objective
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
    is_recorded: bool,
) -> Objective:
    """Make the objective of a pre-training, and freeze what it does not train.

    Frozen are the parameters that get no gradient, such as the pooler, so that they stay as they
    are; with ``trains: head`` also all of the encoder, tied word embeddings included.

    Args:
        spec: the pre-training.
        student: the transformers model to train, on its device: an encoder for MiniLM's objectives,
            otherwise a model with a masked-language-model head. Its parameters are frozen in place.
        teacher: a model of the same kind, on any device, which is no longer used elsewhere; None
            for ``masked-lm``.
        precision: the precision of matrix products.
        is_recorded: whether steps may be recorded. Logits over the vocabulary are then computed for
            all tokens, as shapes must not depend on values; otherwise only where they are needed.

    Returns:
        The objective, on the student's device.

    Raises:
        ModelError: student and teacher do not fit together, or a model is of no known family.
    """
    if spec.trains == "head":
        student.base_model.requires_grad_(False)
    objective = _objective_of(spec, student, teacher, precision, is_recorded)
    objective = objective.to(student.device)
    _freeze_untrained(student, objective)
    return objective


def _objective_of(
    spec: PretrainingSpec,
    student: Any,
    teacher: Any | None,
    precision: Precision,
    is_recorded: bool,
) -> Objective:
    if spec.objective == "minilm":
        return attention_relations(student, teacher, DTYPES[precision])
    if spec.objective == "minilm-v2":
        return projection_relations(student, teacher, DTYPES[precision], spec.relation_heads)
    if spec.objective == "distilbert":
        return TripleLoss.of(spec, student, teacher, precision, is_recorded)
    return MaskedLM(student=student, precision=precision, is_recorded=is_recorded)


def _freeze_untrained(student: Any, objective: Objective) -> None:
    """Find by a row of two tokens which parameters get a gradient; freeze the others."""
    was_training = student.training
    student.eval()
    asked = AskedParts(dict(find_blocks(student)), objective.needs)
    ids = torch.tensor([[0, 2]], device=student.device)  # any two
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
    ones = torch.ones(1, device=student.device)
    targets = {MASKED_TOKENS: ids, MEAN_MASKED: ones, MEAN_TOKENS: ones}
    losses = objective.losses(output, ids[:, 0], targets)
    torch.autograd.backward(losses.view(1, -1)[0, 0])
    for parameter in student.parameters():
        parameter.requires_grad = parameter.requires_grad and parameter.grad is not None
        parameter.grad = None
    student.train(was_training)

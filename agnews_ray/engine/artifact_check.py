"""An artifact held against what was recorded: loaded anew, from texts, as its user loads it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from agnews_ray.engine.predict import autocast
from agnews_ray.errors import TrialError
from agnews_ray.model.forward import compute_logits
from agnews_ray.spec.base import Precision

TOLERANCES = {"fp32": 2e-3, "fp16": 1e-2, "bf16": 5e-2}
"""Largest deviation that rounding explains, as a share of the largest logit. Rows are padded to
other lengths here than when they were scored, so that sums are made in another order."""


def replay(
    folder: Path, texts: Sequence[str], device: torch.device, precision: Precision
) -> NDArray[np.float32]:
    """Compute logits as a user of plain transformers does, knowing nothing but the folder.

    Args:
        folder: an artifact.
        texts: N of them, computed as one padded batch.
        device: where to compute.
        precision: of matrix products, as in training.

    Returns:
        Shape (N, C).
    """
    tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, use_safetensors=True, trust_remote_code=False
    )
    model.to(device).eval()
    inputs = tokenizer(list(texts), truncation=True, padding=True, return_tensors="pt")
    with autocast(device, precision):
        logits = compute_logits(model, inputs["input_ids"], inputs["attention_mask"])
    found: NDArray[np.float32] = logits.numpy()
    return found


def deviation(found: NDArray[np.float32], recorded: NDArray[np.float32]) -> float:
    """Measure how far two sets of logits are apart.

    Args:
        found: shape (N, C).
        recorded: the same.

    Returns:
        The largest difference, as a share of the largest recorded logit; infinite where one of
        two is no number, 0 where both are none.
    """
    if not np.array_equal(np.isfinite(found), np.isfinite(recorded)):
        return float("inf")
    is_number = np.isfinite(recorded)
    scale = np.abs(recorded[is_number]).max(initial=0.0)
    largest = np.abs(found[is_number] - recorded[is_number]).max(initial=0.0)
    return float(largest / scale) if scale else float(largest)


def check_artifact(where: str, found: float, precision: Precision) -> float:
    """Refuse an artifact that is not what was measured.

    Args:
        where: the trial.
        found: from ``deviation``.
        precision: that both were computed in.

    Returns:
        The deviation.

    Raises:
        TrialError: it is more than rounding.
    """
    allowed = TOLERANCES[precision]
    if found <= allowed:
        return found
    raise TrialError(
        where,
        f"a saved model that gives the recorded logits within {allowed:.1%} of the largest",
        f"one that is {found:.1%} away when it is loaded from its folder",
        "nothing is kept of this trial; use another model, or report its config.json as a fault",
    )

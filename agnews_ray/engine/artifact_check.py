"""The check of a saved model, which compares its logits for some texts with the recorded ones.

The model is loaded from its folder again, as a user loads it.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from agnews_ray.engine.predict import autocast
from agnews_ray.errors import TrialError
from agnews_ray.model.forward import compute_logits
from agnews_ray.model.linear_classifier import LinearClassifier, is_linear_artifact
from agnews_ray.spec.base import Precision

TOLERANCES = {"fp32": 2e-3, "fp16": 1e-2, "bf16": 5e-2}
"""The largest deviation that rounding explains, as a share of the largest logit. Here rows are
padded to other lengths than when they were scored, so sums are computed in another order."""


def replay(
    folder: Path, texts: Sequence[str], device: torch.device, precision: Precision
) -> NDArray[np.float32]:
    """Compute logits as a user of plain transformers does, from nothing but the folder.

    A linear model is loaded by this package.

    Args:
        folder: the artifact.
        texts: N texts, computed as one padded batch.
        device: the device to compute on.
        precision: the precision of matrix products, as in training.

    Returns:
        Shape (N, C): the logits.
    """
    if is_linear_artifact(folder):
        return LinearClassifier.load(folder).logits(texts)
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
        found: shape (N, C), the logits to check.
        recorded: shape (N, C), the recorded logits.

    Returns:
        The largest difference, as a share of the largest recorded logit. A logit that is a number
        in only one of the two makes it infinite; one that is a number in neither counts as equal.
    """
    if not np.array_equal(np.isfinite(found), np.isfinite(recorded)):
        return float("inf")
    is_number = np.isfinite(recorded)
    scale = np.abs(recorded[is_number]).max(initial=0.0)
    largest = np.abs(found[is_number] - recorded[is_number]).max(initial=0.0)
    return float(largest / scale) if scale else float(largest)


def check_artifact(where: str, found: float, precision: Precision) -> float:
    """Refuse an artifact that does not give the recorded logits.

    Args:
        where: the trial.
        found: the result of ``deviation``.
        precision: the precision in which both were computed.

    Returns:
        The deviation.

    Raises:
        TrialError: the deviation is larger than rounding explains.
    """
    allowed = TOLERANCES[precision]
    if found <= allowed:
        return found
    raise TrialError(
        where,
        f"a saved model that gives the recorded logits within {allowed:.1%} of the largest",
        f"one that is {found:.1%} away when it is loaded from its folder",
        "nothing of this trial is kept; use another model, or report its config.json as a fault",
    )

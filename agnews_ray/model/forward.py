"""The forward pass of all scoring, from padded ids to logits on the CPU."""

from typing import Any

import torch


def compute_logits(
    model: Any, input_ids: torch.Tensor, attention_mask: torch.Tensor | None
) -> torch.Tensor:
    """Compute logits without gradients, and wait until the device has finished.

    Args:
        model: a transformers classifier in evaluation mode.
        input_ids: shape (B, L), the token ids, on any device.
        attention_mask: shape (B, L), 1 for tokens; None if nothing is padded.

    Returns:
        Shape (B, C), float32: the logits, on the CPU.
    """
    with torch.inference_mode():
        logits: torch.Tensor = model(
            input_ids=input_ids.to(model.device),
            attention_mask=None if attention_mask is None else attention_mask.to(model.device),
        ).logits
    return logits.float().cpu()

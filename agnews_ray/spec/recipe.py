"""The hyperparameters of fine-tuning, as the user states them."""

from typing import Literal

from pydantic import Field

from agnews_ray.spec.base import Precision, Spec


class RecipeSpec(Spec):
    """The hyperparameters of fine-tuning. The defaults are the paper's."""

    num_epochs: int = Field(2, ge=1)
    """The number of passes over the train split."""
    learning_rate: float = Field(2e-5, gt=0, lt=1)
    """AdamW's peak learning rate, reached at the end of warm-up; then it falls linearly to 0."""
    global_batch_size: int = Field(16, ge=1)
    """The number of rows per optimiser update, over all workers."""
    evaluation_batch_size: int = Field(64, ge=1)
    """The number of rows per forward pass in scoring; it does not change what is learned."""
    weight_decay: float = Field(0.01, ge=0)
    """AdamW's decoupled weight decay; it is not applied to biases and LayerNorm."""
    warmup_fraction: float = Field(0.1, ge=0, lt=1)
    """The share of all steps in which the learning rate rises linearly from 0."""
    max_grad_norm: float = Field(1.0, gt=0)
    """The largest global L2 norm of the gradients; larger ones are scaled down."""
    adam_beta1: float = Field(0.9, ge=0, lt=1)
    """The decay of AdamW's first moment."""
    adam_beta2: float = Field(0.999, ge=0, lt=1)
    """The decay of AdamW's second moment."""
    adam_epsilon: float = Field(1e-8, gt=0)
    """The term added to AdamW's denominator."""
    precision: Literal[Precision, "auto"] = "auto"
    """The precision of matrix products; ``auto``: fp16 on a GPU (as in the paper); on a CPU bf16 if
    it is native, else fp32."""

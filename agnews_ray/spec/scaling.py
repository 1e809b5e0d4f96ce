"""How much of the machine one trial takes, as the user states it."""

from typing import Literal

from pydantic import Field

from agnews_ray.spec.base import Device, Spec


class ScalingSpec(Spec):
    """How much of the machine one trial takes."""

    num_workers: int = Field(1, ge=1)
    """Ray Train workers of one trial; one GPU each where there are GPUs."""
    device: Literal[Device, "auto"] = "auto"
    """``auto`` uses GPUs where there are any; ``cuda`` fails at once where there are none."""

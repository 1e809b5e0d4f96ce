"""The share of the machine that one trial takes, as the user states it."""

from typing import Literal

from pydantic import Field

from agnews_ray.spec.base import Device, Spec


class ScalingSpec(Spec):
    """The share of the machine that one trial takes."""

    num_workers: int = Field(1, ge=1)
    """The number of Ray Train workers of one trial; each takes a GPU if there are GPUs."""
    device: Literal[Device, "auto"] = "auto"
    """The device; ``auto`` uses GPUs if there are any, ``cuda`` fails at once if there are none."""

"""How a trial goes on after a failure, as the user states it."""

import re

from pydantic import Field, field_validator

from agnews_ray.spec.base import Spec
from agnews_ray.spec.spending import SECONDS_IN

EVERY_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*(steps?|s|min|m|h)")


class RecoverySpec(Spec):
    """How a trial goes on after a failure. It changes no result, so it is part of no trial id."""

    checkpoint_every: str = "auto"
    """The time of training (``90s``, ``5m``) or the steps (``200 steps``) between two checkpoints;
    ``auto``: as often as they cost less than 2 % of the training time, which is measured; ``off``:
    never."""
    keep_checkpoints: int = Field(2, ge=1)
    """The number of newest checkpoints that are kept, of which the older ones are for a damaged
    newest one."""
    max_failures: int = Field(3, ge=0)
    """The number of times that a trial starts again after it lost a worker or its node, other than
    by preemption, or failed for a reason that is not known."""

    @field_validator("checkpoint_every")
    @classmethod
    def _every_is_known(cls, value: str) -> str:
        if value in ("auto", "off"):
            return value
        found = EVERY_PATTERN.fullmatch(value)
        if found is None or float(found[1]) <= 0:
            raise ValueError(f"want auto, off, time (90s, 5m) or '200 steps', found {value!r}")
        if found[2].startswith("step") and not found[1].isdigit():
            raise ValueError(f"want whole steps, found {value!r}")
        return value

    @property
    def steps(self) -> int | None:
        """The steps between two checkpoints; None if they are not counted in steps."""
        amount, unit = self._parts()
        return int(amount) if unit.startswith("step") else None

    @property
    def seconds(self) -> float | None:
        """The time of training between two checkpoints; None if it is not stated."""
        amount, unit = self._parts()
        return amount * SECONDS_IN[unit] if unit in SECONDS_IN else None

    def _parts(self) -> tuple[float, str]:
        found = EVERY_PATTERN.fullmatch(self.checkpoint_every)
        return (float(found[1]), found[2]) if found else (0.0, "")

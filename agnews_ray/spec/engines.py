"""Engines by name, and the rules that each brings along; what runs them is `engine.registry`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # the command line asks for the names before anything is checked by pydantic
    from agnews_ray.spec.base import Device, Precision

Engine = Literal["fast", "reference", "reference-best", "reference-compiled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineRules:
    """What an engine asks of a trial."""

    is_ours: bool = False
    """Whether it fuses blocks, and so has to prove itself on a GPU first."""
    has_one_worker: bool = False
    """Whether a trial has a single worker."""
    needs_held_rows: bool = False
    """Whether the train split must be held, not streamed."""
    refused: frozenset[tuple["Device", "Precision"]] = frozenset()
    """Devices and precisions with which it would train in another precision, without a message."""

    def can_train(self, num_workers: int, is_held: bool) -> bool:
        """Whether a trial of so many workers can be trained, its rows held or streamed."""
        return (num_workers == 1 or not self.has_one_worker) and (
            is_held or not self.needs_held_rows
        )


_OF_TRAINER = EngineRules(
    has_one_worker=True,
    needs_held_rows=True,
    refused=frozenset({("cpu", "fp16")}),  # it trains in fp32 then
)

ENGINES: Mapping[Engine, EngineRules] = {
    "fast": EngineRules(is_ours=True),
    "reference": _OF_TRAINER,
    "reference-best": _OF_TRAINER,
    "reference-compiled": _OF_TRAINER,
}

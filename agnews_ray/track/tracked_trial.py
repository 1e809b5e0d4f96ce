"""What a tracker gets of a trial and of a study, the same for every tracker."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from agnews_ray.plan.names import content_hash

Value = str | bool | int | float

FORM_VERSION = 1
"""The version of what is sent; a higher one has every run written again."""

DIGEST_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A number that changes during training."""

    steps: NDArray[np.int64]
    """Shape (P,): the numbers of finished updates, rising."""
    values: NDArray[np.float64]
    """Shape (P,): the finite values after them."""


@dataclass(frozen=True, kw_only=True)
class TrackedTrial:
    """What a tracker gets of one finished trial."""

    trial_id: str
    study: str
    name: str
    """The name of the run: variant, share of the train rows if it had not all, seed, setting."""
    variant: str
    seed: int
    parameters: Mapping[str, Value]
    """The settings and the facts about data and model, by dotted name."""
    tags: Mapping[str, str]
    """Texts about the run: where its files are, who made it, whether it diverged."""
    scores: Mapping[str, float]
    """The finite numbers of the finished trial, such as ``test/accuracy``."""
    curves: Mapping[str, Curve]
    """The curves by name, such as ``train/loss``."""
    started_at: float
    """The Unix time at which the training started, about."""
    ended_at: float
    """The Unix time of the record."""
    changed_at: float
    """The Unix time of the newest of its facts: the record, or a measured cost."""
    diverged: str | None
    """Why there are no scores; None if there are."""

    @cached_property
    def digest(self) -> str:
        """A hash of all that is sent; a run that has it needs no update."""
        texts = [self.study, self.name, self.variant, dict(self.parameters), dict(self.tags)]
        numbers = [dict(self.scores), self.ended_at, self.changed_at]
        return content_hash([FORM_VERSION, texts, numbers, self.curves_digest], DIGEST_LENGTH)

    @cached_property
    def curves_digest(self) -> str:
        """A hash of the curves only."""
        curves = [(name, c.steps.tolist(), c.values.tolist()) for name, c in self.curves.items()]
        return content_hash([FORM_VERSION, curves], DIGEST_LENGTH)

    def time_of(self, step: int) -> float:
        """Return the Unix time of a step, as if all steps had taken the same time."""
        last = max((int(curve.steps[-1]) for curve in self.curves.values()), default=1)
        return self.started_at + (self.ended_at - self.started_at) * min(1.0, step / last)

    def by_step(self) -> Iterator[tuple[int, dict[str, float]]]:
        """Yield each step that has values, in rising order, with all values at that step."""
        rows: dict[int, dict[str, float]] = {}
        for name, curve in self.curves.items():
            for step, value in zip(curve.steps.tolist(), curve.values.tolist(), strict=True):
                rows.setdefault(step, {})[name] = value
        for step in sorted(rows):
            yield step, rows[step]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedStudy:
    """What a tracker gets of a study, beside its trials."""

    name: str
    question: str
    findings: tuple[str, ...]
    """The verdict in sentences; empty if no trial was scored on test."""
    scores: Mapping[str, str]
    """The mean scores with their intervals, as text, by name: ``accuracy of VARIANT``."""
    table: str
    """The comparison table in Markdown; empty without scored trials."""

    @property
    def text(self) -> str:
        """All of it in Markdown."""
        parts = (self.question, "\n".join(f"- {line}" for line in self.findings), self.table)
        return "\n\n".join(part for part in parts if part)

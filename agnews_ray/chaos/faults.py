"""The kinds of faults, and how single faults are drawn for a study from a seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

OUTSIDE = "outside"
"""The place of a fault that does not happen at a fail point: the parent does it to the driver."""

AFTER = "after"
"""The place of a fault that happens to a finished study, before the next submit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """What a study has, which limits the moments."""

    num_trials: int
    num_steps: int
    """The steps of its longest trial."""
    num_checkpoints: int
    """The checkpoints of that trial."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault that was drawn."""

    kind: str
    where: str
    """A fail point, ``OUTSIDE`` or ``AFTER``."""
    action: str
    value: float = 0.0
    """The action's value: seconds, or the share of a file at which it is damaged."""
    at: int = 1
    """At a fail point: the number of times that a process has reached it."""
    moment: float = 0.0
    """From outside: the time since the start of a submit, as a share of an undisturbed run's."""

    @property
    def entry(self) -> str:
        """The fault as an entry of ``AGNEWS_RAY_FAIL``."""
        value = f"({self.value:g})" if self.value else ""
        return f"{self.where}={self.action}{value}@{self.at}"

    @property
    def is_at_point(self) -> bool:
        """Whether it happens at a fail point."""
        return self.where not in (OUTSIDE, AFTER)

    def __str__(self) -> str:
        if self.is_at_point:
            return self.entry
        value = f"({self.value:g})" if self.value else ""
        when = (
            f" at {self.moment:.0%} of a run" if self.where == OUTSIDE else " of a finished study"
        )
        return f"{self.action}{value}{when}"


@dataclass(frozen=True, slots=True)
class Way:
    """One way in which a kind of fault happens."""

    where: str
    action: str
    values: tuple[float, ...] = (0.0,)
    limit: str = ""
    """The field of ``Scale`` up to which the count is drawn; empty: the first time."""
    times: int = 1
    """What that limit is multiplied by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of fault."""

    what: str
    share: int
    """How many of a hundred faults are of this kind."""
    ways: tuple[Way, ...]
    per_life: int = 12
    """The most faults of one study's life."""
    may_end: bool = False
    """Whether the driver may end with an error line; the same submit then goes on."""


def _killed(point: str, limit: str = "") -> Way:
    return Way(point, "kill", limit=limit)


SHARES = (0.02, 0.3, 0.6, 0.95)
SIGNS = (-3600.0, 3600.0)

KINDS = {
    "worker": Kind(
        what="a worker is killed",
        share=24,
        ways=(
            _killed("worker.step", "num_steps"),
            _killed("checkpoint.mark", "num_checkpoints"),
            _killed("worker.load"),
            _killed("worker.step", "num_steps"),
            _killed("checkpoint.part", "num_checkpoints"),
            _killed("worker.score"),
            _killed("worker.step", "num_steps"),
            _killed("checkpoint.prune", "num_checkpoints"),
            _killed("worker.save"),
        ),
    ),
    "driver": Kind(
        what="the driver is killed, and the same submit is given again",
        share=10,
        ways=(
            Way(OUTSIDE, "kill"),
            _killed("driver.publish"),
            Way(OUTSIDE, "kill"),
            _killed("driver.published"),
            Way(OUTSIDE, "kill"),
            _killed("driver.start"),
        ),
        per_life=10,
    ),
    "terminate": Kind(
        what="SIGTERM, and SIGKILL of the whole group 5 s later",
        share=5,
        ways=(Way(OUTSIDE, "terminate", (5.0,)),),
        per_life=10,
    ),
    "head": Kind(
        what="the head of Ray (its GCS) is killed, or stands still for seconds",
        share=5,
        ways=(Way(OUTSIDE, "kill-head"), Way(OUTSIDE, "stop-head", (2.0, 4.0, 8.0))),
        per_life=6,
        may_end=True,
    ),
    "raylet": Kind(
        what="a node's raylet is killed, with which its workers end",
        share=4,
        ways=(
            Way("worker.step", "kill-parent", limit="num_steps"),
            Way("checkpoint.mark", "kill-parent", limit="num_checkpoints"),
            Way("worker.load", "kill-parent"),
            Way("worker.score", "kill-parent"),
        ),
        per_life=6,
        may_end=True,
    ),
    "node": Kind(
        what="one of two nodes of a cluster on this machine is lost",
        share=2,
        ways=(Way(OUTSIDE, "lose-node"),),
        per_life=4,
    ),
    "full": Kind(
        what="a write finds the storage full",
        share=12,
        ways=(
            Way("write", "full", limit="num_checkpoints", times=3),
            Way("write", "full", limit="num_trials", times=6),
        ),
        may_end=True,
    ),
    "disk": Kind(
        what="a small disk is full, and larger at the next submit",
        share=2,
        ways=(Way(OUTSIDE, "fill-disk", (0.1, 0.3, 0.5, 0.7, 0.9)),),
        per_life=4,
        may_end=True,
    ),
    "slow": Kind(
        what="a write takes seconds",
        share=14,
        ways=(
            Way("write", "sleep", (1.0, 2.0, 4.0), "num_checkpoints", 3),
            Way("write", "sleep", (1.0, 2.0, 4.0), "num_trials", 6),
            Way("checkpoint.mark", "sleep", (1.0, 2.0), "num_checkpoints"),
        ),
        per_life=16,
    ),
    "clock": Kind(
        what="the clock is moved by an hour",
        share=12,
        ways=(
            Way("write", "clock", SIGNS, "num_checkpoints", 3),
            Way("worker.step", "clock", SIGNS, "num_steps"),
            Way("driver.publish", "clock", SIGNS, "num_trials"),
            Way("write", "clock", SIGNS, "num_trials", 6),
        ),
        per_life=16,
    ),
    "checkpoint": Kind(
        what="the driver is killed and the newest checkpoint is damaged",
        share=6,
        ways=(Way(OUTSIDE, "flip-checkpoint", SHARES), Way(OUTSIDE, "cut-checkpoint", SHARES)),
        per_life=8,
    ),
    "record": Kind(
        what="a finished trial's record is cut, and the same submit is given again",
        share=4,
        ways=(Way(AFTER, "cut-record", (0.0, *SHARES)),),
        per_life=4,
    ),
}
"""All kinds, by their names in ``--kinds``."""


def draw_faults(kinds: Sequence[str], total: int, seed: int, scale: Scale) -> list[Fault]:
    """Draw faults of each kind, as many as its share says and at least one.

    Args:
        kinds: names of ``KINDS``, each once.
        total: the number of faults, at least that of the kinds.
        seed: the seed of all draws.
        scale: what the study has.

    Returns:
        The faults, in the order of the kinds.
    """
    faults = []
    for kind, number in _numbers(kinds, total).items():
        generator = random.Random(f"{seed} {kind}")  # noqa: S311  # the same for the same seed
        ways = KINDS[kind].ways
        chosen = (ways[index % len(ways)] for index in range(number))
        faults += [_drawn(kind, way, generator, scale) for way in chosen]
    return faults


def sooner(fault: Fault) -> Fault:
    """Return a fault that did not happen, at the first moment at which it can."""
    return replace(fault, at=1, moment=fault.moment / 2)


def _numbers(kinds: Sequence[str], total: int) -> dict[str, int]:
    """Share out the faults: one of each kind, the rest by the largest need."""
    numbers = dict.fromkeys(kinds, 1)
    for _ in range(total - len(numbers)):
        needy = max(numbers, key=lambda kind: KINDS[kind].share / numbers[kind])
        numbers[needy] += 1
    return numbers


def _drawn(kind: str, way: Way, generator: random.Random, scale: Scale) -> Fault:
    highest = way.times * getattr(scale, way.limit) if way.limit else 1
    return Fault(
        kind=kind,
        where=way.where,
        action=way.action,
        value=generator.choice(way.values),
        at=generator.randint(1, max(1, highest)),
        moment=generator.uniform(0.03, 0.97) if way.where == OUTSIDE else 0.0,
    )

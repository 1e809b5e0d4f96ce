"""The order of trials that wait for others: which may start, and which never can."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from agnews_ray.errors import SpecError
from agnews_ray.plan.trials import PlannedTrial


class Lost(NamedTuple):
    """A trial that can never start."""

    trial: PlannedTrial
    cause: str
    """The id of the trial that it waits for and that failed or is also lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """The trials that have not ended, as far as their start is decided."""

    startable: tuple[PlannedTrial, ...]
    """The trials for which all that they wait for have finished, in the graph's order."""
    lost: tuple[Lost, ...] = ()
    has_more: bool = False
    """Whether further trials may start once these have ended."""


class TrialGraph:
    """The trials in an order in which each comes after those that it waits for.

    Otherwise they keep their given order: what one waits for comes just before it.

    Args:
        trials: the trials, with different ids.

    Raises:
        SpecError: a trial waits for one that is not among them, or for itself through others.
    """

    def __init__(self, trials: Sequence[PlannedTrial]) -> None:
        by_id = {trial.trial_id: trial for trial in trials}
        _refuse_unknown(trials, by_id)
        sorter = TopologicalSorter({trial.trial_id: trial.waits_for for trial in trials})
        try:
            sorter.prepare()
        except CycleError as error:
            circle = " -> ".join(reversed(error.args[1]))  # graphlib names who is waited for first
            found = f"trials: want none that waits for itself, found {circle}"
            raise SpecError("plan", [f"{found}; remove one of these edges"]) from error
        self.trials = tuple(by_id[trial_id] for trial_id in _in_order(by_id))

    def ready(self, done: Collection[str], failed: Collection[str]) -> Ready:
        """Find the trials that may start now.

        Args:
            done: the ids of finished trials.
            failed: the ids of failed trials.

        Returns:
            The other trials that may start, including those that already run, and those that never
            can.
        """
        startable: list[PlannedTrial] = []
        lost: dict[str, Lost] = {}
        for trial in self.trials:
            if trial.trial_id in done or trial.trial_id in failed:
                continue
            causes = [one for one in trial.waits_for if one in failed or one in lost]
            if causes:
                lost[trial.trial_id] = Lost(trial, causes[0])
            elif all(one in done for one in trial.waits_for):
                startable.append(trial)
        num_over = sum(one.trial_id in done or one.trial_id in failed for one in self.trials)
        return Ready(
            startable=tuple(startable),
            lost=tuple(lost.values()),
            has_more=num_over + len(startable) + len(lost) < len(self.trials),
        )


def without_finished(
    trials: Sequence[PlannedTrial], finished: Collection[str]
) -> tuple[PlannedTrial, ...]:
    """Leave out the trials that have finished; no other trial waits for them any more.

    Args:
        trials: all planned trials.
        finished: the ids of those that need not run again.

    Returns:
        The other trials, in their order.
    """
    return tuple(
        replace(trial, waits_for=tuple(one for one in trial.waits_for if one not in finished))
        for trial in trials
        if trial.trial_id not in finished
    )


def only_needed(trials: Sequence[PlannedTrial]) -> tuple[PlannedTrial, ...]:
    """Leave out the labelling and pre-training that no other trial waits for any more.

    Args:
        trials: trials in an order in which each comes after those that it waits for.

    Returns:
        The others, in their order.
    """
    needed: set[str] = set()
    kept = []
    for trial in reversed(trials):
        if trial.work == "fine-tuning" or trial.trial_id in needed:
            needed.update(trial.waits_for)
            kept.append(trial)
    return tuple(reversed(kept))


def _in_order(by_id: Mapping[str, PlannedTrial]) -> list[str]:
    """Order ids so that what a trial waits for comes just before it; there is no circle."""
    placed: dict[str, None] = {}
    waiting = [*by_id][::-1]
    while waiting:
        trial_id = waiting.pop()
        missing = [one for one in by_id[trial_id].waits_for if one not in placed]
        if missing:
            waiting += [trial_id, *reversed(missing)]
        else:
            placed[trial_id] = None
    return list(placed)


def _refuse_unknown(trials: Sequence[PlannedTrial], known: Collection[str]) -> None:
    problems = [
        f"{trial.trial_id}: want to wait for a planned trial, found {one!r}; plan it too"
        for trial in trials
        for one in trial.waits_for
        if one not in known
    ]
    if problems:
        raise SpecError("plan", problems)

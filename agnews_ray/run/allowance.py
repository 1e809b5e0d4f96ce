"""What a running study may still start: its limit, and predictions that learn from its trials."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from agnews_ray.plan.time_forecast import Forecast, Limit
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import PredictionRecord, TrialRecord


class Gate(Protocol):
    """Whether a trial may start now; the queue asks before each start."""

    def reason_to_leave_out(self, trial: PlannedTrial) -> str | None:
        """The reason why a trial is not started at all; None if it may start."""

    def ended(self, record: TrialRecord) -> None:
        """A trial has a record."""


class OpenGate:
    """Lets every trial start."""

    def reason_to_leave_out(self, trial: PlannedTrial) -> None:
        """There is none."""

    def ended(self, record: TrialRecord) -> None:
        """Learn nothing from it."""


@dataclass(slots=True, kw_only=True)
class Allowance:
    """Keeps a study to its limit, and predicts each trial when it starts.

    A trial starts if its end, predicted by the median, is within the limit; once started it is
    never ended for the limit.
    """

    forecast: Forecast
    limit: Limit | None
    """None: every trial may start."""
    started_at: float
    """The Unix time from which the limit counts."""
    clock: Callable[[], float] = time.time
    made_at: float = 0.0
    """The Unix time from which the start of Ray and its workers counts; 0: now."""
    _spent_s: dict[str, float] = field(default_factory=dict)
    """The machine seconds of each started trial: as predicted, and as happened once it ended."""
    _tokenised: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.made_at = self.made_at or self.clock()
        self._tokenised |= self.forecast.done

    def reason_to_leave_out(self, trial: PlannedTrial) -> str | None:
        if self.limit is None:
            return None
        seconds = self._seconds(trial)
        spent = self._spent()
        if spent + seconds > self.limit.seconds:
            end = f"{duration(spent)} spent, {duration(seconds)} predicted for it"
            return f"it cannot end within the budget of {self.limit.text} ({end})"
        self._spent_s[trial.trial_id] = seconds
        return None

    def ended(self, record: TrialRecord) -> None:
        self.forecast = self.forecast.learned(record)
        if record.total_seconds is not None:
            self._spent_s[record.trial_id] = record.total_seconds * self.forecast.num_machines

    def predict(self, trial: PlannedTrial, since: float) -> PredictionRecord | None:
        """Predict a trial that starts now; None if its variant was not measured.

        Args:
            trial: the trial.
            since: the Unix time from which its record counts; that of the study's first trial is
                the study's own.
        """
        found = self.forecast.trial(trial)
        if found is None:
            return None
        is_first = since <= self.started_at
        waits_s = self.made_at - since if is_first else 0.0
        if found.workload.tokenizer not in self._tokenised:
            self._tokenised.add(found.workload.tokenizer)
            waits_s += found.workload.tokenising_s
        startup_s = self.forecast.past.startup_s if is_first else 0.0
        return self.forecast.record(trial, waits_s, startup_s)

    def _spent(self) -> float:
        if self.limit is not None and self.limit.adds_up:
            return sum(self._spent_s.values())
        return self.clock() - self.started_at

    def _seconds(self, trial: PlannedTrial) -> float:
        """The time that a trial takes from now on, or that of all its machines."""
        found = self.forecast.trial(trial)
        if found is None:
            return 0.0
        seconds = found.total_s
        if found.workload.tokenizer not in self._tokenised:
            seconds += found.workload.tokenising_s
        if not self._spent_s:  # its workers are still starting
            seconds += max(0.0, self.made_at + self.forecast.past.startup_s - self.clock())
        adds_up = self.limit is not None and self.limit.adds_up
        return seconds * (self.forecast.num_machines if adds_up else 1)


def duration(seconds: float) -> str:
    """Write a time in two units at most: ``48 s``, ``3 min 20 s``, ``2 h 5 min``."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest and minutes < 10 else f"{round(whole / 60)} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"

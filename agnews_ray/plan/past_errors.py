"""The errors of earlier predictions on a machine, and what later ones learn from them.

A prediction multiplies: the error is the logarithm of happened over predicted. Its mean on a
machine corrects the next prediction, its spread gives the interval. Before there are any records
both have a prior: a mean of 0 with a standard deviation of ``PRIOR_BIAS``, and a spread of
``PRIOR_SPREAD`` that counts as much as ``PRIOR_TRIALS`` trials (the conjugate normal model: Gelman
et al., Bayesian Data Analysis, 3rd edition, section 3.3).
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist, median

from agnews_ray.record.schema import EnvironmentRecord, TrialRecord
from agnews_ray.spec.base import Device

PRIOR_BIAS, PRIOR_SPREAD, PRIOR_TRIALS = 0.15, 0.10, 3
COVERED = 0.8
"""The share of trials that an interval is to hold."""

SHORT_S = 20.0
"""A trial of this train time counts half: in a short one, chance matters more."""

BUSY_WEIGHT = 0.1
"""What the error of a prediction counts whose probe other programs disturbed."""

OTHER_PROBE_WEIGHT = 0.25
"""What the error of another model, recipe or data counts beside one of the same probe."""

STARTUP_S = 20.0
"""The time from the start to the first trial's workers, before a record says what it is here."""

NUM_STARTS = 9
"""The number of latest starts whose median is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastError:
    """The error of one trial's prediction."""

    probe: str
    log_ratio: float
    """The logarithm of train seconds over those that the probe alone predicted."""
    error: float
    """Train seconds over those finally predicted, less 1."""
    train_s: float
    is_quiet: bool = True
    """Whether other programs left the machine to the probe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is known about the next error."""

    factor: float
    """The median of happened over predicted by the probe alone."""
    bias_sd: float
    """The standard deviation of the logarithm of that median: the same for all trials."""
    trial_sd: float
    """The standard deviation of one trial's logarithm around it."""
    quantile: float
    """The number of standard deviations from the median to the ends of an interval."""
    num_trials: int

    def width(self, share: float = 1.0) -> float:
        """Return the factor from the median to the upper end of the interval.

        Args:
            share: the share of ``trial_sd``'s variance that is left; for a sum of n equal trials
                1 / n.
        """
        return math.exp(self.quantile * math.hypot(self.bias_sd, self.trial_sd * math.sqrt(share)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The errors of earlier predictions on a machine, the earliest first."""

    errors: tuple[PastError, ...] = ()
    startups_s: tuple[float, ...] = ()
    """The seconds from the start to the first trial's workers."""

    @property
    def startup_s(self) -> float:
        """The seconds to the first trial's workers, as they were lately."""
        return median(self.startups_s[-NUM_STARTS:]) if self.startups_s else STARTUP_S

    def correction(self, probe: str) -> Correction:
        """Learn from the errors, most from those of the same probe.

        Args:
            probe: the probe of the next trial.
        """
        weights = [_weight(one, probe) for one in self.errors]
        total = sum(weights)
        trials_of_bias = (PRIOR_SPREAD / PRIOR_BIAS) ** 2
        weighed = list(zip(weights, (one.log_ratio for one in self.errors), strict=True))
        bias = sum(w * ratio for w, ratio in weighed) / (total + trials_of_bias)
        squares = sum(w * (ratio - bias) ** 2 for w, ratio in weighed)
        freedom = PRIOR_TRIALS + total
        variance = (PRIOR_TRIALS * PRIOR_SPREAD**2 + squares) / freedom
        return Correction(
            factor=math.exp(bias),
            bias_sd=math.sqrt(variance / (total + trials_of_bias)),
            trial_sd=math.sqrt(variance),
            quantile=_student(0.5 + COVERED / 2, freedom),
            num_trials=len(self.errors),
        )

    def last(self, count: int) -> tuple[float, ...]:
        """Return the errors of the latest predictions, as shares."""
        return tuple(one.error for one in self.errors[-count:])

    def with_record(self, record: TrialRecord) -> "Past":
        """Return the same, with the error of one more trial, if it was predicted."""
        error, startup = _error_of(record), _startup_of(record)
        return Past(
            errors=(*self.errors, *([error] if error else [])),
            startups_s=(*self.startups_s, *([] if startup is None else [startup])),
        )


def machine_of(environment: EnvironmentRecord, device: Device, num_workers: int) -> str:
    """Name the machine, as far as errors of predictions are alike on it.

    Args:
        environment: the machine.
        device: the device that trains.
        num_workers: the number of workers of a trial, whose exchange no probe measures.
    """
    kind = environment.gpu if device == "cuda" else environment.cpu
    return f"{kind}, {environment.num_cpus} CPUs, {num_workers} worker(s)"


def past_errors(records: Iterable[TrialRecord], machine: str) -> Past:
    """Collect the errors of earlier predictions.

    Args:
        records: the records of any studies.
        machine: the result of ``machine_of``; records of other machines are left out.

    Returns:
        The errors in the order of time.
    """
    past = Past()
    for record in sorted(records, key=lambda one: (one.created_at, one.trial_id)):
        if machine_of(record.environment, record.device, record.scaling.num_workers) == machine:
            past = past.with_record(record)
    return past


def _error_of(record: TrialRecord) -> PastError | None:
    said, happened = record.predicted, record.training
    if said is None or not said.num_steps or happened.num_steps == 0:
        return None
    share = happened.num_steps / said.num_steps  # below 1 if it was stopped early
    seconds = happened.train_seconds
    if min(seconds, said.measured_seconds, said.train_seconds) <= 0:
        return None
    return PastError(
        probe=said.probe,
        is_quiet=said.is_quiet,
        log_ratio=math.log(seconds / (said.measured_seconds * share)),
        error=seconds / (said.train_seconds * share) - 1,
        train_s=seconds,
    )


def _startup_of(record: TrialRecord) -> float | None:
    said = record.predicted
    if said is None or not said.startup_seconds or record.total_seconds is None:
        return None
    rest = said.total_seconds - said.train_seconds - said.startup_seconds
    return max(0.0, record.total_seconds - record.training.train_seconds - rest)


def _weight(error: PastError, probe: str) -> float:
    by_length = error.train_s / (error.train_s + SHORT_S)
    by_length *= 1.0 if error.is_quiet else BUSY_WEIGHT
    return by_length * (1.0 if error.probe == probe else OTHER_PROBE_WEIGHT)


def _student(share: float, freedom: float) -> float:
    """Compute a quantile of Student's t; scipy, which has it, takes a second to import.

    Source: Abramowitz and Stegun, 26.7.5; within 1 % from 3 degrees of freedom on, at 0.9.
    """
    z = NormalDist().inv_cdf(share)
    return (
        z
        + (z**3 + z) / (4 * freedom)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * freedom**3)
    )

"""What teaching brought: the student beside its plain twin and its teacher, on the same seeds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from agnews_ray.compare.bootstrap import Counts, count, draw_counts
from agnews_ray.compare.calibration import calibrate
from agnews_ray.compare.findings import Fact, Interval, Metric, PairFacts
from agnews_ray.compare.gap import Scored, gap_closed, gap_to_teacher
from agnews_ray.compare.groups import BOOTSTRAP_SEED, Group, TrialResult
from agnews_ray.compare.teaching import Taught
from agnews_ray.compare.variants import accuracy_interval, accuracy_of, macro_f1_of, score_interval

TINY = float(np.finfo(np.float64).tiny)
"""Added to probabilities before their logarithm, as some are 0."""


class Beside(Fact):
    """The scores of teacher, plain or taught student, on the seeds that all of them have."""

    name: str
    accuracy: Interval
    macro_f1: Interval
    agreement: float | None
    """The share of test rows for which it predicts the teacher's class, mean over seeds; None for
    the teacher, or without one."""


class TaughtFacts(Fact):
    """What teaching brought to one student."""

    variant: str
    seeds: tuple[int, ...]
    """The seeds of all numbers here."""
    taught: Beside
    plain: Beside | None
    """None if the study has no plain twin with one of these seeds."""
    teacher: Beside | None
    """None without a teacher, or if its predictions for the test rows are not known; the mean of
    the probabilities of several."""
    teacher_calibration_error: float | None
    """The teacher's expected calibration error on test."""
    gap: Interval | None
    """Teacher minus plain, in the metric of the verdicts; None if one of them is missing."""
    gap_closed: Interval | None
    """(taught - plain) / (teacher - plain); None if it is not defined."""
    pair: PairFacts | None
    """The verdict of the student against its plain twin."""


def taught_facts(
    taught: Sequence[Taught],
    groups: Sequence[Group],
    results: Sequence[TrialResult],
    pairs: Sequence[PairFacts],
    metric: Metric,
    alpha: float,
) -> tuple[TaughtFacts, ...]:
    """Derive what teaching brought to each student of a study.

    Args:
        taught: the students.
        groups: the trials of each row of the table.
        results: all results, among them those of labellings: a teacher's scores on test.
        pairs: the verdicts of the study.
        metric: the metric of the verdicts.
        alpha: 1 - confidence of all intervals, which are estimates without a verdict.

    Returns:
        One entry for each student that has a row.
    """
    by_name = {group.row.model: group for group in groups}
    labels = {one.record.trial_id: one for one in results if one.record.labelling is not None}
    judged = {(pair.variant, pair.baseline): pair for pair in pairs}
    return tuple(
        _facts(
            _sides(one, by_name, _teacher_logits(one, by_name, labels)),
            judged.get((one.variant, one.plain or "")),
            metric,
            alpha,
        )
        for one in taught
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Side:
    """Teacher, plain or taught student, on K common seeds."""

    name: str
    observed: Counts
    drawn: Counts
    predicted: NDArray[np.int64]
    """Shape (K, N)."""

    def scored(self, metric: Metric) -> Scored:
        score = accuracy_of if metric == "accuracy" else macro_f1_of
        return Scored(observed=score(self.observed), drawn=score(self.drawn))

    def beside(self, teacher: "_Side | None", alpha: float) -> Beside:
        other = None if teacher is self else teacher
        return Beside(
            name=self.name,
            accuracy=accuracy_interval(self.observed, self.drawn, alpha),
            macro_f1=score_interval(macro_f1_of, self.observed, self.drawn, alpha),
            agreement=float((self.predicted == other.predicted).mean()) if other else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sides:
    """All that a student is compared with."""

    seeds: tuple[int, ...]
    taught: _Side
    plain: _Side | None
    teacher: _Side | None
    calibration_error: float | None


def _facts(sides: _Sides, pair: PairFacts | None, metric: Metric, alpha: float) -> TaughtFacts:
    taught, plain, teacher = sides.taught, sides.plain, sides.teacher
    gap = closed = None
    if plain is not None and teacher is not None:
        before, goal = plain.scored(metric), teacher.scored(metric)
        num_rows = taught.predicted.shape[1]
        gap = gap_to_teacher(before, goal, num_rows, alpha)
        closed = gap_closed(taught.scored(metric), before, goal, num_rows, alpha)
    return TaughtFacts(
        variant=taught.name,
        seeds=sides.seeds,
        taught=taught.beside(teacher, alpha),
        plain=plain.beside(teacher, alpha) if plain else None,
        teacher=teacher.beside(teacher, alpha) if teacher else None,
        teacher_calibration_error=sides.calibration_error,
        gap=gap,
        gap_closed=closed,
        pair=pair,
    )


def _sides(
    taught: Taught, groups: Mapping[str, Group], logits: Mapping[int, NDArray[np.float64]]
) -> _Sides:
    """Select the seeds that student, twin and teacher have in common; those of a student alone."""
    student, twin = groups[taught.variant], groups.get(taught.plain or "")
    known = [seed for seed in student.row.seeds if seed in logits] or [*student.row.seeds]
    common = [seed for seed in known if twin and seed in twin.row.seeds]
    seeds = common or known
    has_teacher = all(seed in logits for seed in seeds)
    taught_by = np.stack([logits[seed] for seed in seeds]) if has_teacher else None
    labels = student.trials[0].predictions.labels
    return _Sides(
        seeds=tuple(seeds),
        taught=_of_row(student, seeds),
        plain=_of_row(twin, seeds) if twin and common else None,
        teacher=None if taught_by is None else _teacher(taught, student, taught_by),
        calibration_error=None
        if taught_by is None
        else calibrate(taught_by, labels).expected_calibration_error,
    )


def _of_row(group: Group, seeds: Sequence[int]) -> _Side:
    results = group.on_seeds(seeds)
    chosen = [group.row.seeds.index(seed) for seed in seeds]
    return _Side(
        name=group.row.model,
        observed=results.observed,
        drawn=results.drawn,
        predicted=group.predictions.predicted[chosen],
    )


def _teacher(taught: Taught, student: Group, logits: NDArray[np.float64]) -> _Side:
    """Count a teacher's rows on the same drawn test sets as those of all rows of the table."""
    labels, predicted = student.trials[0].predictions.labels, logits.argmax(axis=-1)
    num_draws, num_classes = student.drawn.hits.shape[0], logits.shape[-1]
    rng = np.random.default_rng(BOOTSTRAP_SEED)  # the draws depend on it and the rows alone
    return _Side(
        name=" + ".join(taught.teachers),
        observed=count(labels, predicted, num_classes),
        drawn=draw_counts(labels, predicted, num_classes, num_draws, rng),
        predicted=predicted,
    )


def _teacher_logits(
    taught: Taught, groups: Mapping[str, Group], labels: Mapping[str, TrialResult]
) -> dict[int, NDArray[np.float64]]:
    """Find the logits of each seed's teacher for the test rows, by the student's seed.

    Returns:
        Shape (N, C) each; of several teachers the logarithms of their mean probabilities. Empty if
        they are not known.
    """
    if taught.teacher_row is not None and taught.teacher_row in groups:
        teacher = groups[taught.teacher_row]
        return dict(zip(teacher.row.seeds, teacher.predictions.logits, strict=True))
    found = {}
    for trial in groups[taught.variant].trials:
        ids = trial.record.teaching.labelled_by if trial.record.teaching else ()
        if ids and all(trial_id in labels for trial_id in ids):
            shares = [softmax(labels[one].predictions.logits, axis=-1) for one in ids]
            found[trial.record.seed] = np.log(np.mean(shares, axis=0) + TINY)
    return found

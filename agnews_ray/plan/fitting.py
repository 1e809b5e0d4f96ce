"""What of a study would fit in a budget: fewer seeds, rows or epochs, or smaller models."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from agnews_ray.plan.graph import only_needed
from agnews_ray.plan.planner import named_variant
from agnews_ray.plan.time_forecast import Forecast, Limit, Span
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec

MIN_ROWS = 100
"""The smallest number of train rows that is suggested."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """A smaller study that fits."""

    what: str
    """What is less, in a few words."""
    change: str
    """The flag to add, or what to change in the job file."""
    cost: Span
    is_measured: bool = True
    """Whether its models were measured; otherwise their time is taken from their sizes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A study, its trials, and what it may take."""

    study: StudySpec
    todo: tuple[PlannedTrial, ...]
    """The trials without a record."""
    trials: tuple[PlannedTrial, ...]
    """All trials: with other rows or epochs those with a record run again."""
    num_rows: int
    """The number of train rows."""
    forecast: Forecast
    limit: Limit
    spent_s: float
    """What is spent already."""

    def cost(self, trials: Sequence[PlannedTrial], forecast: Forecast | None = None) -> Span:
        """Predict what trials take, with what is spent already."""
        found = (forecast or self.forecast).cost(trials, self.limit)
        spent = self.spent_s
        return Span(median=spent + found.median, low=spent + found.low, high=spent + found.high)

    def fits(self, trials: Sequence[PlannedTrial], forecast: Forecast | None = None) -> bool:
        """Whether trials end in time, by the median."""
        return self.cost(trials, forecast).median <= self.limit.seconds


def what_fits(question: Question, smaller: Mapping[str, float]) -> tuple[Option, ...]:
    """List the smaller studies that fit, one for each kind of change.

    Args:
        question: the study that does not fit.
        smaller: the time of a trial of further models, by alias, as a share of that of the
            study's slowest variant; at most 1.

    Returns:
        The options; none if not even the least of them fits.
    """
    found = [make(question) for make in (_fewer_seeds, _fewer_rows, _fewer_epochs, _fewer_models)]
    options = [one for one in found if one is not None]
    if _fewer_models(question) is None:
        options += _a_smaller_model(question, smaller)
    return tuple(options)


def _fewer_seeds(question: Question) -> Option | None:
    seeds = question.study.seeds

    def of_first(count: int) -> list[PlannedTrial]:
        return [trial for trial in question.todo if trial.seed in seeds[:count]]

    count = _largest(range(1, len(seeds)), lambda count: question.fits(of_first(count)))
    if count is None or not of_first(count):
        return None
    flag = f"--seeds {','.join(map(str, seeds[:count]))}"
    return Option(what="fewer seeds", change=flag, cost=question.cost(of_first(count)))


def _fewer_rows(question: Question) -> Option | None:
    if any(one.transfer is not None for one in question.trials):
        return None  # texts without labels would be as many

    def of(rows: int) -> Forecast:
        return question.forecast.scaled(rows=rows / question.num_rows, epochs=1)

    rounded = [step * 10**power for power in range(2, 8) for step in (1, 1.5, 2, 3, 4, 5, 6, 8)]
    choices = [int(rows) for rows in rounded if MIN_ROWS <= rows < question.num_rows]
    rows = _largest(choices, lambda rows: question.fits(question.trials, of(rows)))
    if rows is None:
        return None
    cost = question.cost(question.trials, of(rows))
    return Option(what="fewer rows", change=f"--limit-train {rows}", cost=cost)


def _fewer_epochs(question: Question) -> Option | None:
    wanted = question.study.recipe.num_epochs

    def of(epochs: int) -> Forecast:
        return question.forecast.scaled(rows=1, epochs=epochs / wanted)

    epochs = _largest(range(1, wanted), lambda n: question.fits(question.trials, of(n)))
    if epochs is None:
        return None
    cost = question.cost(question.trials, of(epochs))
    return Option(what="fewer epochs", change=f"--epochs {epochs}", cost=cost)


def _fewer_models(question: Question) -> Option | None:
    """Leave out the slowest variants, as few as possible; teachers stay."""
    models, teachers = question.study.models, _teachers(question.study)
    may_go = [one for one in models if one not in teachers]
    by_time = sorted(may_go, key=lambda one: _seconds(question, one), reverse=True)
    for count in range(1, min(len(by_time) + 1, len(models))):
        dropped = {variant.name for variant in by_time[:count]}
        kept = only_needed([one for one in question.todo if one.variant.name not in dropped])
        if kept and question.fits(kept):
            return Option(
                what="fewer models" if len(models) - count > 1 else "the faster model only",
                change=_without(question.study.models, dropped),
                cost=question.cost(kept),
            )
    return None


def _teachers(study: StudySpec) -> list[VariantSpec]:
    """Return the variants without which another one cannot be trained."""
    names = [
        name
        for one in study.models
        for name in (
            *(one.distillation.teacher if one.distillation else ()),
            *([one.pretraining.teacher] if one.pretraining and one.pretraining.teacher else ()),
        )
    ]
    found = [named_variant(study, name) for name in names]
    return [one for one in found if one is not None]


def _without(models: Sequence[VariantSpec], dropped: set[str]) -> str:
    kept = [variant for variant in models if variant.name not in dropped]
    plain = [VariantSpec(model=one.model, name=one.name) == one for one in kept]
    if all(plain):
        return f"--models {','.join(variant.model for variant in kept)}"
    return f"without {', '.join(sorted(dropped))} in the job file's models"


def _a_smaller_model(question: Question, smaller: Mapping[str, float]) -> list[Option]:
    """Put the largest known model that fits in the place of all, by its size."""
    slowest = max(question.study.models, key=lambda one: _seconds(question, one))
    trials = [trial for trial in question.trials if trial.variant.name == slowest.name]
    for alias, share in sorted(smaller.items(), key=lambda one: -one[1]):
        forecast = question.forecast.scaled(rows=1, epochs=share)
        if question.fits(trials, forecast):
            cost = question.cost(trials, forecast)
            change = f"--models {alias}"
            return [Option(what="a smaller model", change=change, cost=cost, is_measured=False)]
    return []


def _seconds(question: Question, variant: VariantSpec) -> float:
    found = question.forecast.variant(variant.name)
    return found.total_s if found else 0.0


def _largest(values: Sequence[int], fits: Callable[[int], bool]) -> int | None:
    return max((value for value in values if fits(value)), default=None)

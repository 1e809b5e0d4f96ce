"""Use case: does a study fit in its budget, and what of it would?"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from agnews_ray.app.capacity import BYTES_PER_LOGIT, SPARE_BYTES
from agnews_ray.app.prepare import PreparedStudy
from agnews_ray.errors import AgnewsError, ResourceError
from agnews_ray.model import zoo
from agnews_ray.model.architectures import KNOWN_MODELS
from agnews_ray.plan.fitting import Option, Question, what_fits
from agnews_ray.plan.past_errors import Past
from agnews_ray.plan.time_forecast import Forecast, Limit, Span, seeds_first
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.left_out import LeftOutTrial
from agnews_ray.record.schema import Record
from agnews_ray.run.allowance import Allowance, duration
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


class VariantCost(Record):
    """What a variant's trials will take; all times in seconds."""

    model: str
    num_trials: int
    """The number of its trials to run."""
    train_seconds: float | None
    """The median of one trial's train time; None if the variant could not be measured."""
    train_seconds_low: float | None = None
    train_seconds_high: float | None = None
    scoring_seconds: float | None = None
    trial_seconds: float | None = None
    """One trial from its start to its record."""
    gpu_hours: float | None = None
    """The hours of GPUs of all its trials, one GPU for each worker; None on a CPU."""
    machine_hours: float | None = None
    """The hours of machines of all its trials; on a cluster each worker has its own."""
    money: float | None = None
    """Their price, if the price of an hour is known."""
    peak_memory_bytes: int | None = None
    disk_bytes: int | None = None
    """The files of all its trials."""
    unmeasured: str | None = None
    """Why it could not be measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Whether a study fits, and what would."""

    limit: Limit | None
    spent_s: float
    """What is spent already."""
    cost: Span
    """What the study takes, with what is spent already."""
    kept: tuple[PlannedTrial, ...]
    """The trials that a submit with ``--what-fits`` starts, in their order."""
    left: tuple[PlannedTrial, ...]
    options: tuple[Option, ...]

    @property
    def fits(self) -> bool:
        """Whether all trials end in time, by the median."""
        return self.limit is None or not self.left


def limit_of(study: StudySpec, *, on_cluster: bool = False) -> Limit | None:
    """Say what the study's budget limits; None if it has none.

    Money pays for the time of machines. On this machine that is the time from the start to the
    end; on a cluster trials side by side add up, each with a machine for each worker.

    Args:
        study: the study.
        on_cluster: whether its trials run on a cluster's machines.
    """
    budget = study.budget
    if budget is None or budget.limit is None:
        return None
    if budget.seconds is not None:
        return Limit(text=budget.limit, seconds=budget.seconds)
    return Limit(text=budget.limit, seconds=budget.machine_seconds or 0.0, adds_up=on_cluster)


def allowance_of(
    prepared: PreparedStudy, started_at: float, *, on_cluster: bool = False
) -> Allowance:
    """Make what decides which trials start, and predicts them.

    Args:
        prepared: the study; without a forecast all trials start and none is predicted.
        started_at: the Unix time of ``submit``, from which a limit counts.
        on_cluster: whether its trials run on a cluster's machines.
    """
    limit = limit_of(prepared.study, on_cluster=on_cluster)
    forecast = prepared.forecast or Forecast(workloads={}, unmeasured={}, past=Past())
    return Allowance(forecast=forecast, limit=limit, started_at=started_at)


def left_out_trials(
    prepared: PreparedStudy, reasons: Mapping[str, str]
) -> tuple[LeftOutTrial, ...]:
    """Describe the trials that a study's budget left out.

    Args:
        prepared: the study.
        reasons: why each was left out, by trial id.
    """
    budget = prepared.study.budget
    return tuple(
        LeftOutTrial(
            trial_id=trial.trial_id,
            model=trial.variant.name,
            seed=trial.seed,
            budget=(budget.limit if budget else None) or "",
            reason=reasons[trial.trial_id],
        )
        for trial in prepared.trials
        if trial.trial_id in reasons and trial.work == "fine-tuning"
    )


def in_order(prepared: PreparedStudy) -> tuple[PlannedTrial, ...]:
    """Order the trials to run: with a budget seed by seed, so that no model is missing."""
    return seeds_first(prepared.todo) if prepared.study.budget else prepared.todo


def afford(prepared: PreparedStudy, spent_s: float = 0.0, *, on_cluster: bool = False) -> Answer:
    """Hold a study's forecast against its budget.

    Args:
        prepared: the study, with a forecast.
        spent_s: the seconds that have passed since the budget counts.
        on_cluster: whether its trials run on a cluster's machines.

    Returns:
        The answer; without a budget everything fits.
    """
    forecast, trials = prepared.forecast, in_order(prepared)
    if forecast is None:
        raise ValueError("want a study with a forecast")
    limit = limit_of(prepared.study, on_cluster=on_cluster)
    if limit is None:
        cost = forecast.cost(trials)
        return Answer(limit=None, spent_s=0.0, cost=cost, kept=trials, left=(), options=())
    spent_s = 0.0 if limit.adds_up else spent_s
    kept, left = forecast.fitting(trials, limit, spent_s)
    question = Question(
        study=prepared.study,
        todo=trials,
        trials=prepared.trials,
        num_rows=prepared.scanned.record.num_train,
        forecast=forecast,
        limit=limit,
        spent_s=spent_s,
    )
    options = what_fits(question, _smaller_models(prepared)) if left else ()
    return Answer(
        limit=limit,
        spent_s=spent_s,
        cost=question.cost(trials),
        kept=kept,
        left=left,
        options=options,
    )


def refuse(answer: Answer) -> None:
    """Refuse a study that does not fit, as nobody is there to ask.

    Raises:
        ResourceError: names the budget, the prediction, and what would fit.
    """
    if answer.limit is None or not answer.left:
        return
    num_trials = len(answer.kept) + len(answer.left)
    found = f"{amount(answer, answer.cost.median)} predicted for {num_trials} trial(s)"
    changes = [f"{one.change} ({amount(answer, one.cost.median)})" for one in answer.options]
    if answer.kept:
        changes.append(f"--what-fits (runs {len(answer.kept)}, leaves {len(answer.left)} out)")
    hint = f"add one of: {', '.join(changes)}" if changes else "raise --budget"
    raise ResourceError("--budget", f"at most {answer.limit.text}", found, hint)


def amount(answer: Answer, seconds: float) -> str:
    """Write a predicted amount in words."""
    machines = " of machines" if answer.limit is not None and answer.limit.adds_up else ""
    return duration(seconds) + machines


def variant_costs(prepared: PreparedStudy) -> tuple[VariantCost, ...]:
    """Describe what each variant's trials will take.

    Args:
        prepared: the study, with a forecast.

    Returns:
        One entry for each variant, in the study's order.
    """
    return tuple(_cost_of(prepared, variant) for variant in prepared.study.models)


def _cost_of(prepared: PreparedStudy, variant: VariantSpec) -> VariantCost:
    own = [
        trial
        for trial in prepared.todo
        if trial.variant.name == variant.name and trial.work == "fine-tuning"
    ]
    num_trials = len(own)
    forecast, budget = prepared.forecast, prepared.study.budget
    whole = [t for t in prepared.trials if t.variant.name == variant.name and t.train_share == 1]
    tuned = [trial for trial in whole if trial.work == "fine-tuning"]
    found = forecast.trial(tuned[0]) if forecast else None
    if found is None or forecast is None:
        why = forecast.unmeasured.get(variant.name, "") if forecast else ""
        return VariantCost(
            model=variant.name, num_trials=num_trials, train_seconds=None, unmeasured=why
        )
    workers = prepared.study.scaling.num_workers
    hours = sum(one.total_s for one in map(forecast.trial, own) if one) / 3600
    price = budget.price_per_hour if budget else None
    rows = prepared.scanned.record
    num_logits = rows.test.num_selected * len(rows.class_names)
    of_trial = found.workload.size_bytes + num_logits * BYTES_PER_LOGIT + SPARE_BYTES
    return VariantCost(
        model=variant.name,
        num_trials=num_trials,
        train_seconds=found.train.median,
        train_seconds_low=found.train.low,
        train_seconds_high=found.train.high,
        scoring_seconds=found.workload.scoring_s,
        trial_seconds=found.total_s,
        gpu_hours=hours * workers if prepared.device == "cuda" else None,
        machine_hours=hours * forecast.num_machines,
        money=None if price is None else price * hours * forecast.num_machines,
        peak_memory_bytes=found.workload.peak_memory_bytes,
        disk_bytes=num_trials * of_trial,
    )


def _smaller_models(prepared: PreparedStudy) -> dict[str, float]:
    """Give known models that are smaller than the slowest variant, with their share of its size."""
    forecast = prepared.forecast
    measured = [v for v in prepared.study.models if forecast and forecast.variant(v.name)]
    sizes = {variant.name: _size_of_blocks(variant) for variant in measured}
    largest = max(sizes.values(), default=0.0)
    named = {variant.model for variant in prepared.study.models}
    shares = {
        alias: _size_of_blocks(VariantSpec(model=alias)) / largest
        for alias in KNOWN_MODELS
        if largest and alias not in named
    }
    return {alias: share for alias, share in shares.items() if share < 1}


def _size_of_blocks(variant: VariantSpec) -> float:
    """The number of weights of a model's blocks, which its time follows; 0 if unknown."""
    found: dict[str, int] = {}
    with suppress(AgnewsError, OSError):
        found = zoo.sizes(variant)
    if not found:
        return 0.0
    width, inner = found["hidden_size"], found["intermediate_size"]
    return float(found["num_layers"] * (4 * width**2 + 2 * width * inner))

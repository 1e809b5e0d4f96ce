"""What a plan predicts, in words: a line for each variant, the study's, and what a budget does."""

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from tabulate import tabulate

from agnews_ray.app.afford import Answer, VariantCost, amount
from agnews_ray.plan.fitting import Option
from agnews_ray.plan.past_errors import Past
from agnews_ray.plan.time_forecast import Span
from agnews_ray.run.allowance import duration

if TYPE_CHECKING:
    from agnews_ray.app.prepare import PreparedStudy
    from agnews_ray.spec.study import StudySpec

NUM_PAST = 10
"""The number of latest predictions whose errors are told."""

COLUMNS: Mapping[str, Callable[[VariantCost], str]] = {
    "Model": lambda one: one.model,
    "Trials": lambda one: str(one.num_trials),
    "Train": lambda one: _known(one.train_seconds, duration),
    "8 of 10 within": lambda one: _between(one.train_seconds_low, one.train_seconds_high),
    "Scoring": lambda one: _known(one.scoring_seconds, duration),
    "Trial": lambda one: _known(one.trial_seconds, duration),
    "GPU h": lambda one: _known(one.gpu_hours, "{:.2f}".format),
    "Machine h": lambda one: _known(one.machine_hours, "{:.2f}".format),
    "Money": lambda one: _known(one.money, "{:.2f}".format),
    "Memory": lambda one: _known(one.peak_memory_bytes, size),
    "Disk": lambda one: _known(one.disk_bytes, size),
}


def variants_table(costs: Sequence[VariantCost]) -> str:
    """Format what variants take; columns that nobody has are left out."""
    cells = {name: [make(one) for one in costs] for name, make in COLUMNS.items()}
    shown = {name: column for name, column in cells.items() if set(column) != {"-"}}
    alignment = ["left"] + ["right"] * (len(shown) - 1)
    rows = list(zip(*shown.values(), strict=True))
    return tabulate(rows, [*shown], "simple", disable_numparse=True, colalign=alignment)


def study_lines(
    prepared: "PreparedStudy", answer: Answer, costs: Sequence[VariantCost]
) -> list[str]:
    """Say what the study takes, and how far such predictions were off.

    Args:
        prepared: the study, with its forecast.
        answer: its forecast against its budget.
        costs: what its variants take.
    """
    num_trials = len(prepared.todo)
    if not num_trials:
        return ["the study: all its trials are finished; nothing is left to pay for"]
    facts = [f"{num_trials} trial(s)", _when(answer)]
    money = [one.money for one in costs if one.money is not None]
    if money:
        facts.append(f"price {_study_money(prepared, answer, sum(money)):.2f}")
    disk = sum(one.disk_bytes or 0 for one in costs)
    lines = [f"the study: {', '.join([*facts, f'{size(disk)} of disk'])}"]
    lines += [
        f"note  {one.model} is not in it: {one.unmeasured or 'it was not measured'}"
        for one in costs
        if one.train_seconds is None and one.num_trials
    ]
    if any(trial.recipe.stop for trial in prepared.todo):
        lines.append("note  a trial that early stop ends takes less: all its epochs are counted")
    lines += search_lines(prepared.study, costs)
    forecast = prepared.forecast
    beside = [one for one in prepared.todo if one.work != "fine-tuning"]
    words = {"pretraining": "pre-training"}
    lines += [
        f"note  {words.get(one.work, one.work)} is not in it: {one.trial_id}"
        for one in beside
        if forecast is None or forecast.trial(one) is None
    ]
    return [*lines, *([errors_line(forecast.past)] if forecast else [])]


def search_lines(study: "StudySpec", costs: Sequence[VariantCost]) -> list[str]:
    """Say what `agnews-ray tune` would take besides, if the study states a search."""
    search = study.search
    if search is None:
        return []
    num_trials = search.num_trials * search.num_seeds
    seconds = sum(num_trials * (one.trial_seconds or 0.0) for one in costs)
    what = f"{search.num_trials} setting(s) a model x {search.num_seeds} seed(s)"
    return [
        f"note  a search (agnews-ray tune) is not in it: {what}, {duration(seconds)} if each took "
        "as long as the default and none were stopped early; then the winners' trials"
    ]


def _when(answer: Answer) -> str:
    cost = answer.cost
    text = f"{duration(cost.median)} from its start to its end ({_span(cost)})"
    if answer.limit is not None and answer.limit.adds_up:
        return f"{duration(cost.median)} of machines ({_span(cost)})"
    return f"{text}, at {_time_of_day(cost.median - answer.spent_s)} if it starts now"


def _study_money(prepared: "PreparedStudy", answer: Answer, trials: float) -> float:
    """Here the machine is paid for from start to end; on a cluster for each trial."""
    budget = prepared.study.budget
    if budget is None or budget.price_per_hour is None or (answer.limit and answer.limit.adds_up):
        return trials
    return budget.price_per_hour * answer.cost.median / 3600


def errors_line(past: Past) -> str:
    """Say how far the latest predictions on this machine were off."""
    errors = past.last(NUM_PAST)
    if not errors:
        return (
            "error here: no trial was predicted on this machine yet, so the interval is wide; "
            "each trial that ends makes it narrower"
        )
    worst = max(errors, key=abs)
    trials = f"last {len(errors)} trial(s)" if len(errors) > 1 else "last trial"
    more = f", at most {worst:+.0%}" if len(errors) > 1 else ""
    mean = f"{fmean(errors):+.0%} train time against the prediction"
    return f"error here: {mean}{' on average' if more else ''} (the {trials}{more})"


def budget_lines(answer: Answer) -> list[str]:
    """Say what a submit under the budget would do; nothing without a budget.

    Args:
        answer: the forecast against the budget.
    """
    if answer.limit is None:
        return []
    limit, num_trials = answer.limit.text, len(answer.kept) + len(answer.left)
    if answer.fits:
        return [f"budget {limit}: it fits; a submit runs all {num_trials} trial(s)"]
    lines = [
        f"budget {limit}: it does not fit ({amount(answer, answer.cost.median)} predicted); "
        "what would:"
    ]
    return [*lines, *option_lines(answer)]


def fit_line(answer: Answer) -> str:
    """Say what a submit under the budget starts, in a line."""
    limit = answer.limit.text if answer.limit else ""
    cost = f"{amount(answer, answer.cost.median)} predicted ({_span(answer.cost)})"
    if answer.fits:
        return f"budget {limit}: {cost}"
    kept, left = len(answer.kept), len(answer.left)
    return f"budget {limit}: {cost} for all; {kept} trial(s) fit, {left} would be left out"


def option_lines(answer: Answer) -> list[str]:
    """List what would fit, each as the flag to add and its predicted time."""
    lines = [_option(answer, one) for one in answer.options]
    if answer.kept:
        left = ", ".join(trial.trial_id for trial in answer.left)
        what = f"{len(answer.kept)} trial(s) run, {len(answer.left)} left out: {left}"
        lines.append(f"  {'--what-fits':28} {what}")
    return lines or ["  nothing of it: raise the budget, or choose a much smaller model"]


def _option(answer: Answer, option: Option) -> str:
    unmeasured = "" if option.is_measured else ", by its size: not measured"
    return f"  {option.change:28} {option.what}: {amount(answer, option.cost.median)}{unmeasured}"


def _time_of_day(seconds: float) -> str:
    """Write the time that is so many seconds from now."""
    return time.strftime("%H:%M", time.localtime(time.time() + seconds))


def size(num_bytes: float) -> str:
    """Write a size in MiB or GiB."""
    mib = num_bytes / 2**20
    return f"{mib:,.0f} MiB" if mib < 1024 else f"{mib / 1024:.1f} GiB"


def _span(span: Span) -> str:
    return f"8 of 10 times {_between(span.low, span.high)}"


def _between(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return "-"
    first, second = duration(low), duration(high)
    if first == second:
        return second
    unit = second.partition(" ")[2]
    if first.endswith(f" {unit}") and " " not in unit:
        first = first.partition(" ")[0]
    return f"{first} to {second}"


def _known(value: float | None, text: Callable[[float], str]) -> str:
    return "-" if value is None else text(value)

"""The cost of accuracy: measured artifacts, money, and the accuracy-cost front."""

from collections.abc import Sequence

from agnews_ray.compare.findings import CostAxis, CostFacts
from agnews_ray.compare.prices import SECONDS_PER_HOUR, Prices, price_trainings
from agnews_ray.compare.searches import SearchCost
from agnews_ray.compare.table import VariantRow
from agnews_ray.compare.teaching_cost import TeachingCost
from agnews_ray.record.cost import CostRecord


def cost_facts(
    measured: Sequence[tuple[VariantRow, Sequence[CostRecord]]], prices: Prices
) -> tuple[CostFacts, ...]:
    """Order measurements by setting, so that those made in turns are next to each other.

    Args:
        measured: the rows of the comparison table, each with its measurements.
        prices: the known prices.

    Returns:
        One entry for each variant, machine and setting.
    """
    measured_on = {cost.machine for _, costs in measured for cost in costs}
    trainings = price_trainings([row for row, _ in measured], prices, measured_on)
    facts = [
        CostFacts(
            variant=row.model,
            machine=cost.machine,
            setting=cost.setting,
            latency_p50_ms=cost.latency_p50_ms,
            latency_p95_ms=cost.latency_p95_ms,
            latency_p99_ms=cost.latency_p99_ms,
            rows_per_second=cost.rows_per_second,
            load_seconds=cost.load_seconds,
            peak_memory_bytes=cost.peak_memory_bytes,
            flops_per_row=cost.flops_per_row,
            money_per_million=price_of_predictions(cost.rows_per_second, prices.use_per_hour),
            money_per_training=training.money,
            why_no_training_price=training.why_not,
        )
        for (row, costs), training in zip(measured, trainings, strict=True)
        for cost in costs
    ]
    settings = list(dict.fromkeys((fact.machine, fact.setting) for fact in facts))
    return tuple(sorted(facts, key=lambda fact: settings.index((fact.machine, fact.setting))))


def price_of_predictions(rows_per_second: float, price_per_hour: float | None) -> float | None:
    """Compute the price of a million predictions.

    Args:
        rows_per_second: the throughput.
        price_per_hour: the machine's price; None if unknown.

    Returns:
        The amount in the price's currency, or None.
    """
    if price_per_hour is None:
        return None
    return price_per_hour / SECONDS_PER_HOUR / rows_per_second * 1e6


def cost_axes(
    rows: Sequence[VariantRow], costs: Sequence[CostFacts], prices: Prices
) -> tuple[CostAxis, ...]:
    """List every kind of cost that is known for all variants.

    Args:
        rows: the rows of the comparison table; on different devices they have no common train time.
        costs: the measured costs of any variants.
        prices: the known prices.

    Returns:
        The axes, each with its accuracy-cost front; the costs in the table come first.
    """
    named: dict[tuple[str, str], list[float]] = {
        ("Parameters", "M"): [row.parameters / 1e6 for row in rows],
        ("Model size", "MB"): [row.size_bytes / 2**20 for row in rows],
    }
    named |= _train_times(rows)
    named |= _including(rows, "search", [row.search for row in rows])
    if not any(row.teaching and row.teaching.missing for row in rows):
        named |= _including(rows, "teaching", [row.teaching for row in rows])
    machines = {cost.machine for cost in costs}
    trainings = [training.money for training in price_trainings(rows, prices, machines)]
    if None not in trainings:
        named["Price per training", "money"] = [money for money in trainings if money is not None]
    for machine, setting in dict.fromkeys((cost.machine, cost.setting) for cost in costs):
        here = {c.variant: c for c in costs if (c.machine, c.setting) == (machine, setting)}
        found = [here[row.model] for row in rows if row.model in here]
        if len(found) != len(rows):
            continue
        where = f"{setting}, {machine}" if len(machines) > 1 else setting
        named[f"Latency p50, {where}", "ms"] = [cost.latency_p50_ms for cost in found]
        named[f"Time per 1,000 rows, {where}", "s"] = [1e3 / c.rows_per_second for c in found]
        named["Computation", "GFLOP per row"] = [cost.flops_per_row / 1e9 for cost in found]
        money = [cost.money_per_million for cost in found]
        if None not in money:
            named[f"Price per million rows, {where}", "money"] = [m for m in money if m]
    accuracies = [row.accuracy for row in rows]
    return tuple(
        CostAxis(
            name=name, unit=unit, costs=tuple(values), is_on_front=pareto_front(values, accuracies)
        )
        for (name, unit), values in named.items()
    )


def _train_times(rows: Sequence[VariantRow]) -> dict[tuple[str, str], list[float]]:
    """Make one axis for each kind of machine on which all rows were trained."""
    tuned = {(row.precision, row.num_workers) for row in rows if not row.is_linear}
    if len(tuned) > 1:
        return {}
    # If a machine has several engines (one fell back), the one of most trials, which is first.
    seconds = [{one.device: one.train_seconds for one in reversed(row.times)} for row in rows]
    common = [device for device in seconds[0] if all(device in one for one in seconds)]
    is_single = len(common) == 1
    return {
        ("Train time" if is_single else f"Train time, {device}", "min"): [
            one[device] / 60 for one in seconds
        ]
        for device in common
    }


def _including(
    rows: Sequence[VariantRow], what: str, beside: Sequence[SearchCost | TeachingCost | None]
) -> dict[tuple[str, str], list[float]]:
    """Make the same axes with other train time, if that was spent on the rows' machine."""
    devices = {device for cost in beside if cost for device in cost.machine_seconds}
    if not devices or devices != {row.device for row in rows}:
        return {}
    minutes = [cost.train_seconds / 60 if cost else 0.0 for cost in beside]
    return {
        (f"{name}, {what} included", unit): [
            one + more for one, more in zip(trained, minutes, strict=True)
        ]
        for (name, unit), trained in _train_times(rows).items()
    }


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> tuple[bool, ...]:
    """Find the points that no other point dominates.

    Args:
        costs: the costs; smaller is better.
        gains: the gains, one for each cost; larger is better.

    Returns:
        For each point, whether no other has at most its cost and at least its gain, and differs.
    """
    points = list(zip(costs, gains, strict=True))
    return tuple(
        not any(
            other_cost <= cost and other_gain >= gain and (other_cost, other_gain) != (cost, gain)
            for other_cost, other_gain in points
        )
        for cost, gain in points
    )

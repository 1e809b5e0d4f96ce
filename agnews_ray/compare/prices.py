"""What a training costs in money: whose hours are paid, of how many machines.

A price is that of one machine for an hour, in any currency. A training pays the machine that
trained it, for the mean train time of its row, once for each machine that its workers were on:
workers that share a machine pay it once between them, workers on machines of their own pay each.
A row trained on several kinds of machines pays that of most of its trials.
(A trial pays its machines whole, also where other trials ran beside it on them.) Where no price of
that machine is known there is no number: that of another machine would be a wrong one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agnews_ray.compare.results import Fact
from agnews_ray.compare.table import VariantRow

SECONDS_PER_HOUR = 3600


class TrainPrice(Fact):
    """What an hour of a machine that trained costs."""

    per_hour: float
    machine: str | None = None
    """Part of the name of its GPU, or of its CPU where it trained on that; None for the only one
    that there is."""


class Prices(Fact):
    """All prices that are known."""

    use_per_hour: float | None = None
    """Of the machine on which use is measured."""
    training: tuple[TrainPrice, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingMoney:
    """The price of one training, or why there is none though prices were given."""

    money: float | None
    why_not: str = ""


def price_trainings(
    rows: Sequence[VariantRow], prices: Prices, measured_on: Collection[str]
) -> tuple[TrainingMoney, ...]:
    """Price a training of each row.

    Args:
        rows: of the comparison table.
        prices: what is known.
        measured_on: machines on which use was measured, by name; the price of use is theirs.

    Returns:
        One for each row. The price of use is taken for a training only where no other is known
        and it ran on a machine of the same name.
    """
    machines = {times.device for row in rows for times in row.times}
    is_asked = prices != Prices()
    return tuple(
        _price(row, _per_hour(row.device, prices, machines, measured_on), is_asked=is_asked)
        for row in rows
    )


def _per_hour(
    device: str, prices: Prices, machines: Collection[str], measured_on: Collection[str]
) -> float | None:
    for price in prices.training:
        if price.machine is not None and price.machine.lower() in device.lower():
            return price.per_hour
    for price in prices.training:
        if price.machine is None and len(machines) == 1:
            return price.per_hour
    return prices.use_per_hour if device in measured_on else None


def _price(row: VariantRow, per_hour: float | None, *, is_asked: bool) -> TrainingMoney:
    if per_hour is None and not is_asked:
        return TrainingMoney(None)
    if per_hour is None:
        why = f"trained on {row.device}, whose price is not known: add"
        return TrainingMoney(None, f'{why} --train-price-per-hour "{row.device}=PRICE"')
    if row.num_machines is None:
        why = f"its records do not say on how many machines its {row.num_workers} workers ran"
        return TrainingMoney(None, why)
    return TrainingMoney(per_hour * row.num_machines * row.train_seconds / SECONDS_PER_HOUR)

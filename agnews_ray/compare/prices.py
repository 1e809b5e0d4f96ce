"""The price of a training: which machines are paid for, and for how long.

A price is for one machine and one hour, in any currency. A training pays for the mean train time of
its row, once for each machine that its workers ran on: workers that share a machine pay for it
once.
If a row was trained on several kinds of machines, it pays for the kind of most of its trials. A
trial pays the whole price of its machines, even if other trials ran there at the same time. If the
price of that machine is not known, there is no number: another machine's price would be wrong.
The winner of a search pays for one training and for the whole search, whose trials pay likewise. A
taught student pays for one training and for all that taught it: pre-training, its teachers'
trainings in this study, and labelling.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from agnews_ray.compare.findings import Fact
from agnews_ray.compare.searches import SearchCost
from agnews_ray.compare.table import VariantRow
from agnews_ray.compare.teaching_cost import TeachingCost

SECONDS_PER_HOUR = 3600


class TrainPrice(Fact):
    """The price of one hour of a machine that trained."""

    per_hour: float
    machine: str | None = None
    """Part of the name of its GPU, or of its CPU if it trained on that; None if there is only one
    kind of machine."""


class Prices(Fact):
    """All known prices."""

    use_per_hour: float | None = None
    """The price of an hour of the machine on which use is measured."""
    training: tuple[TrainPrice, ...] = ()


@dataclass(frozen=True, slots=True)
class TrainingMoney:
    """The price of one training, or the reason why there is none although prices were given."""

    money: float | None
    why_not: str = ""


def price_trainings(
    rows: Sequence[VariantRow], prices: Prices, measured_on: Collection[str]
) -> tuple[TrainingMoney, ...]:
    """Compute the price of a training of each row.

    Args:
        rows: the rows of the comparison table.
        prices: the known prices.
        measured_on: the names of the machines on which use was measured, which the price of use is
            for.

    Returns:
        One entry for each row. The price of use is applied to a training only if no other price is
        known and it ran on a machine of the same name.
    """
    machines = {times.device for row in rows for times in row.times}
    machines |= {device for row in rows for more in _beside(row) for device in more.machine_seconds}
    if prices == Prices():
        return (TrainingMoney(None),) * len(rows)

    def per_hour(device: str) -> float | None:
        return _per_hour(device, prices, machines, measured_on)

    return tuple(_price(row, per_hour) for row in rows)


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


def _price(row: VariantRow, per_hour: Callable[[str], float | None]) -> TrainingMoney:
    if row.teaching and row.teaching.missing:
        why = f"trials that taught it have no record any more: {', '.join(row.teaching.missing)}"
        return TrainingMoney(None, why)
    money = 0.0
    for device, machine_seconds in _paid_seconds(row):
        price = per_hour(device)
        if price is None:
            why = f"trained on {device}, whose price is not known: add"
            return TrainingMoney(None, f'{why} --train-price-per-hour "{device}=PRICE"')
        if machine_seconds is None:
            why = f"its records do not say on how many machines its {row.num_workers} workers ran"
            return TrainingMoney(None, why)
        money += price * machine_seconds / SECONDS_PER_HOUR
    return TrainingMoney(money)


def _paid_seconds(row: VariantRow) -> Iterator[tuple[str, float | None]]:
    """List machines and how many seconds of them are paid for: by a training, then beside it."""
    yield row.device, row.num_machines and row.num_machines * row.train_seconds
    for more in _beside(row):
        yield from more.machine_seconds.items()


def _beside(row: VariantRow) -> Iterator[SearchCost | TeachingCost]:
    """List what a row pays for in addition to a training."""
    yield from (more for more in (row.search, row.teaching) if more is not None)

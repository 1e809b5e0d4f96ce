"""Flags for prices, the same for every command that shows money."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from agnews_ray.compare.prices import Prices


class _MachinePrice(click.ParamType):  # type: ignore[type-arg]  # click 8.1 takes none
    """``0.35``, or ``Tesla T4=0.35``: a price per hour, perhaps with the machine's name."""

    name = "[MACHINE=]PRICE"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str | None, float]:
        machine, _, price = str(value).rpartition("=")
        try:
            per_hour = float(price)
        except ValueError:
            self.fail(f"{value!r}: want a price, or MACHINE=PRICE", param, ctx)
        if not 0 < per_hour < float("inf"):
            self.fail(f"{value!r}: want a price above 0", param, ctx)
        return machine.strip() or None, per_hour


def price_options(command: Callable[..., None]) -> Callable[..., None]:
    """Attach ``--price-per-hour`` and ``--train-price-per-hour``."""
    for_training = click.option(
        "--train-price-per-hour",
        "train_prices",
        type=_MachinePrice(),
        multiple=True,
        help="Price of a machine that trained: adds money per training, for each machine with "
        "workers. Repeat it for each kind of machine, with (part of) the name of its GPU or "
        'CPU: --train-price-per-hour "T4=0.35"',
    )
    for_use = click.option(
        "--price-per-hour",
        type=click.FloatRange(min=0, min_open=True),
        help="Price of the machine that is measured, in any currency: adds money per million "
        "predictions, and per training if it ran on a machine of the same name.",
    )
    return for_use(for_training(command))


def prices_of(use: float | None, training: tuple[tuple[str | None, float], ...]) -> "Prices":
    """Turn the flags into ``compare.prices.Prices``."""
    from agnews_ray.compare.prices import Prices, TrainPrice

    named = tuple(TrainPrice(machine=name, per_hour=price) for name, price in training)
    return Prices(use_per_hour=use, training=named)

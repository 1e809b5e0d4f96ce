"""What a study may cost, as the user states it."""

import re

from pydantic import Field, field_validator, model_validator

from agnews_ray.spec.base import Spec

SECONDS_IN = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
"""The seconds of each unit of time in which a budget may be written."""

MONEY_WORDS = ("usd", "$", "eur", "€")
"""The words after an amount of money; the price has the same currency, whichever it is."""

LIMIT_PATTERN = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z$€]+)", re.IGNORECASE)


class BudgetSpec(Spec):
    """What a study may cost. It changes no result, so it is part of no trial id and no question."""

    limit: str | None = None
    """The most that one submit may take: time such as ``90s``, ``30m``, ``2h``, or money such as
    ``5usd``; None: no limit."""
    price_per_hour: float | None = Field(None, gt=0)
    """The price of one hour of a machine that trains, in the currency of ``limit``."""
    runs_what_fits: bool = False
    """Whether trials that do not fit are left out without asking; otherwise a study that is
    predicted to cost more is asked about at a terminal, and refused where nobody is there."""

    @field_validator("limit")
    @classmethod
    def _limit_is_time_or_money(cls, value: str | None) -> str | None:
        if value is not None and not _is_limit(value):
            raise ValueError(f"want time (90s, 30m, 2h) or money (5usd), found {value!r}")
        return value

    @model_validator(mode="after")
    def _parts_fit_together(self) -> "BudgetSpec":
        if self.money is not None and self.price_per_hour is None:
            raise ValueError(
                f"limit: want the price of an hour beside {self.limit}, found none; "
                "add --price-per-hour PRICE"
            )
        if self.runs_what_fits and self.limit is None:
            raise ValueError("runs_what_fits: want a limit beside it, found none; add --budget 30m")
        return self

    @property
    def seconds(self) -> float | None:
        """The limit in seconds; None if it is money, or if there is none."""
        amount, unit = _parts(self.limit)
        return amount * SECONDS_IN[unit] if unit in SECONDS_IN else None

    @property
    def money(self) -> float | None:
        """The limit in money; None if it is time, or if there is none."""
        amount, unit = _parts(self.limit)
        return amount if unit in MONEY_WORDS else None

    @property
    def machine_seconds(self) -> float | None:
        """The time of one machine that the limit pays for; None if it is not money."""
        if self.money is None or self.price_per_hour is None:
            return None
        return self.money / self.price_per_hour * SECONDS_IN["h"]


def _is_limit(text: str) -> bool:
    amount, unit = _parts(text)
    return amount > 0 and unit in (*SECONDS_IN, *MONEY_WORDS)


def _parts(text: str | None) -> tuple[float, str]:
    """Read amount and unit, which also may come first (``$5``)."""
    text = (text or "").strip()
    if text[:1] in ("$", "€"):
        text = text[1:] + text[0]
    found = LIMIT_PATTERN.fullmatch(text)
    return (float(found[1]), found[2].lower()) if found else (0.0, "")

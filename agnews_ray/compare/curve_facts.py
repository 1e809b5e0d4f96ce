"""The result types of a curve: scores against train rows, and what more rows would bring.

Fractions are in [0, 1], times in seconds, each interval has the curve's level.
"""

from agnews_ray.compare.findings import Fact, Interval, Metric


class SharePoint(Fact):
    """One variant, trained with one share of the train rows; means over seeds."""

    share: float
    """The share of the train rows, in (0, 1]."""
    num_rows: int
    num_seeds: int
    accuracy: Interval
    macro_f1: Interval
    train_seconds: float
    money: float | None = None
    """The price of one such training; None without a price for its machine."""


class LawFacts(Fact):
    """The power law error(n) = a n^-b + c of one variant."""

    exponent: Interval
    """b: twice the rows multiply the error above the floor by 2^-b."""
    floor: Interval
    """c: the error that no number of rows would undercut; 0 if there are too few points to tell."""
    error: float
    """The law's error at all train rows."""
    first_rows: int
    """The smallest number of rows to which it was fitted; smaller shares do not follow it yet."""
    num_points: int


class Forecast(Fact):
    """What twice the train rows would bring one variant, if its power law goes on."""

    num_rows: int
    score: Interval
    """The score of a new study with that many rows, as many seeds and the same test rows: a
    prediction interval."""
    gain: Interval
    """The gain in the expected score, in fractions."""
    train_seconds: float
    """The time of one such training: twice that of all rows."""
    money: float | None = None


class BandPoint(Fact):
    """The score by the power law at a number of rows."""

    num_rows: float
    score: Interval


class VariantCurve(Fact):
    """The scores of one variant against its train rows."""

    model: str
    """The name of its row in the table."""
    points: tuple[SharePoint, ...]
    """The points, the smallest share first."""
    law: LawFacts | None = None
    forecast: Forecast | None = None
    band: tuple[BandPoint, ...] = ()
    """The power law from the first point that it describes to twice all rows."""
    why_no_law: str = ""
    """Why there is no power law; empty if there is one."""


class Crossing(Fact):
    """Where the curves of a variant and of the baseline cross within the measured shares."""

    variant: str
    baseline: str
    ahead_at_first: str
    """The one with the higher score at the smallest share that both have."""
    ahead_at_last: str
    """The one with the higher score at the largest share that both have."""
    num_rows: float | None
    """The number of train rows at the crossing, the last if there are several; None: none."""
    low: float | None = None
    """The lower end of its interval; None if it lies below the smallest share, or without one."""
    high: float | None = None
    """The upper end of its interval; None if it lies above the largest share, or without one."""
    is_sure: bool = False
    """Whether the data are enough to say that the curves cross, or that they do not."""


class DataCurve(Fact):
    """The curves of a study."""

    metric: Metric
    """The metric of law, forecast and crossings."""
    confidence: float
    """The level of all intervals."""
    num_test_rows: int
    curves: tuple[VariantCurve, ...]
    crossings: tuple[Crossing, ...] = ()
    """Every other variant against the first."""
    fresh: tuple[str, ...] = ()
    """The models without pretrained weights, whose tokenizer was trained on all train texts."""
    diverged: tuple[str, ...] = ()
    """The trials with a share of the rows that diverged, and are left out, in words."""

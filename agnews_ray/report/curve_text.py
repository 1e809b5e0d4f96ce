"""A curve in words and as a table of text, for terminal, documents and page."""

from collections.abc import Callable, Sequence
from typing import Literal

from tabulate import tabulate

from agnews_ray.compare.curve_facts import Crossing, DataCurve, SharePoint, VariantCurve
from agnews_ray.compare.findings import Interval
from agnews_ray.report.escaping import markdown_text, tex_text
from agnews_ray.report.sentences import METRICS, between, difference
from agnews_ray.spec.shares import in_percent

COLUMNS = ("Model", "Share", "Rows", "Accuracy", "Macro-F1", "Train time (min)", "Seeds")

ESCAPES: dict[str, Callable[[str], str]] = {
    "simple": lambda text: text,
    "github": markdown_text,
    "latex_booktabs": tex_text,
}
"""How text is escaped in the style of a table."""


def columns(curve: DataCurve) -> tuple[str, ...]:
    """Name the columns of the table of points; money only where a price is known."""
    return (*COLUMNS, "Money") if _has_money(curve) else COLUMNS


def cells(curve: DataCurve) -> list[list[str]]:
    """Write a row for each point.

    Args:
        curve: the study's curve.

    Returns:
        The texts of ``columns``.
    """
    has_money = _has_money(curve)
    lines = []
    for one in curve.curves:
        for point in one.points:
            money = "-" if point.money is None else f"{point.money:.3g}"
            lines.append(
                [
                    one.model,
                    in_percent(point.share),
                    f"{point.num_rows:,}",
                    between(point.accuracy),
                    between(point.macro_f1),
                    f"{point.train_seconds / 60:.2f}",
                    str(point.num_seeds),
                    *([money] if has_money else []),
                ]
            )
    return lines


def written(
    curve: DataCurve | None, style: Literal["simple", "github", "latex_booktabs"]
) -> list[str]:
    """Write a curve for terminal, Markdown or LaTeX.

    Args:
        curve: the study's curve, if it has one.
        style: the name of the table's style; it also decides how text is escaped.

    Returns:
        A title, the table of points and sentences; nothing without a curve. In a terminal the table
        has no macro-F1, so that it fits there.
    """
    if curve is None:
        return []
    escape = ESCAPES[style]
    names, lines = list(columns(curve)), cells(curve)
    if style == "simple":
        lines = [
            [cell for name, cell in zip(names, line, strict=True) if name != "Macro-F1"]
            for line in lines
        ]
        names.remove("Macro-F1")
    if style == "github":
        lines = [[markdown_text(cell) for cell in line] for line in lines]
    table = tabulate(
        lines, names, style, disable_numparse=True, colalign=["left"] + ["right"] * (len(names) - 1)
    )
    space = [""] if style == "simple" else []
    title = f"Curve: scores against train rows, {100 * curve.confidence:.4g} % intervals"
    return [*space, escape(title), table, *map(escape, conclusions(curve))]


def conclusions(curve: DataCurve) -> list[str]:
    """Say what more rows would bring each model, and where the models' curves cross.

    Args:
        curve: the study's curve.

    Returns:
        Sentences, plain text.
    """
    level = f"{100 * curve.confidence:.4g} % interval"
    metric = METRICS[curve.metric]
    found = [_outlook(one, metric, level) for one in curve.curves]
    found += [_crossing(one, curve, metric) for one in curve.crossings]
    if curve.diverged:
        found.append(f"Diverged, and left out of the curve: {'; '.join(curve.diverged)}.")
    return found


def caveats(curve: DataCurve) -> list[str]:
    """Say what the intervals of a curve do not hold."""
    found = [
        "The rows of a share are the same for every model and seed, so a point's interval holds "
        "other seeds and other test rows, but no other choice of train rows.",
        "A forecast supposes that the power law goes on and that further rows are of the same "
        "kind; settings such as the learning rate and the number of epochs stay as they are.",
    ]
    if curve.fresh:
        found.append(
            f"The tokenizer of {', '.join(curve.fresh)}, without pretrained weights, was trained "
            "on the texts of all train rows, at each share of them."
        )
    if min(point.num_seeds for one in curve.curves for point in one.points) == 1:
        found.append(
            "Where a share has one seed, its interval holds only other test rows; use several."
        )
    return found


def law_text(curve: VariantCurve) -> str:
    """Write the power law of a variant, such as ``0.081 (n / 4,000)^-0.31 + 0.02``."""
    law = curve.law
    if law is None:
        return f"none: {curve.why_no_law}"
    floor = law.floor.value
    rest = f" + {floor:.3f}" if floor else ""
    power = f"(n / {curve.points[-1].num_rows:,})^-{law.exponent.value:.2f}"
    return f"{law.error - floor:.3f} {power}{rest}"


def _has_money(curve: DataCurve) -> bool:
    return any(point.money is not None for one in curve.curves for point in one.points)


def _outlook(curve: VariantCurve, metric: str, level: str) -> str:
    """Say what twice the rows would bring one variant."""
    first, last = curve.points[0], curve.points[-1]
    went = (
        f"{curve.model}: {metric} {_score(first, metric).value:.4f} with {first.num_rows:,} train "
        f"rows, {_score(last, metric).value:.4f} with {last.num_rows:,}."
    )
    forecast, law = curve.forecast, curve.law
    if forecast is None or law is None:
        return f"{went} No forecast: {curve.why_no_law}."
    skipped = len(curve.points) - law.num_points
    since = f" The law holds from {law.first_rows:,} rows on." if skipped else ""
    price = "" if forecast.money is None else f" and {forecast.money:.3g} in money"
    return (
        f"{went} Twice the data ({forecast.num_rows:,} rows) would bring about "
        f"{difference(forecast.gain)} points, to {between(forecast.score)} ({level}s), for "
        f"{forecast.train_seconds / 60:.1f} min{price} a training.{since}"
    )


def _score(point: SharePoint, metric: str) -> Interval:
    return point.accuracy if metric == METRICS["accuracy"] else point.macro_f1


def _crossing(crossing: Crossing, curve: DataCurve, metric: str) -> str:
    """Say where two curves cross, as far as the data show it."""
    pair = f"{crossing.variant} and {crossing.baseline}"
    rows = _common_rows(crossing, curve.curves)
    measured = f"the measured range ({rows[0]:,} to {rows[-1]:,} train rows)"
    if crossing.num_rows is None:
        if crossing.is_sure:
            return (
                f"The curves of {pair} do not cross in {measured}: {crossing.ahead_at_last} has "
                f"the higher {metric} throughout."
            )
        return (
            f"The curves of {pair} do not cross in {measured}, where {crossing.ahead_at_last} has "
            "the higher mean throughout, but the seeds and test rows do not rule one out."
        )
    low = f"below {rows[0]:,}" if crossing.low is None else f"{crossing.low:,.0f}"
    high = f"above {rows[-1]:,}" if crossing.high is None else f"{crossing.high:,.0f}"
    text = (
        f"The curves of {pair} cross at about {crossing.num_rows:,.0f} train rows "
        f"[{low}, {high}]: with more, {crossing.ahead_at_last} has the higher {metric}."
    )
    if crossing.is_sure:
        return text
    return f"{text} The interval leaves the measured range: they may not cross in it at all."


def _common_rows(crossing: Crossing, curves: Sequence[VariantCurve]) -> list[int]:
    of = {one.model: {p.num_rows for p in one.points} for one in curves}
    return sorted(of[crossing.variant] & of[crossing.baseline])

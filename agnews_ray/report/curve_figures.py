"""The figures of a curve: scores against train rows and train time, with law and forecast."""

from collections.abc import Callable

import altair as alt

from agnews_ray.compare.curve_facts import DataCurve, SharePoint, VariantCurve
from agnews_ray.compare.findings import Interval
from agnews_ray.report.drawing import Figure, Rows, data_of, variant_colour
from agnews_ray.report.sentences import METRICS
from agnews_ray.spec.shares import in_percent

ROWS = "Train rows"
MEASURED, FORETOLD = "measured range", "forecast"


def curve_figures(curve: DataCurve) -> list[Figure]:
    """Draw scores against train rows, minutes and money; the law and its forecast against rows.

    Args:
        curve: the study's curve.

    Returns:
        The figures, of which the page shows one at a time; money only where prices are known.
    """
    figures = [_against_rows(curve), _against(curve, "minutes", "Train time (min)", _minutes)]
    if all(point.money is not None for one in curve.curves for point in one.points):
        figures.append(_against(curve, "money", "Money a training", _money))
    return figures


def _minutes(point: SharePoint) -> float:
    return point.train_seconds / 60


def _money(point: SharePoint) -> float:
    return point.money or 0.0


def _against_rows(curve: DataCurve) -> Figure:
    laws = _law_rows(curve)
    x = _log_axis(curve, ROWS)
    y = _score_axis(curve)
    colour = variant_colour([one.model for one in curve.curves])
    base = alt.Chart(data_of(laws))
    band = base.mark_area(opacity=0.15, clip=True).encode(
        x=x, y=_score_axis(curve, "low"), y2="high:Q", color=colour
    )
    line = base.mark_line().encode(
        x=x,
        y=y,
        color=colour,
        strokeDash=alt.StrokeDash(
            "part:N",
            legend=None,  # the title says it, as a phone has no room
            scale=alt.Scale(domain=[MEASURED, FORETOLD], range=[[1, 0], [5, 4]]),
        ),
    )
    points = _points(curve, ROWS, lambda point: point.num_rows)
    return Figure(
        name="data-curve-rows",
        title=f"{_title(curve)} against train rows, and the power law (dashed: forecast)",
        description=f"{_title(curve)} of each model, with its interval, "
        "against the number of train rows; the fitted power law with its band, dashed beyond the "
        "rows that there are.",
        chart=(band + line + points).properties(height=320),
        choice=ROWS,
    )


def _against(
    curve: DataCurve, name: str, title: str, value: Callable[[SharePoint], float]
) -> Figure:
    line = (
        alt.Chart(data_of(_point_rows(curve, value)))
        .mark_line(opacity=0.6)
        .encode(
            x=_log_axis(curve, title),
            y=_score_axis(curve),
            color=variant_colour([one.model for one in curve.curves]),
        )
    )
    return Figure(
        name=f"data-curve-{name}",
        title=f"{_title(curve)} against {title[0].lower()}{title[1:]}",
        description=f"{_title(curve)} of each model and share of the train rows, with its "
        f"interval, against {title[0].lower()}{title[1:]}.",
        chart=(line + _points(curve, title, value)).properties(height=320),
        choice=title,
    )


def _points(curve: DataCurve, title: str, value: Callable[[SharePoint], float]) -> alt.LayerChart:
    x, y = _log_axis(curve, title), _score_axis(curve)
    colour = variant_colour([one.model for one in curve.curves])
    tooltip = [
        alt.Tooltip("variant:N", title="Model"),
        alt.Tooltip("share:N", title="Share of the rows"),
        alt.Tooltip("rows:Q", title=title, format=",.4~g"),
        alt.Tooltip("score:Q", title=_title(curve), format=".4f"),
        alt.Tooltip("low:Q", title="from", format=".4f"),
        alt.Tooltip("high:Q", title="to", format=".4f"),
    ]
    base = alt.Chart(data_of(_point_rows(curve, value)))
    bars = base.mark_rule(strokeWidth=2, clip=True).encode(
        x=x, y=_score_axis(curve, "low"), y2="high:Q", color=colour
    )
    dots = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=x, y=y, color=colour, tooltip=tooltip
    )
    layered: alt.LayerChart = bars + dots
    return layered


def _point_rows(curve: DataCurve, value: Callable[[SharePoint], float]) -> Rows:
    return [
        {
            "variant": one.model,
            "share": in_percent(point.share),
            "rows": value(point),
            **_ends(point.accuracy if curve.metric == "accuracy" else point.macro_f1),
        }
        for one in curve.curves
        for point in one.points
    ]


def _law_rows(curve: DataCurve) -> Rows:
    """List the points of each law; that at all rows belongs to both of its parts."""
    return [
        {"variant": one.model, "rows": point.num_rows, "part": part, **_ends(point.score)}
        for one in curve.curves
        for part, is_in in _parts(one)
        for point in one.band
        if is_in(point.num_rows)
    ]


def _parts(one: VariantCurve) -> tuple[tuple[str, Callable[[float], bool]], ...]:
    all_rows = one.points[-1].num_rows
    return (
        (MEASURED, lambda num_rows: num_rows <= all_rows),
        (FORETOLD, lambda num_rows: num_rows >= all_rows),
    )


def _ends(interval: Interval) -> dict[str, float]:
    return {
        "score": interval.value,
        "low": max(0.0, interval.low),
        "high": min(1.0, interval.high),
    }


def _log_axis(curve: DataCurve, title: str) -> alt.X:
    """Make the axis of rows or of what they cost; rows have a tick where they were measured."""
    axis = alt.Axis(format=".3~g", tickCount=6)
    if title == ROWS:
        measured = {point.num_rows for one in curve.curves for point in one.points}
        foretold = {one.forecast.num_rows for one in curve.curves if one.forecast}
        axis = alt.Axis(format=".3~s", values=sorted(measured | foretold), labelOverlap=True)
    scale = alt.Scale(type="log", nice=False, padding=12)
    return alt.X("rows:Q", title=title, scale=scale, axis=axis)


def _score_axis(curve: DataCurve, field: str = "score") -> alt.Y:
    return alt.Y(
        f"{field}:Q", title=_title(curve), scale=alt.Scale(domain=_score_range(curve), nice=False)
    )


def _score_range(curve: DataCurve) -> list[float]:
    """Return the range of scores that is drawn: intervals of two seeds may be far wider."""
    rows = [*_point_rows(curve, _minutes), *_law_rows(curve)]
    scores = [row["score"] for row in rows]
    room = 0.4 * (max(scores) - min(scores)) + 0.01
    lows, highs = [row["low"] for row in rows], [row["high"] for row in rows]
    return [
        max(min(lows) - 0.005, min(scores) - room),
        min(max(highs) + 0.005, max(scores) + room, 1.0),
    ]


def _title(curve: DataCurve) -> str:
    name = METRICS[curve.metric]
    return f"{name[0].upper()}{name[1:]}"

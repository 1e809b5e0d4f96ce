"""The figures of a search: importances, parallel coordinates, slices, the best so far."""

import altair as alt

from agnews_ray.compare.search_facts import SearchedParameter, SearchFacts
from agnews_ray.compare.searches import Search, TriedSetting
from agnews_ray.report.drawing import Figure, Rows, data_of
from agnews_ray.report.search_text import METRICS, parameter_name, value_text, values_text

WHOLE, STOPPED = "trained to its end", "stopped early"
BLUE, ORANGE, GREY = "#2e8fd0", "#e0701a", "#8a8a8a"
"""Colours that can be seen on white and on black; conditions cannot take a theme's."""
NUM_SHADES = 5
"""The settings of a figure are drawn in that many groups of equal size, by score."""
MOST_SETTINGS = 300
"""The largest number of lines in parallel coordinates: the best are drawn."""


def search_figures(search: Search, facts: SearchFacts, index: int) -> tuple[Figure, ...]:
    """Draw a search.

    Args:
        search: the search.
        facts: what is known about it.
        index: the number of the search in its study, a part of the figures' names.

    Returns:
        The importances (if known), parallel coordinates (of at least two parameters), the best so
        far, and a slice for each parameter, which are shown one at a time.
    """
    if not any(one.score is not None for one in search.settings):
        return ()
    figures = []
    if facts.noise is not None:
        figures.append(_importances(facts, index))
    if len(facts.parameters) > 1:
        figures.append(_parallel(search, facts, index))
    figures.append(_progress(search, facts, index))
    figures += [_slice(search, one, index, place) for place, one in enumerate(facts.parameters)]
    return tuple(figures)


def _importances(facts: SearchFacts, index: int) -> Figure:
    shares = [(one.name, one.importance) for one in facts.parameters]
    rows: Rows = [
        {
            "parameter": name,
            "kind": "parameter" if number < len(facts.parameters) else "rest",
            "share": 100 * share.value,
            "low": 100 * share.low,
            "high": 100 * share.high,
        }
        for number, (name, share) in enumerate([*shares, ("seeds and the rest", facts.noise)])
        if share is not None
    ]
    scale = alt.Scale(domain=[0, 100])
    y = alt.Y("parameter:N", title=None, sort=None, axis=alt.Axis(labelLimit=150))
    tooltip = [
        alt.Tooltip("parameter:N", title="Parameter"),
        alt.Tooltip("share:Q", title="Share (%)", format=".0f"),
        alt.Tooltip("low:Q", title="from", format=".0f"),
        alt.Tooltip("high:Q", title="to", format=".0f"),
    ]
    base = alt.Chart(data_of(rows))
    bars = base.mark_bar(opacity=0.7).encode(
        x=alt.X("share:Q", title="Share of the scores' variance (%)", scale=scale),
        y=y,
        color=alt.condition("datum.kind == 'rest'", alt.value(GREY), alt.value(BLUE)),
        tooltip=tooltip,
    )
    ends = base.mark_rule(strokeWidth=3, color=GREY).encode(
        x=alt.X("low:Q", scale=scale), x2="high:Q", y=y, tooltip=tooltip
    )
    return Figure(
        name=f"importance-{index}",
        title="What mattered: share of the variance of scores, with its interval",
        description="The share of the scores' variance that each parameter explains, with its "
        "interval, and what none of them explains.",
        chart=(bars + ends).properties(height=34 * len(rows)),
    )


def _parallel(search: Search, facts: SearchFacts, index: int) -> Figure:
    """Draw a line for each setting across one axis for each parameter, and one for the score."""
    known = sorted(
        (one for one in search.settings if one.score is not None), key=lambda one: one.score or 0.0
    )[-MOST_SETTINGS:]
    scores = [one.score or 0.0 for one in known]
    low, high = scores[0], scores[-1]
    metric = METRICS[search.metric]
    axes = [parameter_name(one) for one in facts.parameters] + [f"validation {metric}"]
    rows: Rows = []
    for rank, one in enumerate(known):
        places = [p.place(one.values.get(p.path)) for p in facts.parameters]
        places.append(((one.score or 0.0) - low) / (high - low) if high > low else 0.5)
        rows += [
            {
                **_row(one, search),
                "axis": axis,
                "place": place,
                "shade": NUM_SHADES * rank // len(known),
            }
            for axis, place in zip(axes, places, strict=True)
        ]
    x = alt.X(
        "axis:N",
        title=None,
        sort=axes,
        scale=alt.Scale(type="point", padding=0.35),
        axis=alt.Axis(labelAngle=0, labelLimit=110, grid=True, labelExpr=_BROKEN),
    )
    y = alt.Y("place:Q", title=None, axis=None, scale=alt.Scale(domain=[-0.12, 1.12]))
    # Grey for the worst, so that the best settings stand out on white and on black.
    shades = alt.Color(
        "shade:O",
        title=None,
        scale=alt.Scale(
            domain=list(range(NUM_SHADES)),
            range=["#9a9a9a", "#7f9fb5", "#56b4e9", "#e69f00", "#d55e00"],
        ),
        legend=alt.Legend(labelExpr=_FIFTHS, symbolType="stroke", symbolStrokeWidth=4),
    )
    lines = (
        alt.Chart(data_of(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=x,
            y=y,
            detail="number:N",
            color=shades,
            opacity=alt.Opacity(
                "shade:O", legend=None, scale=alt.Scale(range=[0.45, 0.55, 0.65, 0.8, 1.0])
            ),
            strokeDash=alt.condition(
                f"datum.end == '{STOPPED}'", alt.value([4, 3]), alt.value([1, 0])
            ),
            tooltip=_tooltip(search),
        )
    )
    texts = [
        (axis, *(_short(value) for value in (one.values[0], one.values[-1])))
        for axis, one in zip(axes, facts.parameters, strict=False)
    ]
    texts.append((axes[-1], f"{low:.4f}", f"{high:.4f}"))
    ends = alt.Chart(
        data_of(
            [
                {"axis": axis, "place": place, "text": text}
                for axis, first, last in texts
                for place, text in ((-0.08, first), (1.08, last))
            ]
        )
    )
    return Figure(
        name=f"parallel-{index}",
        title="Each setting as a line, dashed if it was stopped early; important parameters first",
        description="Parallel coordinates: each setting's values and its score.",
        chart=(lines + ends.mark_text().encode(x=x, y=y, text="text:N")).properties(height=300),
    )


_FIFTHS = "['worst fifth', '', 'middle', '', 'best fifth'][datum.value]"
_BROKEN = "split(replace(datum.value, regexp('_| (?=[(])| (?=accuracy|macro)', 'g'), '$&@'), '@')"
"""Axis labels in several lines: on a phone there is no room for one."""


def _short(value: object) -> str:
    return value_text(value)[:14] if isinstance(value, str | int | float | None) else "list"


def _progress(search: Search, facts: SearchFacts, index: int) -> Figure:
    metric = METRICS[search.metric]
    best: Rows = [
        {"number": one.number, "best": score}
        for one, score in zip(search.settings, facts.best_so_far, strict=True)
        if score is not None
    ]
    x = alt.X("number:Q", title="Setting", axis=alt.Axis(tickMinStep=1, format="d"))
    title = f"Validation {metric}"
    line = (
        alt.Chart(data_of(best))
        .mark_line(interpolate="step-after")
        .encode(x=x, y=alt.Y("best:Q", title=title, scale=alt.Scale(zero=False)))
    )
    return Figure(
        name=f"best-so-far-{index}",
        title="The best so far; hollow settings were stopped early",
        description="Each setting's score in the order in which they were tried, and the highest "
        "so far of those trained to their end.",
        chart=(line + _points(search, x)).properties(height=260),
    )


def _slice(search: Search, parameter: SearchedParameter, index: int, place: int) -> Figure:
    """Draw the score against one parameter's value."""
    if parameter.scale == "choice":
        options = [value_text(one) for one in parameter.values]
        x = alt.X("value:N", title=parameter.name, sort=options, axis=alt.Axis(labelAngle=0))
    else:
        x = alt.X(
            "value:Q",
            title=parameter_name(parameter),
            scale=_axis_scale(parameter),
            axis=alt.Axis(
                format="~g" if parameter.scale == "linear" else ".1~e", labelOverlap=True
            ),
        )
    return Figure(
        name=f"slice-{index}-{place}",
        title=f"Score by {parameter.name}; hollow settings were stopped early",
        description=f"The validation score of each setting against its {parameter.name}.",
        chart=_points(search, x, parameter).properties(height=280),
        choice=parameter.name,
    )


def _axis_scale(parameter: SearchedParameter) -> alt.Scale:
    if parameter.scale == "log":
        return alt.Scale(type="log", nice=False, padding=12)
    return alt.Scale(zero=False, nice=False, padding=12)


def _points(search: Search, x: alt.X, parameter: SearchedParameter | None = None) -> alt.LayerChart:
    """Draw settings: stopped ones hollow, a ring around the best one."""
    rows: Rows = []
    for one in search.settings:
        if one.score is not None:
            row = _row(one, search)
            if parameter is not None:
                value = one.values.get(parameter.path)
                row["value"] = value_text(value) if parameter.scale == "choice" else value
            rows.append(row)
    y = alt.Y("score:Q", title=f"Validation {METRICS[search.metric]}", scale=alt.Scale(zero=False))
    base = alt.Chart(data_of(rows))
    marks = base.mark_point(size=75, strokeWidth=2, color=BLUE).encode(
        x=x,
        y=y,
        fill=alt.condition(f"datum.end == '{WHOLE}'", alt.value(BLUE), alt.value(None)),
        tooltip=_tooltip(search),
    )
    ring = (
        base.transform_filter("datum.best")
        .mark_point(size=330, strokeWidth=3, color=ORANGE)
        .encode(x=x, y=y, tooltip=_tooltip(search))
    )
    both: alt.LayerChart = marks + ring
    return both


def _row(one: TriedSetting, search: Search) -> dict[str, object]:
    return {
        "number": one.number,
        "score": one.score,
        "end": STOPPED if one.is_stopped else WHOLE,
        "values": values_text(one),
        "best": search.best is not None and search.best.number == one.number,
    }


def _tooltip(search: Search) -> list[alt.Tooltip]:
    return [
        alt.Tooltip("number:Q", title="Setting"),
        alt.Tooltip("score:Q", title=METRICS[search.metric], format=".4f"),
        alt.Tooltip("end:N", title="Training"),
        alt.Tooltip("values:N", title="Values"),
    ]

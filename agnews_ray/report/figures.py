"""An assessment's pictures, described once with Altair, for the page and for PNG."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import altair as alt
import vl_convert

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.facts import CostAxis

# Okabe and Ito 2008: told apart by colour-blind readers, on white and on black.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a800")
DARK_PALETTE = (
    "#4aa8e8",
    "#f0894a",
    "#2fc89b",
    "#e39ac6",
    "#f2bd45",
    "#8fd0f5",
    "#b0b0b0",
    "#dcd048",
)
VEGA_LITE_VERSION = alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
PNG_WIDTH = 640
MANY_CLASSES = 40
"""With more, empty cells of a confusion matrix are left out: they would fill the page."""

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture and what to say of it."""

    name: str
    """Part of ids and file names: letters, digits and hyphens."""
    title: str
    description: str
    """For those who cannot see it."""
    chart: Any
    """An Altair chart, of no width yet."""
    choice: str = ""
    """Where a section has several of which one is shown: what this one is called."""

    def specification(self) -> dict[str, Any]:
        """The Vega-Lite description, as wide as its container."""
        chart = self.chart.properties(width="container", description=self.description)
        specification: dict[str, Any] = _finite(chart.to_dict())
        return specification

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return self.png()

    def png(self) -> bytes:
        """Draw it on white, at twice the usual density."""
        chart = self.chart.properties(width=PNG_WIDTH, title=self.title)
        png: bytes = vl_convert.vegalite_to_png(
            _finite(chart.to_dict()),
            vl_version=VEGA_LITE_VERSION,
            scale=2,
            config=config(is_dark=False),
        )
        return png


def config(*, is_dark: bool) -> dict[str, Any]:
    """Colours and fonts of all figures, in Vega-Lite's words."""
    ink, faint = ("#e8e8e8", "#4a4d52") if is_dark else ("#222222", "#d9d9d9")
    axis = {
        "labelColor": ink,
        "titleColor": ink,
        "gridColor": faint,
        "domainColor": faint,
        "tickColor": faint,
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelLimit": 220,
    }
    palette = DARK_PALETTE if is_dark else PALETTE
    return {
        "background": None if is_dark else "white",
        "font": "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif",
        "axis": axis,
        "legend": {
            "labelColor": ink,
            "symbolBaseFillColor": ink,
            "symbolBaseStrokeColor": ink,
            "labelFontSize": 12,
            "orient": "top",
        },
        "mark": {"color": palette[0]},
        "rule": {"color": palette[0]},
        "title": {"color": ink, "anchor": "start", "fontSize": 15},
        "text": {"color": ink, "fontSize": 12},
        "view": {"stroke": None},
        "range": {"category": list(palette)},
    }


def front_figures(assessment: Assessment) -> list[Figure]:
    """Accuracy against each way to count cost, the front drawn, intervals as bars."""
    return [_front(assessment, axis, index) for index, axis in enumerate(assessment.axes)]


def _front(assessment: Assessment, axis: CostAxis, index: int) -> Figure:
    rows: Rows = [
        {
            "variant": variant.name,
            "cost": cost,
            "accuracy": variant.accuracy.value,
            "low": variant.accuracy.low,
            "high": variant.accuracy.high,
            "front": "on the front" if is_on_front else "dominated",
        }
        for variant, cost, is_on_front in zip(
            assessment.variants, axis.costs, axis.is_on_front, strict=True
        )
    ]
    x = alt.X("cost:Q", title=f"{axis.name} ({axis.unit})", scale=alt.Scale(zero=True))
    y = alt.Y("accuracy:Q", title="Accuracy", scale=alt.Scale(zero=False))
    colour = _colour([row["variant"] for row in rows])
    tooltip = [
        alt.Tooltip("variant:N", title="Model"),
        alt.Tooltip("cost:Q", title=axis.name, format=".4~g"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".4f"),
        alt.Tooltip("low:Q", title="from", format=".4f"),
        alt.Tooltip("high:Q", title="to", format=".4f"),
        alt.Tooltip("front:N", title="Accuracy-cost front"),
    ]
    base = alt.Chart(_data(rows))
    line = (
        base.transform_filter("datum.front == 'on the front'")
        .mark_line(interpolate="step-after", strokeDash=[5, 4], color="#8a8a8a")
        .encode(x=x, y=y)
    )
    bars = base.mark_rule(strokeWidth=2).encode(
        x=x, y=alt.Y("low:Q", title="Accuracy"), y2="high:Q", color=colour
    )
    points = base.mark_point(filled=True, size=130, opacity=1).encode(
        x=x,
        y=y,
        color=colour,
        shape=alt.Shape(
            "front:N",
            title=None,
            scale=alt.Scale(domain=["on the front", "dominated"], range=["circle", "cross"]),
        ),
        tooltip=tooltip,
    )
    return Figure(
        name=f"front-{index}",
        title=f"Accuracy against {axis.name.lower()}",
        description=f"Accuracy of each model, with its interval, against {axis.name.lower()}.",
        chart=(line + bars + points).properties(height=320),
        choice=f"{axis.name} ({axis.unit})",
    )


def difference_figure(assessment: Assessment) -> Figure:
    """Each pair's difference with its interval, against the margin."""
    rows: Rows = [
        {
            "pair": f"{pair.variant} against {pair.baseline}",
            "difference": 100 * pair.accuracy.value,
            "low": 100 * pair.accuracy.low,
            "high": 100 * pair.accuracy.high,
            "verdict": pair.verdict,
        }
        for pair in assessment.pairs
    ]
    margin = 100 * assessment.settings.margin
    reach = 1.15 * max(margin, *(abs(row[end]) for row in rows for end in ("low", "high")))
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("low:Q", title="Points of accuracy", scale=scale)
    y = alt.Y("pair:N", title=None, sort=None, axis=alt.Axis(labelLimit=170))
    band = (
        alt.Chart(_data([{"low": -margin, "high": margin}]))
        .mark_rect(opacity=0.18, color=PALETTE[2])
        .encode(x=x, x2="high:Q")
    )
    zero = alt.Chart(_data([{"low": 0}])).mark_rule(strokeDash=[4, 4], color="#8a8a8a").encode(x=x)
    base = alt.Chart(_data(rows))
    tooltip = [
        alt.Tooltip("pair:N", title="Pair"),
        alt.Tooltip("difference:Q", title="Difference", format="+.2f"),
        alt.Tooltip("low:Q", title="from", format="+.2f"),
        alt.Tooltip("high:Q", title="to", format="+.2f"),
        alt.Tooltip("verdict:N", title="Verdict"),
    ]
    bars = base.mark_rule(strokeWidth=3).encode(x=x, x2="high:Q", y=y, tooltip=tooltip)
    points = base.mark_point(filled=True, size=110, opacity=1).encode(
        x=alt.X("difference:Q", scale=scale), y=y, tooltip=tooltip
    )
    return Figure(
        name="differences",
        title="Differences in accuracy; the band is what counts as equivalent",
        description="Difference in accuracy of each model to the baseline, with its interval.",
        chart=(band + zero + bars + points).properties(height=60 + 34 * len(rows)),
    )


def curve_figure(assessment: Assessment) -> Figure:
    """Training loss against samples seen, range over seeds as a band."""
    rows: Rows = [
        {"variant": variant.name, **point.model_dump()}
        for variant in assessment.variants
        for point in variant.curve
    ]
    base = alt.Chart(_data(rows))
    x = alt.X("samples_seen:Q", title="Samples seen")
    colour = _colour([variant.name for variant in assessment.variants])
    band = base.mark_area(opacity=0.2).encode(
        x=x, y=alt.Y("lowest:Q", title="Training loss (nats)"), y2="highest:Q", color=colour
    )
    line = base.mark_line(point=alt.OverlayMarkDef(size=18, filled=True)).encode(
        x=x,
        y=alt.Y("loss:Q", title="Training loss (nats)"),
        color=colour,
        tooltip=[
            alt.Tooltip("variant:N", title="Model"),
            alt.Tooltip("samples_seen:Q", title="Samples seen", format=","),
            alt.Tooltip("loss:Q", title="Loss", format=".4f"),
        ],
    )
    return Figure(
        name="learning",
        title="Learning curves",
        description="Mean training loss of each model against the number of samples seen.",
        chart=(band + line).properties(height=280),
    )


def reliability_figure(assessment: Assessment) -> Figure:
    """Accuracy against confidence; the diagonal is perfect calibration."""
    rows: Rows = [
        {"variant": variant.name, **one.model_dump()}
        for variant in assessment.variants
        for one in variant.calibration.bins
    ]
    x = alt.X("confidence:Q", title="Confidence", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("accuracy:Q", title="Share right", scale=alt.Scale(domain=[0, 1]))
    ends = [{"confidence": 0, "accuracy": 0}, {"confidence": 1, "accuracy": 1}]
    diagonal = alt.Chart(_data(ends)).mark_line(strokeDash=[4, 4], color="#8a8a8a").encode(x=x, y=y)
    colour = _colour([variant.name for variant in assessment.variants])
    base = alt.Chart(_data(rows))
    line = base.mark_line(opacity=0.7).encode(x=x, y=y, color=colour)
    points = base.mark_point(filled=True, opacity=1).encode(
        x=x,
        y=y,
        color=colour,
        size=alt.Size("num_predictions:Q", legend=None, scale=alt.Scale(range=[25, 350])),
        tooltip=[
            alt.Tooltip("variant:N", title="Model"),
            alt.Tooltip("confidence:Q", title="Mean confidence", format=".3f"),
            alt.Tooltip("accuracy:Q", title="Share right", format=".3f"),
            alt.Tooltip("num_predictions:Q", title="Predictions", format=","),
        ],
    )
    return Figure(
        name="reliability",
        title="Reliability; on the diagonal, confidence can be believed",
        description="Share of right predictions against their confidence, for each model.",
        chart=(diagonal + line + points).properties(height=320),
    )


def confusion_figures(assessment: Assessment) -> list[Figure]:
    """One confusion matrix a variant, as shares of the true class."""
    return [_confusion(assessment, index) for index in range(len(assessment.variants))]


def _confusion(assessment: Assessment, index: int) -> Figure:
    variant = assessment.variants[index]
    names = [one.name for one in variant.classes]
    rows: Rows = [
        {
            "label": names[i],
            "predicted": names[j],
            "count": number,
            "share": number / max(1, sum(line)),
        }
        for i, line in enumerate(variant.confusion)
        for j, number in enumerate(line)
        if number or len(names) <= MANY_CLASSES
    ]
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("predicted:N", title="Predicted", sort=None, axis=alt.Axis(labelAngle=-30)),
        y=alt.Y("label:N", title="Label", sort=None),
        tooltip=[
            alt.Tooltip("label:N", title="Label"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("count:Q", title="Rows over all seeds", format=","),
            alt.Tooltip("share:Q", title="Share of the label", format=".1%"),
        ],
    )
    cells = base.mark_rect().encode(
        color=alt.Color(
            "share:Q", legend=None, scale=alt.Scale(scheme="blues", domain=[0, 1], type="sqrt")
        )
    )
    # Dark cells carry light text, whatever the page's theme.
    numbers = base.mark_text(fontSize=12).encode(
        text=alt.Text("share:Q", format=".1%"),
        color=alt.condition("datum.share > 0.3", alt.value("white"), alt.value("#1a1a1a")),
    )
    layers = alt.layer(cells, numbers) if len(names) <= 12 else alt.layer(cells)
    return Figure(
        name=f"confusion-{index}",
        title=f"Confusion of {variant.name}",
        description=f"How often {variant.name} predicts each class for rows of each class.",
        chart=layers.properties(height=max(200, 34 * len(names))),
        choice=variant.name,
    )


def _colour(names: Sequence[str]) -> alt.Color:
    """One colour a variant, the same in every figure; past the palette they repeat."""
    return alt.Color(
        "variant:N",
        title=None,
        scale=alt.Scale(domain=list(names)),
        sort=None,
        legend=alt.Legend(symbolOpacity=1),
    )


def _finite(part: Any) -> Any:
    """JSON has no NaN: what is not a number is missing from a figure."""
    if isinstance(part, dict):
        return {key: _finite(value) for key, value in part.items()}
    if isinstance(part, list):
        return [_finite(value) for value in part]
    return None if isinstance(part, float) and not isfinite(part) else part


def _data(rows: Rows) -> alt.Data:
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]

"""The figures of an assessment, described once with Altair, for the page and for PNG."""

import altair as alt

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.findings import CostAxis
from agnews_ray.report.confusion import confusion_figure
from agnews_ray.report.drawing import PALETTE, Figure, Rows, data_of, variant_colour
from agnews_ray.report.sentences import METRICS


def confusion_figures(assessment: Assessment) -> list[Figure]:
    """Draw one confusion matrix per variant, as shares of the true class."""
    return [confusion_figure(variant, index) for index, variant in enumerate(assessment.variants)]


def front_figures(assessment: Assessment) -> list[Figure]:
    """Draw accuracy against each kind of cost, with the front, and intervals as bars."""
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
    colour = variant_colour([row["variant"] for row in rows])
    tooltip = [
        alt.Tooltip("variant:N", title="Model"),
        alt.Tooltip("cost:Q", title=axis.name, format=".4~g"),
        alt.Tooltip("accuracy:Q", title="Accuracy", format=".4f"),
        alt.Tooltip("low:Q", title="from", format=".4f"),
        alt.Tooltip("high:Q", title="to", format=".4f"),
        alt.Tooltip("front:N", title="Accuracy-cost front"),
    ]
    base = alt.Chart(data_of(rows))
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
    """Draw each pair's difference with its interval, and the margin."""
    rows: Rows = [
        {
            "pair": f"{pair.variant} against {pair.baseline}",
            "difference": 100 * pair.judged.value,
            "low": 100 * pair.judged.low,
            "high": 100 * pair.judged.high,
            "verdict": pair.verdict,
        }
        for pair in assessment.pairs
    ]
    margin = 100 * assessment.settings.margin
    metric = METRICS[assessment.settings.metric]
    reach = 1.15 * max(margin, *(abs(row[end]) for row in rows for end in ("low", "high")))
    scale = alt.Scale(domain=[-reach, reach], nice=False)
    x = alt.X("low:Q", title=f"Points of {metric}", scale=scale)
    y = alt.Y("pair:N", title=None, sort=None, axis=alt.Axis(labelLimit=170))
    band = (
        alt.Chart(data_of([{"low": -margin, "high": margin}]))
        .mark_rect(opacity=0.18, color=PALETTE[2])
        .encode(x=x, x2="high:Q")
    )
    zero = (
        alt.Chart(data_of([{"low": 0}])).mark_rule(strokeDash=[4, 4], color="#8a8a8a").encode(x=x)
    )
    base = alt.Chart(data_of(rows))
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
        title=f"Differences in {metric}; the band is what counts as equivalent",
        description=f"Difference in {metric} of each model to the baseline, with its interval.",
        chart=(band + zero + bars + points).properties(height=60 + 34 * len(rows)),
    )


def curve_figure(assessment: Assessment) -> Figure:
    """Draw training loss against samples seen, with the range over seeds as a band."""
    rows: Rows = [
        {"variant": variant.name, **point.model_dump()}
        for variant in assessment.variants
        for point in variant.curve
    ]
    base = alt.Chart(data_of(rows))
    x = alt.X("samples_seen:Q", title="Samples seen")
    colour = variant_colour([variant.name for variant in assessment.variants])
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
    """Draw accuracy against confidence; the diagonal is perfect calibration."""
    rows: Rows = [
        {"variant": variant.name, **one.model_dump()}
        for variant in assessment.variants
        for one in variant.calibration.bins
    ]
    x = alt.X("confidence:Q", title="Confidence", scale=alt.Scale(domain=[0, 1]))
    y = alt.Y("accuracy:Q", title="Share right", scale=alt.Scale(domain=[0, 1]))
    ends = [{"confidence": 0, "accuracy": 0}, {"confidence": 1, "accuracy": 1}]
    diagonal = (
        alt.Chart(data_of(ends)).mark_line(strokeDash=[4, 4], color="#8a8a8a").encode(x=x, y=y)
    )
    colour = variant_colour([variant.name for variant in assessment.variants])
    base = alt.Chart(data_of(rows))
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
        title="Reliability; on the diagonal, confidence can be trusted",
        description="Share of right predictions against their confidence, for each model.",
        chart=(diagonal + line + points).properties(height=320),
    )

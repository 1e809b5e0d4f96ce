"""The confusion matrix as a picture: both axes in label order, all classes, square cells."""

from typing import Any

import altair as alt

from agnews_ray.compare.findings import VariantFacts
from agnews_ray.report.drawing import Figure, Rows, data_of

FEW_CLASSES = 12
"""The largest number of classes for which shares are written into the cells."""
MOST_OUTLINED = 60
"""The largest number of classes for which diagonal cells are outlined; more outlines would hide
them."""
SLANTED = 4
"""The largest number of classes with slanted labels below; with more, they are vertical."""
SIDE = 680
"""The side of a matrix of many classes, in pixels, without labels."""
SMALLEST_CELL = 5
BLUE = "#1f6fb5"
DARK_FROM = 0.3
"""The share above which a cell's text is white, in both themes."""


def confusion_figure(variant: VariantFacts, index: int) -> Figure:
    """Draw one variant's confusion matrix, as shares of the true class.

    Args:
        variant: a variant with its matrix.
        index: the variant's position, for the figure's name.

    Returns:
        The figure; the page fits its cells to the available width.
    """
    names = [one.name for one in variant.classes]
    base = _base(_cells(variant, names), names)
    opacity = alt.Opacity(
        "share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0, 1], type="sqrt")
    )
    layers = [base.mark_rect(color=BLUE).encode(opacity=opacity)]
    if len(names) <= MOST_OUTLINED:
        layers.append(_diagonal(names))
    if len(names) <= FEW_CLASSES:
        text = alt.Text("share:Q", format=".1%")
        on_light = base.transform_filter(f"datum.count > 0 && datum.share <= {DARK_FROM}")
        on_dark = base.transform_filter(f"datum.share > {DARK_FROM}")
        layers += [
            on_light.mark_text(fontSize=12).encode(text=text),
            on_dark.mark_text(fontSize=12, color="white").encode(text=text),
        ]
    step = alt.Step(cell_size(len(names)))
    chart = alt.layer(*layers).properties(
        width=step, height=step, view=alt.ViewBackground(stroke="#8a8a8a")
    )
    return Figure(
        name=f"confusion-{index}",
        title=f"Confusion of {variant.name}; stronger blue is a larger share of the label's rows",
        description=f"How often {variant.name} predicts each class for rows of each class.",
        chart=chart,
        choice=variant.name,
        side=len(names),
    )


def cell_size(num_classes: int) -> int:
    """Return the largest side of a cell, in pixels."""
    if num_classes <= FEW_CLASSES:
        return 84 if num_classes <= SLANTED else 54
    return max(SMALLEST_CELL, min(40, SIDE // num_classes))


def _cells(variant: VariantFacts, names: list[str]) -> Rows:
    """Make the cells; empty ones are left out if they would have no text."""
    return [
        {
            "label": names[i],
            "predicted": names[j],
            "count": number,
            "share": number / max(1, sum(line)),
        }
        for i, line in enumerate(variant.confusion)
        for j, number in enumerate(line)
        if number or len(names) <= FEW_CLASSES
    ]


def _base(rows: Rows, names: list[str]) -> alt.Chart:
    return alt.Chart(data_of(rows)).encode(
        x=_predicted_axis(names),
        y=_label_axis(names),
        tooltip=[
            alt.Tooltip("label:N", title="Label"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("count:Q", title="Rows over all seeds", format=","),
            alt.Tooltip("share:Q", title="Share of the label", format=".1%"),
        ],
    )


def _label_axis(names: list[str]) -> alt.Y:
    """The axis of labels: all classes in label order, even those without rows."""
    axis = alt.Axis(**_style(names))
    return alt.Y("label:N", title="Label", sort=None, scale=_scale(names), axis=axis)


def _predicted_axis(names: list[str]) -> alt.X:
    """The axis of predictions: the same classes in the same order."""
    axis = alt.Axis(labelAngle=-40 if len(names) <= SLANTED else -90, **_style(names))
    return alt.X("predicted:N", title="Predicted", sort=None, scale=_scale(names), axis=axis)


def _scale(names: list[str]) -> alt.Scale:
    return alt.Scale(domain=names, paddingInner=0, paddingOuter=0)


def _style(names: list[str]) -> dict[str, Any]:
    """The style of labels; of many labels, those that would overlap are left out."""
    if len(names) <= FEW_CLASSES:
        return {"labelFontSize": 12, "ticks": False}
    size = 10 if len(names) <= MOST_OUTLINED else 9
    return {"labelFontSize": size, "labelOverlap": "parity", "labelSeparation": 1, "ticks": False}


def _diagonal(names: list[str]) -> alt.Chart:
    """Outline the cells of right predictions, so that empty ones are visible."""
    rows: Rows = [{"label": name, "predicted": name} for name in names]
    chart: alt.Chart = (
        alt.Chart(data_of(rows))
        .mark_rect(filled=False, stroke="#8a8a8a", strokeWidth=0.8)
        .encode(x=_predicted_axis(names), y=_label_axis(names))
    )
    return chart

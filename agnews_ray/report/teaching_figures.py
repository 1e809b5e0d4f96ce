"""The figures of students and teachers: how far teaching brought them, how pre-training went."""

import altair as alt

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.pretraining_curves import PretrainingCurve
from agnews_ray.compare.teaching_facts import TaughtFacts
from agnews_ray.report.drawing import Figure, Rows, data_of
from agnews_ray.report.search_text import METRICS

ROLES = {"plain": "#8a8a8a", "taught": "#e0701a", "teacher": "#2e8fd0"}
"""The roles in the order of the legend, with colours that can be seen on white and on black."""


def teaching_figures(assessment: Assessment) -> tuple[Figure, ...]:
    """Draw each student between its plain twin and its teacher.

    Args:
        assessment: the study's assessment.

    Returns:
        The figures: all students in one, if one of them has a twin or a teacher; then the loss of
        each pre-training, of which one is shown at a time.
    """
    compared = [one for one in assessment.taught if one.plain or one.teacher]
    figures = [_dumbbells(compared, assessment)] if compared else []
    curves = [one for one in assessment.pretrainings if one.points]
    return (*figures, *(_losses(one, index) for index, one in enumerate(curves)))


def _dumbbells(compared: list[TaughtFacts], assessment: Assessment) -> Figure:
    metric = assessment.settings.metric
    rows: Rows = []
    for facts in compared:
        sides = {"plain": facts.plain, "taught": facts.taught, "teacher": facts.teacher}
        for role, beside in sides.items():
            if beside is not None:
                score = beside.accuracy if metric == "accuracy" else beside.macro_f1
                rows.append(
                    {
                        "student": facts.variant,
                        "role": role,
                        "place": list(ROLES).index(role),
                        "model": beside.name,
                        "score": score.value,
                        "low": score.low,
                        "high": score.high,
                    }
                )
    scale = alt.Scale(zero=False)
    title = METRICS[metric][0].upper() + METRICS[metric][1:]
    x = alt.X("score:Q", title=title, scale=scale)
    y = alt.Y("student:N", title=None, sort=None, axis=alt.Axis(labelLimit=150))
    # Intervals lie below each other, as those of one student overlap.
    apart = alt.YOffset("role:N", sort=list(ROLES), scale=alt.Scale(paddingInner=0.4))
    colour = alt.Color(
        "role:N",
        title=None,
        sort=list(ROLES),
        legend=alt.Legend(symbolOpacity=1),
        scale=alt.Scale(domain=list(ROLES), range=list(ROLES.values())),
    )
    tooltip = [
        alt.Tooltip("student:N", title="Student"),
        alt.Tooltip("role:N", title="Role"),
        alt.Tooltip("model:N", title="Model"),
        alt.Tooltip("score:Q", title=title, format=".4f"),
        alt.Tooltip("low:Q", title="from", format=".4f"),
        alt.Tooltip("high:Q", title="to", format=".4f"),
    ]
    base = alt.Chart(data_of(rows))
    way = base.mark_line(color="#8a8a8a", strokeWidth=2, strokeDash=[3, 3]).encode(
        x=x, y=y, yOffset=apart, detail="student:N", order="place:Q"
    )
    bars = base.mark_rule(strokeWidth=4, opacity=0.55).encode(
        x=alt.X("low:Q", title=title, scale=scale),
        x2="high:Q",
        y=y,
        yOffset=apart,
        color=colour,
        tooltip=tooltip,
    )
    points = base.mark_point(filled=True, size=170, opacity=1).encode(
        x=x, y=y, yOffset=apart, color=colour, tooltip=tooltip
    )
    return Figure(
        name="teaching",
        title=f"From the plain student to its teacher: {METRICS[metric]} with its interval",
        description=f"{title} of each plain student, the same student taught, and its teacher.",
        chart=(way + bars + points).properties(height=66 * len(compared)),
    )


def _losses(curve: PretrainingCurve, index: int) -> Figure:
    """Draw a pre-training's loss and its parts; they differ in size, so that the axis is a log."""
    rows: Rows = [
        {"step": point.step, "part": part, "value": value}
        for point in curve.points
        for part, value in point.parts.items()
    ]
    is_positive = all(row["value"] > 0 for row in rows)
    scale = alt.Scale(type="log" if is_positive else "linear", nice=False)
    chart = (
        alt.Chart(data_of(rows))
        .mark_line(point=alt.OverlayMarkDef(size=18, filled=True))
        .encode(
            x=alt.X("step:Q", title="Step"),
            y=alt.Y("value:Q", title="Loss", scale=scale),
            color=alt.Color("part:N", title=None, sort=None),
            tooltip=[
                alt.Tooltip("part:N", title="Part"),
                alt.Tooltip("step:Q", title="Step", format=","),
                alt.Tooltip("value:Q", title="Mean", format=".4f"),
            ],
        )
    )
    return Figure(
        name=f"pretraining-{index}",
        title=f"Pre-training of {curve.variant}: the loss and its parts",
        description=f"The loss of the pre-training of {curve.variant}, and each part of it, "
        "against the number of steps.",
        chart=chart.properties(height=260),
        choice=f"pre-training of {curve.variant}",
    )

"""The report's section on scores against train rows."""

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.curve_facts import DataCurve, VariantCurve
from agnews_ray.report import curve_text
from agnews_ray.report.curve_figures import curve_figures
from agnews_ray.report.grid import Cell, Grid, Section, estimate, sort_key, word
from agnews_ray.report.sentences import between, difference, in_points, level


def curve_section(assessment: Assessment) -> Section | None:
    """Make the section on what more train rows bring; None for a study without a curve."""
    curve = assessment.table.curve
    if curve is None:
        return None
    return Section(
        name="data-curve",
        title="How much data?",
        paragraphs=(*curve_text.conclusions(curve), *curve_text.caveats(curve)),
        figures=tuple(curve_figures(curve)),
        grids=(_points(curve), _laws(curve)),
    )


def _points(curve: DataCurve) -> Grid:
    columns = curve_text.columns(curve)
    points = [point for one in curve.curves for point in one.points]
    rows = []
    for texts, point in zip(curve_text.cells(curve), points, strict=True):
        cells = {
            name: Cell(text, sort_key(text)) for name, text in zip(columns, texts, strict=True)
        }
        unrounded = {
            "Share": point.share,
            "Rows": point.num_rows,
            "Train time (min)": point.train_seconds / 60,
            "Seeds": point.num_seeds,
        }
        cells |= {name: Cell(cells[name].text, value) for name, value in unrounded.items()}
        cells["Accuracy"] = estimate(cells["Accuracy"].text, point.accuracy)
        cells["Macro-F1"] = estimate(cells["Macro-F1"].text, point.macro_f1)
        rows.append(tuple(cells.values()))
    return Grid(
        name="data-curve",
        title="Scores of each share of the train rows",
        columns=columns,
        rows=tuple(rows),
        note=f"{level(curve.confidence)} intervals over seeds and {curve.num_test_rows:,} test "
        "rows (accuracy of a single seed: Wilson's). A share's rows are among those of any larger "
        "one, with each class in its proportion. Verdicts are on all rows only.",
    )


def _laws(curve: DataCurve) -> Grid:
    return Grid(
        name="power-laws",
        title="Power laws, and what twice the data would bring",
        columns=(
            "Model",
            "Error with n rows",
            "Exponent",
            "Floor",
            "Score with twice the rows",
            "Gain (points)",
        ),
        rows=tuple(_law(one) for one in curve.curves),
        num_text_columns=2,
        note="error(n) = a n^-b + c with b from 0 to 2, and c = 0 for fewer than four points; by "
        "least squares weighted by each point's variance (Hestness et al. 2017; Viering and Loog "
        "2023). A share "
        "that is no better than guessing, or with which the points do not follow a law "
        "(p < 0.01), is left out. Intervals come from draws of test rows and seeds, widened where "
        "the points lie further from the law than seeds explain; the score with twice the rows has "
        "a prediction interval for as many seeds.",
    )


def _law(one: VariantCurve) -> tuple[Cell, ...]:
    law, forecast = one.law, one.forecast
    if law is None or forecast is None:
        return (word(one.model), word(curve_text.law_text(one)), *[word("-")] * 4)
    return (
        word(one.model),
        word(curve_text.law_text(one)),
        estimate(between(law.exponent, 2), law.exponent),
        estimate(between(law.floor, 3), law.floor),
        estimate(between(forecast.score), forecast.score),
        estimate(difference(forecast.gain), in_points(forecast.gain)),
    )

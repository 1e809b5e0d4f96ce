"""The report's section on classes: the confusion, its largest entries, the scores of each class."""

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.findings import ClassFacts
from agnews_ray.compare.weak_classes import (
    FEW_ROWS,
    MAX_CONFUSIONS,
    has_few_rows,
    is_never_predicted,
    largest_confusions,
    remarks,
)
from agnews_ray.report import sentences
from agnews_ray.report.class_sentences import weak_classes
from agnews_ray.report.figures import confusion_figures
from agnews_ray.report.grid import Cell, Grid, Section, estimate, number, word

MAX_OPEN_ROWS = 25
"""The number of rows above which a table is folded on the page, and shortened in documents."""


def classes_section(assessment: Assessment) -> Section:
    """Make the section on classes."""
    grids = [_confusions(assessment), _weak(assessment), _classes(assessment)]
    return Section(
        name="classes",
        title="Classes",
        paragraphs=tuple(weak_classes(assessment)),
        figures=tuple(confusion_figures(assessment)),
        grids=tuple(grid for grid in grids if grid.rows),
    )


def _confusions(assessment: Assessment) -> Grid:
    rows = tuple(
        (
            word(variant.name),
            word(one.label),
            word(one.predicted),
            number(one.num_rows, ",d"),
            Cell(f"{100 * one.share:.1f} %", one.share),
        )
        for variant in assessment.variants
        for one in largest_confusions(variant)
    )
    return Grid(
        name="confusions",
        title="Largest confusions",
        columns=("Model", "Label", "Predicted", "Rows", "Share of the label"),
        rows=rows,
        num_text_columns=3,
        note=f"For each model, at most the {MAX_CONFUSIONS} most frequent, over all seeds.",
        is_long=len(rows) > 2 * MAX_CONFUSIONS,
    )


def _weak(assessment: Assessment) -> Grid:
    """List weak classes, only if the table of all classes is too long to read."""
    num_classes = sum(len(variant.classes) for variant in assessment.variants)
    rows = tuple(
        (
            word(variant.name),
            word(one.name),
            word(remarks(one)),
            number(one.num_examples, ",d"),
            _predicted(one),
        )
        for variant in assessment.variants
        for one in variant.classes
        if num_classes > MAX_OPEN_ROWS and (is_never_predicted(one) or has_few_rows(one))
    )
    return Grid(
        name="weak-classes",
        title=f"Classes never predicted, or with under {FEW_ROWS} test rows ({len(rows):,})",
        columns=("Model", "Class", "What", "Test rows", "Predicted"),
        rows=rows,
        num_text_columns=3,
        note="Predicted: rows that were predicted as the class, mean over seeds.",
        is_long=len(rows) > MAX_OPEN_ROWS,
    )


def _classes(assessment: Assessment) -> Grid:
    rows = tuple(
        (
            word(variant.name),
            word(one.name),
            estimate(sentences.between(one.precision, 3), one.precision),
            estimate(sentences.between(one.recall, 3), one.recall),
            estimate(sentences.between(one.f1, 3), one.f1),
            number(one.num_examples, ",d"),
            _predicted(one),
            word(remarks(one)),
        )
        for variant in assessment.variants
        for one in variant.classes
    )
    return Grid(
        name="classes",
        title="Scores of each class",
        columns=("Model", "Class", "Precision", "Recall", "F1", "Test rows", "Predicted", "Note"),
        rows=rows,
        num_text_columns=2,
        note=f"With {sentences.confidence(assessment)} intervals over seeds and rows (precision "
        "and recall of a single seed: Wilson's). Predicted: rows that were predicted as the "
        "class, mean over seeds.",
        is_long=len(rows) > MAX_OPEN_ROWS,
    )


def _predicted(one: ClassFacts) -> Cell:
    return Cell(f"{one.num_predicted:,.4g}", one.num_predicted)

"""The content of a report, in order, before it becomes HTML, Markdown, LaTeX or CSV."""

from collections.abc import Callable, Sequence

from agnews_ray.compare.assessment import Assessment
from agnews_ray.report import figures, sentences
from agnews_ray.report.classes import classes_section
from agnews_ray.report.curve_section import curve_section
from agnews_ray.report.grid import Cell, Grid, Section, estimate, number, sort_key, word
from agnews_ray.report.row_sections import disagreements_section, doubts_section, provenance_section
from agnews_ray.report.search_section import search_sections
from agnews_ray.report.table_formats import (
    COLUMNS,
    cost_columns,
    cost_text,
    cost_value,
    devices,
    diverged_cells,
    unpriced,
)
from agnews_ray.report.teaching_section import teaching_section
from agnews_ray.spec.linear_models import kind_of


def all_sections(assessment: Assessment) -> list[Section]:
    """List a report's sections: the verdict first, its data and recipe last.

    Args:
        assessment: the study's assessment.

    Returns:
        The sections that are not empty.
    """
    makers: Sequence[Callable[[Assessment], Section | list[Section] | None]] = (
        _verdict,
        _comparison,
        _front,
        search_sections,
        teaching_section,
        _costs,
        curve_section,
        _learning,
        classes_section,
        _calibration,
        doubts_section,
        disagreements_section,
        provenance_section,
    )
    sections: list[Section] = []
    for make in makers:
        made = make(assessment)
        sections += made if isinstance(made, list) else [made] if made else []
    return sections


def _verdict(assessment: Assessment) -> Section:
    pairs = assessment.pairs
    rows = tuple(
        (
            word(f"{pair.variant} against {pair.baseline}"),
            word(sentences.verdict_label(pair, assessment)),
            estimate(sentences.difference(pair.accuracy), sentences.in_points(pair.accuracy)),
            estimate(sentences.difference(pair.macro_f1), sentences.in_points(pair.macro_f1)),
            Cell(sentences.level(pair.confidence), pair.confidence),
            Cell(sentences.p_text(pair.adjusted_p_value), pair.adjusted_p_value),
            Cell(sentences.p_text(pair.equivalence_p_value), pair.equivalence_p_value),
            Cell(sentences.p_text(pair.mcnemar_p_value), pair.mcnemar_p_value),
            number(pair.num_only_variant_right, ".1f"),
            number(pair.num_only_baseline_right, ".1f"),
            number(pair.num_seeds, "d"),
        )
        for pair in pairs
    )
    grid = Grid(
        name="pairs",
        title="Every model against the baseline",
        columns=(
            "Pair",
            "Verdict",
            "Accuracy (points)",
            "Macro-F1 (points)",
            "Intervals at",
            "p (difference)",
            "p (equivalence)",
            "p (McNemar)",
            "Only it right",
            "Only baseline right",
            "Seeds",
        ),
        rows=rows,
        num_text_columns=2,
        note=_how_judged(assessment),
    )
    return Section(
        name="verdict",
        title="Verdict",
        paragraphs=tuple(sentences.conclusion(assessment)),
        figures=(figures.difference_figure(assessment),) if pairs else (),
        grids=(grid,) if pairs else (),
    )


def _how_judged(assessment: Assessment) -> str:
    settings = assessment.settings
    metric = sentences.METRICS[settings.metric]
    exact = (
        "exact McNemar for a single seed"
        if settings.metric == "accuracy"
        else "the bootstrap's for a single seed too, as macro-F1 has no exact test"
    )
    return (
        f"The verdict is on {metric}. The chance that any verdict here is wrong, "
        f"differences and equivalences together, is at most {100 * settings.alpha:.4g} % "
        "(Shaffer's correction); each interval is the one that decides its verdict: at "
        "1 - alpha / n for n open pairs, for an equivalence at 1 - 2 alpha / n. "
        "Rows: a score interval for paired proportions (Tango) for accuracy, and a bootstrap of "
        f"{settings.num_draws:,} draws, the same rows for all, for macro-F1; seeds: Student's t. "
        f"p (difference): from the same interval, or {exact}; "
        f"p (equivalence): two one-sided tests against {sentences.points(settings.margin)}; both "
        "corrected. p (McNemar): exact, on rows that one of the two gets right; over "
        "several seeds twice the median. Rows that only one gets right are means over seeds."
    )


def _comparison(assessment: Assessment) -> Section:
    table = assessment.table
    rows = []
    for row, variant in zip(table.rows, assessment.variants, strict=True):
        texts = {name: make(row) for name, make in COLUMNS.items()}
        cells = {name: Cell(text, sort_key(text)) for name, text in texts.items()}
        cells["Accuracy"] = estimate(sentences.between(variant.accuracy), variant.accuracy)
        cells["Macro-F1"] = estimate(sentences.between(variant.macro_f1), variant.macro_f1)
        rows.append(tuple(cells.values()))
    rows += [tuple(word(text) for text in cells) for cells in diverged_cells(table)]
    level = sentences.confidence(assessment)
    note = (
        f"Accuracy and macro-F1 with {level} intervals (accuracy of a single seed: Wilson's); "
        "train time as mean ± standard deviation over seeds, separate for each kind of machine. "
        "MB are MiB of float32 weights."
    )
    first = table.rows[0]
    facts = (
        f"{first.num_train_examples:,} train rows, {first.num_test_examples:,} test rows, "
        f"{devices(table)}."
    )
    grid = Grid(
        name="comparison",
        title="One row per model",
        columns=tuple(COLUMNS),
        rows=tuple(rows),
        note=note,
    )
    return Section(name="comparison", title="Comparison", paragraphs=(facts,), grids=(grid,))


def _front(assessment: Assessment) -> Section:
    rows = tuple(
        (
            word(axis.name),
            word(axis.unit),
            word(variant.name),
            number(cost, ".4g"),
            number(variant.accuracy.value, ".4f"),
            word("yes" if is_on_front else "no"),
        )
        for axis in assessment.axes
        for variant, cost, is_on_front in zip(
            assessment.variants, axis.costs, axis.is_on_front, strict=True
        )
    )
    grid = Grid(
        name="front",
        title="Costs, and which models are on the front",
        columns=("Cost", "Unit", "Model", "Value", "Accuracy", "On the front"),
        rows=rows,
        num_text_columns=3,
        is_long=True,
    )
    text = (
        "A model is on the front if no other is at least as accurate at the same or a lower cost. "
        "The bars are the accuracies' intervals; models whose bars overlap may change places."
    )
    return Section(
        name="front",
        title="Accuracy against cost",
        paragraphs=(text,),
        figures=tuple(figures.front_figures(assessment)),
        grids=(grid,),
    )


def _costs(assessment: Assessment) -> Section | None:
    if not assessment.costs:
        return Section(
            name="costs",
            title="Cost of use",
            paragraphs=("Not measured yet. This command measures the models in turns:",),
            code=(f"agnews-ray measure runs/{assessment.table.study}",),
        )
    names = cost_columns(assessment.costs)
    rows = tuple(
        (
            word(cost.machine),
            *(Cell(cost_text(cost, name), cost_value(cost, name)) for name in names),
        )
        for cost in assessment.costs
    )
    grid = Grid(
        name="costs",
        title="Latency, throughput, memory",
        columns=("Machine", *names),
        rows=rows,
        num_text_columns=3,
        note="From text to probabilities, tokenising included: latency row by row, rows/s in "
        "batches of 64 rows of similar length. The models took turns on the same test rows. Load "
        "time and peak memory are those of a fresh process; FLOPs are counted, not measured.",
    )
    return Section(
        name="costs",
        title="Cost of use",
        paragraphs=tuple(unpriced(assessment.costs)),
        grids=(grid,),
    )


def _learning(assessment: Assessment) -> Section | None:
    text = (
        "Training loss, mean over the seeds that were trained so long; the band reaches from the "
        "lowest of them to the highest."
    )
    with_steps = [variant for variant in assessment.variants if variant.curve]
    if len(with_steps) < len(assessment.variants):
        text = f"{text} Linear models are fitted without steps and have no curve."
    rows = tuple(
        (
            word(variant.name),
            number(epoch, "d") if variant.curve else word("-"),
            number(accuracy, ".4f"),
        )
        for variant in assessment.variants
        for epoch, accuracy in enumerate(variant.validation_accuracy, start=1)
    )
    grid = Grid(
        name="validation",
        title="Accuracy on the validation split",
        columns=("Model", "Epoch", "Accuracy"),
        rows=rows,
        note="Mean over the seeds that were trained so long. The test split is scored once, with "
        "the weights that are kept.",
    )
    if not with_steps and not rows:
        return None
    return Section(
        name="learning",
        title="Learning curves" if with_steps else "Validation",
        paragraphs=(text,) if with_steps else (),
        figures=(figures.curve_figure(assessment),) if with_steps else (),
        grids=(grid,) if rows else (),
    )


def _calibration(assessment: Assessment) -> Section:
    svms = {r.variant.name for r in assessment.records if kind_of(r.variant.model) == "tfidf-svm"}
    of_svm = (
        f" {', '.join(sorted(svms))}: an SVM has no probabilities; the softmax of its decision "
        "values stands in for them."
        if svms
        else ""
    )
    rows = tuple(
        (
            word(variant.name),
            number(variant.calibration.expected_calibration_error, ".4f"),
            number(variant.calibration.brier_score, ".4f"),
        )
        for variant in assessment.variants
    )
    grid = Grid(
        name="calibration",
        title="Calibration",
        columns=("Model", "ECE", "Brier score"),
        rows=rows,
        note="ECE: expected calibration error over 15 bins of equal width of the top probability. "
        "Brier: mean squared distance of all class probabilities from the label, 0 to 2. Means "
        f"over seeds.{of_svm}",
    )
    return Section(
        name="calibration",
        title="Can the probabilities be trusted?",
        figures=(figures.reliability_figure(assessment),),
        grids=(grid,),
    )

"""The report's section on students and teachers: what teaching brought, and what it took."""

from collections.abc import Iterator

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.findings import PairFacts
from agnews_ray.compare.teaching import Taught
from agnews_ray.compare.teaching_facts import Beside, TaughtFacts
from agnews_ray.report import sentences, teaching_text
from agnews_ray.report.grid import Cell, Grid, Section, estimate, number, word
from agnews_ray.report.teaching_figures import teaching_figures


def teaching_section(assessment: Assessment) -> Section | None:
    """Make the section on a study's taught students.

    Args:
        assessment: the study's assessment.

    Returns:
        The section; None without a taught student.
    """
    if not assessment.taught:
        return None
    pairs = list(zip(assessment.table.taught, assessment.taught, strict=True))
    paragraphs = [text for one in pairs for text in _paragraphs(*one, assessment)]
    grids = (_scores(assessment), _labels(pairs), _costs(assessment))
    return Section(
        name="teaching",
        title="Students and teachers",
        paragraphs=tuple(paragraphs),
        figures=teaching_figures(assessment),
        grids=tuple(grid for grid in grids if grid.rows),
    )


def _paragraphs(taught: Taught, facts: TaughtFacts, assessment: Assessment) -> Iterator[str]:
    yield f"{teaching_text.learned(taught)}."
    yield _verdict(taught, facts.pair, assessment)
    yield from teaching_text.plain_twin(taught)
    level = sentences.confidence(assessment)
    yield from teaching_text.gap_text(facts, assessment.settings.metric, level)
    yield from teaching_text.agreement_text(facts)
    only = facts.teacher_calibration_error if len(taught.soft_labels) == 1 else None
    for labels in taught.soft_labels:
        yield teaching_text.labels_text(labels, only)
    price = teaching_text.price(taught.cost)
    yield f"{price[0].upper()}{price[1:]}, beside the train time of its own."
    yield from teaching_text.warnings(taught)


def _verdict(taught: Taught, pair: PairFacts | None, assessment: Assessment) -> str:
    if pair is None:
        return teaching_text.why_no_verdict(taught)
    return f"{teaching_text.whether_it_helped(pair)}{sentences.judge(pair, assessment)}"


def _scores(assessment: Assessment) -> Grid:
    rows = tuple(
        (
            word(facts.variant),
            word(role),
            word(beside.name),
            estimate(sentences.between(beside.accuracy), beside.accuracy),
            estimate(sentences.between(beside.macro_f1), beside.macro_f1),
            _closed(facts, role),
            _agreement(beside),
            _minutes(beside.name, assessment),
        )
        for facts in assessment.taught
        for role, beside in roles(facts)
    )
    level = sentences.confidence(assessment)
    metric = sentences.METRICS[assessment.settings.metric]
    return Grid(
        name="teaching",
        title="Plain student, taught student and teacher",
        columns=(
            "Student",
            "Role",
            "Model",
            "Accuracy",
            "Macro-F1",
            "Gap closed (%)",
            "Agrees with teacher (%)",
            "Minutes with teaching",
        ),
        rows=rows,
        num_text_columns=3,
        note=f"On the seeds that all three have in common, with {level} intervals. Gap closed: "
        f"(taught - plain) / (teacher - plain) in {metric}, with Fieller's interval over seeds and "
        "rows; it can be below 0 or above 100 %. Minutes: train time of one trial, with all that "
        "taught it in this study.",
    )


def roles(facts: TaughtFacts) -> list[tuple[str, Beside]]:
    """List what is compared for a student: plain twin, the student itself, teacher."""
    found = {"plain": facts.plain, "taught": facts.taught, "teacher": facts.teacher}
    return [(role, beside) for role, beside in found.items() if beside is not None]


def _closed(facts: TaughtFacts, role: str) -> Cell:
    if role != "taught":
        return word("")
    if facts.gap_closed is None:
        return word("not defined" if facts.gap is not None else "-")
    percent = sentences.in_points(facts.gap_closed)
    return estimate(teaching_text.share_text(facts.gap_closed), percent)


def _agreement(beside: Beside) -> Cell:
    return word("-") if beside.agreement is None else number(100 * beside.agreement, ".1f")


def _minutes(name: str, assessment: Assessment) -> Cell:
    row = next((row for row in assessment.table.rows if row.model == name), None)
    if row is None:
        return word("-")
    taught = row.teaching.train_seconds if row.teaching else 0.0
    return number((row.train_seconds + taught) / 60, ".2f")


def _labels(pairs: list[tuple[Taught, TaughtFacts]]) -> Grid:
    rows = tuple(
        (
            word(taught.variant),
            word(labels.teacher),
            number(labels.num_labelled, ",d"),
            number(labels.num_transfer, ",d"),
            _known(labels.accuracy),
            _known(labels.calibration_error),
            _known(None if len(taught.soft_labels) > 1 else facts.teacher_calibration_error),
            number(labels.mean_confidence, ".4f"),
        )
        for taught, facts in pairs
        for labels in taught.soft_labels
    )
    return Grid(
        name="teaching-labels",
        title="Soft labels",
        columns=(
            "Student",
            "Teacher",
            "Labelled rows",
            "Texts without labels",
            "Accuracy there",
            "ECE there",
            "ECE on test",
            "Mean confidence",
        ),
        rows=rows,
        num_text_columns=2,
        note="The teacher's probabilities before they are softened; means over seeds. Accuracy and "
        "ECE there: on the labelled train rows.",
    )


def _known(value: float | None) -> Cell:
    return word("-") if value is None else number(value, ".4f")


def _costs(assessment: Assessment) -> Grid:
    own = {row.model: row.train_seconds for row in assessment.table.rows}
    rows = tuple(
        (
            word(one.variant),
            *(
                number(seconds / 60, ".2f")
                for seconds in (
                    one.cost.pretraining_seconds,
                    one.cost.teacher_seconds,
                    one.cost.labelling_seconds,
                    own[one.variant],
                    one.cost.train_seconds + own[one.variant],
                )
            ),
        )
        for one in assessment.table.taught
    )
    return Grid(
        name="teaching-costs",
        title="Minutes for one student",
        columns=("Student", "Pre-training", "Teachers", "Labels", "Its own training", "Together"),
        rows=rows,
        note="Train time without start-up and scoring, means over seeds. What several students "
        "share is counted for each of them; a teacher's training elsewhere is not known.",
    )

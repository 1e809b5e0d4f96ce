"""Students and teachers in words: from what they learned, what it took, and what it brought."""

from agnews_ray.compare.findings import Interval, Metric, PairFacts
from agnews_ray.compare.table import ComparisonTable
from agnews_ray.compare.teaching import SoftLabels, Taught
from agnews_ray.compare.teaching_cost import TeachingCost
from agnews_ray.compare.teaching_facts import TaughtFacts
from agnews_ray.report.search_text import METRICS, minutes

OBJECTIVES = {
    "masked-lm": "a masked language model, without a teacher",
    "distilbert": "DistilBERT's triple loss",
    "minilm": "MiniLM's attention and value relations",
    "minilm-v2": "MiniLM v2's relations",
}
"""The written form of each objective of a pre-training."""


def lines(table: ComparisonTable) -> list[str]:
    """Write a line for each student: what it learned from, took and brought; then warnings."""
    accuracy = {row.model: row.accuracy for row in table.rows}
    found = []
    for one in table.taught:
        names = {"without teaching": one.plain, "its teacher": one.teacher_row}
        beside = [f"{role}, {name}: {accuracy[name]:.4f}" for role, name in names.items() if name]
        scores = f" ({'; '.join(beside)})" if beside else ""
        found.append(
            f"teaching: {learned(one)}; {price(one.cost)}, a part of its price, not of its train "
            f"time; accuracy {accuracy[one.variant]:.4f}{scores}."
        )
        found += warnings(one)
    return found


def learned(taught: Taught) -> str:
    """Say from what a student learned beside labels, in half a sentence."""
    parts = []
    if taught.pretraining is not None:
        own = taught.pretraining
        by = f" with {own.teacher} as teacher" if own.teacher else ""
        parts.append(
            f"was pre-trained on {own.num_texts:,} texts by {OBJECTIVES[own.objective]}{by}"
        )
    if taught.soft_labels:
        first = taught.soft_labels[0]
        names = " and ".join(one.teacher for one in taught.soft_labels)
        alone = "" if taught.uses_labelled_rows else ", and from no label"
        parts.append(f"learned from the soft labels of {names} for {_rows(first)}{alone}")
    return f"{taught.variant} {' and '.join(parts) or 'was taught by trials without a record'}"


def _rows(labels: SoftLabels) -> str:
    counts = {"labelled rows": labels.num_labelled, "texts without labels": labels.num_transfer}
    return " and ".join(f"{count:,} {name}" for name, count in counts.items() if count)


def price(cost: TeachingCost) -> str:
    """Say what it took to teach one student, and of what it consists."""
    parts = {
        "pre-training": cost.pretraining_seconds,
        "its teachers' training": cost.teacher_seconds,
        "labels": cost.labelling_seconds,
    }
    named = ", ".join(f"{name} {minutes(took)}" for name, took in parts.items() if took)
    of_parts = f" ({named})" if named else ""
    return f"teaching took {minutes(cost.train_seconds)} for one student{of_parts}"


def warnings(taught: Taught) -> list[str]:
    """Say what a reader should beware of, and what is no part of the price."""
    found = []
    if taught.num_in_test:
        total = sum(one.num_rows for one in taught.transfers)
        found.append(
            f"Beware: {taught.num_in_test:,} of the {total:,} texts without labels from which "
            f"{taught.variant} learned are also texts of test rows: its scores on test may be too "
            "high."
        )
    if taught.cost.elsewhere:
        names = ", ".join(taught.cost.elsewhere)
        found.append(
            f"{taught.variant} was taught by a model from elsewhere ({names}), whose training is "
            "no part of the price."
        )
    if taught.cost.missing:
        names = ", ".join(taught.cost.missing)
        found.append(
            f"The price of teaching {taught.variant} is too low: trials without a record any more "
            f"taught it ({names})."
        )
    return found


def whether_it_helped(pair: PairFacts) -> str:
    """Write how the sentence on a taught student against its plain twin begins."""
    known = {
        "better": "Teaching helped",
        "worse": "Teaching did harm",
        "equivalent": "Teaching did not help",
        "undecided": "It is undecided whether teaching helped",
    }
    return f"{known[pair.verdict]}: "


def why_no_verdict(taught: Taught) -> str:
    """Say why it is not known whether teaching helped."""
    if taught.plain is not None:
        return (
            f"{taught.variant} and its plain twin {taught.plain} have no seed in common, so it is "
            "not known whether teaching helped."
        )
    return (
        f"The study has no plain twin of {taught.variant}, with the same model, recipe and engine "
        "but without teaching, so it is not known whether teaching helped: add such a variant."
    )


def plain_twin(taught: Taught) -> list[str]:
    """Say that the plain twin was taught too, if it was."""
    names = {"distillation": "soft labels", "pretraining": "the pre-training"}
    kept = [names[way] for way in taught.plain_has]
    return [f"Its twin {taught.plain} has {' and '.join(kept)} too."] * bool(kept)


def gap_text(facts: TaughtFacts, metric: Metric, level: str) -> list[str]:
    """Say how much of the gap between plain student and teacher was closed.

    Args:
        facts: what teaching brought.
        metric: the metric of the verdicts.
        level: the level of the intervals, such as ``95 %``.

    Returns:
        One sentence; none without teacher or twin.
    """
    if facts.gap is None or facts.plain is None or facts.teacher is None:
        return []
    seeds = f"{len(facts.seeds)} seed{'s' if len(facts.seeds) > 1 else ''}"
    gap = f"{_points(facts.gap)} points of {METRICS[metric]} ({level} interval, {seeds})"
    plain, teacher = facts.plain.name, facts.teacher.name
    if facts.gap_closed is not None:
        return [
            f"It closed {share_text(facts.gap_closed)} of the gap between {plain} and {teacher}, "
            f"its teacher, which is {gap}."
        ]
    is_not = "is not worse than" if facts.gap.high < 0 else "is not known to be worse than"
    return [
        f"The share of the gap to {teacher} that it closed is not defined: {plain} {is_not} this "
        f"teacher, whose lead is {gap}."
    ]


def agreement_text(facts: TaughtFacts) -> list[str]:
    """Say how often students predict the teacher's class."""
    if facts.teacher is None or facts.taught.agreement is None:
        return []
    plain = facts.plain
    other = "" if plain is None or plain.agreement is None else _agreement(plain.agreement)
    beside = f"; {plain.name} does for {other}" if plain and other else ""
    return [
        f"It predicts the class that {facts.teacher.name} predicts for "
        f"{_agreement(facts.taught.agreement)} of the test rows{beside}."
    ]


def labels_text(labels: SoftLabels, on_test: float | None) -> str:
    """Say how good a teacher's labels are.

    Args:
        labels: of one teacher.
        on_test: its expected calibration error on test; None if it is not known.
    """
    confidence = f"mean confidence {labels.mean_confidence:.4f} over all rows"
    test = "" if on_test is None else f", on test {on_test:.4f}"
    if labels.accuracy is None or labels.calibration_error is None:
        return f"{labels.teacher} has {confidence}; its calibration error is not known{test}."
    known = "" if labels.is_elsewhere else ", with which it was trained"
    return (
        f"On the {labels.num_labelled:,} labelled train rows{known}, {labels.teacher} has accuracy "
        f"{labels.accuracy:.4f} and calibration error {labels.calibration_error:.4f}{test}; it has "
        f"{confidence}."
    )


def share_text(share: Interval) -> str:
    """Write a share of a gap with its interval, in percent."""
    low, high = _signed(100 * share.low), _signed(100 * share.high)
    return f"{_signed(100 * share.value)} % [{low}, {high}]"


def _signed(number: float) -> str:
    return f"{number:.0f}".replace("-", "\N{MINUS SIGN}")


def _agreement(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(gap: Interval) -> str:
    texts = [f"{100 * one:+.2f}".replace("-", "\N{MINUS SIGN}") for one in (gap.low, gap.high)]
    value = f"{100 * gap.value:+.2f}".replace("-", "\N{MINUS SIGN}")
    return f"{value} [{texts[0]}, {texts[1]}]"

"""Compare a study with published numbers, row by row: the paper's table, or another study's."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.findings import Fact, Interval, VariantFacts
from agnews_ray.compare.replication import Difference, against_single_runs, between_studies
from agnews_ray.compare.same_question import unlike_paper, unlike_study
from agnews_ray.compare.table import VariantRow
from agnews_ray.record.outputs import Predictions
from agnews_ray.record.schema import TrialRecord


class PublishedRow(Fact):
    """One model's line in a published table, numbers as printed."""

    models: tuple[str, ...]
    """The names that a study may use for it."""
    parameters_m: str
    """The number of parameters in millions, to the printed digit."""
    accuracy: float
    macro_f1: float
    num_runs: int
    """The number of trainings of which the scores are the mean."""
    train_minutes: float
    device: str
    size_mb: str
    """The size in MiB, to the printed digit."""


PAPER = (
    # Iranaghideh, "DistilBERT vs MiniLM for AG News Topic Classification", its result table:
    # AG News, 120,000 train and 7,600 test rows, one seed.
    PublishedRow(
        models=("distilbert", "distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
        parameters_m="66.96",
        accuracy=0.9467,
        macro_f1=0.9468,
        num_runs=1,
        train_minutes=13.44,
        device="Tesla T4",
        size_mb="255.4",
    ),
    PublishedRow(
        models=("minilm", "microsoft/MiniLM-L12-H384-uncased"),
        parameters_m="33.36",
        accuracy=0.9441,
        macro_f1=0.9440,
        num_runs=1,
        train_minutes=12.89,
        device="Tesla T4",
        size_mb="127.3",
    ),
)

ALPHA = 0.05
"""The chance that a study which does repeat the published one is reported to disagree in any
score."""


class Agreement(Fact):
    """One number, as published and as found."""

    model: str
    quantity: str
    published: str
    found: str
    agrees: bool | None
    """Whether the numbers agree; None if they are shown but not judged."""
    difference: Interval | None = None
    """The found minus the published score, if judged: they agree if the interval contains 0."""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyResults:
    """An assessed study, and the predictions from which its scores were computed."""

    assessment: Assessment
    predictions: dict[str, Predictions]
    """The predictions, by trial id."""

    def rows(self) -> list[tuple[VariantRow, VariantFacts, list[TrialRecord]]]:
        """List each row of the table with its variant's facts and its records, by seed."""
        records = {record.trial_id: record for record in self.assessment.records}
        return [
            (row, facts, [records[trial_id] for trial_id in facts.trial_ids])
            for row, facts in zip(self.assessment.table.rows, self.assessment.variants, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Score:
    """A score and the one it is compared with, before the number of comparisons is known."""

    row: VariantRow
    quantity: str
    published: float
    found: float
    difference: Difference | None
    note: str


def hold_against_paper(found: StudyResults) -> tuple[Agreement, ...]:
    """Compare a study with the paper's table.

    Parameters and size must match to the printed digit. The paper's score is one run: it must be
    in the prediction interval of one more run of ours, over our seeds. Times are shown. If recipe,
    rows or weights are not the paper's, scores are shown but not judged.

    Args:
        found: the study.

    Returns:
        Five lines for each of the paper's models that the study has.
    """
    pairs = [
        (row, facts, published, unlike_paper(records[0]), records)
        for row, facts, records in found.rows()
        for published in PAPER
        if records[0].variant.model in published.models
    ]
    scores = []
    for row, facts, published, unlike, records in pairs:
        for name, theirs, interval, of in _both_scores(facts, published):
            ours = [of(record) for record in records]
            scores.append(
                _Score(
                    row=row,
                    quantity=name,
                    published=theirs,
                    found=interval.value,
                    difference=against_single_runs(ours, theirs, published.num_runs),
                    note=unlike or _seeds(len(ours), published.num_runs),
                )
            )
    is_judged = {row.model: not unlike for row, _, _, unlike, _ in pairs}
    judged = _judge(scores, is_judged)
    return tuple(
        line
        for row, _, published, _, _ in pairs
        for line in (
            *_exact_lines(row, published),
            *(line for line in judged if line.model == row.model),
            _time_line(row, published),
        )
    )


def hold_against_study(found: StudyResults, other: StudyResults) -> tuple[Agreement, ...]:
    """Compare a study with another one, for each model of the same name.

    Scores are judged by their difference, with the variance of both studies' seeds and of the
    test rows that both predicted.

    Args:
        found: the study.
        other: the study whose numbers count as published.

    Returns:
        Five lines for each model that both have.
    """
    others = {row.model: (row, facts, records) for row, facts, records in other.rows()}
    scores, pairs, is_judged = [], [], {}
    for row, facts, records in found.rows():
        if row.model not in others:
            continue
        their_row, their_facts, their_records = others[row.model]
        published = _as_published(their_row, their_facts)
        pairs.append((row, published))
        unlike = unlike_study(records[0], their_records[0])
        is_judged[row.model] = not unlike
        differences = (
            between_studies(
                [found.predictions[record.trial_id] for record in records],
                [other.predictions[record.trial_id] for record in their_records],
            )
            if not unlike
            else {}
        )
        scores += [
            _Score(
                row=row,
                quantity=name,
                published=theirs,
                found=interval.value,
                difference=differences.get(name),
                note=unlike or _seeds(len(records), len(their_records)),
            )
            for name, theirs, interval, _ in _both_scores(facts, published)
        ]
    judged = _judge(scores, is_judged)
    return tuple(
        line
        for row, published in pairs
        for line in (
            *_exact_lines(row, published),
            *(line for line in judged if line.model == row.model),
            _time_line(row, published),
        )
    )


def _both_scores(
    facts: VariantFacts, published: PublishedRow
) -> list[tuple[str, float, Interval, Callable[[TrialRecord], float]]]:
    return [
        ("Accuracy", published.accuracy, facts.accuracy, lambda r: r.test.accuracy),
        ("Macro-F1", published.macro_f1, facts.macro_f1, lambda r: r.test.macro_f1),
    ]


def _judge(scores: Sequence[_Score], is_judged: dict[str, bool]) -> list[Agreement]:
    """Judge all scores at ``ALPHA`` together (Bonferroni), as any wrong alarm counts."""
    num_judged = sum(
        is_judged[score.row.model] and score.difference is not None for score in scores
    )
    lines = []
    for score in scores:
        interval, note = None, score.note
        if score.difference is None and is_judged[score.row.model]:
            note = f"{note}: one run of each shows no spread; run more seeds"
        elif score.difference is not None and is_judged[score.row.model]:
            interval = score.difference.interval(ALPHA / num_judged)
        lines.append(
            Agreement(
                model=score.row.model,
                quantity=score.quantity,
                published=f"{score.published:.4f}",
                found=f"{score.found:.4f}",
                agrees=None if interval is None else interval.low <= 0 <= interval.high,
                difference=interval,
                note=note,
            )
        )
    return lines


def _exact_lines(row: VariantRow, published: PublishedRow) -> list[Agreement]:
    exact = [
        ("Parameters (M)", published.parameters_m, _millions(row.parameters)),
        ("Model Size (MB)", published.size_mb, _mebibytes(row.size_bytes)),
    ]
    return [
        Agreement(
            model=row.model, quantity=name, published=theirs, found=ours, agrees=theirs == ours
        )
        for name, theirs, ours in exact
    ]


def _time_line(row: VariantRow, published: PublishedRow) -> Agreement:
    same_device = published.device.lower() in row.device.lower()
    return Agreement(
        model=row.model,
        quantity="Train time (min)",
        published=f"{published.train_minutes:.2f} ({published.device})",
        found=f"{row.train_seconds / 60:.2f} ({row.device})",
        agrees=None,
        note="" if same_device else "another device",
    )


def _as_published(row: VariantRow, facts: VariantFacts) -> PublishedRow:
    return PublishedRow(
        models=(row.model,),
        parameters_m=_millions(row.parameters),
        accuracy=facts.accuracy.value,
        macro_f1=facts.macro_f1.value,
        num_runs=row.num_seeds,
        train_minutes=row.train_seconds / 60,
        device=row.device,
        size_mb=_mebibytes(row.size_bytes),
    )


def _seeds(ours: int, theirs: int) -> str:
    return f"{ours} seed(s) against {theirs}"


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.2f}"


def _mebibytes(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f}"

"""Found against published: the paper's table, or another study's, row by row."""

from collections.abc import Sequence

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.facts import Fact, VariantFacts
from agnews_ray.compare.table import VariantRow
from agnews_ray.record.schema import TrialRecord


class PublishedRow(Fact):
    """One model's line in a published table, numbers as printed."""

    models: tuple[str, ...]
    """Names under which a study may have it."""
    parameters_m: str
    """Millions, to the printed digit."""
    accuracy: float
    macro_f1: float
    train_minutes: float
    device: str
    size_mb: str
    """MiB, to the printed digit."""


PAPER = (
    # Iranaghideh, "DistilBERT vs MiniLM for AG News Topic Classification", its result table:
    # AG News, 120,000 train and 7,600 test rows, one seed.
    PublishedRow(
        models=("distilbert", "distilbert-base-uncased", "distilbert/distilbert-base-uncased"),
        parameters_m="66.96",
        accuracy=0.9467,
        macro_f1=0.9468,
        train_minutes=13.44,
        device="Tesla T4",
        size_mb="255.4",
    ),
    PublishedRow(
        models=("minilm", "microsoft/MiniLM-L12-H384-uncased"),
        parameters_m="33.36",
        accuracy=0.9441,
        macro_f1=0.9440,
        train_minutes=12.89,
        device="Tesla T4",
        size_mb="127.3",
    ),
)


PAPER_TEST_ROWS = 7600


class Agreement(Fact):
    """One number, published and found."""

    model: str
    quantity: str
    published: str
    found: str
    agrees: bool | None
    """None where it is shown and not judged."""
    note: str = ""


def hold_against_paper(found: Assessment) -> tuple[Agreement, ...]:
    """Hold a study against the paper's table.

    Parameters and size must match to the printed digit; accuracy and macro-F1 must lie in the
    study's intervals; times are shown. Fresh weights have the paper's sizes and not its scores, and
    scores on other rows than AG News' test split are not judged either.

    Args:
        found: the study.

    Returns:
        Four or five lines for each of the paper's models that the study has.
    """
    lines: list[Agreement] = []
    for row, facts, record in _rows(found):
        for published in PAPER:
            if record.variant.model in published.models:
                lines += _against_published(row, facts, published, _unlike_paper(record))
    return tuple(lines)


def hold_against_study(found: Assessment, other: Assessment) -> tuple[Agreement, ...]:
    """Hold a study against another one, model by model of the same name.

    Args:
        found: the study.
        other: its numbers count as published.

    Returns:
        Five lines for each model that both have.
    """
    lines: list[Agreement] = []
    others = {row.model: (row, facts) for row, facts, _ in _rows(other)}
    for row, facts, record in _rows(found):
        if row.model not in others:
            continue
        their_row, their_facts = others[row.model]
        published = PublishedRow(
            models=(row.model,),
            parameters_m=_millions(their_row.parameters),
            accuracy=their_facts.accuracy.value,
            macro_f1=their_facts.macro_f1.value,
            train_minutes=their_row.train_seconds / 60,
            device=their_row.device,
            size_mb=_mebibytes(their_row.size_bytes),
        )
        same = record.dataset.test.fingerprint == other.records[0].dataset.test.fingerprint
        lines += _against_published(row, facts, published, "" if same else "other test rows")
    return tuple(lines)


def _rows(found: Assessment) -> list[tuple[VariantRow, VariantFacts, TrialRecord]]:
    records = {record.trial_id: record for record in found.records}
    return [
        (row, facts, records[facts.trial_ids[0]])
        for row, facts in zip(found.table.rows, found.variants, strict=True)
    ]


def _against_published(
    row: VariantRow, facts: VariantFacts, published: PublishedRow, unlike: str
) -> Sequence[Agreement]:
    """``unlike`` says why scores are shown and not judged; empty where they are judged."""
    parameters, size = _millions(row.parameters), _mebibytes(row.size_bytes)
    exact = [
        ("Parameters (M)", published.parameters_m, parameters),
        ("Model Size (MB)", published.size_mb, size),
    ]
    lines = [
        Agreement(
            model=row.model, quantity=name, published=theirs, found=ours, agrees=theirs == ours
        )
        for name, theirs, ours in exact
    ]
    for name, theirs, interval in (
        ("Accuracy", published.accuracy, facts.accuracy),
        ("Macro-F1", published.macro_f1, facts.macro_f1),
    ):
        lines.append(
            Agreement(
                model=row.model,
                quantity=name,
                published=f"{theirs:.4f}",
                found=f"{interval.value:.4f} [{interval.low:.4f}, {interval.high:.4f}]",
                agrees=_inside(theirs, interval.low, interval.high) if not unlike else None,
                note=unlike or f"{row.num_seeds} seed(s), {row.num_train_examples:,} train rows",
            )
        )
    same_device = published.device.lower() in row.device.lower()
    lines.append(
        Agreement(
            model=row.model,
            quantity="Train time (min)",
            published=f"{published.train_minutes:.2f} ({published.device})",
            found=f"{row.train_seconds / 60:.2f} ({row.device})",
            agrees=None,
            note="" if same_device else "another device",
        )
    )
    return lines


def _inside(value: float, low: float, high: float) -> bool:
    """Compare as printed: four digits."""
    return round(low, 4) <= round(value, 4) <= round(high, 4)


def _unlike_paper(record: TrialRecord) -> str:
    """Why a trial's scores are not the paper's to judge; empty where they are."""
    if record.variant.init == "random":
        return "fresh weights: not the published model"
    if record.test.num_examples != PAPER_TEST_ROWS or len(record.dataset.class_names) != 4:
        return f"{record.test.num_examples:,} test rows: not the paper's {PAPER_TEST_ROWS:,}"
    return ""


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.2f}"


def _mebibytes(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:.1f}"

"""The shapes of what a comparison finds: fractions in [0, 1], each interval with its level."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Verdict = Literal["better", "worse", "equivalent", "undecided"]
Metric = Literal["accuracy", "macro-f1"]


class Fact(BaseModel):
    """A frozen part of an assessment."""

    model_config = ConfigDict(
        frozen=True, use_attribute_docstrings=True, protected_namespaces=(), extra="forbid"
    )


class Interval(Fact):
    """An estimate between its lower and upper end."""

    value: float
    low: float
    high: float


class ClassFacts(Fact):
    """One class of one variant."""

    name: str
    precision: Interval
    recall: Interval
    f1: Interval
    num_examples: int
    num_predicted: float
    """Rows that were predicted as it, right or wrong; mean over seeds."""


class ReliabilityBin(Fact):
    """Predictions of like confidence, over all seeds."""

    confidence: float
    """Mean probability of the predicted class."""
    accuracy: float
    """Share of them that are right."""
    num_predictions: int


class Calibration(Fact):
    """How far a variant's probabilities can be believed; means over seeds."""

    expected_calibration_error: float
    """Over 15 bins of equal width of the predicted class's probability."""
    brier_score: float
    """Mean squared distance of all class probabilities from the label; 0 (best) to 2."""
    bins: tuple[ReliabilityBin, ...]
    """Those that hold a prediction."""


class CurvePoint(Fact):
    """A stretch of training, mean over seeds."""

    samples_seen: int
    loss: float | None
    """Mean cross-entropy of the stretch, in nats; None where a step's is not a number, as in
    those that FP16 loss scaling leaves out."""
    lowest: float | None
    """Smallest of the seeds' means."""
    highest: float | None


class VariantFacts(Fact):
    """One row of the comparison table, looked into."""

    name: str
    seeds: tuple[int, ...]
    trial_ids: tuple[str, ...]
    accuracy: Interval
    macro_f1: Interval
    classes: tuple[ClassFacts, ...]
    confusion: tuple[tuple[int, ...], ...]
    """``[i][j]`` counts class-i rows predicted as j, summed over seeds."""
    calibration: Calibration
    curve: tuple[CurvePoint, ...]
    validation_accuracy: tuple[float, ...]
    """After each epoch, mean over seeds; empty where no validation split was cut."""


class PairFacts(Fact):
    """A variant against the baseline, on the seeds that both have and the same test rows."""

    variant: str
    baseline: str
    metric: Metric
    """What the verdict is on."""
    num_seeds: int
    confidence: float
    """Of both intervals: that on which the verdict rests. Tests at ``alpha`` over so many pairs
    go with an interval at 1 - alpha / pairs, and equivalence with one at 1 - 2 alpha / pairs."""
    accuracy: Interval
    """Difference, variant less baseline."""
    macro_f1: Interval
    """Difference, variant less baseline."""
    num_only_variant_right: float
    """Rows a seed; discordant with the next."""
    num_only_baseline_right: float
    mcnemar_p_value: float
    """Exact; over several seeds twice the median."""
    p_value: float
    """Of no difference in the metric: from seeds and rows; exact McNemar for accuracy of a single
    seed."""
    adjusted_p_value: float
    """After one correction over all that is said of all pairs (Shaffer)."""
    equivalence_p_value: float
    """Two one-sided tests against the margin, after the same correction."""
    verdict: Verdict
    """On the metric."""
    is_different: bool
    """Whether the difference is significant; an equivalent pair can differ by a little."""
    num_more_seeds: int | None
    """Where undecided: seeds to add until a study like this one would tell; None where the test
    rows are what is missing, or a single seed does not show the spread."""

    @property
    def judged(self) -> Interval:
        """The difference that the verdict is on."""
        return self.accuracy if self.metric == "accuracy" else self.macro_f1


class HardRow(Fact):
    """A test row that every trial gets wrong with confidence."""

    row: int
    text: str | None
    label: str
    preferred: str
    """What most trials predict."""
    num_votes: int
    """Trials that predict it."""
    probability: float
    """Mean probability they give it."""


class DuplicateRow(Fact):
    """A test row whose text is also elsewhere."""

    row: int
    text: str
    twin_split: Literal["test", "train"]
    twin_row: int
    is_exact: bool
    """False where only the words are the same, not case, punctuation or spaces."""


class Subset(Fact):
    """Scores on part of the test rows."""

    name: str
    num_rows: int
    accuracy: tuple[float, ...]
    """One for each variant, mean over seeds."""
    macro_f1: tuple[float, ...]


class Disagreement(Fact):
    """A test row that all seeds of one variant get right and all of another wrong."""

    row: int
    text: str | None
    label: str
    right: str
    """Variant."""
    wrong: str
    predicted: str
    """By most seeds of the one that is wrong."""
    probability: float
    """Mean probability that its seeds give what they predict."""


class DoubtfulRows(Fact):
    """What to hold against the test set itself."""

    num_hard: int
    hard: tuple[HardRow, ...]
    """The most confident first; a list may be shorter than its number."""
    num_duplicates: int | None
    """Rows, each counted once; None where the test rows are not kept with the study."""
    duplicates: tuple[DuplicateRow, ...]
    subsets: tuple[Subset, ...]
    """All rows first; that score is the headline. One without any row left is not there."""
    num_disagreements: int
    disagreements: tuple[Disagreement, ...]


class CostFacts(Fact):
    """What using one variant costs on one device; from ``agnews-ray measure``."""

    variant: str
    machine: str
    setting: str
    latency_p50_ms: float
    latency_p95_ms: float
    latency_p99_ms: float
    rows_per_second: float
    load_seconds: float
    peak_memory_bytes: int
    flops_per_row: float
    money_per_million: float | None
    """For a million predictions in batches of 64; None without a price."""
    money_per_training: float | None
    """For the mean train time of the comparison table, by the rule of ``compare.prices``."""
    why_no_training_price: str = ""


class CostAxis(Fact):
    """One way to count cost, and who is on its accuracy-cost front."""

    name: str
    unit: str
    costs: tuple[float, ...]
    """One for each variant; smaller is better."""
    is_on_front: tuple[bool, ...]
    """No other variant is at least as accurate for at most the cost, and better in one of them."""

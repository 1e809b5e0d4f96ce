"""The result types of a comparison: fractions in [0, 1], each interval with its level."""

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
    """An estimate with its lower and upper end."""

    value: float
    low: float
    high: float


class ClassFacts(Fact):
    """The scores of one class of one variant."""

    name: str
    precision: Interval
    recall: Interval
    f1: Interval
    num_examples: int
    num_predicted: float
    """The number of rows predicted as this class, right or wrong; mean over seeds."""


class ReliabilityBin(Fact):
    """The predictions of similar confidence, over all seeds."""

    confidence: float
    """The mean probability of the predicted class."""
    accuracy: float
    """The share of right predictions."""
    num_predictions: int


class Calibration(Fact):
    """How far a variant's probabilities can be trusted; means over seeds."""

    expected_calibration_error: float
    """The expected calibration error over 15 bins of equal width of the predicted class's
    probability."""
    brier_score: float
    """The mean squared distance of all class probabilities from the label; 0 (best) to 2."""
    bins: tuple[ReliabilityBin, ...]
    """The bins with at least one prediction."""


class CurvePoint(Fact):
    """An interval of training steps; means over seeds."""

    samples_seen: int
    loss: float | None
    """The mean cross-entropy of the interval, in nats; None if a step's is not a number, as in
    steps that FP16 loss scaling skips."""
    lowest: float | None
    """The smallest of the seeds' means."""
    highest: float | None


class VariantFacts(Fact):
    """The details of one row of the comparison table."""

    name: str
    seeds: tuple[int, ...]
    trial_ids: tuple[str, ...]
    accuracy: Interval
    macro_f1: Interval
    classes: tuple[ClassFacts, ...]
    confusion: tuple[tuple[int, ...], ...]
    """``[i][j]`` is the number of rows of class i predicted as class j, summed over seeds."""
    calibration: Calibration
    curve: tuple[CurvePoint, ...]
    validation_accuracy: tuple[float, ...]
    """The validation accuracy after each epoch, mean over seeds; empty without a validation
    split."""


class PairFacts(Fact):
    """A variant against the baseline, on the seeds that both have and the same test rows."""

    variant: str
    baseline: str
    metric: Metric
    """The metric that the verdict judges."""
    num_seeds: int
    confidence: float
    """The level of both intervals, which is the one that decides the verdict: tests at ``alpha``
    over several pairs use one at 1 - alpha / pairs, equivalence one at 1 - 2 alpha / pairs."""
    accuracy: Interval
    """Difference, variant less baseline."""
    macro_f1: Interval
    """Difference, variant less baseline."""
    num_only_variant_right: float
    """The rows that only the variant gets right, mean over seeds; the next field is the reverse."""
    num_only_baseline_right: float
    mcnemar_p_value: float
    """The exact McNemar p-value; over several seeds twice the median."""
    p_value: float
    """The p-value of no difference in the metric, from seeds and rows; exact McNemar for the
    accuracy of a single seed."""
    adjusted_p_value: float
    """``p_value`` after one correction over all statements about all pairs (Shaffer)."""
    equivalence_p_value: float
    """The p-value of two one-sided tests against the margin, after the same correction."""
    verdict: Verdict
    """The verdict on the metric."""
    is_different: bool
    """Whether the difference is significant; an equivalent pair may have a small difference."""
    num_more_seeds: int | None
    """If undecided, the number of seeds to add so that a study like this would decide; None if more
    test rows are needed, or a single seed does not show the spread."""

    @property
    def judged(self) -> Interval:
        """The difference that the verdict judges."""
        return self.accuracy if self.metric == "accuracy" else self.macro_f1

    @property
    def beside(self) -> tuple[Metric, Interval]:
        """The other metric, which the verdict does not judge, and its difference."""
        if self.metric == "accuracy":
            return "macro-f1", self.macro_f1
        return "accuracy", self.accuracy

    @property
    def is_contradicted(self) -> bool:
        """Whether the intervals of the two metrics lie on different sides of 0."""
        judged, (_, other) = self.judged, self.beside
        return judged.high < 0 < other.low or other.high < 0 < judged.low


class HardRow(Fact):
    """A test row that every trial gets wrong with confidence."""

    row: int
    text: str | None
    label: str
    preferred: str
    """The class that most trials predict."""
    num_votes: int
    """The number of trials that predict it."""
    probability: float
    """The mean probability that they give it."""


class DuplicateRow(Fact):
    """A test row whose text also occurs in another row."""

    row: int
    text: str
    twin_split: Literal["test", "train"]
    twin_row: int
    is_exact: bool
    """Whether the texts are exactly equal; otherwise case, punctuation or spaces differ."""


class Subset(Fact):
    """The scores on a part of the test rows."""

    name: str
    num_rows: int
    accuracy: tuple[float, ...]
    """The accuracy of each variant, mean over seeds."""
    macro_f1: tuple[float, ...]


class Disagreement(Fact):
    """A test row that all seeds of one variant get right and all of another wrong."""

    row: int
    text: str | None
    label: str
    right: str
    """The variant that is right."""
    wrong: str
    predicted: str
    """The class that most seeds of the wrong variant predict."""
    probability: float
    """The mean probability that its seeds give to their prediction."""


class DoubtfulRows(Fact):
    """The doubts about the test set itself."""

    num_hard: int
    hard: tuple[HardRow, ...]
    """The rows, the most confident first; a list may be shorter than its count."""
    num_duplicates: int | None
    """The number of rows with a duplicate; None if the test rows are not kept with the study."""
    duplicates: tuple[DuplicateRow, ...]
    subsets: tuple[Subset, ...]
    """The subsets: all rows first, whose score is the headline; an empty subset is left out."""
    num_disagreements: int
    disagreements: tuple[Disagreement, ...]


class CostFacts(Fact):
    """The cost of using one variant on one device, from ``agnews-ray measure``."""

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
    """The price of a million predictions in batches of 64; None without a price."""
    money_per_training: float | None
    """The price of the mean train time in the comparison table, for the winner of a search of that
    search too, and for a taught student of teaching it, by the rule of ``compare.prices``."""
    why_no_training_price: str = ""


class CostAxis(Fact):
    """One kind of cost, and the variants on its accuracy-cost front."""

    name: str
    unit: str
    costs: tuple[float, ...]
    """The cost of each variant; smaller is better."""
    is_on_front: tuple[bool, ...]
    """Whether no other variant is at least as accurate at the same or a lower cost, and better in
    one of the two."""

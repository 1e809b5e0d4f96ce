"""Classes that a mean hides: never predicted, or with few test rows; and the largest confusions."""

from collections.abc import Sequence

from agnews_ray.compare.findings import ClassFacts, Fact, VariantFacts

FEW_ROWS = 10
"""The number of test rows below which a class's scores say little: one row is over ten points of
recall."""
MAX_CONFUSIONS = 10
"""The number of confusions that are listed for a variant; the matrix has all."""


class Confusion(Fact):
    """The rows of one class that were predicted as another."""

    label: str
    predicted: str
    num_rows: int
    """The number of rows over all seeds."""
    share: float
    """The share of the label's rows over all seeds."""


def is_never_predicted(one: ClassFacts) -> bool:
    """Whether a class has test rows but no seed predicts it for any row."""
    return one.num_examples > 0 and one.num_predicted == 0


def has_few_rows(one: ClassFacts) -> bool:
    """Whether a class has fewer than ``FEW_ROWS`` test rows."""
    return one.num_examples < FEW_ROWS


def remarks(one: ClassFacts) -> str:
    """Say what a mean over classes hides about this one; empty if nothing."""
    found = []
    if is_never_predicted(one):
        found.append("never predicted")
    if one.num_examples == 0:
        found.append("no test row")
    elif has_few_rows(one):
        found.append(f"under {FEW_ROWS} test rows")
    return ", ".join(found)


def largest_confusions(variant: VariantFacts) -> Sequence[Confusion]:
    """List a variant's most frequent confusions.

    Args:
        variant: a variant with its confusion matrix.

    Returns:
        At most ``MAX_CONFUSIONS``, those with most rows first.
    """
    names = [one.name for one in variant.classes]
    found = [
        Confusion(label=names[i], predicted=names[j], num_rows=number, share=number / sum(line))
        for i, line in enumerate(variant.confusion)
        for j, number in enumerate(line)
        if number and i != j
    ]
    return sorted(found, key=lambda one: -one.num_rows)[:MAX_CONFUSIONS]

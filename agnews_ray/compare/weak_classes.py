"""Classes that a mean hides: never predicted, of few test rows; and what is taken for what."""

from collections.abc import Sequence

from agnews_ray.compare.results import ClassFacts, Fact, VariantFacts

FEW_ROWS = 10
"""With fewer test rows a class's scores say little: one row is over ten points of recall."""
MAX_CONFUSIONS = 10
"""Confusions that are listed of a variant; the matrix has all."""


class Confusion(Fact):
    """Rows of one class that were predicted as another."""

    label: str
    predicted: str
    num_rows: int
    """Over all seeds."""
    share: float
    """Of the label's rows over all seeds."""


def is_never_predicted(one: ClassFacts) -> bool:
    """Whether a class has test rows and no seed predicts it for any row."""
    return one.num_examples > 0 and one.num_predicted == 0


def has_few_rows(one: ClassFacts) -> bool:
    """Whether a class has under ``FEW_ROWS`` test rows."""
    return one.num_examples < FEW_ROWS


def remarks(one: ClassFacts) -> str:
    """Say what a mean over classes hides of this one; empty where it is nothing."""
    found = []
    if is_never_predicted(one):
        found.append("never predicted")
    if one.num_examples == 0:
        found.append("no test row")
    elif has_few_rows(one):
        found.append(f"under {FEW_ROWS} test rows")
    return ", ".join(found)


def largest_confusions(variant: VariantFacts) -> Sequence[Confusion]:
    """List what a variant takes for what most often.

    Args:
        variant: with its confusion matrix.

    Returns:
        At most ``MAX_CONFUSIONS``, those of most rows first.
    """
    names = [one.name for one in variant.classes]
    found = [
        Confusion(label=names[i], predicted=names[j], num_rows=number, share=number / sum(line))
        for i, line in enumerate(variant.confusion)
        for j, number in enumerate(line)
        if number and i != j
    ]
    return sorted(found, key=lambda one: -one.num_rows)[:MAX_CONFUSIONS]

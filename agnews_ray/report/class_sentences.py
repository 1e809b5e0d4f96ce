"""What there is to say about single classes, in sentences."""

from agnews_ray.compare.assessment import Assessment
from agnews_ray.compare.weak_classes import FEW_ROWS, has_few_rows, is_never_predicted

NUM_NAMED = 3
"""The number of classes that a sentence names; tables have all."""
MAX_NAME = 40


def weak_classes(assessment: Assessment) -> list[str]:
    """Name the classes that are never predicted, or have too few test rows to judge.

    Args:
        assessment: the study's assessment.

    Returns:
        A sentence for each variant that never predicts some, and one on the test rows.
    """
    found = []
    for variant in assessment.variants:
        never = [one.name for one in variant.classes if is_never_predicted(one)]
        if never:
            found.append(
                f"{variant.name} never predicts {_of_classes(never, len(variant.classes))}. "
                "Accuracy hides this; macro-F1 counts each such class as 0."
            )
    classes = assessment.variants[0].classes
    few = [one.name for one in classes if has_few_rows(one)]
    if few:
        found.append(
            f"Under {FEW_ROWS} test rows: {_of_classes(few, len(classes))}. Their own scores say "
            "little."
        )
    return found


def _of_classes(names: list[str], num_classes: int) -> str:
    shown = ", ".join(
        name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}\N{HORIZONTAL ELLIPSIS}"
        for name in names[:NUM_NAMED]
    )
    such_as = f", such as {shown}" if len(names) > NUM_NAMED else f": {shown}"
    return f"{len(names):,} of {num_classes:,} classes{such_as}"

"""The weights of rows' losses, by class."""

from collections.abc import Sequence

from agnews_ray.errors import SpecError
from agnews_ray.spec.recipe import RecipeSpec


def class_weights(
    recipe: RecipeSpec, class_names: Sequence[str], class_counts: Sequence[int]
) -> tuple[float, ...] | None:
    """Compute the weight of each class.

    Args:
        recipe: the recipe, which says which weights are wanted.
        class_names: the C names, in label order.
        class_counts: the C numbers of train rows. A stratified sample of them has the same weights.

    Returns:
        C weights, or None if every row has the same weight. ``balanced`` gives class c with n_c of
        the N rows the weight N / (C n_c), so that all classes have the same total weight; a class
        without rows gets 1.

    Raises:
        SpecError: the recipe's list does not have C weights.

    Source: ``sklearn.utils.class_weight.compute_class_weight``.
    """
    wanted = recipe.class_weights
    if wanted == "none":
        return None
    if wanted == "balanced":
        num_rows, num_classes = sum(class_counts), len(class_names)
        return tuple(num_rows / (num_classes * n) if n else 1.0 for n in class_counts)
    if len(wanted) != len(class_names):
        names = ", ".join(class_names)
        found = f"want one for each of {len(class_names)} classes ({names}), found {len(wanted)}"
        raise SpecError("study", [f"recipe.class_weights: {found}; or use balanced"])
    return wanted

"""The confusion matrix as a picture."""

import pytest

from agnews_ray.report.confusion import MOST_OUTLINED, cell_size, confusion_figure
from tests.fakes.facts import a_class, a_variant, chart_rows


def a_matrix(num_classes):
    """A variant that is right but for class 0, which it takes for class 1."""
    confusion = [[2 * (i == j) for j in range(num_classes)] for i in range(num_classes)]
    confusion[0][:2] = [0, 3]
    classes = tuple(a_class(f"class {number:03}") for number in range(num_classes))
    return a_variant("bert", confusion, classes=classes)


def marks(chart):
    return [layer["mark"]["type"] for layer in chart["layer"]]


@pytest.mark.parametrize(("num_classes", "cell"), [(2, 84), (12, 54), (43, 15), (150, 5)])
def test_the_matrix_has_all_classes_in_one_order_on_both_axes(num_classes, cell):
    chart = confusion_figure(a_matrix(num_classes), 0).specification()
    names = [f"class {number:03}" for number in range(num_classes)]
    for axis in ("x", "y"):
        assert chart["layer"][0]["encoding"][axis]["scale"]["domain"] == names
    assert chart["width"] == chart["height"] == {"step": cell}
    assert chart["usermeta"] == {"side": num_classes}
    assert ("text" in marks(chart)) == (num_classes <= 12)


@pytest.mark.parametrize(
    ("num_classes", "size"),
    [(4, 84), (5, 54), (12, 54), (13, 40), (17, 40), (18, 37), (136, 5), (1000, 5)],
)
def test_cells_shrink_with_the_number_of_classes_to_what_can_be_seen(num_classes, size):
    assert cell_size(num_classes) == size


def test_a_cell_is_a_share_of_its_label():
    variant = a_variant(confusion=[[5, 1, 0], [3, 6, 0], [0, 0, 0]])
    cells = {
        (row["label"], row["predicted"]): (row["count"], row["share"])
        for row in chart_rows(confusion_figure(variant, 0).specification())
        if "share" in row
    }
    assert len(cells) == 9
    assert cells["a", "b"] == (1, pytest.approx(1 / 6))
    assert cells["b", "a"] == (3, pytest.approx(1 / 3))
    assert cells["c", "c"] == (0, 0)  # a class without rows


def test_of_many_classes_empty_cells_are_left_out():
    rows = chart_rows(confusion_figure(a_matrix(13), 0).specification())
    shown = [(row["label"], row["predicted"]) for row in rows if "share" in row]
    assert len(shown) == 13
    assert ("class 000", "class 001") in shown
    assert ("class 000", "class 000") not in shown


@pytest.mark.parametrize(
    ("num_classes", "num_layers"), [(MOST_OUTLINED, 2), (MOST_OUTLINED + 1, 1)]
)
def test_the_diagonal_is_outlined_where_that_hides_nothing(num_classes, num_layers):
    chart = confusion_figure(a_matrix(num_classes), 0).specification()
    assert marks(chart) == ["rect"] * num_layers


def test_a_figure_is_chosen_by_its_variants_name():
    figure = confusion_figure(a_matrix(2), 3)
    assert (figure.name, figure.choice) == ("confusion-3", "bert")
    assert figure.title.startswith("Confusion of bert; ")

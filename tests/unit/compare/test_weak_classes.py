import pytest

from agnews_ray.compare.weak_classes import (
    has_few_rows,
    is_never_predicted,
    largest_confusions,
    remarks,
)
from tests.fakes.facts import a_class, a_variant


@pytest.mark.parametrize(
    ("num_examples", "num_predicted", "said"),
    [
        (10, 0.5, ""),
        (9, 1.0, "under 10 test rows"),
        (1, 0.0, "never predicted, under 10 test rows"),
        (10, 0.0, "never predicted"),
        (0, 0.0, "no test row"),
        (0, 3.0, "no test row"),
    ],
)
def test_what_a_mean_hides_of_a_class_is_said(num_examples, num_predicted, said):
    one = a_class(num_examples=num_examples, num_predicted=num_predicted)
    assert remarks(one) == said
    assert is_never_predicted(one) == ("never" in said)
    assert has_few_rows(one) == (num_examples < 10)


def test_confusions_are_listed_largest_first_with_their_share_of_the_label():
    found = largest_confusions(a_variant(confusion=[[5, 1, 0], [3, 6, 0], [0, 2, 0]]))
    assert [(c.label, c.predicted, c.num_rows, c.share) for c in found] == [
        ("b", "a", 3, pytest.approx(3 / 9)),
        ("c", "b", 2, 1.0),
        ("a", "b", 1, pytest.approx(1 / 6)),
    ]


def test_at_most_ten_confusions_are_listed():
    found = largest_confusions(a_variant(confusion=[[1] * 4 for _ in range(4)]))
    assert len(found) == 10

import pytest

from agnews_ray.report.grid import (
    Cell,
    estimate,
    facts_grid,
    how_many_listed,
    kept_text,
    number,
    sort_key,
    word,
)
from tests.fakes.facts import HALF


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("0.9100 ± 0.0141", 0.91),
        ("1.00 | 1.50", 1.0),
        ("12,345 rows", 12345.0),
        ("2 (+1 diverged)", 2.0),
        ("Diverged", "diverged"),
        ("-", "-"),
        ("", ""),
    ],
)
def test_a_text_is_sorted_by_its_leading_number(text, key):
    assert sort_key(text) == key


def test_a_cell_is_written_for_people_and_sorted_by_its_value():
    assert word("B" * 100) == Cell("B" * 100, "b" * 60)
    assert number(12345, ",d") == Cell("12,345", 12345)
    assert number(0.98765, ".2f") == Cell("0.99", 0.98765)
    assert estimate("about half", HALF) == Cell("about half", 0.5, HALF)


@pytest.mark.parametrize(
    ("num_listed", "num_found", "said"),
    [(3, 3, ""), (0, 0, ""), (1000, 1234, " The first 1,000 are listed.")],
)
def test_a_list_that_is_not_whole_says_so(num_listed, num_found, said):
    assert how_many_listed(num_listed, num_found) == said


def test_an_empty_text_is_not_a_text_that_is_missing():
    assert kept_text("") == ""
    assert kept_text(None) == "(not kept)"


def test_facts_are_a_folded_table_of_words():
    grid = facts_grid("recipe", "Recipe", {"num_epochs": "2", "device": "CPU"})
    assert [[cell.text for cell in row] for row in grid.rows] == [
        ["num_epochs", "2"],
        ["device", "CPU"],
    ]
    assert (grid.num_text_columns, grid.is_long) == (len(grid.columns), True)

"""What the report says about a search."""

import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.compare.assessment import Settings
from agnews_ray.report.page import to_html
from agnews_ray.report.search_section import search_sections
from agnews_ray.report.sections import all_sections
from tests.fakes.facts import an_assessment
from tests.fakes.searched import a_searched_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return a_searched_study(tmp_path_factory.mktemp("runs"), qualities=(0.6, 0.9))


@pytest.fixture(scope="module")
def assessment(folder):
    return assess_study(folder, Settings(num_draws=50))


@pytest.fixture(scope="module")
def section(assessment):
    (found,) = search_sections(assessment)
    return found


def grid(section, name):
    return next(one for one in section.grids if one.name == name)


def test_a_study_without_a_search_has_no_such_section():
    assert search_sections(an_assessment()) == []


def test_the_section_comes_after_the_costs_of_training(assessment):
    names = [section.name for section in all_sections(assessment)]
    assert names[:4] == ["verdict", "comparison", "front", "search-0"]


def test_it_says_size_verdict_optimism_and_what_mattered(section):
    starts = [
        "Tried: first, 24 settings x 1 seed",
        "Tuning helped: first (tuned) is better than first",
        "Chosen as the best of many, the winner scored",
        "Of the search's train time, 20 % went into trials that were stopped early.",
        "What mattered: learning_rate",
    ]
    for start, paragraph in zip(starts, section.paragraphs, strict=False):
        assert paragraph.startswith(start)


def test_the_best_settings_come_first_and_whole_ones_before_stopped_ones(section, assessment):
    (search,) = assessment.table.searches
    rows = [[cell.text for cell in row] for row in grid(section, "search-settings-0").rows]
    assert len(rows) == 10
    assert rows[0][0] == str(search.best.number)
    scores = [float(row[-3]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert {row[1] for row in rows} == {"whole"}


def test_importances_are_a_table_with_intervals(section):
    rows = grid(section, "search-importances-0").rows
    assert [row[0].text for row in (rows[0], rows[-1])] == [
        "recipe.learning_rate",
        "seeds and the rest",
    ]
    assert all(row[1].interval for row in rows)


def test_a_search_without_a_winner_says_that_nothing_is_known_yet(assessment):
    rows = tuple(row.model_copy(update={"search": None}) for row in assessment.table.rows[:1])
    facts = assessment.searches[0].model_copy(update={"pair": None, "curse": None})
    before = assessment.model_copy(
        update={
            "table": assessment.table.model_copy(update={"rows": rows}),
            "searches": (facts,),
        }
    )
    (section,) = search_sections(before)
    assert section.paragraphs[1].startswith("The best settings were not trained with new seeds yet")
    same = facts.model_copy(update={"is_default_best": True})
    (section,) = search_sections(before.model_copy(update={"searches": (same,)}))
    assert section.paragraphs[1].startswith("Tuning did not help: the best of all tried settings")


def test_the_page_shows_one_slice_at_a_time_below_the_other_figures(assessment):
    page = to_html(assessment)
    start = page.index('<section id="search-0"')
    part = page[start : page.index("</section>", start)]
    figures = part.split("<figure")[1:]
    assert ["hidden" in one.partition(">")[0] for one in figures] == [False] * 4 + [True] * 3
    assert part.index("best-so-far-0") < part.index("<select") < part.index("slice-0-0")

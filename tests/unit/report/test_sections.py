"""The sections of a report: which there are, and what they show."""

import pytest

from agnews_ray.compare.cost_front import cost_facts
from agnews_ray.compare.findings import CostAxis, Disagreement, HardRow
from agnews_ray.compare.prices import Prices
from agnews_ray.report.sections import all_sections
from tests.fakes.facts import HALF, a_variant, an_assessment, some_doubts, trials_of
from tests.fakes.records import a_linear_record, a_record
from tests.unit.compare.test_cost_front import a_cost

ROW = Disagreement(
    row=4, text="cup", label="no", right="one", wrong="two", predicted="yes", probability=0.5
)
HARD = HardRow(row=7, text="oil", label="no", preferred="yes", num_votes=5, probability=0.75)
AXIS = CostAxis(name="Parameters", unit="M", costs=(2.0, 1.0), is_on_front=(False, True))


def sections(*facts, **changes):
    return {section.name: section for section in all_sections(an_assessment(*facts, **changes))}


def texts(grid):
    return [[cell.text for cell in row] for row in grid.rows]


@pytest.fixture(scope="module")
def everything():
    """A report in which no section is empty: a cost, a validation split, a diverged trial."""
    lost = a_record("two-s4", "two", seed=4, diverged="loss is not a number")
    lost = lost.model_copy(update={"test": lost.test.none_of(10)})
    whole = an_assessment([*trials_of("one"), *trials_of("two"), lost])
    costs = cost_facts([(row, [a_cost()]) for row in whole.table.rows], Prices(use_per_hour=1.0))
    changes = {
        "costs": costs,
        "axes": (AXIS,),
        "doubts": some_doubts(num_disagreements=1, disagreements=(ROW,), num_hard=1, hard=(HARD,)),
        "variants": (
            a_variant("one", trial_ids=("one-s1",), validation_accuracy=(0.7, 0.8)),
            a_variant("two", trial_ids=("two-s1",), validation_accuracy=(0.6, 0.75)),
        ),
    }
    return all_sections(whole.model_copy(update=changes))


def test_the_verdict_comes_first_and_how_it_was_made_last(everything):
    assert [section.name for section in everything] == [
        "verdict",
        "comparison",
        "front",
        "costs",
        "learning",
        "classes",
        "calibration",
        "doubts",
        "disagreements",
        "provenance",
    ]


def test_every_row_of_every_table_has_a_cell_for_each_column(everything):
    for section in everything:
        for grid in section.grids:
            assert {len(row) for row in grid.rows} == {len(grid.columns)}, grid.name


def test_names_of_figures_and_tables_are_fit_for_files_and_different(everything):
    names = [one.name for section in everything for one in (*section.figures, *section.grids)]
    assert len(set(names)) == len(names)
    assert all(name.replace("-", "").isalnum() and name.isascii() for name in names)


def test_a_variant_alone_has_a_verdict_without_pairs():
    found = sections(trials_of("one"))["verdict"]
    assert found.paragraphs[0].startswith("one reaches accuracy 0.5000")
    assert (found.figures, found.grids) == ((), ())


def test_a_pair_is_written_in_points_with_its_verdict():
    (grid,) = sections()["verdict"].grids
    (row,) = texts(grid)
    minus = "\N{MINUS SIGN}"
    assert row[:5] == [
        "two against one",
        "worse",
        f"{minus}1.00 [{minus}2.00, {minus}0.30]",
        f"{minus}4.00 [{minus}7.00, {minus}1.00]",
        "95 %",
    ]
    assert row[5:] == ["0.0120", "< 0.0001", "0.0300", "2.0", "12.5", "3"]
    assert grid.rows[0][2].interval.low == pytest.approx(-2.0)


def test_the_note_on_verdicts_says_which_test_there_is():
    (grid,) = sections()["verdict"].grids
    assert "The verdict is on accuracy." in grid.note
    assert "at most 5 % " in grid.note
    assert "exact McNemar for a single seed" in grid.note


def test_a_score_is_written_with_its_interval_and_a_lost_variant_without():
    lost = a_record("three-s1", "three", diverged="loss is not a number")
    lost = lost.model_copy(update={"test": lost.test.none_of(10)})
    (grid,) = sections([*trials_of("one"), lost], pairs=())["comparison"].grids
    accuracy = grid.columns.index("Accuracy")
    assert [row[accuracy].text for row in grid.rows] == ["0.5000 [0.4000, 0.6000]", "diverged"]
    assert grid.rows[0][accuracy].interval == HALF


def test_what_is_on_the_front_is_said_for_each_cost():
    (grid,) = sections(axes=(AXIS,))["front"].grids
    assert texts(grid) == [
        ["Parameters", "M", "one", "2", "0.5000", "no"],
        ["Parameters", "M", "two", "1", "0.5000", "yes"],
    ]


def test_costs_that_were_not_measured_are_a_command():
    found = sections()["costs"]
    assert found.code == ("agnews-ray measure runs/study",)
    assert found.grids == ()


def test_measured_costs_are_a_table_with_their_machine(everything):
    (grid,) = next(section for section in everything if section.name == "costs").grids
    assert [row[:4] for row in texts(grid)] == [
        ["CPU", "one", "CPU, 1 thread, fp32", "10.00"],
        ["CPU", "two", "CPU, 1 thread, fp32", "10.00"],
    ]


def test_each_epoch_of_a_validation_split_is_a_row(everything):
    assert sections()["learning"].grids == ()
    (grid,) = next(section for section in everything if section.name == "learning").grids
    assert texts(grid) == [
        ["one", "1", "0.7000"],
        ["one", "2", "0.8000"],
        ["two", "1", "0.6000"],
        ["two", "2", "0.7500"],
    ]


def test_calibration_is_a_row_for_each_variant():
    (grid,) = sections()["calibration"].grids
    assert texts(grid) == [["one", "0.1250", "0.2500"], ["two", "0.1250", "0.2500"]]


def linear_rows(**changes):
    return sections([*trials_of("one"), a_linear_record(name="svm")], **changes)


def test_a_model_without_steps_has_no_curve_and_no_epochs():
    variants = (
        a_variant("one", trial_ids=("one-s1",), validation_accuracy=(0.7, 0.8)),
        a_variant("svm", trial_ids=("svm-s1",), curve=(), validation_accuracy=(0.6,)),
    )
    found = linear_rows(variants=variants)["learning"]
    assert "have no curve" in found.paragraphs[0]
    assert texts(found.grids[0])[-1] == ["svm", "-", "0.6000"]


def test_linear_models_alone_have_no_learning_curves():
    alone = (a_variant("svm", trial_ids=("svm-s1",), curve=()),)
    assert "learning" not in sections([a_linear_record(name="svm")], variants=alone)
    validated = (alone[0].model_copy(update={"validation_accuracy": (0.6,)}),)
    found = sections([a_linear_record(name="svm")], variants=validated)["learning"]
    assert (found.title, found.figures) == ("Validation", ())


def test_an_svms_probabilities_are_explained():
    assert "svm: an SVM has no probabilities" in linear_rows()["calibration"].grids[0].note
    assert "SVM" not in sections()["calibration"].grids[0].note

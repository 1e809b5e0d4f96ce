"""What a report says of single rows, and of how the study was made."""

from agnews_ray.compare.findings import Disagreement, DuplicateRow, HardRow, Subset
from agnews_ray.report.row_sections import (
    disagreements_section,
    doubts_section,
    provenance_section,
)
from agnews_ray.spec.recipe import RecipeSpec
from tests.fakes.facts import an_assessment, some_doubts, trials_of
from tests.fakes.records import a_linear_record, a_record, an_attempt, with_own_recipe


def texts(grid):
    return [[cell.text for cell in row] for row in grid.rows]


def grids(section):
    return {grid.name: grid for grid in section.grids}


def of_facts(section, name):
    return dict(texts(grids(section)[name]))


def test_each_subset_has_both_scores_of_every_variant_side_by_side():
    subsets = (
        Subset(name="all rows", num_rows=7600, accuracy=(0.9, 0.8), macro_f1=(0.7, 0.6)),
        Subset(name="without duplicates", num_rows=10, accuracy=(0.5, 0.4), macro_f1=(0.3, 0.2)),
    )
    section = doubts_section(an_assessment(doubts=some_doubts(subsets=subsets)))
    grid = grids(section)["subsets"]
    assert grid.columns[2:] == ("one: accuracy", "one: macro-F1", "two: accuracy", "two: macro-F1")
    assert texts(grid) == [
        ["all rows", "7,600", "0.9000", "0.7000", "0.8000", "0.6000"],
        ["without duplicates", "10", "0.5000", "0.3000", "0.4000", "0.2000"],
    ]


def test_hard_rows_are_counted_whether_listed_or_not():
    row = HardRow(row=7, text=None, label="no", preferred="yes", num_votes=5, probability=0.75)
    section = doubts_section(an_assessment(doubts=some_doubts(num_hard=1200, hard=(row,))))
    grid = grids(section)["hard-rows"]
    assert texts(grid) == [["(not kept)", "no", "yes", "7", "5 of 6", "0.750"]]
    assert grid.title.endswith("(1,200)")
    assert grid.note.endswith(" The first 1 are listed.")
    assert section.paragraphs[0] == "All 6 trials get 1,200 of 10 test rows wrong with confidence."


def test_texts_that_were_not_kept_are_said_with_the_way_to_keep_them():
    section = doubts_section(an_assessment(doubts=some_doubts(num_duplicates=None)))
    assert "its submit command, run again, adds them" in section.paragraphs[1]
    assert "duplicates" not in grids(section)


def test_a_row_with_two_twins_is_one_of_the_duplicates():
    found = {"row": 3, "text": "oil up", "twin_row": 9}
    doubts = some_doubts(
        num_duplicates=2,
        duplicates=(
            DuplicateRow(twin_split="test", is_exact=True, **found),
            DuplicateRow(twin_split="train", is_exact=False, **found),
        ),
    )
    section = doubts_section(an_assessment(doubts=doubts))
    grid = grids(section)["duplicates"]
    assert texts(grid) == [
        ["oil up", "test", "exactly", "3", "9"],
        ["oil up", "train", "in words", "3", "9"],
    ]
    assert grid.note.endswith(" The first 1 are listed.")
    assert section.paragraphs[1].startswith("2 test row(s) repeat")


def test_rows_that_tell_models_apart_are_a_section_of_their_own():
    assert disagreements_section(an_assessment()) is None
    row = Disagreement(
        row=4, text="cup", label="no", right="one", wrong="two", predicted="yes", probability=0.5
    )
    doubts = some_doubts(num_disagreements=2, disagreements=(row,))
    (grid,) = disagreements_section(an_assessment(doubts=doubts)).grids
    assert texts(grid) == [["cup", "no", "one", "two", "yes", "4", "0.500"]]
    assert grid.note.endswith(" The first 1 are listed.")


def test_a_recipe_is_said_once_where_all_rows_have_it_alike():
    records = [*trials_of("one"), with_own_recipe("x", "two", num_epochs=3)]
    recipe = of_facts(provenance_section(an_assessment(records)), "recipe")
    assert recipe["num_epochs"] == "2 (one), 3 (two)"
    assert recipe["learning_rate"] == "2e-05"
    assert recipe.keys() == {*RecipeSpec.model_fields, "max_length_tokens"}


def test_the_precision_that_ran_is_said_and_not_the_one_asked_for():
    records = [*trials_of("one"), *trials_of("two", precision="bf16")]
    recipe = of_facts(provenance_section(an_assessment(records)), "recipe")
    assert recipe["precision"] == "bf16, fp32"


def test_machines_and_versions_that_differ_are_all_named_once():
    here = a_record().environment.model_copy(update={"versions": {"torch": "2.13.0"}})
    there = here.model_copy(update={"cpu": "another CPU", "versions": {"torch": "2.12.0"}})
    records = [
        *trials_of("one", environment=here),
        *trials_of("two", environment=there, seeds=(1,)),
    ]
    facts = of_facts(provenance_section(an_assessment(records)), "environment")
    assert facts["machine"] == "CPU, 2 CPUs, 0 GiB, Linux; another CPU, 2 CPUs, 0 GiB, Linux"
    assert (facts["torch"], facts["commit"]) == ("2.12.0, 2.13.0", "none")


def test_every_command_is_said_once_and_a_diverged_trial_has_no_score():
    lost = a_record("two-s2", "two", seed=2, diverged="loss is not a number", command="again")
    lost = lost.model_copy(update={"test": lost.test.none_of(10)})
    records = [*trials_of("one"), *trials_of("two", seeds=(1,)), lost]
    section = provenance_section(an_assessment(records))
    assert section.code == (
        "agnews-ray submit runs/study/study.yaml",
        "agnews-ray submit",
        "again",
    )
    trials = {row[0]: row[2] for row in texts(grids(section)["trials"])}
    assert (trials["one-s1"], trials["two-s2"]) == ("0.9000", "diverged")


def test_the_recipe_names_only_what_it_means_something_to():
    both = an_assessment([*trials_of("one"), a_linear_record(name="svm")])
    shown = {row[0].text: row[1].text for row in provenance_section(both).grids[0].rows}
    assert (shown["num_epochs"], shown["class_weights"]) == ("2", "none")
    alone = an_assessment([a_linear_record(name="svm")])
    shown = {row[0].text: row[1].text for row in provenance_section(alone).grids[0].rows}
    assert (shown["num_epochs"], shown["class_weights"]) == ("without effect", "none")


def test_interrupted_trials_are_listed_and_without_any_there_is_no_list():
    attempts = (an_attempt(0, 40, "lost worker"), an_attempt(30, 80))
    records = trials_of("one", seeds=(1,), attempts=attempts)
    grid = grids(provenance_section(an_assessment(records)))["interrupted"]
    assert texts(grid) == [["one-s1", "1 lost worker", "2", "10", "15 s"]]
    assert "interrupted" not in grids(provenance_section(an_assessment()))

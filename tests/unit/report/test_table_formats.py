import csv
import io
import json

import pytest
from rich.console import Console

from agnews_ray.compare.table import compare_records
from agnews_ray.record.schema import Scores
from agnews_ray.report import table_formats
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_linear_record, a_pretraining, a_record, a_student
from tests.fakes.searched import a_trial

PAPER_COLUMNS = [
    "Model",
    "Parameters (M)",
    "Accuracy",
    "Macro-F1",
    "Train time (min)",
    "Model Size (MB)",
]


@pytest.fixture
def table():
    records = [a_record(name="a|b_c"), a_record(name="a|b_c", seed=2, accuracy=0.92)]
    return compare_records("study", records, [])


def test_the_papers_columns_come_first():
    assert list(table_formats.COLUMNS)[:6] == PAPER_COLUMNS


def test_markdown_is_a_table_whose_cells_cannot_break_it(table):
    head, rule, row = table_formats.to_markdown(table).splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")][:6] == PAPER_COLUMNS
    assert set(rule) <= set("|-: ")
    assert "a\\|b\\_c" in row
    assert "0.9100 ± 0.0141" in row
    assert "33.36" in row
    assert "127.3" in row


@pytest.mark.parametrize("name", ["bert[large]", "bert [/b]", "[red]x", "ends with a \\"])
def test_a_terminal_shows_a_name_as_it_is(name):
    console = Console(width=250, record=True, file=io.StringIO())
    console.print(table_formats.to_rich(compare_records("study", [a_record(name=name)], []), 250))
    assert name in console.export_text()


def test_latex_escapes_names(table):
    text = table_formats.to_latex(table)
    assert r"\toprule" in text
    assert r"b\_c" in text
    assert r"$\pm$" in text


def test_csv_and_json_hold_every_field_unrounded(table):
    (row,) = csv.DictReader(io.StringIO(table_formats.to_csv(table)))
    document = json.loads(table_formats.to_json(table))
    (same,) = document["rows"]
    assert document["study"] == "study"
    assert float(row["accuracy"]) == same["accuracy"] == pytest.approx(0.91)
    needed = {"model", "num_seeds", "parameters", "accuracy", "macro_f1", "times"}
    assert needed | {"size_bytes", "num_test_examples"} <= set(same)
    assert float(row["train_seconds"]) == same["times"][0]["train_seconds"]


def test_plain_and_rich_show_the_same_numbers(table):
    console = Console(width=250, record=True, file=io.StringIO())
    console.print(table_formats.to_rich(table, 250))
    for cell in ("33.36", "0.9100 ± 0.0141", "127.3"):
        assert cell in console.export_text(clear=False)
        assert cell in table_formats.to_plain(table)


@pytest.mark.parametrize("width", [80, 120, 200])
def test_a_terminal_shows_the_papers_columns_whole_and_others_as_they_fit(table, width):
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table_formats.to_rich(table, width))
    text = console.export_text()
    assert all(len(line) <= width for line in text.splitlines())
    for cell in ("33.36", "0.9100 ± 0.0141", "127.3", "Parameters"):
        assert cell in text
    assert ("Precision" in text) == (width == 200)


def test_times_of_several_machines_are_told_apart_in_every_format():
    slow = a_record().training.model_copy(update={"train_seconds": 90.0})
    other = a_record().environment.model_copy(update={"cpu": "another CPU"})
    records = [
        a_record(),
        a_record(trial_id="x", seed=2, training=slow, environment=other),
    ]
    found = compare_records("study", records, [])
    for text in (table_formats.to_plain(found), table_formats.to_markdown(found).replace("\\", "")):
        assert "1.00 | 1.50" in text
    assert "CPU | another CPU" in table_formats.to_plain(found)
    lines = list(csv.DictReader(io.StringIO(table_formats.to_csv(found))))
    assert [(line["device"], line["train_seconds"]) for line in lines] == [
        ("CPU", "60.0"),
        ("another CPU", "90.0"),
    ]


def test_what_fell_back_and_what_slept_is_said_under_the_table():
    record = a_record()
    changes = {
        "engine": "reference",
        "engine_note": "the fast engine does not work on this GPU (why)",
        "paused_seconds": 101.0,
    }
    training = record.training.model_copy(update=changes)
    table = compare_records("study", [record.model_copy(update={"training": training})], [])
    for text in (
        table_formats.to_plain(table),
        table_formats.to_markdown(table),
        table_formats.to_latex(table),
    ):
        assert "by engine reference, not fast: the fast engine does not work" in text
        assert "were paused for 101 s during training" in text
    assert "CPU (reference)" in table_formats.to_plain(table)
    (row,) = csv.DictReader(io.StringIO(table_formats.to_csv(table)))
    assert (row["engine"], row["engine_there"]) == ("fast", "reference")


def test_a_recipe_of_its_own_is_said_in_every_format():
    own = VariantSpec(model="minilm", name="fast", recipe=RecipeChanges(learning_rate=5e-5))
    other = a_record("x", variant=own, recipe=RecipeSpec(learning_rate=5e-5))
    table = compare_records("study", [a_record(), other], [])
    change = "learning_rate 5e-05 (study: 2e-05)"
    assert f"fast has a recipe of its own: {change}." in table_formats.to_plain(table)
    for text in (table_formats.to_markdown(table), table_formats.to_latex(table)):
        assert change.replace("_", r"\_") in text
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(table_formats.to_csv(table)))}
    assert (rows["one"]["recipe_changes"], rows["fast"]["recipe_changes"]) == ("", change)
    found = {row["model"]: row for row in json.loads(table_formats.to_json(table))["rows"]}
    assert found["one"]["recipe_changes"] == []
    assert found["fast"]["recipe_changes"] == [
        {"key": "learning_rate", "value": 5e-5, "in_study": 2e-5}
    ]


def test_a_table_of_trials_that_do_not_score_test_says_so():
    record = a_record(scores_test=False, test=Scores.none_of(10))
    assert "no trial scores the test split" in table_formats.to_plain(
        compare_records("study", [record], [])
    )


def test_a_search_is_a_line_under_the_table_and_a_column_of_csv():
    trial = a_trial(0, {"recipe.learning_rate": 1e-4}, 0.9, variant="one")
    records = [a_record(), a_record("two", "one (tuned)"), trial]
    table = compare_records("study", records, ["one"])
    line = "search: one, 1 setting x 1 seed, 1.0 min, a part of the price of one (tuned), not of"
    assert line in table_formats.to_plain(table)
    assert "search: one, 1 setting" in table_formats.to_markdown(table)
    assert "search: one, 1 setting" in table_formats.to_latex(table)
    default, winner = csv.DictReader(io.StringIO(table_formats.to_csv(table)))
    assert [row["search_train_seconds"] for row in (default, winner)] == ["", "60.0"]


def test_a_linear_model_has_no_padding_and_does_not_count_the_workers():
    tuned = a_record(scaling=ScalingSpec(num_workers=2))
    table = compare_records("s", [a_linear_record(name="svm"), tuned], ["svm", "one"])
    lines = table_formats.to_plain(table).splitlines()
    assert "2 worker(s)" in lines[0]
    assert lines[3].split()[7] == "-"
    assert "Not fine-tuned" in lines[-1]


def test_teaching_is_a_line_under_the_table_and_a_column_of_csv():
    student = a_student("s-s1", starts_from="pre")
    table = compare_records("study", [a_record(), student, a_pretraining("pre")], ["one"])
    assert "teaching: taught was pre-trained on 300 texts" in table_formats.to_plain(table)
    assert "teaching: taught was pre-trained" in table_formats.to_markdown(table)
    plain, taught = csv.DictReader(io.StringIO(table_formats.to_csv(table)))
    assert [row["teaching_seconds"] for row in (plain, taught)] == ["", "60.0"]

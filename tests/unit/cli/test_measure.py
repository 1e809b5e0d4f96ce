"""``agnews-ray measure``: what it asks for and prints; the measuring is made up."""

import json

import pytest

from agnews_ray.app import measure_artifacts
from agnews_ray.app.analyse import compare_study
from agnews_ray.app.measure_artifacts import MeasureSpec
from agnews_ray.compare.cost_front import cost_facts
from agnews_ray.compare.prices import Prices, TrainPrice
from tests.fakes.command import error, run
from tests.fakes.studies import a_study, diverges
from tests.unit.compare.test_cost_front import a_cost


@pytest.fixture
def folder(tmp_path):
    return a_study(tmp_path, variants=(("first", 0.9), ("second", diverges([0, 1, 0]))))


@pytest.fixture
def asked(monkeypatch):
    """What is asked of the measuring, which gives one cost for each variant."""
    asked = []

    def measure_study(folder, spec, command, prices, note):
        asked.append((spec, prices))
        note("loading on cpu")
        rows = compare_study(folder).rows
        return cost_facts([(row, [a_cost()]) for row in rows], prices)

    monkeypatch.setattr(measure_artifacts, "measure_study", measure_study)
    return asked


def test_flags_say_what_is_measured_and_paid(folder, asked):
    flags = ["--rows", "64", "--device", "cpu", "--precision", "bf16", "--price-per-hour", "1"]
    run("measure", folder, *flags, "--train-price-per-hour", "T4=2")
    assert asked == [
        (
            MeasureSpec(num_rows=64, device="cpu", precision="bf16"),
            Prices(use_per_hour=1.0, training=(TrainPrice(machine="T4", per_hour=2.0),)),
        )
    ]


def test_without_flags_the_defaults_are_measured(folder, asked):
    run("measure", folder)
    assert asked == [(MeasureSpec(), Prices())]


def test_costs_are_a_table_and_notes_go_to_standard_error(folder, asked):
    done = run("measure", folder)
    assert done.stderr == "loading on cpu\n"
    assert done.stdout.splitlines()[0] == "CPU"
    assert "second seed 2 diverged (" in done.stdout.splitlines()[-1]


def test_a_script_gets_one_document_and_no_notes(folder, asked):
    done = run("measure", folder, "--json")
    document = json.loads(done.stdout)
    assert [cost["variant"] for cost in document["costs"]] == ["first", "second"]
    assert [one["seed"] for one in document["diverged"]] == [2]
    assert done.stderr == ""


def test_a_folder_that_is_no_study_is_one_line(tmp_path):
    assert "want the folder of a study" in error("measure", tmp_path)


def test_no_rows_cannot_be_measured(folder, asked):
    assert "Invalid value for '--rows'" in error("measure", folder, "--rows", "0")
    assert asked == []

"""``agnews-ray bench``: the study that it times, and what it prints; the timing is made up."""

import json
from types import SimpleNamespace

import pytest

from agnews_ray.bench import rounds
from tests.fakes.command import error, run
from tests.unit.bench.test_speed_table import a_bench


@pytest.fixture
def timed(monkeypatch):
    """Stands in for the timing, with a result; gives what it was asked for."""
    timed = SimpleNamespace(result=a_bench(), asked=[])

    def bench_engines(study, runs, num_rounds, note):
        timed.asked.append((study, num_rounds))
        note("round 1")
        return timed.result

    monkeypatch.setattr(rounds, "bench_engines", bench_engines)
    return timed


def test_flags_become_a_study_of_one_epoch_on_a_sample(timed):
    words = ["--models", "bert, distilbert,", "--init", "random", "--dataset", "synthetic:"]
    words += ["--rows", "320", "--rounds", "2", "--precision", "fp32", "--device", "cpu"]
    run("bench", *words)
    ((study, num_rounds),) = timed.asked
    assert [(one.model, one.init) for one in study.models] == [
        ("bert", "random"),
        ("distilbert", "random"),
    ]
    assert (study.data.source, study.data.limit_train) == ("synthetic:", 320)
    assert (study.recipe.num_epochs, study.recipe.precision) == (1, "fp32")
    assert (study.scaling.device, num_rounds) == ("cpu", 2)


def test_the_table_is_printed_and_notes_go_to_standard_error(timed):
    done = run("bench", "--init", "random")
    assert "4.00 (2.00-6.00) x" in done.stdout
    assert done.stderr == "round 1\n"


def test_a_script_gets_one_document(timed):
    document = json.loads(run("bench", "--init", "random", "--format", "json").stdout)
    assert [row["ratio"] for row in document["rows"]] == [1.0, 4.0]


def test_where_nothing_could_be_timed_it_is_exit_code_1(timed):
    timed.result = a_bench(rows=())
    run("bench", "--init", "random", code=1)


@pytest.mark.parametrize("words", [("--rows", "159"), ("--rounds", "0")], ids=" ".join)
def test_too_little_to_time_is_refused(timed, words):
    assert f"Invalid value for '{words[0]}'" in error("bench", *words)
    assert timed.asked == []

"""``agnews-ray plan`` with a real probe of a tiny model."""

import json

import pytest

from tests.fakes.command import error, run

JOB = """
models:
  - name: tiny
    model: minilm
    init: random
    architecture: {num_layers: 1, hidden_size: 32, num_heads: 2, intermediate_size: 32,
                   vocab_size: 200}
seeds: [1, 2]
data: {source: "synthetic:train=200,test=40,seed=1"}
"""


@pytest.fixture(scope="module")
def planned(tmp_path_factory):
    """A plan, and a second one of other epochs, which uses the first one's probe."""
    folder = tmp_path_factory.mktemp("plan")
    (folder / "job.yaml").write_text(JOB)
    words = ("plan", folder / "job.yaml", "--runs", folder / "runs")
    first = run(*words, "--budget", "90s", "--price-per-hour", "0.5")
    second = run(*words, "--epochs", "50", "--budget", "22s", "--json")
    return first, json.loads(second.stdout)


def test_it_shows_the_study_each_variant_and_what_the_budget_does(planned):
    lines = planned[0].stdout.splitlines()
    assert lines[0].startswith("study synthetic-")
    assert any(line.startswith("probe tiny: training a few batches on the cpu") for line in lines)
    assert any(line.split()[:2] == ["tiny", "2"] for line in lines)
    assert any(line.startswith("the study: 2 trial(s), ") for line in lines)
    assert lines[-1] == "budget 90s: it fits; a submit runs all 2 trial(s)"


def test_the_document_has_the_same_facts_unrounded(planned):
    document = planned[1]
    assert document["study"]["num_trials"] == 2
    (variant,) = document["variants"]
    assert 0 < variant["train_seconds_low"] < variant["train_seconds"]
    assert variant["peak_memory_bytes"] > 1 << 20
    assert document["budget"]["limit"] == "22s"


def test_nothing_was_started(planned):
    assert planned[1]["study"]["num_finished"] == 0


def test_money_without_a_price_is_refused_before_anything_is_measured(tmp_path):
    (tmp_path / "job.yaml").write_text(JOB)
    assert error("plan", tmp_path / "job.yaml", "--budget", "5usd").endswith(
        "want the price of an hour beside 5usd, found none; add --price-per-hour PRICE"
    )

"""A search on real Ray: trials are stopped within an epoch, and their workers take the next."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from agnews_ray.record.store import StudyStore
from agnews_ray.spec.loader import build_study, read_job_file
from tests.integration.conftest import TINY, Workplace, a_job

pytestmark = pytest.mark.integration

NUM_TRIALS = 6


@dataclass
class Searched:
    """A finished search."""

    place: Workplace
    printed: dict[str, Any]

    @property
    def store(self):
        return StudyStore(self.place.folder / "runs", "searched")

    @property
    def trials(self):
        return [record for record in self.store.records() if record.search is not None]


@pytest.fixture(scope="session")
def searched(made_once, workplace):
    def make():
        place = workplace("searched")
        space = {"recipe.learning_rate": {"low": 1e-6, "high": 4e-3, "log": True}}  # no default
        job = a_job(
            name="searched",
            models=[{"name": "tiny", "model": "minilm", "init": "random", "architecture": TINY}],
            seeds=[7],
            data={"validation_fraction": 0.2, "max_length_tokens": 16},
            search={"space": space, "num_trials": NUM_TRIALS},
        )
        done = place.run("tune", "--json", job=job)
        assert done.returncode == 0, done.err + done.out
        return Searched(place, json.loads(done.out))

    return made_once("searched", make)


def test_every_setting_has_a_record_without_test_scores_or_an_artifact(searched):
    assert sorted(record.search.number for record in searched.trials) == list(range(NUM_TRIALS))
    for record in searched.trials:
        assert record.test.accuracy is None
        assert not (searched.store.trial_folder(record.trial_id) / "artifact").exists()


def test_a_stopped_trial_made_only_the_steps_to_its_rung(searched):
    stopped = [record for record in searched.trials if record.search.is_stopped]
    assert len(stopped) == searched.printed["winners"][0]["num_stopped"] > 0
    assert [record.training.num_steps for record in stopped] == [
        record.search.rungs[-1].step for record in stopped
    ]


def test_the_table_has_the_default_and_the_winner_with_the_studys_seed(searched):
    rows = {row["model"]: row["seeds"] for row in searched.printed["rows"]}
    assert rows == {"tiny": [7], "tiny (tuned)": [7]}
    (winner,) = searched.printed["winners"]
    final = {r.variant.name: r for r in searched.store.records() if r.search is None}
    rate = final["tiny (tuned)"].recipe.learning_rate
    assert rate == winner["settings"]["recipe.learning_rate"]


def test_the_best_job_file_is_read_by_submit(searched):
    study = build_study(read_job_file(searched.store.best_path), "best.yaml")
    assert [variant.name for variant in study.models] == ["tiny (tuned)"]


def test_the_same_command_again_runs_nothing(searched):
    before = {r.trial_id: r.created_at for r in searched.store.records()}
    done = searched.place.run("tune", "job.yaml", "--json")
    assert json.loads(done.out)["winners"] == searched.printed["winners"]
    assert {r.trial_id: r.created_at for r in searched.store.records()} == before

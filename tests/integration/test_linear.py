"""Fine-tuned and linear models in one study, on real Ray: one table, one class for artifacts."""

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.model.artifact import Classifier
from agnews_ray.record.outputs import load_predictions
from agnews_ray.record.store import StudyStore
from tests.fakes.artifacts import an_artifact
from tests.integration.conftest import TINY, Workplace, a_job

pytestmark = pytest.mark.integration


@dataclass
class Mixed:
    """A finished study."""

    place: Workplace
    printed: dict[str, Any]

    @property
    def store(self):
        return StudyStore(self.place.folder / "runs", "mixed")


@pytest.fixture(scope="session")
def mixed(made_once, workplace):
    """A study with a linear model first, two workers for the tuned one, a validation split."""

    def make():
        place = workplace("mixed")
        encoder = an_artifact(place.folder / "encoder")
        tiny = {"name": "tuned", "model": "distilbert", "init": "random", "architecture": TINY}
        job = a_job(
            name="mixed",
            models=[{"model": "tfidf-svm"}, tiny, {"model": f"embed-logreg:{encoder}"}],
            seeds=[1, 2],
            scaling={"num_workers": 2},
            data={"validation_fraction": 0.1, "max_length_tokens": 8},
        )
        done = place.run("submit", "--json", job=job)
        assert done.returncode == 0, done.err + done.out
        return Mixed(place, json.loads(done.out))

    return made_once("mixed", make)


def test_all_models_are_in_one_table(mixed):
    rows = {row["model"]: row for row in mixed.printed["rows"]}
    assert list(rows) == ["tfidf-svm", "tuned", "embed-logreg:encoder"]
    assert [row["num_seeds"] for row in rows.values()] == [2, 2, 2]
    assert [row["engine"] for row in rows.values()] == ["scikit-learn", "fast", "scikit-learn"]
    assert [row["num_workers"] for row in rows.values()] == [1, 2, 1]
    assert [row["padding_share"] is None for row in rows.values()] == [True, False, True]
    assert rows["tfidf-svm"]["accuracy"] > 0.5  # of four classes


def test_all_scored_the_same_rows_and_are_judged_in_pairs(mixed):
    store = mixed.store
    found = [load_predictions(store.trial_folder(r.trial_id), r) for r in store.records()]
    assert len(found) == 6
    assert all(np.array_equal(one.rows, found[0].rows) for one in found)
    assert all(len(record.validation) == (2 if record.training.num_steps else 1)
               for record in store.records())  # fmt: skip
    assessment = assess_study(store.folder)
    assert [(pair.variant, pair.baseline) for pair in assessment.pairs] == [
        ("tuned", "tfidf-svm"),
        ("embed-logreg:encoder", "tfidf-svm"),
    ]


def test_an_artifact_of_any_kind_answers_as_recorded(mixed):
    store = mixed.store
    for record in store.records():
        classifier = Classifier(
            store.trial_folder(record.trial_id) / "artifact", None, "cpu", "fp32"
        )
        assert classifier.class_names == record.dataset.class_names
        assert classifier(["a text", ""]).sum(dim=1).tolist() == pytest.approx([1, 1])
        assert record.model.artifact_deviation < 1e-3


def test_nothing_is_fitted_again(mixed):
    before = {record.trial_id: record.created_at for record in mixed.store.records()}
    done = mixed.place.run("submit", "job.yaml", "--json")
    assert done.returncode == 0, done.err
    assert {record.trial_id: record.created_at for record in mixed.store.records()} == before

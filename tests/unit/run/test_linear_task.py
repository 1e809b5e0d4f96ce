"""The work on a linear trial, without Ray: from texts to the files and facts of its record."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from agnews_ray.errors import TrialError
from agnews_ray.model.artifact import Classifier
from agnews_ray.record.outputs import load_curve, load_predictions
from agnews_ray.record.schema import Scores
from agnews_ray.run import linear_task
from agnews_ray.run.linear_task import run_linear
from agnews_ray.run.worker_config import LinearConfig
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.artifacts import FACTS, NAMES, an_artifact
from tests.fakes.records import a_record

OF_CLASS = ("oil prices rise", "the cup final is tonight", "chip chip")


def a_split(num_rows, first_row=0):
    labels = np.arange(num_rows) % len(NAMES)
    texts = [OF_CLASS[label] for label in labels]
    rows = first_row + 2 * np.arange(num_rows)
    return pa.table({"text": texts, "label": labels, "row": rows})


def run(folder, model, *, scores_test=True, keeps_artifact=True, validation=True):
    splits = {"train": a_split(60), "test": a_split(9, first_row=100)}
    if validation:
        splits["validation"] = a_split(6)
    config = LinearConfig(
        trial_id="t",
        variant=VariantSpec(model=model, name="svm"),
        seed=1,
        class_weights=None,
        scores_test=scores_test,
        keeps_artifact=keeps_artifact,
        num_threads=1,
        staged=str(folder),
        facts=FACTS,
        replayed=((102, OF_CLASS[1]), (104, OF_CLASS[2])),
        started_at=0.0,
    )
    phases = []
    return run_linear(config, splits, phases.append), phases


@pytest.fixture(params=["tfidf-svm", "tfidf-logreg", "embed-logreg:{}"])
def model(request, tmp_path):
    return request.param.format(an_artifact(tmp_path / "encoder"))


def test_a_trial_leaves_what_reports_and_users_need(tmp_path, model):
    staged = tmp_path / "staged"
    staged.mkdir()
    summary, phases = run(staged, model)
    assert summary.test.labels.tolist() == [0, 1, 2] * 3
    assert (summary.test.predicted == summary.test.labels).all()
    assert [len(one.labels) for one in summary.validation] == [6]
    assert summary.diverged is None
    assert summary.artifact_deviation < 1e-4
    scores = Scores.none_of(9).model_copy(update={"accuracy": 1.0})
    kept = load_predictions(staged, a_record(test=scores))
    assert kept.rows.tolist() == list(range(100, 118, 2))
    assert load_curve(staged).loss.size == 0
    found = Classifier(staged / "artifact", None, "cpu", "fp32")(list(OF_CLASS))
    assert found.argmax(dim=1).tolist() == [0, 1, 2]
    assert phases[0] == "loading"
    assert phases[-1] == "saving"


def test_its_facts_are_those_of_a_fit_without_steps(tmp_path):
    summary, _ = run(tmp_path, "tfidf-svm", validation=False)
    training = summary.training
    assert (training.num_steps, training.final_loss, training.padding_share) == (0, None, None)
    assert (training.engine, training.num_machines) == ("scikit-learn", 1)
    assert training.samples_per_second == pytest.approx(60 / training.train_seconds)
    artifact = tmp_path / "artifact"
    sizes = [(artifact / name).stat().st_size for name in ("linear.safetensors", "vocabulary.txt")]
    assert summary.size_bytes == sum(sizes)
    num_terms = len((artifact / "vocabulary.txt").read_text().split("\n"))
    assert summary.num_parameters == num_terms * (1 + len(NAMES)) + len(NAMES)
    assert any("decision values" in note for note in summary.notes)
    assert summary.validation == ()


def test_a_trial_that_must_not_see_test_leaves_no_predictions(tmp_path):
    summary, _ = run(tmp_path, "tfidf-svm", scores_test=False)
    assert (summary.test, summary.artifact_deviation) == (None, None)
    assert {path.name for path in tmp_path.iterdir()} == {"artifact", "curve.parquet"}


def test_a_model_that_is_not_kept_has_the_size_of_its_weights(tmp_path):
    summary, _ = run(tmp_path, "tfidf-svm", keeps_artifact=False)
    assert {path.name for path in tmp_path.iterdir()} == {"curve.parquet", "predictions.parquet"}
    assert summary.size_bytes == 4 * summary.num_parameters
    assert summary.artifact_deviation is None


def test_an_artifact_that_answers_otherwise_is_refused(tmp_path, monkeypatch):
    def other_logits(folder: Path, texts, device, precision):
        return np.ones((len(texts), len(NAMES)), np.float32)

    monkeypatch.setattr(linear_task, "replay", other_logits)
    with pytest.raises(TrialError, match="loaded from its folder"):
        run(tmp_path, "tfidf-svm")

"""From a record, and the files beside it, to what a tracker gets."""

import numpy as np
import pytest

from agnews_ray.record.cost import save_costs
from agnews_ray.record.schema import RungScore, Scores, SearchRecord
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.track.from_record import tracked_trial
from tests.fakes.records import a_record, some_scores
from tests.fakes.studies import a_study, diverges
from tests.fakes.taught import a_taught_study
from tests.unit.compare.test_cost_front import a_cost


@pytest.fixture
def store(tmp_path):
    variants = (("first", 0.9), ("bad", diverges([True])))
    return StudyStore.at(a_study(tmp_path, seeds=(1,), variants=variants))


def tracked(store, trial_id="v0-s1", artifact=None, tell=None, **changes):
    (record,) = [one for one in store.records() if one.trial_id == trial_id]
    folder = store.trial_folder(trial_id)
    lines = []
    found = tracked_trial(
        record.model_copy(update=changes), folder, "news", artifact, tell or lines.append
    )
    assert lines == []
    return found


def test_settings_and_facts_are_plain_values_by_dotted_name(store):
    parameters = tracked(store).parameters
    assert parameters["recipe.learning_rate"] == RecipeSpec().learning_rate
    assert parameters["variant.name"] == "first"
    assert parameters["model.parameters"] == a_record().model.parameters
    assert parameters["dataset.class_names"] == '["no", "yes"]'
    assert {type(value) for value in parameters.values()} <= {str, int, float, bool}


def test_scores_have_an_interval_over_the_rows(store):
    scores = tracked(store).scores
    for name in ("test/accuracy", "test/macro_f1"):
        assert 0 < scores[f"{name}_low"] < scores[name] < scores[f"{name}_high"] <= 1


def test_the_curve_is_the_records(store):
    loss = tracked(store).curves["train/loss"]
    assert loss.steps.tolist() == list(range(1, 101))
    assert np.allclose(loss.values, 1 / np.arange(1, 101))
    assert len(tracked(store).curves["train/learning_rate"].steps) == 100


def test_validation_lies_at_the_ends_of_epochs(store):
    validation = (some_scores(0.5), some_scores(0.6))
    curve = tracked(store, validation=validation).curves["validation/accuracy"]
    assert curve.steps.tolist() == [7, 14]  # 100 rows in batches of 16
    assert curve.values.tolist() == [0.5, 0.6]


def test_a_trial_of_a_search_has_its_settings_and_rungs(store):
    search = SearchRecord(
        variant="first",
        number=3,
        settings={"recipe.learning_rate": 1e-4},
        rungs=(RungScore(step=5, epochs=0.5, accuracy=0.6, macro_f1=0.5),),
        is_stopped=True,
    )
    found = tracked(store, search=search, scores_test=False, test=Scores.none_of(0))
    assert found.parameters["search.settings.recipe.learning_rate"] == 1e-4
    assert found.curves["search/accuracy"].steps.tolist() == [5]
    assert found.tags["search"] == "stopped early"
    assert found.name == "first · seed 1 · setting 3"
    assert not any(name.startswith("test/") for name in found.scores)


def test_a_point_of_the_curve_over_rows_has_its_share(store):
    found = tracked(store, train_share=0.03)
    assert found.name == "first · 3% of the rows · seed 1"
    assert found.parameters["train_share"] == 0.03


def test_a_diverged_trial_is_marked_and_has_only_numbers(store):
    found = tracked(store, "v1-s1")
    assert found.diverged
    assert found.tags["diverged"] == found.diverged
    assert "test/accuracy" not in found.scores
    assert np.isfinite(found.curves["train/loss"].values).all()
    assert 0 < len(found.curves["train/loss"].steps) < 100


def test_measured_costs_have_the_name_of_their_setting_and_change_the_time(store):
    before = tracked(store)
    cost = a_cost()
    save_costs(store.trial_folder("v0-s1"), [cost])
    found = tracked(store)
    assert found.scores["cost/cpu-1-thread-fp32/latency_p50_ms"] == cost.latency_p50_ms
    assert found.digest != before.digest


def test_the_artifact_is_a_tag(store):
    assert tracked(store, artifact="s3://b/x/artifact").tags["artifact"] == "s3://b/x/artifact"
    assert "artifact" not in tracked(store).tags


def test_a_file_that_cannot_be_read_is_said_and_left_out(store):
    (store.trial_folder("v0-s1") / "curve.parquet").write_bytes(b"torn")
    lines = []
    found = tracked(store, tell=lines.append)
    assert found.curves == {}
    assert found.scores["test/accuracy"] > 0
    assert [line.startswith("left out: ") for line in lines] == [True]


def test_what_is_not_trained_in_steps_has_no_curve(store):
    (store.trial_folder("v0-s1") / "curve.parquet").unlink()
    assert tracked(store).curves == {}


def test_a_pre_training_has_the_parts_of_its_loss_and_no_scores_on_test(tmp_path):
    found = tracked(StudyStore.at(a_taught_study(tmp_path)), "pre")
    assert found.name == "taught · pre-training · seed 42"
    assert found.scores["train/final_loss/attention"] == 0.2
    assert not [name for name in found.scores if name.startswith("test/")]
    parts = [name for name in found.curves if name.startswith("train/loss/")]
    assert parts == ["train/loss/attention", "train/loss/values"]
    assert found.parameters["pretraining.num_texts"] == 300

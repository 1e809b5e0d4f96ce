"""The Hugging Face Trainer as an engine, under real Ray, and the engines timed side by side."""

import json

import pytest

from agnews_ray.record.store import StudyStore
from tests.integration.conftest import a_job
from tests.integration.test_submit import records, table

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def both(workplace):
    """The same model by both engines, with a validation split."""
    place = workplace("engines")
    model = a_job()["models"][0]
    models = [model, {**model, "name": "theirs", "engine": "reference"}]
    job = a_job(models=models, data={"validation_fraction": 0.1})
    place.submitted = place.run("submit", job=job)
    assert place.submitted.returncode == 0, place.submitted.err
    return place


def test_the_reference_engine_trains_and_is_recorded_like_ours(both):
    ours, theirs = (records(both)[name, 1] for name in ("first", "theirs"))
    assert (ours.variant.engine, theirs.variant.engine) == ("fast", "reference")
    assert theirs.training.num_steps == ours.training.num_steps == 2 * 19  # 297 rows by 16
    assert theirs.training.num_train_examples == 297
    assert len(theirs.validation) == len(ours.validation) == 2
    assert 0 < theirs.training.train_seconds < 120
    assert theirs.training.padding_share > ours.training.padding_share
    assert theirs.test.num_examples == 101


def test_its_curve_has_every_step_and_every_row_twice(both):
    ours, theirs = (
        table(both, records(both)[name, 1], "curve").to_pydict() for name in ("first", "theirs")
    )
    assert theirs["learning_rate"] == pytest.approx(ours["learning_rate"], rel=1e-5)
    assert theirs["samples_seen"] == ours["samples_seen"]
    assert sum(theirs["rows_hash"]) == sum(ours["rows_hash"])
    assert theirs["rows_hash"] != ours["rows_hash"]


def test_it_prints_nothing_of_the_trainers(both):
    assert both.submitted.err == ""
    assert "train_runtime" not in both.submitted.out
    assert "train_runtime" not in (both.folder / "runs/tiny/submit.log").read_text()


def test_a_streamed_split_is_refused_by_it(workplace):
    place = workplace("streamed")
    model = {**a_job()["models"][0], "engine": "reference"}
    done = place.run("submit", job=a_job(models=[model], data={"max_resident_mb": 0}))
    assert done.returncode == 1
    assert "want a train split in memory, with engine reference" in done.err
    assert "raise data.max_resident_mb, or use engine fast" in done.err


def test_bench_times_the_engines_on_a_model_of_ours(both):
    record = records(both)["first", 1]
    artifact = StudyStore(both.folder / "runs", "tiny").trial_folder(record.trial_id) / "artifact"
    words = ["--models", str(artifact), "--dataset", "synthetic:train=330,test=100,seed=3"]
    flags = ["--rows", "160", "--rounds", "1", "--precision", "fp32", "--format", "json"]
    done = both.run("bench", *words, *flags)
    assert done.returncode == 0, done.err
    rows = json.loads(done.out)["rows"]
    assert [row["engine"] for row in rows] == ["fast", "reference-best", "reference"]
    assert rows[0]["ratio"] == 1.0
    assert all(row["samples_per_second"] > 0 for row in rows)
    assert done.err.splitlines()[0] == "160 train rows, 1 round(s) on cpu"

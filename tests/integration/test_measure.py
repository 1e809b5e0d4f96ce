"""Measuring a study's artifacts, and its report, on what a real run left."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import accuracy_score, f1_score

from agnews_ray.record.store import StudyStore

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def measured(finished):
    """The tiny study after one measure; its records as they were before."""
    records = sorted((finished.folder / "runs/tiny/trials").glob("*/record.json"))
    before = [path.read_bytes() for path in records]
    done = finished.run(
        "measure", "runs/tiny", "--device", "cpu", "--price-per-hour", "1", "--json"
    )
    assert (done.returncode, done.err) == (0, "")
    assert [path.read_bytes() for path in records] == before
    return json.loads(done.out)["costs"]


def test_every_variant_is_measured_on_every_setting(measured):
    seen = [(cost["variant"], cost["setting"]) for cost in measured]
    settings = list(dict.fromkeys(setting for _, setting in seen))
    assert settings[0] == "CPU, 1 thread, fp32"
    assert seen == [(name, one) for one in settings for name in ("first", "second")]


def test_what_is_measured_is_possible(measured):
    for cost in measured:
        assert 0 < cost["latency_p50_ms"] <= cost["latency_p95_ms"] <= cost["latency_p99_ms"]
        assert cost["rows_per_second"] > 0
        assert cost["peak_memory_bytes"] > 50e6  # torch alone
        assert cost["money_per_million"] == pytest.approx(1e6 / 3600 / cost["rows_per_second"])


def test_measurements_are_in_the_report(finished, measured):
    done = finished.run("report", "runs/tiny", "--format", "json")
    document = json.loads(done.out)
    kept = {(c["variant"], c["setting"]): c["latency_p50_ms"] for c in document["costs"]}
    assert kept == {(c["variant"], c["setting"]): c["latency_p50_ms"] for c in measured}


def test_the_reports_numbers_are_those_of_the_predictions(finished):
    document = json.loads(finished.run("report", "runs/tiny", "--format", "json").out)
    store = StudyStore(finished.folder / "runs", "tiny")
    found = {}
    for variant in document["variants"]:
        (trial_id,) = variant["trial_ids"]
        kept = pq.read_table(store.trial_folder(trial_id) / "predictions.parquet").to_pydict()
        predicted = np.array(kept["logits"]).argmax(axis=1)
        found[variant["name"]] = predicted == kept["label"]
        assert variant["accuracy"]["value"] == pytest.approx(
            accuracy_score(kept["label"], predicted)
        )
        assert variant["macro_f1"]["value"] == pytest.approx(
            f1_score(kept["label"], predicted, average="macro")
        )
        assert sum(map(sum, variant["confusion"])) == 101
    (pair,) = document["pairs"]
    assert pair["num_only_variant_right"] == (found["second"] & ~found["first"]).sum()
    assert pair["num_only_baseline_right"] == (found["first"] & ~found["second"]).sum()


def test_a_study_without_its_test_rows_is_told_what_to_do(finished, tmp_path):
    path = finished.folder / "runs/tiny/test_rows.parquet"
    kept = path.read_bytes()
    path.unlink()
    try:
        done = finished.run("measure", "runs/tiny")
        assert done.returncode == 2
        assert "run the study's `agnews-ray submit` again; no trial is run again" in done.err
        again = finished.run("submit", "job.yaml")
        assert (again.returncode, path.read_bytes() == kept) == (0, True)
    finally:
        path.write_bytes(kept)

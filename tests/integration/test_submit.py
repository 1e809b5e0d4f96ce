"""One command from job file to table, on real Ray."""

import json
import signal
import tempfile
from pathlib import Path

import numpy as np
import psutil
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from sklearn.metrics import accuracy_score, f1_score
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from agnews_ray.record.store import StudyStore
from agnews_ray.spec.study import StudySpec
from tests.fakes.terminal import on_terminal
from tests.integration.conftest import a_job

pytestmark = pytest.mark.integration


def records(place, study="tiny"):
    return {(r.variant.name, r.seed): r for r in StudyStore(place.folder / "runs", study).records()}


def table(place, record, name):
    folder = StudyStore(place.folder / "runs", record.study).trial_folder(record.trial_id)
    return pq.read_table(folder / f"{name}.parquet")


def submit(place, job, *flags):
    done = place.run("submit", "--json", *flags, job=job)
    assert done.returncode == 0, done.err + done.out
    return json.loads(done.out)


def test_a_good_run_prints_its_table_and_nothing_of_rays(finished):
    lines = finished.submitted.out.splitlines()
    assert finished.submitted.err == ""
    assert lines[0] == "study tiny: 2 trial(s), 0 already done"
    assert lines[-1] == "results in runs/tiny, Ray's log in runs/tiny/submit.log"
    known = (
        "study",
        "data",
        "model",
        "start",
        "tokenised",
        "done",
        "      ",
        "tiny:",
        "Model",
        "---",
        "first",
        "second",
        "results",
    )
    assert [line for line in lines if not line.startswith(known)] == []


def test_a_run_leaves_no_process_no_folder_and_nothing_in_the_home(finished):
    pid = finished.submitted.pid
    assert not list(Path(tempfile.gettempdir()).glob(f"agnews-ray-{pid}-*"))
    assert not (finished.home / ".ray").exists()
    commands = [" ".join(p.info["cmdline"] or []) for p in psutil.process_iter(["cmdline"])]
    assert not [one for one in commands if f"agnews-ray-{pid}-" in one]


def test_a_record_says_what_happened(finished):
    record = records(finished)["first", 1]
    assert record.training.num_steps == 2 * 21  # 330 rows in batches of 16
    assert record.training.num_train_examples == 330
    assert record.training.padding_share < 0.05
    assert 0 < record.training.seconds_to_first_step < 120
    assert record.dataset.class_names == ("World", "Sports", "Business", "Sci/Tech")
    assert {"ray", "torch", "transformers"} <= set(record.environment.versions)
    assert record.command.endswith("submit job.yaml")


def test_predictions_hold_every_test_row_in_file_order_and_give_the_scores(finished):
    record = records(finished)["first", 1]
    rows = table(finished, record, "predictions")
    labels, predicted = rows["label"].to_numpy(), rows["predicted"].to_numpy()
    source = next((finished.folder / "runs/.cache/synthetic").glob("*/test.parquet"))
    assert rows["row"].to_pylist() == list(range(101))
    assert labels.tolist() == pq.read_table(source)["label"].to_pylist()
    assert np.array(rows["logits"].to_pylist()).argmax(1).tolist() == predicted.tolist()
    assert record.test.accuracy == pytest.approx(accuracy_score(labels, predicted))
    assert record.test.macro_f1 == pytest.approx(f1_score(labels, predicted, average="macro"))


def test_the_curve_has_every_step(finished):
    record = records(finished)["first", 1]
    curve = table(finished, record, "curve").to_pydict()
    assert curve["step"] == list(range(1, 43))
    assert curve["samples_seen"][-1] == 660
    assert curve["learning_rate"][0] == 0
    assert curve["learning_rate"][-1] == pytest.approx(5e-3 / 37)
    assert all(np.diff(curve["seconds"]) > 0)


def test_the_artifact_is_loaded_by_transformers_and_predicts_the_same(finished):
    record = records(finished)["second", 1]
    folder = StudyStore(finished.folder / "runs", "tiny").trial_folder(record.trial_id) / "artifact"
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    source = next((finished.folder / "runs/.cache/synthetic").glob("*/test.parquet"))
    texts = pq.read_table(source)["text"].to_pylist()[:20]
    with torch.inference_mode():
        inputs = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
        logits = model(**inputs).logits
    expected = np.array(table(finished, record, "predictions")["logits"].to_pylist()[:20])
    assert logits.numpy() == pytest.approx(expected, abs=1e-3)
    assert 0 <= record.model.artifact_deviation < 1e-4
    assert model.config.id2label[3] == "Sci/Tech"
    assert record.model.parameters == sum(p.numel() for p in model.parameters())


def test_asking_twice_is_free(finished):
    runs = finished.folder / "runs"
    made = [*runs.rglob("*.json"), runs / "tiny/submit.log"]  # a Ray would write to its log
    kept = {path: path.stat().st_mtime_ns for path in made}
    done = finished.run("submit", "--json", job=a_job())
    assert (done.returncode, done.err) == (0, "")
    assert [row["model"] for row in json.loads(done.out)["rows"]] == ["first", "second"]
    before = finished.submitted.out.splitlines()
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert before[0].endswith("0 already done")


def test_compare_prints_the_same_rows_without_ray_or_torch(finished):
    done = finished.run("compare", "runs/tiny", "--format", "json")
    document = json.loads(done.out)
    assert document["study"] == "tiny"
    assert document["rows"][0]["accuracy"] == records(finished)["first", 1].test.accuracy


def test_the_resolved_study_is_kept(finished):
    kept = StudySpec.model_validate(
        yaml.safe_load((finished.folder / "runs/tiny/study.yaml").read_text())
    )
    assert kept.recipe.num_epochs == 2
    assert [variant.name for variant in kept.models] == ["first", "second"]


def test_another_recipe_does_not_go_into_the_same_folder(finished):
    done = finished.run("submit", "--epochs", "3", job=a_job())
    assert done.returncode == 2
    assert "recipe.num_epochs: 2 there, 3 asked; give this study another --name" in done.err


@pytest.fixture(scope="session")
def numerics(workplace):
    """The first model by other routes: two seeds, two workers, a stream, and again."""
    place = workplace("numerics")
    model = a_job()["models"][:1]
    routes = {
        "one": a_job(name="one", models=model, seeds=[1, 2]),
        "two": a_job(name="two", models=model, scaling={"num_workers": 2}),
        "stream": a_job(
            name="stream",
            models=model,
            scaling={"num_workers": 2},
            data={"max_resident_mb": 0, "stream_window_rows": 100},
        ),
    }
    for job in routes.values():
        submit(place, job)
    return place


def test_the_same_seed_predicts_the_same_and_another_does_not(finished, numerics):
    first = table(finished, records(finished)["first", 1], "predictions")
    again = table(numerics, records(numerics, "one")["first", 1], "predictions")
    other = table(numerics, records(numerics, "one")["first", 2], "predictions")
    assert again.equals(first)
    assert not other.equals(first)


def test_two_workers_see_the_rows_of_one_in_every_step(numerics):
    one = table(numerics, records(numerics, "one")["first", 1], "curve")
    two = table(numerics, records(numerics, "two")["first", 1], "curve")
    assert one["rows_hash"].equals(two["rows_hash"])
    assert one["samples_seen"].equals(two["samples_seen"])
    first, second = one["rows_hash"][:21].to_pylist(), one["rows_hash"][21:].to_pylist()
    assert not set(first) & set(second)


def test_two_workers_score_every_row_once_in_file_order(numerics):
    rows = table(numerics, records(numerics, "two")["first", 1], "predictions")
    assert rows["row"].to_pylist() == list(range(101))


def test_a_stream_trains_on_every_row_once_an_epoch(numerics):
    record = records(numerics, "stream")["first", 1]
    held = np.array(table(numerics, records(numerics, "one")["first", 1], "curve")["rows_hash"])
    streamed = np.array(table(numerics, record, "curve")["rows_hash"])
    assert record.training.is_streamed
    for epoch in (slice(0, 21), slice(21, 42)):
        assert streamed[epoch].sum() == held[epoch].sum()
    assert (streamed[:21] != streamed[21:]).any()
    assert table(numerics, record, "predictions")["row"].to_pylist() == list(range(101))


def test_a_curve_extends_a_study_by_trials_on_shares_of_its_rows(workplace):
    """Streamed, and by two workers: where a share is cut, all ranks must cut alike."""
    job = a_job(data={"max_resident_mb": 0, "stream_window_rows": 50}, scaling={"num_workers": 2})
    job["models"] = job["models"][:1]
    place = workplace("data-curve")
    found = submit(place, job, "--curve", "10%,0.5")
    assert [point["num_rows"] for point in found["curve"]["curves"][0]["points"]] == [33, 165, 330]
    assert [(row["train_share"], row["num_train_examples"]) for row in found["smaller"]] == [
        (0.1, 33),
        (0.5, 165),
    ]
    found_records = StudyStore(place.folder / "runs", "tiny").records()
    trained = {
        r.train_share: (r.training.num_train_examples, r.training.num_steps) for r in found_records
    }
    assert trained == {0.1: (33, 2 * 3), 0.5: (165, 2 * 11), 1.0: (330, 2 * 21)}
    share = next(record for record in found_records if record.train_share == 0.5)
    assert table(place, share, "curve")["samples_seen"].to_pylist()[-1] == 330
    artifacts = [
        path.parent.name for path in (place.folder / "runs/tiny").glob("trials/*/artifact")
    ]
    assert artifacts == [r.trial_id for r in found_records if r.train_share == 1]
    again = submit(place, job)
    assert (again["rows"], again["curve"]) == (found["rows"], None)


def test_a_failed_trial_keeps_the_others_rows_and_is_told_once_on_a_terminal(workplace):
    place = workplace("failing")
    first, second = a_job()["models"]
    streamed = {"validation_fraction": 0.1, "max_resident_mb": 0, "stream_window_rows": 100}
    models = [first | {"engine": "reference"}, second | {"name": "bert[large] [/b]"}]
    place.write_job(a_job(models=models, data=streamed))
    words = ("-m", "agnews_ray", "submit", "job.yaml")
    code, lines = on_terminal(words, place.folder, place.environment(), columns=200)
    assert code == 1
    assert not any("Traceback" in line for line in lines)
    told = [line for line in lines if "raise data.max_resident_mb, or use engine fast" in line]
    assert len(told) == 1
    assert told[0].startswith("\N{BALLOT X} ")
    assert any(line.startswith("\N{CHECK MARK} bert[large] [/b] · seed 1") for line in lines)
    assert any(line.split()[:2] == ["bert[large]", "[/b]"] for line in lines)  # the table's row
    assert [name for name, _ in records(place)] == ["bert[large] [/b]"]
    assert len(records(place)["bert[large] [/b]", 1].validation) == 2


def test_an_interrupt_keeps_what_is_finished_and_the_same_command_goes_on(workplace):
    place = workplace("interrupted")
    long = {"recipe": {"num_epochs": 100}}
    process = place.start("submit", job=a_job(**long))
    for line in process.stdout:
        if line.startswith("      second") and "step" in line:  # it trains
            break
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert (
        "interrupted: 1 finished trial(s) kept in runs/tiny; the same command runs the rest" in err
    )
    assert "Traceback" not in err
    assert not list(Path(tempfile.gettempdir()).glob(f"agnews-ray-{process.pid}-*"))
    assert [name for name, _ in records(place)] == ["first"]
    assert not (place.folder / "runs/tiny/.staging").exists()
    plan = place.run("submit", "--dry-run", "--json", job=a_job(**long))
    assert [t["is_finished"] for t in json.loads(plan.out)["trials"]] == [True, False]


def is_worker(process):
    try:
        return process.cmdline()[:1] == ["ray::RayTrainWorker"]
    except psutil.Error:  # gone meanwhile
        return False


def test_a_killed_worker_ends_its_attempt_though_another_waits_for_it(workplace):
    place = workplace("killed")
    scaling, recipe = {"num_workers": 2}, {"num_epochs": 300}
    job = a_job(models=a_job()["models"][:1], scaling=scaling, recipe=recipe)
    process = place.start("submit", "--max-failures", "0", job=job)
    for line in process.stdout:
        if " step " in line:
            break
    started = psutil.Process(process.pid).children(recursive=True)
    workers = [one for one in started if is_worker(one)]
    assert len(workers) == 2
    workers[-1].kill()
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"pid: {workers[-1].pid}" in err
    assert "Traceback" not in err
    assert psutil.wait_procs(started, timeout=10)[1] == []
    assert records(place) == {}
    assert not (place.folder / "runs/tiny/.staging").exists()

"""Measuring artifacts in turns; only the process that loads one alone is made up."""

import gc

import numpy as np
import pytest
import torch

from agnews_ray.app import measure_artifacts as module
from agnews_ray.app.measure_artifacts import MeasureSpec, measure_study
from agnews_ray.compare.prices import Prices
from agnews_ray.errors import ResourceError, StoreError
from agnews_ray.model.build import build_classifier
from agnews_ray.record.cost import load_costs
from agnews_ray.record.environment import describe_environment
from agnews_ray.record.store import StudyStore
from tests.fakes.studies import a_study, diverges
from tests.unit.model.test_build import NAMES, a_tokenizer, tiny


@pytest.fixture
def folder(tmp_path):
    """A study of two variants and two seeds, whose artifacts are only named."""
    folder = a_study(tmp_path, seeds=(1, 2), num_rows=200)
    for trial in (folder / "trials").iterdir():
        (trial / "artifact").mkdir()
        (trial / "artifact" / "config.json").touch()
    return folder


@pytest.fixture
def study(tmp_path):
    """A study of ten test rows with artifacts that load."""
    folder = a_study(tmp_path, seeds=(1,), num_rows=10)
    for trial in (folder / "trials").iterdir():
        build_classifier(tiny(), NAMES, 0).save_pretrained(trial / "artifact")
        a_tokenizer().save_pretrained(trial / "artifact")
    return folder


def test_costs_are_kept_beside_each_variants_first_trial(study, monkeypatch):
    monkeypatch.setattr(module, "num_usable_cpus", lambda: 1)
    monkeypatch.setattr(module, "_probe", lambda artifact, texts, setting: (1.5, 1 << 29))
    records = {path: path.read_bytes() for path in study.glob("trials/*/record.json")}
    notes = []
    prices = Prices(use_per_hour=1.0)
    spec = MeasureSpec(device="cpu")
    found = measure_study(study, spec, "agnews-ray measure", prices, notes.append)
    assert [(one.variant, one.setting) for one in found] == [
        ("first", "CPU, 1 thread, fp32"),
        ("second", "CPU, 1 thread, fp32"),
    ]
    for one, trial_id in zip(found, ("v0-s1", "v1-s1"), strict=True):
        (kept,) = load_costs(StudyStore.at(study).trial_folder(trial_id))
        assert (kept.load_seconds, kept.peak_memory_bytes) == (1.5, 1 << 29)
        assert (kept.command, kept.num_rows) == ("agnews-ray measure", 10)
        assert kept.machine == describe_environment().cpu
        assert 0 < kept.latency_p50_ms <= kept.latency_p95_ms <= kept.latency_p99_ms
        assert kept.flops_per_row > 0
        assert one.money_per_million == pytest.approx(1e6 / 3600 / kept.rows_per_second)
    assert notes[0] == "loading on cpu, 1 thread(s), fp32"
    assert records == {path: path.read_bytes() for path in records}


def test_an_artifact_that_does_not_load_is_told_with_its_folder(study, monkeypatch):
    monkeypatch.setattr(module, "_probe", lambda artifact, texts, setting: (1.5, 1 << 29))
    broken = study / "trials" / "v1-s1" / "artifact"
    (broken / "model.safetensors").write_bytes(b"torn")
    with pytest.raises(ResourceError) as caught:
        measure_study(study, MeasureSpec(device="cpu"), "measure", Prices(), print)
    assert caught.value.where == str(broken)
    assert caught.value.wanted == "a model that loads and predicts on cpu"
    assert "submit again" in caught.value.hint


def test_each_variants_first_trial_is_opened(folder):
    artifacts, _ = module._open(folder, 64, print)
    assert [one.trial_folder.name for one in artifacts] == ["v0-s1", "v1-s1"]
    assert [one.row.model for one in artifacts] == ["first", "second"]


@pytest.mark.parametrize(("num_rows", "num_taken"), [(1, 64), (64, 64), (130, 128), (1000, 192)])
def test_texts_are_whole_rounds_of_different_rows_by_length(folder, num_rows, num_taken):
    _, texts = module._open(folder, num_rows, print)
    assert len(texts) == len(set(texts)) == num_taken
    assert [len(text) for text in texts] == sorted(len(text) for text in texts)
    assert module._open(folder, num_rows, print)[1] == texts  # the same for every measurement


def test_a_study_without_an_artifact_is_refused_with_its_trial(folder):
    (folder / "trials" / "v1-s1" / "artifact" / "config.json").unlink()
    with pytest.raises(StoreError) as caught:
        module._open(folder, 64, print)
    assert caught.value.where == str(folder / "trials" / "v1-s1" / "artifact")
    assert caught.value.found == "none"
    assert "submit again" in caught.value.hint


def test_a_study_without_its_test_rows_is_refused(folder):
    (folder / "test_rows.parquet").unlink()
    with pytest.raises(StoreError, match="want the study's test rows, found none; run the study's"):
        module._open(folder, 64, print)


def test_diverged_trials_are_named_and_not_measured(tmp_path):
    folder = a_study(tmp_path, variants=(("only", diverges([1, 1])),), seeds=(1, 2))
    notes = []
    with pytest.raises(StoreError, match="want a trial that did not diverge, found none"):
        module._open(folder, 64, notes.append)
    assert [note.split(" diverged (")[0] for note in notes] == ["v0-s1", "v0-s2"]


class Recorder:
    """A classifier that keeps who was asked for how many rows, and which."""

    def __init__(self, name, calls):
        self.name = name
        self.calls = calls

    def __call__(self, texts):
        self.calls.append((self.name, tuple(texts)))


def test_artifacts_take_turns_on_the_same_rows_in_another_order_each_round():
    calls, texts = [], [f"{number:03}" for number in range(128)]
    classifiers = [Recorder(name, calls) for name in "ab"]
    timed = module._time_in_turns(classifiers, texts, torch.get_num_threads(), lambda line: None)
    assert [(len(one.single_s), len(one.batch_s)) for one in timed] == [(128, 2)] * 2
    batches = [(name, rows) for name, rows in calls if len(rows) == 64][2:]  # after the warm-up
    assert [name for name, _ in batches] == list("aaabbbbbbaaa")
    first, second = ({rows for _, rows in batches[start : start + 6]} for start in (0, 6))
    assert len(first) == len(second) == 1
    assert first != second
    for name in "ab":
        singles = [rows[0] for one, rows in calls if one == name and len(rows) == 1]
        assert sorted(singles[1:]) == texts


def test_threads_and_garbage_collection_are_put_back_after_an_error():
    def fails(texts):
        assert not gc.isenabled()
        raise ZeroDivisionError

    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        module._time_in_turns([fails], ["a"], before + 1, lambda line: None)
    assert (torch.get_num_threads(), gc.isenabled()) == (before, True)


@pytest.mark.parametrize(("device", "machine"), [("cpu", "CPU"), ("cuda", "Tesla T4")])
def test_a_cost_is_percentiles_of_single_rows_and_the_speed_of_batches(device, machine):
    times = module._Timed(single_s=list(np.arange(1, 101) / 1000), batch_s=[0.2, 0.3])
    environment = describe_environment().model_copy(update={"cpu": "CPU", "gpu": "Tesla T4"})
    setting = module._Setting(device, 1, "fp32")
    cost = module._cost_record(
        setting, module._Probed(1.0, 2, 3.0, "fp32"), times, environment, "measure"
    )
    assert (cost.machine, cost.num_rows, cost.rows_per_second) == (machine, 100, 200.0)
    assert (cost.latency_p50_ms, cost.latency_p95_ms) == pytest.approx((50.5, 95.05))
    assert cost.latency_p99_ms == pytest.approx(99.01)


@pytest.mark.parametrize(
    ("device", "gpus", "expected"),
    [
        ("cpu", 0, [("cpu", 1, "fp32"), ("cpu", 6, "fp32")]),
        ("all", 0, [("cpu", 1, "fp32"), ("cpu", 6, "fp32")]),
        ("all", 1, [("cpu", 1, "fp32"), ("cpu", 6, "fp32"), ("cuda", 6, "fp16")]),
        ("cuda", 1, [("cuda", 6, "fp16")]),
    ],
)
def test_a_cpu_is_measured_on_one_thread_and_on_all(monkeypatch, device, gpus, expected):
    monkeypatch.setattr(module, "num_usable_cpus", lambda: 6)
    monkeypatch.setattr(module, "resolve_device", lambda _: ("cuda" if gpus else "cpu", gpus))
    found = module._settings(MeasureSpec(device=device))
    assert [(one.device, one.num_threads, one.precision) for one in found] == expected


def test_one_cpu_is_measured_once(monkeypatch):
    monkeypatch.setattr(module, "num_usable_cpus", lambda: 1)
    assert len(module._settings(MeasureSpec(device="cpu"))) == 1

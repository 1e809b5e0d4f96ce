"""Measured costs are kept beside a trial's record."""

import pytest

from agnews_ray.errors import RecordError
from agnews_ray.record.cost import load_costs, save_costs
from agnews_ray.record.store import StudyStore
from tests.fakes.studies import a_study
from tests.unit.compare.test_cost_front import a_cost


def test_what_was_not_measured_is_no_error(tmp_path):
    assert load_costs(tmp_path) == ()


def test_measuring_again_replaces_the_same_setting_and_no_other(tmp_path):
    save_costs(tmp_path, [a_cost(), a_cost(num_threads=2)])
    save_costs(tmp_path, [a_cost(latency_p50_ms=7.0), a_cost(machine="GPU")])
    found = {(c.machine, c.num_threads): c.latency_p50_ms for c in load_costs(tmp_path)}
    assert found == {("CPU", 1): 7.0, ("CPU", 2): 10.0, ("GPU", 1): 10.0}


def test_measuring_leaves_the_record_as_it_was(tmp_path):
    store = StudyStore.at(a_study(tmp_path))
    trial = store.trial_folder(store.records()[0].trial_id)
    before = (trial / "record.json").read_bytes()
    save_costs(trial, [a_cost()])
    assert (trial / "record.json").read_bytes() == before
    assert len(load_costs(trial)) == 1


@pytest.mark.parametrize(
    "content",
    [
        '[{"machine": 3}]',
        '[{"schema_version": 1}]',
        '[{"schema_version": "1"}]',
        '[{"schema_version": true}]',
        '{"schema_version": 1}',
        "[[",
        "[" * 100_000,
    ],
)
def test_damaged_costs_are_told(tmp_path, content):
    (tmp_path / "cost.json").write_text(content)
    with pytest.raises(RecordError, match="delete it and run `agnews-ray measure` again"):
        load_costs(tmp_path)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({}, "CPU, 1 thread, fp32"),
        ({"num_threads": 4, "precision": "bf16"}, "CPU, 4 threads, bf16"),
        ({"device": "cuda", "num_threads": 4, "precision": "fp16"}, "GPU, fp16"),
    ],
)
def test_a_setting_names_threads_only_where_they_compute(changes, setting):
    assert a_cost(**changes).setting == setting

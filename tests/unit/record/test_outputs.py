import numpy as np
import pyarrow.parquet as pq
import pytest

from agnews_ray.errors import RecordError, StoreError
from agnews_ray.record.cost import load_costs, save_costs
from agnews_ray.record.outputs import TestRows, load_test_rows, save_test_rows
from agnews_ray.record.store import StudyStore
from tests.fakes.studies import a_study
from tests.unit.compare.test_cost_front import a_cost


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


def test_damaged_costs_are_told(tmp_path):
    (tmp_path / "cost.json").write_text('[{"machine": 3}]')
    with pytest.raises(RecordError, match="delete it and run `agnews-ray measure` again"):
        load_costs(tmp_path)


def test_test_rows_of_other_data_are_not_taken_for_ours(tmp_path):
    store = StudyStore.at(a_study(tmp_path))
    kept = load_test_rows(store.test_rows_path, store.records()[0].dataset.fingerprint, 200)
    assert kept is not None
    assert kept.texts[0] == "text 0"
    assert load_test_rows(store.test_rows_path, "other", 200) is None
    assert load_test_rows(tmp_path / "nowhere", "other", 200) is None
    save_test_rows(store.test_rows_path, kept, "other")
    assert load_test_rows(store.test_rows_path, "other", 200) == kept
    assert load_test_rows(store.test_rows_path, "other", 199) is None


def test_test_rows_have_the_same_columns_whether_or_not_any_has_a_twin(tmp_path):
    for twin in (None, 0):
        rows = TestRows(
            texts=["a"],
            twin_in_test=[twin],
            twin_in_train=[twin],
            is_exact_in_test=[False],
            is_exact_in_train=[False],
        )
        save_test_rows(tmp_path / "rows.parquet", rows, "x")
        schema = pq.read_schema(tmp_path / "rows.parquet")
        assert {name: str(schema.field(name).type) for name in schema.names} == {
            "text": "string",
            "twin_in_test": "int64",
            "twin_in_train": "int64",
            "is_exact_in_test": "bool",
            "is_exact_in_train": "bool",
        }


def test_damaged_test_rows_are_told(tmp_path):
    (tmp_path / "rows.parquet").write_bytes(np.arange(100, dtype=np.uint8).tobytes())
    with pytest.raises(StoreError, match="no trial is run again"):
        load_test_rows(tmp_path / "rows.parquet", "x", 200)

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agnews_ray.errors import StoreError
from agnews_ray.record.outputs import (
    TestRows,
    load_curve,
    load_learning_rates,
    load_loss_parts,
    load_test_rows,
    save_test_rows,
)
from agnews_ray.record.store import StudyStore
from tests.fakes.studies import a_study


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


def test_learning_rates_are_those_of_the_steps(tmp_path):
    folder = StudyStore.at(a_study(tmp_path)).trial_folder("v0-s1")
    rates = load_learning_rates(folder)
    assert len(rates) == len(load_curve(folder).loss)
    assert (np.diff(rates) < 0).all()


def test_a_curve_without_learning_rates_has_none(tmp_path):
    table = pa.table({"samples_seen": [16, 32], "loss": [0.5, 0.4]})
    pq.write_table(table, tmp_path / "curve.parquet")
    assert load_learning_rates(tmp_path) is None


def test_the_parts_of_a_loss_are_the_further_columns_of_its_curve(tmp_path):
    table = pa.table({"step": [1, 2], "loss": [0.5, 0.4], "values": [0.2, 0.1]})
    pq.write_table(table, tmp_path / "curve.parquet")
    parts = load_loss_parts(tmp_path)
    assert {name: part.tolist() for name, part in parts.items()} == {"values": [0.2, 0.1]}

"""What lies in a study's folder: read as it was written, set aside, or refused with a line."""

import json
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from agnews_ray.app.analyse import compare_study
from agnews_ray.record import json_text
from agnews_ray.record.cost import CostRecord, load_costs, save_costs
from agnews_ray.record.finished import load_record, read_finished, to_json
from agnews_ray.record.left_out import LeftOutTrial, load_left_out, save_left_out
from agnews_ray.record.outputs import (
    TestRows,
    load_curve,
    load_learning_rates,
    load_loss_parts,
    load_predictions,
    load_test_rows,
    save_test_rows,
)
from agnews_ray.record.soft_labels import load_soft_labels, save_soft_labels
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.study import StudySpec
from tests.fakes.records import a_labelling, a_linear_record, a_pretraining, a_record
from tests.fakes.studies import a_study
from tests.fuzz.properties import read_or_refused
from tests.fuzz.strategies import changed, damaged, texts, values

RECORDS = [a_record(), a_linear_record(), a_labelling(), a_pretraining()]
WRITTEN = [to_json(record).encode() for record in RECORDS]
COST = CostRecord(
    measured_at="2026-01-01T00:00:00+00:00",
    command="agnews-ray measure",
    machine="CPU",
    device="cpu",
    num_threads=2,
    precision="fp32",
    num_rows=10,
    latency_p50_ms=1.5,
    latency_p95_ms=2.5,
    latency_p99_ms=3.5,
    rows_per_second=100.0,
    load_seconds=0.5,
    peak_memory_bytes=1 << 28,
    flops_per_row=1e9,
    versions={"torch": "2"},
)
LEFT_OUT = LeftOutTrial(trial_id="a-s1", model="a", seed=1, budget="30m", reason="too long")


@contextmanager
def a_file(name: str, content: bytes) -> Iterator[Path]:
    """A file in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        yield path


def content_of(write: Callable[[Path], object], name: str) -> bytes:
    """Return the content of a file that is written into a folder."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        return Path(folder, name).read_bytes()


@given(st.sampled_from(WRITTEN).flatmap(damaged))
def test_a_damaged_record(content):
    with a_file("record.json", content) as path:
        record = read_or_refused("record.json, damaged", lambda: load_record(path))
        if record is not None:
            path.write_text(to_json(record))
            assert load_record(path) == record


@given(st.sampled_from([json.loads(one) for one in WRITTEN]).flatmap(changed))
def test_a_record_with_other_values(content):
    with a_file("record.json", json.dumps(content).encode()) as path:
        record = read_or_refused("record.json, other values", lambda: load_record(path))
        if record is not None:
            path.write_text(to_json(record))
            assert to_json(load_record(path)) == to_json(record)


@given(st.binary(max_size=60) | st.sampled_from(WRITTEN).flatmap(damaged), texts(1, 12))
def test_a_folder_of_trials_with_a_stranger(content, name):
    with tempfile.TemporaryDirectory() as folder:
        trials = Path(folder, "trials")
        for one, text in (("one-s1-0000000000", WRITTEN[0]), ("stranger", content)):
            (trials / one).mkdir(parents=True)
            (trials / one / "record.json").write_bytes(text)
        found = read_or_refused("folder of trials", lambda: read_finished(trials))
        assert found is not None
        assert found.records[0] == RECORDS[0]
        assert len(found.records) + len(found.set_aside) == 2
        for one in found.set_aside:
            assert str(one).isprintable()


@given(st.data())
def test_a_table_of_a_study_with_a_changed_record(data):
    with tempfile.TemporaryDirectory() as folder:
        study = a_study(Path(folder))
        path = data.draw(st.sampled_from(sorted(study.glob("trials/*/record.json"))[:2]))
        content = data.draw(changed(json.loads(path.read_text()), 1))
        path.write_text(json.dumps(content))
        read_or_refused("table of a study, a changed record", lambda: compare_study(study))


@given(values())
def test_json_that_is_written_is_read_back(content):
    written = read_or_refused("JSON, written and read", lambda: json_text.to_json(content))
    assert _same(json.loads(written), content)


def _parquet(columns: dict[str, Any]) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(pa.table(columns), sink)
    return bytes(sink.getvalue())


PREDICTIONS = {
    "row": pa.array(range(10)),
    "label": pa.array([0, 1] * 5, pa.int32()),
    "predicted": pa.array([0, 1] * 4 + [0, 0], pa.int32()),
    "logits": pa.FixedSizeListArray.from_arrays(np.arange(20, dtype=np.float32), 2),
}
CURVE = {
    "step": pa.array([1, 2]),
    "epoch": pa.array([0.5, 1]),
    "loss": pa.array([0.9, 0.8]),
    "learning_rate": pa.array([1e-5, 0]),
    "samples_seen": pa.array([16, 32]),
    "seconds": pa.array([1.0, 2.0]),
    "rows_hash": pa.array([1, 2]),
    "part": pa.array([0.1, 0.2]),
}
LABELS = {
    "row": pa.array(range(10)),
    "logits": pa.FixedSizeListArray.from_arrays(np.arange(20, dtype=np.float32), 2),
}
ODD_COLUMNS = st.sampled_from(
    [
        pa.array(["a"] * 10),
        pa.array([None] * 10),
        pa.array([1.5, None] * 5),
        pa.array([float("nan")] * 10),
        pa.array([2**63] * 10, pa.uint64()),
        pa.array([[1.0, 2.0], [1.0]] * 5),
        pa.array([[1.0, 2.0], None] * 5),
        pa.array([["a", "b"]] * 10),
        pa.array([[]] * 10, pa.list_(pa.float32())),
        pa.array([[None, 1.0]] * 10, pa.list_(pa.float32(), 2)),
        pa.array([{"a": 1}] * 10),
        pa.array([True] * 10),
        pa.array([b"\xff"] * 10),
        pa.array(["1"] * 10).dictionary_encode(),
        pa.array([1] * 10, pa.timestamp("us")),
        pa.array([1] * 10, pa.decimal128(5, 2)),
    ]
)


@st.composite
def tables(draw: st.DrawFn, columns: dict[str, Any]) -> bytes:
    """A Parquet file with damage, or with columns of another type, or fewer rows or columns."""
    if draw(st.booleans()):
        return draw(damaged(_parquet(columns)))
    columns = dict(columns)
    name = draw(st.sampled_from(sorted(columns)))
    what = draw(st.sampled_from(("other", "other", "drop", "fewer")))
    size = len(columns[name])
    if what == "other":
        columns[name] = draw(ODD_COLUMNS).slice(0, size)
    elif what == "drop":
        del columns[name]
    num_rows = draw(st.integers(0, size)) if what == "fewer" else size
    return _parquet({key: one.slice(0, num_rows) for key, one in columns.items()})


@given(tables(PREDICTIONS))
def test_predictions_of_another_form(content):
    record = a_record(accuracy=0.9)
    with a_file("predictions.parquet", content) as path:
        found = read_or_refused(
            "predictions.parquet", lambda: load_predictions(path.parent, record)
        )
    if found is not None:
        assert found.rows.shape == found.labels.shape == found.predicted.shape == (10,)
        assert found.logits.shape[0] == 10


@given(tables(CURVE), st.sampled_from((load_curve, load_learning_rates, load_loss_parts)))
def test_a_curve_of_another_form(content, load):
    with a_file("curve.parquet", content) as path:
        read_or_refused("curve.parquet", lambda: load(path.parent))


@given(tables(LABELS))
def test_soft_labels_of_another_form(content):
    with a_file("soft_labels.parquet", content) as path:
        found = read_or_refused("soft_labels.parquet", lambda: load_soft_labels(path))
    if found is not None:
        assert found.logits.ndim == 2
        assert found.logits.shape[0] == found.rows.shape[0]


@given(
    st.lists(st.integers(0, 2**40), min_size=1, max_size=20, unique=True),
    st.integers(1, 5),
    st.integers(0, 2**32 - 1),
)
def test_soft_labels_are_read_back(numbers, width, seed):
    logits = np.random.default_rng(seed).normal(size=(len(numbers), width)).astype(np.float32)
    with a_file("soft_labels.parquet", b"") as path:
        save_soft_labels(path, np.array(numbers), logits)
        found = read_or_refused("soft labels, written and read", lambda: load_soft_labels(path))
    order = np.argsort(numbers)
    assert found.rows.tolist() == sorted(numbers)
    assert np.array_equal(found.logits, logits[order])


SOME_ROWS = TestRows(
    texts=["a", "b"],
    twin_in_test=[None, 0],
    twin_in_train=[1, None],
    is_exact_in_test=[False, True],
    is_exact_in_train=[False, True],
)


@given(
    damaged(
        content_of(lambda f: save_test_rows(f / "rows.parquet", SOME_ROWS, "f"), "rows.parquet")
    )
)
def test_damaged_test_rows(content):
    with a_file("rows.parquet", content) as path:
        read_or_refused("test_rows.parquet, damaged", lambda: load_test_rows(path, "f", 2))


@given(st.lists(texts(), min_size=1, max_size=8))
def test_test_rows_are_read_back(some):
    size = len(some)
    rows = TestRows(
        texts=some,
        twin_in_test=[None] * size,
        twin_in_train=[0] * size,
        is_exact_in_test=[False] * size,
        is_exact_in_train=[True] * size,
    )
    with a_file("rows.parquet", b"") as path:
        save_test_rows(path, rows, "f")
        read = lambda: load_test_rows(path, "f", size)  # noqa: E731
        assert read_or_refused("test rows, written and read", read) == rows


COSTS = content_of(lambda folder: save_costs(folder, [COST]), "cost.json")


@given(damaged(COSTS) | changed(json.loads(COSTS)).map(lambda v: json.dumps(v).encode()))
def test_damaged_costs(content):
    with a_file("cost.json", content) as path:
        read_or_refused("cost.json", lambda: load_costs(path.parent))
        saved = read_or_refused("cost.json, added to", lambda: save_costs(path.parent, [COST]) or 1)
        assert saved is None or COST in load_costs(path.parent)


LEFT = content_of(lambda folder: save_left_out(folder, [LEFT_OUT]), "left_out.json")


@given(damaged(LEFT) | changed(json.loads(LEFT)).map(lambda v: json.dumps(v).encode()))
def test_damaged_left_out_trials(content):
    with a_file("left_out.json", content) as path:
        read_or_refused("left_out.json", lambda: load_left_out(path.parent, ()))


STUDY = content_of(
    lambda folder: (
        StudyStore(folder, "s").folder.mkdir()
        or StudyStore(folder, "s").save_study(StudySpec(name="s"))
    ),
    "s/study.yaml",
)


@given(damaged(STUDY))
def test_a_damaged_study(content):
    with a_file("study.yaml", content) as path:
        read_or_refused("study.yaml, damaged", lambda: StudyStore.at(path.parent).load_study())


def _same(a: Any, b: Any) -> bool:
    if isinstance(b, float) and not math.isfinite(b):
        return a is None
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(map(_same, a.values(), b.values()))
    return bool(a == b)

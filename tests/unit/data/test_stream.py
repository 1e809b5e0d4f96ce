"""Splits tokenised by Ray Data, and fed from there: in a real Ray that this module starts."""

import logging

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
import ray.data

from agnews_ray.data import stream
from agnews_ray.data.encode import encode_split, make_encoder
from agnews_ray.data.scan import scan_dataset
from agnews_ray.data.stream import (
    ROW_GROUP_ROWS,
    TokenisedSplit,
    iter_windows,
    open_split,
    tokenise_split,
    write_tokenised,
)
from agnews_ray.errors import DataError, StoreError
from agnews_ray.spec.data import DataSpec
from tests.unit.data.test_encode import a_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore:`ray_remote_args`")  # see compat/of_ray.py

TOKENIZER = a_tokenizer().to_str()


@pytest.fixture(scope="module")
def _own_ray():
    ray.init(
        address="local",  # whatever address another test left in the environment
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=100 << 20,
        configure_logging=False,
    )
    # As the trainer asks; Ray's log at its most talkative would fill a failed test's report.
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    yield
    ray.shutdown()


@pytest.fixture
def split(tmp_path):
    """Train rows of three files, the first of them the longest."""
    folder = tmp_path / "data" / "train"
    folder.mkdir(parents=True)
    number = 0
    for part, num_rows in enumerate((300, 20, 1)):
        texts = [f"w{number + i} w{part} w{i % 7}" for i in range(num_rows)]
        labels = [(number + i) % 3 for i in range(num_rows)]
        pq.write_table(pa.table({"text": texts, "label": labels}), folder / f"part-{part}.parquet")
        number += num_rows
    (tmp_path / "data" / "test").mkdir()
    pq.write_table(
        pa.table({"text": ["a", "b", "c"], "label": [0, 1, 2]}),
        tmp_path / "data" / "test" / "part.parquet",
    )
    return scan_dataset(DataSpec(source=str(tmp_path / "data")), tmp_path).train


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokenised.parquet"


def encoded(num_rows):
    texts = [f"w{row % 90 + 1}" for row in range(num_rows)]
    table = pa.table({"text": texts, "label": [0] * num_rows, "row": range(num_rows)})
    return make_encoder(TOKENIZER)(table)


def written(path, num_rows, group_rows, monkeypatch):
    """Write a split of so many rows a group."""
    monkeypatch.setattr(stream, "ROW_GROUP_ROWS", group_rows)
    write_tokenised([encoded(num_rows)], TOKENIZER, path, lambda _: None)
    return path


def rows_of(dataset, window_rows=0):
    return [window.rows.tolist() for window in iter_windows(dataset.iterator(), window_rows)]


@pytest.mark.usefixtures("_own_ray")
def test_a_split_of_files_becomes_one_file_in_their_order(split, path):
    told = []
    tokenise_split(split, TOKENIZER, path, told.append)
    found, expected = pq.read_table(path), encode_split(split, TOKENIZER)
    assert str(found.schema.field("input_ids").type) == "list<element: uint16>"
    assert found["row"].to_pylist() == expected.rows.tolist() == list(range(321))
    assert found["label"].to_pylist() == expected.labels.tolist()
    assert np.concatenate(found["input_ids"].to_numpy()).tolist() == expected.ids.tolist()
    assert told[-1] == 321
    assert pq.read_metadata(path).metadata[b"num_tokens"] == str(len(expected.ids)).encode()


@pytest.mark.usefixtures("_own_ray")
def test_rows_that_went_since_they_were_checked_are_missed(split, path, monkeypatch):
    monkeypatch.setattr(type(split), "num_rows", 400)
    with pytest.raises(DataError) as caught:
        tokenise_split(split, TOKENIZER, path, lambda _: None)
    error = caught.value
    assert (error.where, error.found) == (str(split.files[0]), "321")
    assert error.wanted == "400 rows, as when they were checked"
    assert "submit again" in error.hint


@pytest.mark.usefixtures("_own_ray")
def test_a_resident_split_is_one_window_in_file_order(path, monkeypatch):
    split = TokenisedSplit(path=written(path, 30, 8, monkeypatch), is_resident=True)
    for dataset in (split.dataset(seed=1, epoch=0), split.ordered_dataset()):
        (window,) = iter_windows(dataset.iterator(), 0)
        assert window.rows.tolist() == list(range(30))
        assert window.ids.tolist() == [row + 1 for row in range(30)]
        assert window.labels.tolist() == [0] * 30


@pytest.mark.usefixtures("_own_ray")
def test_a_streamed_split_shuffles_its_groups_anew_in_each_epoch(path, monkeypatch):
    split = TokenisedSplit(path=written(path, 30, 8, monkeypatch), is_resident=False)
    groups = [list(range(first, min(first + 8, 30))) for first in range(0, 30, 8)]
    for seed, epoch in ((1, 0), (1, 1)):
        order = np.random.default_rng([seed, epoch]).permutation(4)
        expected = [row for group in order for row in groups[group]]
        (found,) = rows_of(split.dataset(seed, epoch))
        assert found == expected


@pytest.mark.usefixtures("_own_ray")
def test_windows_take_rows_over_the_ends_of_groups(path, monkeypatch):
    split = TokenisedSplit(path=written(path, 30, 8, monkeypatch), is_resident=False)
    windows = rows_of(split.ordered_dataset(), window_rows=12)
    assert windows == [list(range(12)), list(range(12, 24)), list(range(24, 30))]


@pytest.mark.parametrize(
    ("num_words", "num_tokens", "is_resident"),
    [
        (99, 1 << 19, True),  # of two bytes each: 1 MiB
        (99, (1 << 19) + 1, False),
        (70_000, 1 << 18, True),  # of four
        (70_000, (1 << 18) + 1, False),
    ],
)
def test_what_exceeds_the_limit_is_streamed(path, num_words, num_tokens, is_resident):
    tokenizer = a_tokenizer(num_words).to_str()
    table = pa.table({"input_ids": [[1] * num_tokens], "label": [0], "row": [0]})
    write_tokenised([table], tokenizer, path, lambda _: None)
    found = open_split(path, tokenizer, max_resident_mb=1)
    assert (found.path, found.is_resident) == (path, is_resident)


def test_a_file_is_written_in_groups_and_every_table_told(path):
    told = []
    sizes = (ROW_GROUP_ROWS + 1, 3, 0)
    number = write_tokenised(map(encoded, sizes), TOKENIZER, path, told.append)
    metadata = pq.read_metadata(path)
    assert number == metadata.num_rows == ROW_GROUP_ROWS + 4
    assert told == [ROW_GROUP_ROWS + 1, ROW_GROUP_ROWS + 4, ROW_GROUP_ROWS + 4]
    groups = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    assert [rows for rows in groups if rows] == [ROW_GROUP_ROWS, 1, 3]
    assert metadata.metadata[b"num_tokens"] == str(ROW_GROUP_ROWS + 4).encode()


@pytest.mark.parametrize(
    "read",
    [
        lambda path: open_split(path, TOKENIZER, 1),
        lambda path: TokenisedSplit(path=path, is_resident=False).dataset(1, 0),
        stream._read_whole,
        lambda path: stream._read_group(path, 0),
    ],
)
def test_a_file_damaged_meanwhile_is_named(path, read, monkeypatch):
    written(path, 30, 8, monkeypatch)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(StoreError) as caught:
        read(path)
    error = caught.value
    assert (error.where, error.wanted) == (str(path), "a whole tokenised split")
    assert "\n" not in error.found
    assert len(error.found) <= 200
    assert error.hint == "submit again: it is made again"

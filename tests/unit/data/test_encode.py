"""Texts to ids, in one process: the same as the tokenizer's own, in order."""

import pyarrow as pa
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from agnews_ray.data import encode
from agnews_ray.data.encode import encode_split, id_type, make_encoder
from agnews_ray.data.scan import scan_dataset
from agnews_ray.spec.data import DataSpec


def a_tokenizer(num_words=100):
    words = {"[UNK]": 0} | {f"w{i}": i for i in range(1, num_words)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.enable_truncation(3)
    return tokenizer


def a_table(num_rows):
    texts = [f"w{row % 50 + 1} w2 nothing w3" for row in range(num_rows)]
    return pa.table({"text": texts, "label": range(num_rows), "row": range(7, 7 + num_rows)})


@pytest.mark.parametrize("num_rows", [0, 1, 4, 5, 9])
def test_rows_keep_their_order_over_chunks(num_rows, monkeypatch):
    monkeypatch.setattr(encode, "CHUNK_ROWS", 4)
    found = make_encoder(a_tokenizer().to_str())(a_table(num_rows))
    assert found.column_names == ["input_ids", "label", "row"]
    assert found["input_ids"].to_pylist() == [[row % 50 + 1, 2, 0] for row in range(num_rows)]
    assert found["label"].to_pylist() == list(range(num_rows))
    assert found["row"].to_pylist() == list(range(7, 7 + num_rows))


def test_an_encoder_serves_table_after_table():
    encoder = make_encoder(a_tokenizer().to_str())
    assert encoder(a_table(3))["input_ids"] == encoder(a_table(3))["input_ids"]


@pytest.mark.parametrize(
    ("num_words", "expected"), [(2, pa.uint16()), (65_535, pa.uint16()), (65_536, pa.int32())]
)
def test_ids_take_two_bytes_where_two_suffice(num_words, expected):
    assert id_type(a_tokenizer(num_words).to_str()) == expected
    found = make_encoder(a_tokenizer(num_words).to_str())(a_table(1))
    assert found["input_ids"].type == pa.list_(expected)


def test_a_split_is_encoded_in_file_order(news_folder, tmp_path):
    split = scan_dataset(DataSpec(source=str(news_folder)), tmp_path).test
    rows = encode_split(split, a_tokenizer().to_str())
    assert rows.labels.tolist() == [2, 0, 1, 3]
    assert rows.rows.tolist() == [0, 1, 2, 3]

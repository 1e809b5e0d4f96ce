"""Tokenised splits and trained tokenizers are kept, heal, and are named by what they depend on."""

import dataclasses

import numpy as np
import pyarrow.parquet as pq
import pytest

from agnews_ray.data import cached, stream, tokenised
from agnews_ray.data.batches import FIRST_TRANSFER_ROW, NO_LABEL
from agnews_ray.data.encode import make_encoder
from agnews_ray.data.scan import scan_dataset
from agnews_ray.data.tokenised import tokenised_key, tokenised_splits, with_transfer
from agnews_ray.data.unlabelled import scan_texts
from agnews_ray.errors import StoreError
from agnews_ray.model.tokenizer import encoder_json
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.run import inputs
from agnews_ray.run.inputs import InputCache, tokenizer_key
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.unit.data.test_encode import a_tokenizer

SIZES = ArchitectureSpec(
    num_layers=1, hidden_size=32, num_heads=2, intermediate_size=32, vocab_size=300
)
VARIANT = VariantSpec(model="distilbert", name="one", init="random", architecture=SIZES)
TRIAL = PlannedTrial(
    trial_id="one-1",
    variant=VARIANT,
    seed=1,
    device="cpu",
    precision="fp32",
    recipe=RecipeSpec(),
    num_steps=1,
)
SPEC = DataSpec(source="synthetic:train=64,test=16,seed=1", max_length_tokens=32)


@pytest.fixture
def scanned(tmp_path):
    return scan_dataset(SPEC, tmp_path)


@pytest.fixture
def without_ray(monkeypatch):
    """Tokenises in this process; how often and what is kept are as ever."""
    made = []

    def tokenise_split(split, tokenizer_json, path, on_rows):
        made.append(path.name)
        encode = make_encoder(tokenizer_json)
        tables = [encode(table) for table in split.iter_selected(0)]
        stream.write_tokenised(tables, tokenizer_json, path, on_rows)

    monkeypatch.setattr(tokenised, "tokenise_split", tokenise_split)
    return made


def _load(scanned, folder, note=pytest.fail):
    return InputCache(scanned, SPEC, folder, lambda *_: None, note).load(TRIAL)


@pytest.mark.parametrize("size", [0, 100])
def test_a_cut_off_split_is_made_anew_and_said(size, scanned, tmp_path, without_ray):
    path = _load(scanned, tmp_path).splits["test"].path
    rows = pq.read_table(path)
    path.write_bytes(path.read_bytes()[:size])
    lines = []
    assert _load(scanned, tmp_path, lines.append).splits["test"].path == path
    assert pq.read_table(path) == rows
    (line,) = lines
    assert line.startswith(f"note  {path.parent}: test.parquet has {size} bytes, not ")


def test_whole_splits_are_not_made_again(scanned, tmp_path, without_ray):
    path = _load(scanned, tmp_path).splits["train"].path
    before = path.stat().st_mtime_ns
    assert _load(scanned, tmp_path).splits["train"].path.stat().st_mtime_ns == before
    assert without_ray == ["train.parquet", "test.parquet"]


def test_a_damaged_trained_tokenizer_is_made_anew_and_said(scanned, tmp_path):
    vocabulary = InputCache(scanned, SPEC, tmp_path, print).tokenizer(VARIANT).get_vocab()
    (path,) = (tmp_path / "tokenizers").glob("*/tokenizer.json")
    path.write_bytes(path.read_bytes()[:500])
    lines = []
    again = InputCache(scanned, SPEC, tmp_path, print, lines.append).tokenizer(VARIANT)
    assert again.get_vocab() == vocabulary
    (line,) = lines
    assert line.startswith(f"note  {path.parent}: tokenizer.json has 500 bytes")


@pytest.mark.parametrize("read", [stream._read_whole, lambda path: stream._read_group(path, 0)])
def test_a_split_damaged_after_it_was_looked_at_is_named(read, tmp_path):
    path = tmp_path / "train.parquet"
    path.write_bytes(b"PAR1")
    with pytest.raises(StoreError, match=f"{path}: want a whole tokenised split"):
        read(path)


def _with_rows(scanned, split, rows):
    changed = dataclasses.replace(getattr(scanned, split), rows=np.array(rows))
    return dataclasses.replace(scanned, **{split: changed})


def _with_content(scanned, split):
    parts = {split: scanned.record.test.model_copy(update={"fingerprint": "f" * 32})}
    return dataclasses.replace(scanned, record=scanned.record.model_copy(update=parts))


SPLITS = ["train", "test", "validation"]


@pytest.mark.parametrize("key", [lambda s: tokenised_key(s, "{}"), lambda s: tokenizer_key(s, 9)])
@pytest.mark.parametrize("split", SPLITS)
def test_the_texts_and_labels_of_each_split_are_in_the_keys(split, key, scanned):
    assert key(_with_content(scanned, split)) != key(scanned)


@pytest.mark.parametrize("split", SPLITS)
def test_the_rows_used_of_each_split_are_in_the_key(split, scanned):
    first, second = (_with_rows(scanned, split, rows) for rows in ([1, 2], [1, 3]))
    assert tokenised_key(first, "{}") != tokenised_key(second, "{}")


def test_the_train_rows_are_in_a_trained_tokenizers_key(scanned):
    first, second = (_with_rows(scanned, "train", rows) for rows in ([1, 2], [1, 3]))
    assert tokenizer_key(first, 9) != tokenizer_key(second, 9)


@pytest.mark.parametrize(
    "setting",
    [
        {"limit_train": 40},
        {"limit_test": 8},
        {"validation_fraction": 0.2},
        {"limit_train": 40, "split_seed": 8},
    ],
    ids=str,
)
def test_whatever_chooses_other_rows_changes_the_key(setting, scanned, tmp_path):
    like = {"limit_train": 40} if "split_seed" in setting else {}
    keys = {
        tokenised_key(scan_dataset(SPEC.model_copy(update=update), tmp_path), "{}")
        for update in (like, setting)
    }
    assert len(keys) == 2


def test_the_tokenizer_and_the_longest_length_are_in_the_key(scanned, tmp_path):
    tokenizers = [
        InputCache(scanned, SPEC, tmp_path, print).tokenizer(
            VARIANT.model_copy(update={"architecture": SIZES.model_copy(update={"vocab_size": n})})
        )
        for n in (300, 310)
    ]
    encoders = [encoder_json(tokenizer, 32) for tokenizer in tokenizers]
    encoders.append(encoder_json(tokenizers[0], 33))
    assert len({tokenised_key(scanned, encoder) for encoder in encoders}) == 3


def test_the_vocabularys_size_is_in_a_trained_tokenizers_key(scanned):
    assert tokenizer_key(scanned, 9) != tokenizer_key(scanned, 10)


@pytest.mark.parametrize(
    ("module", "name", "key"),
    [
        (tokenised, "TOKENISED_VERSION", lambda s: tokenised_key(s, "{}")),
        (inputs, "TRAINED_VERSION", lambda s: tokenizer_key(s, 9)),
    ],
)
def test_a_new_version_of_our_own_code_changes_the_key(module, name, key, scanned, monkeypatch):
    before = key(scanned)
    monkeypatch.setattr(module, name, getattr(module, name) + 1)
    assert key(scanned) != before


@pytest.mark.parametrize(
    ("library", "key"),
    [
        ("tokenizers", lambda s: tokenised_key(s, "{}")),
        ("tokenizers", lambda s: tokenizer_key(s, 9)),
        ("transformers", lambda s: tokenizer_key(s, 9)),
    ],
)
def test_another_version_of_a_library_changes_the_key(library, key, scanned, monkeypatch):
    before = key(scanned)
    of = cached.version
    monkeypatch.setattr(cached, "version", lambda name: "99" if name == library else of(name))
    assert key(scanned) != before


ENCODER = a_tokenizer().to_str()


@pytest.fixture
def splits(scanned, tmp_path, without_ray):
    return tokenised_splits(scanned, ENCODER, tmp_path, 512, lambda *_: None, pytest.fail)


def _joined(splits, scanned, folder, content, max_resident_mb=512, **transfer):
    (folder / "more.txt").write_text(content)
    spec = TransferSpec(source=str(folder / "more.txt"), **transfer)
    texts = scan_texts(spec, SPEC, folder, scanned)
    done = []
    found = with_transfer(splits, texts, ENCODER, max_resident_mb, done.append, pytest.fail)
    return found["train"], done


def test_texts_follow_the_train_rows_which_are_not_tokenised_again(
    splits, scanned, tmp_path, without_ray
):
    found, done = _joined(splits, scanned, tmp_path, "w1 w2\nw3\n")
    train, table = pq.read_table(splits["train"].path), pq.read_table(found.path)
    assert table.slice(0, 64) == train
    rows = table.slice(64).to_pydict()
    assert rows["input_ids"] == [[1, 2], [3]]
    assert rows["row"] == [FIRST_TRANSFER_ROW, FIRST_TRANSFER_ROW + 1]
    assert rows["label"] == [NO_LABEL] * 2
    assert done == [2]
    assert without_ray == ["train.parquet", "test.parquet", "texts.parquet"]
    groups = pq.read_metadata(found.path)
    assert [groups.row_group(i).num_rows for i in range(groups.num_row_groups)] == [64, 2]
    assert [path.name for path in found.path.parent.iterdir() if path.suffix == ".parquet"] == [
        "train.parquet"
    ]


def test_texts_alone_take_the_place_of_the_train_rows(splits, scanned, tmp_path):
    found, _ = _joined(splits, scanned, tmp_path, "w1 w2\nw3\n", only=True)
    assert pq.read_table(found.path)["input_ids"].to_pylist() == [[1, 2], [3]]
    assert found.is_resident


def test_a_joined_split_that_is_too_large_is_streamed(splits, scanned, tmp_path):
    found, _ = _joined(splits, scanned, tmp_path, "w1\n", max_resident_mb=0)
    assert splits["train"].is_resident
    assert not found.is_resident


def test_a_joined_split_is_kept_and_depends_on_texts_and_train_rows(
    splits, scanned, tmp_path, without_ray
):
    first, _ = _joined(splits, scanned, tmp_path, "w1\nw2\n")
    again, done = _joined(splits, scanned, tmp_path, "w1\nw2\n")
    assert (again.path, done) == (first.path, [])
    others = [
        _joined(splits, scanned, tmp_path, "w1\nw3\n"),
        _joined(splits, scanned, tmp_path, "w1\nw2\n", limit=1),
        _joined(splits, scanned, tmp_path, "w1\nw2\n", only=True),
    ]
    fewer = scan_dataset(SPEC.model_copy(update={"limit_train": 40}), tmp_path)
    fewer_splits = tokenised_splits(fewer, ENCODER, tmp_path, 512, print, pytest.fail)
    others.append(_joined(fewer_splits, fewer, tmp_path, "w1\nw2\n"))
    assert len({first.path, *(other.path for other, _ in others)}) == 5

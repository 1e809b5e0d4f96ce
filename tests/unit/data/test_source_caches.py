"""What is kept of a source - generated, unpacked, from the hub - heals by itself."""

import json
import logging
import os
import zipfile

import datasets
import pyarrow.parquet as pq
import pytest

from agnews_ray.data import hub_data, sources, synthetic
from agnews_ray.data.hub_data import load_hub
from agnews_ray.data.scan import scan_dataset
from agnews_ray.data.sources import resolve_source
from agnews_ray.data.synthetic import SyntheticSpec
from agnews_ray.spec.data import DataSpec

LINES = [json.dumps({"text": f"text {n}", "label": n % 2}) for n in range(20)]


def _synthetic(folder):
    return DataSpec(source="synthetic:train=50,test=10,seed=1")


def _archive(folder):
    with zipfile.ZipFile(folder / "news.zip", "w") as archive:
        archive.writestr("train.jsonl", "\n".join(LINES))
        archive.writestr("test.jsonl", "\n".join(LINES[:6]))
    return DataSpec(source=str(folder / "news.zip"))


def _json(folder):
    rows = [json.loads(line) for line in LINES]
    (folder / "news.json").write_text(json.dumps({"train": rows, "test": rows[:6]}))
    return DataSpec(source=str(folder / "news.json"))


SOURCES = {"synthetic": _synthetic, "an archive": _archive, "a file of splits": _json}


@pytest.mark.parametrize("kind", SOURCES)
def test_a_damaged_file_of_a_source_is_made_anew_and_said(kind, tmp_path, caplog):
    spec = SOURCES[kind](tmp_path)
    before = scan_dataset(spec, tmp_path / "cache").record
    assert caplog.records == []
    (train,) = resolve_source(spec, tmp_path / "cache").train
    train.write_bytes(train.read_bytes()[:-30])
    after = scan_dataset(spec, tmp_path / "cache").record
    assert after.fingerprint == before.fingerprint
    (said,) = caplog.records
    assert said.levelno == logging.WARNING
    assert said.getMessage().startswith(f"{train.parent}: {train.name} has ")


@pytest.mark.parametrize("kind", SOURCES)
def test_what_is_whole_is_not_made_again(kind, tmp_path):
    spec = SOURCES[kind](tmp_path)
    (train,) = resolve_source(spec, tmp_path / "cache").train
    before = train.stat()
    assert resolve_source(spec, tmp_path / "cache").train == (train,)
    after = train.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_a_damaged_file_of_the_hub_is_made_anew_and_said(tmp_path, caplog, monkeypatch):
    rows = datasets.Dataset.from_dict({"text": ["a", "b"], "label": [0, 1]})
    loaded = datasets.DatasetDict({"train": rows, "test": rows})
    monkeypatch.setattr(hub_data, "_load", lambda *_: loaded)
    (path,) = load_hub(DataSpec(source="owner/news"), tmp_path)["train"]
    path.write_bytes(b"")
    assert load_hub(DataSpec(source="owner/news"), tmp_path)["train"] == (path,)
    assert pq.read_table(path)["text"].to_pylist() == ["a", "b"]
    (said,) = caplog.records
    assert said.getMessage().startswith(f"{path.parent}: train.parquet has 0 bytes")


def test_an_archive_of_the_same_size_and_time_is_unpacked_again(tmp_path):
    spec = _archive(tmp_path)
    (before,) = resolve_source(spec, tmp_path / "cache").train
    path = tmp_path / "news.zip"
    content, facts = path.read_bytes(), path.stat()
    path.write_bytes(content.replace(b"text 3", b"text 4"))  # stored, not packed
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert path.stat().st_size == len(content)
    # Only the folder's name: the checksum inside that archive is wrong.
    after = sources._converted(path, tmp_path / "cache", "unpacked", lambda folder: None)
    assert after != before.parent


def test_a_folder_of_converted_splits_depends_on_how_they_were_read(tmp_path):
    _json(tmp_path)
    folders = {
        sources._converted(tmp_path / "news.json", tmp_path / "cache", how, lambda folder: None)
        for how in (["utf-8", ["train"]], ["latin-1", ["train"]], ["utf-8", ["train", "test"]])
    }
    assert len(folders) == 3


VERSIONS = {
    "synthetic": (synthetic, "GENERATOR_VERSION", lambda _: SyntheticSpec().key()),
    "converted": (
        sources,
        "CONVERTED_VERSION",
        lambda tmp: sources._converted(tmp / "news.zip", tmp, "", lambda folder: None),
    ),
    "hub": (hub_data, "KEPT_VERSION", lambda _: hub_data._folder_key("one", ["train"])),
}


@pytest.mark.parametrize("kind", VERSIONS)
def test_a_new_version_of_our_own_code_makes_another_folder(kind, tmp_path, monkeypatch):
    module, name, folder = VERSIONS[kind]
    _archive(tmp_path)
    before = folder(tmp_path)
    monkeypatch.setattr(module, name, getattr(module, name) + 1)
    assert folder(tmp_path) != before


CORPORA = [{"train": 5}, {"test": 5}, {"seed": 5}, {"noise": 0.5}]


@pytest.mark.parametrize("setting", CORPORA, ids=str)
def test_every_setting_of_the_generator_is_in_the_key(setting):
    assert SyntheticSpec(**setting).key() != SyntheticSpec().key()


def test_the_fingerprints_and_splits_of_a_hub_dataset_are_in_the_key():
    keys = {hub_data._folder_key(*args) for args in (("a", ["x"]), ("b", ["x"]), ("a", ["x", "y"]))}
    assert len(keys) == 3


ALTERED = {
    "a text": ('"text": "text 3"', '"text": "text 33"'),
    "a border between texts": (
        '"text 3", "label": 1}\n{"text": "t',
        '"text 3t", "label": 1}\n{"text": "',
    ),
    "a label": ('"text 3", "label": 1', '"text 3", "label": 0'),
    "the order": (f"{LINES[3]}\n{LINES[5]}", f"{LINES[5]}\n{LINES[3]}"),
}


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("what", ALTERED)
def test_the_fingerprint_covers_every_text_and_label_that_is_read(what, split, tmp_path):
    content = (
        "\n".join(LINES).replace(f"{LINES[4]}\n", "") if what == "the order" else "\n".join(LINES)
    )
    before, after = ALTERED[what]
    assert before in content
    fingerprints = set()
    for number, altered in enumerate((content, content.replace(before, after))):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "train.jsonl").write_text(altered if split == "train" else content)
        (folder / "test.jsonl").write_text(altered if split == "test" else content)
        record = scan_dataset(DataSpec(source=str(folder)), tmp_path / "cache").record
        fingerprints.add(record.fingerprint)
    assert len(fingerprints) == 2

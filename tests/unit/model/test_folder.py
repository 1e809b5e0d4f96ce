"""A folder is checked for what a model needs, before anything is loaded from it."""

import json
from pathlib import Path

import pytest

from agnews_ray.errors import ModelError
from agnews_ray.model.folder import check_folder, has_tokenizer


def refusal(folder):
    with pytest.raises(ModelError) as caught:
        check_folder(folder)
    return caught.value


def put_config(folder, **content):
    (folder / "config.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", ["tokenizer.json", "vocab.txt", "spiece.model", "qwen.tiktoken"])
def test_any_one_vocabulary_is_enough(folder, name):
    (folder / "vocab.txt").unlink()
    assert not has_tokenizer(folder)
    (folder / name).write_text("{}")
    assert has_tokenizer(folder)
    check_folder(folder)


@pytest.mark.parametrize(
    ("config", "wanted", "found"),
    [
        ({}, 'a "model_type" in config.json', "an empty one"),
        ({"hidden_size": 16}, 'a "model_type" in config.json', "none"),
        ({"model_type": 3}, 'a "model_type" in config.json', "none"),
        (
            {"model_type": "bert", "quantization_config": {"quant_method": "gptq"}},
            "weights in full precision",
            "quantised ones gptq",
        ),
        (
            {"model_type": "bert", "quantization_config": "some"},
            "weights in full precision",
            "quantised ones",
        ),
    ],
)
def test_a_config_that_cannot_be_trained_from_is_refused(folder, config, wanted, found):
    put_config(folder, **config)
    error = refusal(folder)
    assert (error.wanted, error.found) == (wanted, found)


def test_an_adapter_beside_its_model_may_be_a_merged_one(folder):
    (folder / "adapter_config.json").write_text("{}")
    error = refusal(folder)
    assert error.found == "an adapter (PEFT) in it"
    assert error.hint.endswith("if it is merged, delete adapter_config.json")


@pytest.mark.parametrize(
    ("config", "wanted", "found"),
    [
        ({"model_type": "bert"}, "a tokenizer (tokenizer.json", "no such file"),
        ({"model_type": "canine"}, "a fast tokenizer", "a slow one: that of 'canine' reads"),
        ({"model_type": "vit", "image_size": 8}, "a model of text", "model_type 'vit', of"),
    ],
)
def test_a_folder_without_a_tokenizer_says_why_that_may_be(folder, config, wanted, found):
    (folder / "vocab.txt").unlink()
    put_config(folder, **config)
    error = refusal(folder)
    assert error.wanted.startswith(wanted)
    assert error.found.startswith(found)


@pytest.mark.parametrize("beside", ["merges.txt", "tokenizer.json"])
def test_half_of_a_byte_pair_vocabulary_is_none(folder, beside):
    (folder / "vocab.txt").unlink()
    (folder / "vocab.json").write_text("{}")
    assert refusal(folder).found == "vocab.json alone"
    (folder / beside).write_text("{}")
    check_folder(folder)


def test_an_empty_vocabulary_is_downloaded_again(folder):
    (folder / "vocab.txt").write_text(" \n")
    error = refusal(folder)
    assert (error.wanted, error.found, error.hint) == (
        "the content of vocab.txt",
        "an empty file",
        "download vocab.txt again",
    )


def test_damaged_settings_of_a_tokenizer_are_named(folder):
    (folder / "tokenizer_config.json").write_text("{")
    assert refusal(folder).wanted == "JSON in tokenizer_config.json"


def test_a_folder_that_may_not_be_read_is_one_line(folder, monkeypatch):
    def refuse(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    error = refusal(folder)
    assert (error.wanted, error.hint) == ("a readable folder", "check the folder's permissions")
    assert "Permission denied" in error.found


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    (tmp_path / "private").write_text("secret")
    (folder / "vocab.txt").unlink()
    (folder / "vocab.txt").symlink_to(tmp_path / "private")
    assert refusal(folder).found == f"vocab.txt, a link to {tmp_path / 'private'}"


def test_the_links_of_the_hubs_cache_are_its_own(folder, tmp_path):
    commit = tmp_path / "cache" / "snapshots" / ("a" * 40)
    commit.parent.mkdir(parents=True)
    folder.rename(commit)
    (commit.parent.parent / "blobs").mkdir()
    (commit / "vocab.txt").rename(commit.parent.parent / "blobs" / "7b2f")
    (commit / "vocab.txt").symlink_to("../../blobs/7b2f")
    check_folder(commit)

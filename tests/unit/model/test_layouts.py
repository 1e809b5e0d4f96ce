"""A folder without a model is named for what it is, with the one to pass instead."""

import os

import pytest

from agnews_ray.model.layouts import explain_file, explain_no_config

OLD, NEW = "a" * 40, "b" * 40


def put(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


@pytest.mark.parametrize(
    ("names", "found", "hint"),
    [
        ([], "an empty folder", "pass a folder written by save_pretrained"),
        (["notes.txt"], "none", "pass a folder written by save_pretrained"),
        (
            ["adapter_config.json", "checkpoint-5/config.json"],
            "an adapter (PEFT), without its model",
            "merge it first",
        ),
        (
            ["modules.json", "0_Transformer/config.json", "1_Pooling/config.json"],
            "a sentence-transformers model of the old layout",
            "pass its 0_Transformer",
        ),
        (["bert_config.json", "model.ckpt.index"], "a TensorFlow checkpoint", "convert it with"),
        (["model-q4.gguf"], "GGUF weights", "pass the model's original folder"),
        (["bert/config.json"], "one in its bert", "pass bert inside it"),
        (["b/config.json", "a/config.json"], "2 models below it", "pass one of them, as its a"),
        (
            ["checkpoint-5/optimizer.pt"],
            "1 checkpoint(s) of a Trainer, none with a config.json",
            "save the model with save_pretrained",
        ),
        (
            [f"snapshots/{OLD}/tokenizer.json"],
            "the hub's cache, with nothing whole in it",
            "download the model again",
        ),
    ],
)
def test_what_lies_there_is_named_and_what_to_pass(tmp_path, names, found, hint):
    put(tmp_path, *names)
    error = explain_no_config(tmp_path)
    assert (error.wanted, error.found) == ("a config.json in it", found)
    assert error.hint.startswith(hint)


def test_the_newest_checkpoint_is_the_whole_one_of_the_highest_step(tmp_path):
    put(tmp_path, *(f"checkpoint-{step}/config.json" for step in (90, 1000, 500)))
    put(tmp_path, "checkpoint-2000/optimizer.pt", "checkpoint-best/config.json")
    error = explain_no_config(tmp_path)
    assert error.found == "4 checkpoint(s) of a Trainer"
    assert error.hint == "pass the newest one, its checkpoint-1000"


@pytest.fixture
def cache(tmp_path):
    """The cache holds two commits, the first of them older."""
    put(tmp_path, f"snapshots/{OLD}/config.json", f"snapshots/{NEW}/config.json")
    for commit, seconds in ((OLD, 1), (NEW, 2)):
        os.utime(tmp_path / "snapshots" / commit, (seconds, seconds))
    return tmp_path


def test_of_a_cache_the_commit_of_main_is_passed(cache):
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text(f"{OLD}\n")
    assert explain_no_config(cache).hint == f"pass its snapshots/{OLD}"


def test_without_a_main_the_latest_commit_is_passed(cache):
    assert explain_no_config(cache).hint == f"pass its snapshots/{NEW}"
    assert explain_no_config(cache / "snapshots").hint == f"pass its {NEW}"


@pytest.mark.parametrize(
    ("name", "beside", "hint"),
    [
        ("model.safetensors", ["config.json"], "pass the folder that it lies in"),
        ("model.safetensors", [], "pass a folder written by save_pretrained"),
        ("model.gguf", ["config.json"], "pass the model's original folder, with model.safetensors"),
        ("model.tar.gz", ["config.json"], "unpack it and pass the folder"),
    ],
)
def test_a_file_says_which_folder_to_pass(tmp_path, name, beside, hint):
    put(tmp_path, name, *beside)
    error = explain_file(tmp_path / name)
    assert (error.wanted, error.found, error.hint) == ("a folder", "a file", hint)

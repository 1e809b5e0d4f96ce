"""The first bytes of a weight file show whether it is whole, cut short, or something else."""

import json

import pytest
import torch
from safetensors.torch import save_file

from agnews_ray.errors import ModelError
from agnews_ray.model.headers import INDEX, WEIGHTS, check_weights, read_json
from tests.data.model_damage import POINTER

SHARDS = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors")


def refusal(folder):
    with pytest.raises(ModelError) as caught:
        check_weights(folder)
    return caught.value


def put_header(folder, header, length=None):
    """Write a file of a header alone, which says that it has that length."""
    size = len(header) if length is None else length
    (folder / WEIGHTS).write_bytes(size.to_bytes(8, "little") + header)


@pytest.fixture
def sharded(folder):
    (folder / WEIGHTS).unlink()
    for shard in SHARDS:
        save_file({shard: torch.zeros(3)}, folder / shard)
    index = {"weight_map": {f"weight {number}": SHARDS[number % 2] for number in range(4)}}
    (folder / INDEX).write_text(json.dumps(index))
    return folder


def test_whole_weights_pass(folder):
    check_weights(folder)
    save_file({"weight": torch.zeros(2), "none": torch.zeros(0)}, folder / WEIGHTS, {"a": "b"})
    check_weights(folder)


@pytest.mark.parametrize(
    ("change", "found"),
    [(lambda content: content[:-1], "cut short"), (lambda c: c + b"1", "more than it names")],
)
def test_weights_of_another_length_than_their_header_names_are_refused(folder, change, found):
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(change(whole))
    error = refusal(folder)
    assert error.wanted == f"{len(whole)} bytes in {WEIGHTS}"
    assert error.found == f"{len(change(whole))}: {found}"
    assert error.hint.startswith("download the file again")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file of 0 bytes"),
        (b"\0" * 50, "an empty file of 50 bytes"),
        (b"PK\x03\x04 a zip file", "pickled weights under another name of 15 bytes"),
        (b"\x80\x02 a pickle of old", "pickled weights under another name of 18 bytes"),
        (b"\n<!doctype html><p>404", "a web page of 22 bytes"),
        (b"nonsense and more", "another kind of file of 17 bytes"),
        (b"\xff" * 8 + b"{}", "another kind of file of 10 bytes"),
    ],
)
def test_something_else_under_the_name_of_weights_is_named(folder, content, found):
    (folder / WEIGHTS).write_bytes(content)
    error = refusal(folder)
    assert (error.wanted, error.found) == (f"safetensors weights in {WEIGHTS}", found)


def test_a_header_that_is_cut_short_is_told_from_cut_tensors(folder):
    put_header(folder, b"{" + b" " * 20, length=1000)
    assert refusal(folder).found == "29 bytes, less than its header of 1,000"


@pytest.mark.parametrize(
    "header", [b"{}       ", b"{nonsense", b'{"a": 3}', b'{"a": {"data_offsets": [0]}}']
)
def test_a_header_that_places_no_tensor_is_refused(folder, header):
    put_header(folder, header)
    assert refusal(folder).found == "a header that names none"


def test_tensors_may_be_named_in_another_order_than_they_lie(folder):
    entries = {"b": [4, 8], "a": [0, 4]}
    header = {k: {"dtype": "F32", "shape": [1], "data_offsets": v} for k, v in entries.items()}
    put_header(folder, json.dumps(header).encode() + b"\0" * 8, length=len(json.dumps(header)))
    check_weights(folder)


def test_all_shards_of_the_index_pass_together(sharded):
    check_weights(sharded)


def test_a_shard_that_is_missing_or_cut_is_named(sharded):
    whole = (sharded / SHARDS[1]).read_bytes()
    (sharded / SHARDS[1]).write_bytes(whole[:-4])
    assert refusal(sharded).wanted == f"{len(whole)} bytes in {SHARDS[1]}"
    (sharded / SHARDS[1]).unlink()
    assert refusal(sharded).found == f"no {SHARDS[1]}, which {INDEX} names"


@pytest.mark.parametrize("content", ["{}", '{"weight_map": {}}', '{"weight_map": ["a"]}'])
def test_an_index_that_names_no_shard_is_refused(sharded, content):
    (sharded / INDEX).write_text(content)
    error = refusal(sharded)
    assert (error.wanted, error.found) == (f"a weight_map in {INDEX}", "none")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        ([], "none"),
        (["training_args.bin", "optimizer.pt"], "none"),
        (["pytorch_model.bin", "tf_model.h5"], "only pytorch_model.bin; pickled weights are not"),
        (["onnx/model.onnx"], "only ONNX weights"),
        (["bert.safetensors"], "bert.safetensors"),
        ([SHARDS[0]], f"{SHARDS[0]} without it"),
    ],
)
def test_what_lies_there_instead_of_weights_is_named(folder, names, found):
    (folder / WEIGHTS).unlink()
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    assert refusal(folder).found.startswith(found)


@pytest.mark.parametrize("name", [WEIGHTS, SHARDS[1]])
def test_a_pointer_of_git_lfs_is_told_from_weights(sharded, name):
    (sharded / name).write_text(POINTER)
    error = refusal(sharded)
    assert error.wanted.endswith(name)
    assert "a Git LFS pointer of" in error.found
    assert "git lfs pull" in error.hint


def test_a_link_to_nowhere_is_not_taken_for_missing_weights(folder):
    (folder / WEIGHTS).unlink()
    (folder / WEIGHTS).symlink_to("../blobs/7b2f1a")
    assert refusal(folder).found == "a link to ../blobs/7b2f1a, which does not exist"


@pytest.mark.parametrize(
    ("content", "found"),
    [(" \n", "an empty file"), ("[1]", "a JSON list"), ('{"a": ', "JSONDecodeError: Expecting")],
)
def test_json_that_is_no_object_is_explained(folder, content, found):
    (folder / "config.json").write_text(content)
    with pytest.raises(ModelError) as caught:
        read_json(folder, folder / "config.json")
    assert caught.value.wanted.endswith("in config.json")
    assert caught.value.found.startswith(found)


@pytest.mark.parametrize("name", ["../other/model.safetensors", "/etc/model.safetensors"])
def test_an_index_cannot_name_files_outside(sharded, name):
    (sharded / INDEX).write_text(json.dumps({"weight_map": {"weight": name}}))
    assert "a path" in refusal(sharded).found

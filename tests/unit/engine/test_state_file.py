"""A state survives its files, which are checked when they are read."""

import json

import numpy as np
import pytest
import safetensors.torch
import torch

from agnews_ray.engine.callbacks import Action
from agnews_ray.engine.state_file import read_parts, write_part
from agnews_ray.errors import StoreError
from tests.unit.engine.fused.ranks import SaveAt
from tests.unit.engine.test_state import same, train


def test_a_training_goes_on_from_its_file_as_from_its_state(tmp_path):
    _, _, (state,) = train([SaveAt(5, Action.SAVE | Action.STOP)], dropout=0.3)
    write_part(tmp_path / "part", state, {})
    start = read_parts([tmp_path / "part"])["state"]
    assert same(train(start=start, dropout=0.3), train(dropout=0.3))


def test_callbacks_get_back_what_they_had(tmp_path):
    _, _, (state,) = train([SaveAt(5)])
    same_memory = torch.arange(3)
    tree = {
        "found": [{"labels": np.arange(3), "score": 0.1 + 0.2, "none": None}],
        "weights": {"a": torch.arange(4.0).reshape(2, 2).T},
        "nothing": {},
        "twice": [same_memory, same_memory, same_memory[1:]],
    }
    write_part(tmp_path / "part", state, {"One": tree})
    found = read_parts([tmp_path / "part"])["callbacks"]["One"]
    assert found["found"][0]["labels"].tolist() == [0, 1, 2]
    assert isinstance(found["found"][0]["labels"], np.ndarray)
    assert (found["found"][0]["score"], found["found"][0]["none"]) == (0.1 + 0.2, None)
    assert torch.equal(found["weights"]["a"], tree["weights"]["a"])
    assert found["nothing"] == {}
    assert [one.tolist() for one in found["twice"]] == [[0, 1, 2], [0, 1, 2], [1, 2]]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "header"),
        (b"\x08\x00\x00\x00\x00\x00\x00\x00notjson!", "header"),
        (safetensors.torch.save({"0": torch.ones(1)}), "None"),
        (safetensors.torch.save({}, {"tree": "{"}), "Expecting"),
        (safetensors.torch.save({}, {"tree": json.dumps({"a": {"$tensor": "7"}})}), "7"),
        (safetensors.torch.save({}, {"tree": json.dumps({"a": 1})}), "state"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, content, fault):
    (tmp_path / "part").write_bytes(content)
    with pytest.raises(StoreError, match=fault):
        read_parts([tmp_path / "part"])

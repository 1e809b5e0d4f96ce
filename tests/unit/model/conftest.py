"""These folders are shared by the tests of the package."""

import pytest
import torch
from safetensors.torch import save_file

from tests.fakes.artifacts import an_artifact


@pytest.fixture(scope="session")
def artifact(tmp_path_factory):
    """The folder is a finished model; a test that changes something in it copies it first."""
    return an_artifact(tmp_path_factory.mktemp("artifact"))


@pytest.fixture
def folder(tmp_path):
    """The folder holds the least that is taken for a model."""
    path = tmp_path / "ours" / "model"
    path.mkdir(parents=True)
    (path / "config.json").write_text('{"model_type": "bert"}')
    save_file({"weight": torch.zeros(2)}, path / "model.safetensors")
    (path / "vocab.txt").write_text("[PAD]")
    return path

"""Errors of the hub's libraries become one line; the hub's settings are tested in ``run``."""

import os

import pytest
from huggingface_hub import constants

from agnews_ray.errors import HubError, ModelError
from agnews_ray.model import zoo
from agnews_ray.model.hub import explain_load_error, go_offline_if_unreachable, loaded_revision
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.hub import COMMIT, serving

ON_HUB = VariantSpec(model="owner/name")


class RepositoryNotFoundError(Exception):
    """This error is named like the hub's."""


@pytest.mark.parametrize(
    ("error", "wanted", "found"),
    [
        (
            ValueError("owner/name contains custom code; set `trust_remote_code=True`"),
            "an architecture of transformers' own",
            "code of the model's own, which is never run",
        ),
        (
            ValueError("model type `own` but Transformers does not recognize this architecture"),
            "a model_type that this transformers knows",
            "'own'",
        ),
        (
            ValueError("Couldn't instantiate the backend tokenizer from one of: ..."),
            "a tokenizer.json",
            "a vocabulary that has to be converted first",
        ),
        (
            ImportError("You need to install sacremoses\nto use XLMTokenizer"),
            "a fast tokenizer",
            "a slow one, in Python, that needs a library of its own",
        ),
        (
            ValueError("Tokenizer class Own does not\nexist"),
            "a tokenizer class that transformers has",
            "Tokenizer class Own does not exist",
        ),
        (
            OSError("owner/name does not appear to have a file named model.safetensors"),
            "safetensors weights on the hub",
            "none",
        ),
        (RepositoryNotFoundError("404"), "a model on the hub", "no model of that name"),
        (IndexError("odd"), "a model that loads", "IndexError: odd"),
    ],
)
def test_an_error_of_a_library_becomes_one_line_about_the_model(error, wanted, found):
    explained = explain_load_error(ON_HUB, error)
    assert type(explained) is ModelError
    assert explained.where == "model 'owner/name'"
    assert (explained.wanted, explained.found) == (wanted, found)


def test_no_answer_is_the_hubs_fault_and_names_the_ways_around_it():
    explained = explain_load_error(ON_HUB, OSError("We couldn't connect"))
    assert type(explained) is HubError
    assert explained.found == "no answer (OSError)"
    assert "HF_ENDPOINT" in explained.hint
    assert "--init random" in explained.hint


def test_the_same_error_of_a_folder_is_the_folders(folder):
    explained = explain_load_error(VariantSpec(model=str(folder)), OSError("torn"))
    assert type(explained) is ModelError
    assert (explained.wanted, explained.found) == ("a loadable model folder", "OSError: torn")


@pytest.mark.parametrize(
    ("model", "id_in_cache"),
    [("owner/name", "owner/name"), ("minilm", "microsoft/MiniLM-L12-H384-uncased")],
)
def test_the_version_of_a_model_of_the_hub_is_its_commit(tmp_path, monkeypatch, model, id_in_cache):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert loaded_revision(VariantSpec(model=model)) is None
    cached = tmp_path / f"models--{id_in_cache.replace('/', '--')}"
    for file, content in (("refs/main", COMMIT), (f"snapshots/{COMMIT}/config.json", "{}")):
        (cached / file).parent.mkdir(parents=True)
        (cached / file).write_text(content)
    assert loaded_revision(VariantSpec(model=model)) == COMMIT
    assert loaded_revision(VariantSpec(model=model, revision="other")) is None
    assert loaded_revision(VariantSpec(model="minilm", init="random")) is None


def test_the_version_of_a_folder_is_its_content(folder):
    variant = VariantSpec(model=str(folder))
    assert loaded_revision(variant) == zoo.identity(variant)


def test_an_error_status_is_an_answer_too(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving({}) as endpoint:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
        assert go_offline_if_unreachable()
    assert os.environ["HF_HUB_OFFLINE"] == ""

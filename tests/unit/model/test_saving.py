"""An artifact has the settings of its training, whatever tokenizer and config said before."""

import json

import pytest
from transformers import AutoConfig, AutoTokenizer

from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.saving import save_artifact
from tests.fakes.artifacts import FACTS, a_classifier, a_tokenizer

LONG = "oil " * 50


@pytest.fixture
def tokenizer():
    return a_tokenizer()


def saved_tokenizer(folder, tokenizer):
    save_artifact(folder, a_classifier(tokenizer), tokenizer, FACTS)
    return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def test_truncation_alone_cuts_at_the_length_of_training(tmp_path, tokenizer):
    loaded = saved_tokenizer(tmp_path, tokenizer)
    assert [len(ids) for ids in loaded([LONG, "oil"], truncation=True)["input_ids"]] == [8, 3]


def test_what_calls_left_in_a_tokenizer_is_not_saved_and_stays_there(tmp_path, tokenizer):
    tokenizer(LONG, truncation=True, max_length=30, padding="max_length")
    before = (tokenizer.backend_tokenizer.to_str(), tokenizer.model_max_length)
    saved_tokenizer(tmp_path, tokenizer)
    assert (tokenizer.backend_tokenizer.to_str(), tokenizer.model_max_length) == before
    content = json.loads((tmp_path / "tokenizer.json").read_text())
    assert (content["truncation"], content["padding"]) == (None, None)


@pytest.mark.parametrize("setting", ["padding_side", "truncation_side"])
def test_a_side_set_after_loading_is_saved(tmp_path, tokenizer, setting):
    setattr(tokenizer, setting, "left")
    assert getattr(saved_tokenizer(tmp_path, tokenizer), setting) == "left"


def test_a_saved_tokenizer_returns_what_models_got_in_training(tmp_path, tokenizer):
    tokenizer.model_input_names = ["input_ids", "token_type_ids", "attention_mask"]
    assert set(saved_tokenizer(tmp_path, tokenizer)("oil")) == {"input_ids", "attention_mask"}


@pytest.mark.parametrize(("before", "after"), [(None, 0), (5, 5)])
def test_the_config_asks_for_a_softmax_and_knows_the_padding(tmp_path, tokenizer, before, after):
    model = a_classifier(tokenizer)
    model.config.problem_type, model.config.pad_token_id = "multi_label_classification", before
    save_artifact(tmp_path, model, tokenizer, FACTS)
    config = AutoConfig.from_pretrained(tmp_path, trust_remote_code=False)
    assert config.problem_type == "single_label_classification"
    assert config.pad_token_id == after


def test_the_size_is_that_of_the_weights_and_the_facts_lie_beside_them(tmp_path, tokenizer):
    size = save_artifact(tmp_path, a_classifier(tokenizer), tokenizer, FACTS)
    assert size == (tmp_path / "model.safetensors").stat().st_size
    assert ArtifactFacts.read(tmp_path) == FACTS

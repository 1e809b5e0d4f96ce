import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    BertModel,
    DebertaV2Config,
    DebertaV2ForSequenceClassification,
    DistilBertForSequenceClassification,
    ModernBertConfig,
    ModernBertForSequenceClassification,
)

from agnews_ray.errors import ModelError
from agnews_ray.model.build import build_classifier, build_with_notes, num_parameters
from agnews_ray.model.student import shorten
from agnews_ray.spec.distillation import StudentSpec
from agnews_ray.spec.variant import VariantSpec
from tests.unit.engine.models import FAMILIES, SIZES, a_model

NAMES = ("a", "b", "c", "d")
IDS = torch.tensor([[2, 17, 5, 9, 3]])
OTHERS = {
    "modernbert": (
        ModernBertForSequenceClassification,
        ModernBertConfig(
            **SIZES,
            pad_token_id=0,
            cls_token_id=2,
            bos_token_id=2,
            sep_token_id=3,
            eos_token_id=3,
            local_attention=4,
        ),
    ),
    "deberta": (
        DebertaV2ForSequenceClassification,
        DebertaV2Config(
            **SIZES,
            relative_attention=True,
            position_buckets=4,
            pos_att_type=["p2c", "c2p"],
            norm_rel_ebd="layer_norm",
            share_att_key=True,
            position_biased_input=False,
        ),
    ),
}


@pytest.fixture
def deep(monkeypatch):
    """Each family's tiny model has four layers."""
    found = {}
    for name, (build, config) in {**FAMILIES, **OTHERS}.items():
        content = {**config.to_dict(), "num_hidden_layers": 4, "n_layers": 4}
        content.pop("layer_types", None)
        found[name] = (build, type(config).from_dict(content))
    monkeypatch.setattr("tests.unit.engine.models.FAMILIES", found)
    return found


@pytest.fixture
def folder(tmp_path, deep):
    a_model("bert").save_pretrained(tmp_path / "bert")
    return tmp_path / "bert"


def logits(model):
    with torch.inference_mode():
        return model.eval()(IDS).logits


@pytest.mark.parametrize("family", [name for name in (*FAMILIES, *OTHERS) if name != "albert"])
def test_a_shortened_model_computes_the_same_after_it_was_saved(family, deep, tmp_path):
    whole = logits(a_model(family))
    student = shorten(a_model(family), StudentSpec(layers=(0, 3)))
    student.save_pretrained(tmp_path)
    loaded, info = AutoModelForSequenceClassification.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    assert loaded.config.num_hidden_layers == 2
    torch.testing.assert_close(logits(loaded), logits(student))
    assert not torch.allclose(logits(student), whole)


def test_all_layers_are_the_whole_model(deep):
    student = shorten(a_model("bert"), StudentSpec(layers=(0, 1, 2, 3)))
    assert torch.equal(logits(student), logits(a_model("bert")))


def test_the_copied_layers_are_the_stated_ones(folder):
    variant = VariantSpec(model=str(folder), student=StudentSpec(layers=(1, 3)))
    student, stored = build_classifier(variant, NAMES, 0), load_file(folder / "model.safetensors")
    name = "bert.encoder.layer.{}.attention.self.query.weight"
    for here, there in ((0, 1), (1, 3)):
        assert torch.equal(student.state_dict()[name.format(here)], stored[name.format(there)])


def test_the_head_is_that_of_the_whole_model_with_this_seed(folder):
    student = VariantSpec(model=str(folder), student=StudentSpec(layers=(0,)))
    whole = student.model_copy(update={"student": None})
    of_student, of_whole = (build_classifier(one, NAMES, 7).classifier for one in (student, whole))
    assert torch.equal(of_student.weight, of_whole.weight)


def test_a_distilberts_head_is_that_of_its_folder_with_this_seed(folder, tmp_path):
    variant = VariantSpec(model=str(folder), student=StudentSpec(layers=(0, 2), form="distilbert"))
    student = build_classifier(variant, NAMES, 7)
    assert isinstance(student, DistilBertForSequenceClassification)
    assert student.config.id2label == dict(enumerate(NAMES))
    student.base_model.save_pretrained(tmp_path / "bare")
    again = build_classifier(VariantSpec(model=str(tmp_path / "bare")), NAMES, 7)
    for name, value in student.state_dict().items():
        assert torch.equal(again.state_dict()[name], value), name


def test_the_notes_say_which_layers_and_what_share(folder):
    variant = VariantSpec(model=str(folder), student=StudentSpec(layers=(0, 2)))
    whole = num_parameters(build_classifier(VariantSpec(model=str(folder)), NAMES, 0))
    built = build_with_notes(variant, NAMES, 0)
    share = num_parameters(built.model) / whole
    assert built.notes[-1] == f"layers 0, 2 of 4; {share:.1%} of the whole model's parameters"


def test_no_note_is_about_the_pooler_that_a_distilbert_does_not_have(tmp_path):
    BertModel(BertConfig(**SIZES), add_pooling_layer=False).save_pretrained(tmp_path)
    for form, num_notes in (("same", 2), ("distilbert", 1)):
        variant = VariantSpec(model=str(tmp_path), student=StudentSpec(layers=(0,), form=form))
        assert len(build_with_notes(variant, NAMES, 0).notes) == num_notes


def test_other_sizes_are_fresh_weights_by_the_seed(folder):
    student = StudentSpec(num_layers=1, hidden_size=16)
    variant = VariantSpec(model=str(folder), student=student)
    built = build_with_notes(variant, NAMES, 3)
    config = built.model.config
    assert (config.num_hidden_layers, config.hidden_size, config.intermediate_size) == (1, 16, 24)
    assert config.vocab_size == SIZES["vocab_size"]
    assert "fresh weights, 1 layer(s) of width 16" in built.notes[-1]
    first, again, other = (build_classifier(variant, NAMES, seed) for seed in (3, 3, 4))
    name = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(first.state_dict()[name], again.state_dict()[name])
    assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


@pytest.mark.parametrize("family", [*OTHERS, "distilbert"])
def test_sizes_that_follow_from_others_fit_them(family, deep, tmp_path):
    a_model(family).save_pretrained(tmp_path)
    student = StudentSpec(num_layers=3, hidden_size=16)
    model = build_classifier(VariantSpec(model=str(tmp_path), student=student), NAMES, 0)
    assert model.config.num_hidden_layers == 3
    assert logits(model).shape == (1, 4)


def test_a_layer_that_is_not_there_is_refused_with_their_number(folder):
    variant = VariantSpec(model=str(folder), student=StudentSpec(layers=(0, 4)))
    with pytest.raises(ModelError, match="as it has 4"):
        build_classifier(variant, NAMES, 0)

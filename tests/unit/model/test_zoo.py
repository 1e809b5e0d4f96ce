import pytest
import torch
from safetensors.torch import save_file

from agnews_ray.errors import ModelError
from agnews_ray.model import zoo
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec


def fails(**variant):
    with pytest.raises(ModelError) as caught:
        zoo.check_model(VariantSpec(**variant))
    return str(caught.value)


@pytest.mark.parametrize(
    ("model", "hint"),
    [
        ("distilbret", "did you mean 'distilbert'?"),
        ("minilmm", "did you mean 'minilm'?"),
        ("microsoft/MiniLM-L12-H384-uncased/x", "check the path"),
        ("./nowhere", "check the path"),
        ("~/nowhere", "check the path"),
    ],
)
def test_an_unknown_model_is_explained(model, hint):
    assert hint in fails(model=model)


@pytest.mark.parametrize("model", ["minilm", "bert-base-uncased", "roberta-base", "owner/name"])
def test_aliases_and_hub_ids_pass(model):
    zoo.check_model(VariantSpec(model=model))


def test_a_folder_needs_a_config_and_safetensors(folder):
    zoo.check_model(VariantSpec(model=str(folder)))
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    assert "pickled weights are not loaded" in fails(model=str(folder))
    (folder / "config.json").unlink()
    assert "want a config.json in it" in fails(model=str(folder))


def test_fresh_weights_need_a_known_architecture():
    assert "want one of distilbert, minilm, bert" in fails(model="owner/name", init="random")


def test_a_local_models_identity_is_its_content(folder, tmp_path):
    before = zoo.identity(VariantSpec(model=str(folder)))
    moved = folder.rename(tmp_path / "moved")
    assert zoo.identity(VariantSpec(model=str(moved))) == before
    save_file({"weight": torch.ones(2)}, moved / "model.safetensors")
    assert zoo.identity(VariantSpec(model=str(moved))) != before


def test_names_in_the_table(folder):
    assert zoo.display_name(VariantSpec(model="minilm")) == "microsoft/MiniLM-L12-H384-uncased"
    assert zoo.display_name(VariantSpec(model=str(folder))) == "ours"
    assert zoo.display_name(VariantSpec(model="bert", init="random")) == "bert-base-uncased (fresh)"
    assert zoo.display_name(VariantSpec(model="bert", name="mine")) == "mine"


def test_heads_must_divide_the_width():
    own = ArchitectureSpec(hidden_size=100, num_heads=12)
    with pytest.raises(ModelError, match="hidden_size 100 and num_heads 12"):
        zoo.sizes(VariantSpec(model="bert", init="random", architecture=own))


def test_only_a_model_that_may_hold_a_head_says_in_its_id_which_one():
    assert zoo.head_of(VariantSpec(model="bert")) == ""
    assert zoo.head_of(VariantSpec(model="owner/name")) == "+fresh head"
    assert zoo.head_of(VariantSpec(model="owner/name", keep_head=True)) == "+kept head"


def test_a_linear_model_is_named_by_its_kind_and_encoder(folder, tmp_path):
    svm, embed = VariantSpec(model="tfidf-svm"), VariantSpec(model=f"embed-logreg:{folder}")
    for variant in (svm, embed):
        zoo.check_model(variant)
    assert (zoo.display_name(svm), zoo.display_name(embed)) == ("tfidf-svm", "embed-logreg:ours")
    assert (zoo.model_id(svm), zoo.model_id(embed)) == ("tfidf-svm", f"embed-logreg:{folder}")
    assert (zoo.is_on_hub(svm), zoo.is_on_hub(embed)) == (False, False)
    assert zoo.is_on_hub(VariantSpec(model="embed-logreg"))
    assert zoo.own_precision(embed, "bf16") == "fp32"


def test_a_linear_models_identity_has_its_encoders(folder, tmp_path):
    alone = zoo.identity(VariantSpec(model=str(folder)))
    embed = VariantSpec(model=f"embed-logreg:{folder}")
    assert zoo.identity(embed) == f"embed-logreg 1:{alone}"
    assert zoo.identity(VariantSpec(model="tfidf-svm")) == "tfidf-svm 1"
    assert "check the path" in fails(model="embed-logreg:/nowhere/at/all")
    assert "did you mean 'tfidf-svm'?" in fails(model="tfidf-svn")

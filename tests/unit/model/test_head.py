import json

import pytest
import torch
from safetensors.torch import load_file, save_file

from agnews_ray.errors import ModelError
from agnews_ray.model.build import build_classifier, build_with_notes
from agnews_ray.model.tokenizer import load_tokenizer
from agnews_ray.spec.variant import VariantSpec
from tests.data.model_families import CLASS_NAMES, FAMILIES

OTHER_ORDER = tuple(reversed(CLASS_NAMES))


def a_folder(tmp_path, family, names=OTHER_ORDER):
    """A base model, and the same with a head that was taught other weights."""
    FAMILIES[family].save(tmp_path / "base")
    variant = VariantSpec(model=str(tmp_path / "base"))
    taught = build_classifier(variant, names, 9)
    taught.save_pretrained(tmp_path / "taught")
    FAMILIES[family].tokenizer().save_pretrained(tmp_path / "taught")
    return variant, VariantSpec(model=str(tmp_path / "taught"))


@pytest.mark.parametrize("family", ["bert", "distilbert", "roberta", "gpt2", "deberta", "bart"])
@pytest.mark.parametrize("num_classes", [4, 5])
def test_a_folder_with_a_head_gets_the_fresh_one_of_a_folder_without(tmp_path, family, num_classes):
    base, taught = a_folder(tmp_path, family, (*OTHER_ORDER, "Weather")[:num_classes])
    expected = build_classifier(base, CLASS_NAMES, 42).state_dict()
    found = build_classifier(taught, CLASS_NAMES, 42).state_dict()
    assert found.keys() == expected.keys()
    assert [name for name in expected if not torch.equal(found[name], expected[name])] == []


def test_a_kept_heads_rows_go_to_the_classes_of_their_names(tmp_path):
    _, taught = a_folder(tmp_path, "roberta")
    kept = build_classifier(taught.model_copy(update={"keep_head": True}), CLASS_NAMES, 0)
    stored = load_file(tmp_path / "taught" / "model.safetensors")
    assert torch.equal(
        kept.classifier.out_proj.weight, stored["classifier.out_proj.weight"].flip(0)
    )
    assert torch.equal(kept.classifier.dense.weight, stored["classifier.dense.weight"])
    assert kept.config.id2label == dict(enumerate(CLASS_NAMES))


def test_a_composed_class_name_is_that_of_its_parts(tmp_path):
    _, taught = a_folder(tmp_path, "bert", ("caf\u00e9", "World"))
    kept = taught.model_copy(update={"keep_head": True})
    assert build_classifier(kept, ("World", "cafe\u0301"), 0).config.num_labels == 2


def test_a_head_that_is_not_there_cannot_be_kept(tmp_path):
    base, _ = a_folder(tmp_path, "bert")
    config = json.loads((tmp_path / "base" / "config.json").read_text())
    config["id2label"] = dict(enumerate(CLASS_NAMES))
    (tmp_path / "base" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"a classification head to keep, found no classifier\."):
        build_classifier(base.model_copy(update={"keep_head": True}), CLASS_NAMES, 0)


def test_the_embedding_table_gets_a_row_for_each_entry_of_the_tokenizer(tmp_path):
    base, _ = a_folder(tmp_path, "bert")
    tokenizer = load_tokenizer(base)
    tokenizer.add_tokens(["<zebra>", "<yak>"])
    built = build_with_notes(base, CLASS_NAMES, 0, tokenizer)
    assert built.model.get_input_embeddings().weight.shape[0] == len(tokenizer)
    assert "embedding table resized" in built.notes[-1]


def test_a_saved_model_without_a_pooler_may_be_used_and_one_without_a_block_may_not(tmp_path):
    base, _ = a_folder(tmp_path, "bert")
    file = tmp_path / "base" / "model.safetensors"
    weights = load_file(file)
    save_file({k: v for k, v in weights.items() if "pooler" not in k}, file, {"format": "pt"})
    assert build_with_notes(base, CLASS_NAMES, 0).notes == (
        "its weights lack the pooler, which gets fresh weights",
    )
    save_file({k: v for k, v in weights.items() if "layer.0" not in k}, file, {"format": "pt"})
    with pytest.raises(ModelError, match=r"missing, as bert\.encoder\.layer\.0"):
        build_classifier(base, CLASS_NAMES, 0)

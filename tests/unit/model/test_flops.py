import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from agnews_ray.model.artifact import Classifier, probe
from agnews_ray.model.flops import flops_per_row
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.variant import VariantSpec
from tests.data.model_families import FAMILIES

HIDDEN, INNER, LAYERS, CLASSES = 32, 64, 2, 3
TEXTS = ["oil prices rise", "the cup final is tonight", "chip", "a vote was held in the capital"]


@pytest.fixture(scope="module")
def artifact(tmp_path_factory):
    folder = tmp_path_factory.mktemp("artifact")
    variant = VariantSpec(model="minilm", init="random")
    tokenizer: PreTrainedTokenizerFast = train_tokenizer(lambda: TEXTS * 20, variant)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        num_labels=CLASSES,
    )
    torch.manual_seed(0)
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def by_hand(length):
    projections = 2 * length * (4 * HIDDEN**2 + 2 * HIDDEN * INNER)
    attention = 2 * 2 * length**2 * HIDDEN
    return LAYERS * (projections + attention) + 2 * HIDDEN**2 + 2 * HIDDEN * CLASSES


def test_flops_are_those_counted_by_hand(artifact):
    assert flops_per_row(artifact, [10]) == by_hand(10)
    assert flops_per_row(artifact, [10, 20, 20]) == (by_hand(10) + 2 * by_hand(20)) / 3


@pytest.mark.parametrize("name", ["gpt2", "xlnet", "t5", "bart", "deberta"])
def test_a_family_that_looks_at_values_is_counted_as_well(tmp_path, name):
    FAMILIES[name].config(num_labels=CLASSES, pad_token_id=0).save_pretrained(tmp_path)
    assert flops_per_row(tmp_path, [20]) > 2 * flops_per_row(tmp_path, [10]) > 0


def test_a_batch_gives_what_its_rows_give_alone(artifact):
    classifier = Classifier(artifact, 16, "cpu", "fp32")
    together = classifier(TEXTS)
    assert together.shape == (4, CLASSES)
    assert together.sum(dim=1) == pytest.approx(1)
    alone = torch.cat([classifier([text]) for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-5)


def test_an_empty_text_to_a_decoder_is_measured_as_well(tmp_path):
    FAMILIES["qwen2"].save(tmp_path, num_labels=CLASSES, pad_token_id=0)
    classifier = Classifier(tmp_path, 16, "cpu", "fp32")
    assert classifier([""]).isfinite().all()
    assert flops_per_row(tmp_path, classifier.num_tokens(["", "oil"])) > 0


def test_texts_are_truncated_as_in_training(artifact):
    classifier = Classifier(artifact, 8, "cpu", "fp32")
    assert max(classifier.num_tokens([*TEXTS, "oil " * 100])) == 8


def test_a_probe_tells_load_time_and_peak_memory(artifact):
    seconds, peak = probe(artifact, TEXTS, 16, "cpu", "fp32", 1)
    assert seconds > 0
    assert peak > 50e6

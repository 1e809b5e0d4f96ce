import pytest

from agnews_ray.model.artifact import Classifier
from agnews_ray.model.flops import flops_per_row
from tests.data.model_families import FAMILIES
from tests.fakes.artifacts import HIDDEN, INNER, LAYERS, NAMES

CLASSES = len(NAMES)


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


def test_an_empty_text_to_a_decoder_is_measured_as_well(tmp_path):
    FAMILIES["qwen2"].save(tmp_path, num_labels=CLASSES, pad_token_id=0)
    classifier = Classifier(tmp_path, 16, "cpu", "fp32")
    assert flops_per_row(tmp_path, classifier.num_tokens(["", "oil"])) > 0

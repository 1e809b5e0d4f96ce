import pytest
import torch
from transformers import BertConfig, BertForMaskedLM, BertModel

from agnews_ray.model.distilbert_form import as_distilbert
from tests.unit.engine.models import SIZES, a_model

IDS = torch.tensor([[2, 17, 5, 3], [2, 9, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


def moved(model):
    """The biases are moved off their zeros, so that one that is not copied is seen."""
    torch.manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape))
    return model.eval()


def test_the_hidden_states_are_those_of_bert():
    bert = a_model("bert").eval()
    student = as_distilbert(bert).eval()
    assert type(student).__name__ == "DistilBertForSequenceClassification"
    of_bert, of_student = (
        one.base_model(IDS, MASK, output_hidden_states=True).hidden_states
        for one in (bert, student)
    )
    for expected, found in zip(of_bert, of_student, strict=True):
        torch.testing.assert_close(found[MASK.bool()], expected[MASK.bool()])


def test_the_masked_language_models_logits_are_those_of_bert():
    bert = moved(BertForMaskedLM(BertConfig(**SIZES)))
    student = as_distilbert(bert).eval()
    expected, found = (one(IDS, MASK).logits[MASK.bool()] for one in (bert, student))
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("has_pooler", [True, False])
def test_a_bare_encoder_loses_its_pooler(has_pooler):
    bert = moved(BertModel(BertConfig(**SIZES), add_pooling_layer=has_pooler))
    student = as_distilbert(bert)
    assert not any("pool" in name for name, _ in student.named_parameters())

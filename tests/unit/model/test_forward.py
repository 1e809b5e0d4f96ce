"""All scoring uses one forward pass."""

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from agnews_ray.model.forward import compute_logits
from tests.data.model_families import FAMILIES

IDS = torch.tensor([[5, 6, 7, 8], [9, 10, 0, 0]])
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0]])


@pytest.fixture
def model():
    torch.manual_seed(0)
    config = FAMILIES["bert"].config(num_labels=3, initializer_range=0.5)
    return AutoModelForSequenceClassification.from_config(config).eval()


def test_logits_of_low_precision_come_back_in_float32_without_a_gradient(model):
    model.to(torch.bfloat16)
    found = compute_logits(model, IDS, MASK)
    assert (found.dtype, found.shape, found.requires_grad) == (torch.float32, (2, 3), False)
    assert torch.equal(found, model(input_ids=IDS, attention_mask=MASK).logits.float())


def test_padding_counts_only_where_no_mask_is_given(model):
    alone = compute_logits(model, IDS[1:, :2], None)
    assert torch.allclose(compute_logits(model, IDS, MASK)[1:], alone, atol=1e-5)
    assert not torch.allclose(compute_logits(model, IDS, None)[1:], alone, atol=1e-3)

"""The divergence of two softmaxes and its gradient are torch's."""

import pytest
import torch

from agnews_ray.engine.kl import divergence, over_vocabulary


def test_values_and_gradients_are_those_of_torch():
    torch.manual_seed(0)
    scores, wanted = torch.randn(3, 5, 7, requires_grad=True), torch.randn(3, 5, 7)
    weights = torch.randn(3, 5)
    expected = torch.nn.functional.kl_div(
        scores.log_softmax(-1), wanted.softmax(-1), reduction="none"
    ).sum(-1)
    found = divergence(scores, wanted)
    assert torch.allclose(found, expected, atol=1e-6)
    gradients = [torch.autograd.grad((one * weights).sum(), scores)[0] for one in (found, expected)]
    assert torch.allclose(*gradients, atol=1e-6)


def test_a_class_that_both_exclude_adds_nothing():
    least = torch.finfo(torch.float32).min
    scores = torch.tensor([1.0, 2.0, least], requires_grad=True)
    wanted = torch.tensor([2.0, 0.5, least])
    found = divergence(scores, wanted)
    assert torch.allclose(found, divergence(scores[:2], wanted[:2]))
    found.backward()
    assert scores.grad[2] == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_soft_and_hard_losses_and_their_gradient_are_those_of_torch(dtype):
    torch.manual_seed(0)
    logits, wanted = torch.randn(4, 9).to(dtype).requires_grad_(), torch.randn(4, 9).to(dtype)
    original, weights = torch.tensor([3, -100, 0, 8]), torch.tensor([5.0, 2.0])
    found = over_vocabulary(logits, wanted, original, 2.0, weights)
    scores = logits.float()
    soft = 4 * torch.nn.functional.kl_div(
        (scores / 2).log_softmax(1), (wanted.float() / 2).softmax(1), reduction="none"
    ).sum(1)
    hard = torch.nn.functional.cross_entropy(scores, original, reduction="none")
    for mine, other in zip(found, (5 * soft + 2 * hard, soft, hard), strict=True):
        assert torch.allclose(mine, other, atol=1e-5)
    gradients = [
        torch.autograd.grad(one.sum(), logits)[0] for one in (found[0], 5 * soft + 2 * hard)
    ]
    assert torch.allclose(*gradients, rtol=2e-2, atol=1e-2 if dtype == torch.bfloat16 else 1e-3)

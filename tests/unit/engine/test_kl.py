"""The divergence of two softmaxes and its gradient are torch's."""

import torch

from agnews_ray.engine.kl import divergence


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

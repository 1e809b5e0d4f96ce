"""These are flat parameters of one rank; ``test_exchange`` tests what ranks share."""

import pytest
import torch

from agnews_ray.engine.fused.weights import Segment


@pytest.fixture
def parameters():
    torch.manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape)) for shape in ((2, 3), (3, 2), (4,))]


def a_segment(parameters, num_mirrored=2, dtype=torch.float32):
    return Segment(parameters, num_mirrored, dtype, torch.device("cpu"))


def flat(tensors):
    return torch.cat([tensor.detach().reshape(-1) for tensor in tensors])


def test_parameters_and_gradients_become_views_in_order(parameters):
    before = flat(parameters)
    segment = a_segment(parameters)
    assert torch.equal(segment.values, before)
    segment.values.copy_(torch.arange(16.0))
    segment.gradient.copy_(-torch.arange(16.0))
    assert torch.equal(flat(parameters), torch.arange(16.0))
    assert torch.equal(flat(p.grad for p in parameters), -torch.arange(16.0))


def test_a_span_is_that_of_adjacent_parameters(parameters):
    segment = a_segment(parameters)
    assert segment.span(parameters[1:2]) == slice(6, 12)
    assert segment.span(parameters[1:]) == slice(6, 16)


def test_a_layout_is_split_by_parameter(parameters):
    segment = a_segment(parameters)
    parts = dict(segment.parts(torch.arange(16.0)))
    assert [part.shape for part in parts.values()] == [(2, 3), (3, 2), (4,)]
    assert torch.equal(flat(parts[parameter] for parameter in parameters), torch.arange(16.0))


def test_an_update_of_the_share_is_one_of_the_parameters(parameters):
    segment = a_segment(parameters)
    before = flat(parameters)
    segment.gradient.fill_(0.5)
    torch.optim.SGD([segment.share], lr=1.0).step()
    assert torch.allclose(flat(parameters), before - 0.5)


def test_in_float32_the_mirror_is_no_copy(parameters):
    segment = a_segment(parameters)
    segment.values.fill_(3.0)
    segment.mirror_gradient.fill_(2.0)
    assert segment.mirror.tolist() == [3.0] * 12
    assert segment.collect().tolist() == [2.0] * 12 + [0.0] * 4


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_mirror_in_low_precision_follows_when_it_is_refreshed(parameters, dtype):
    segment = a_segment(parameters, dtype=dtype)
    before = segment.mirror.clone()
    assert torch.equal(before, flat(parameters)[:12].to(dtype))
    segment.values.mul_(2)
    assert torch.equal(segment.mirror, before)
    segment.refresh()
    assert torch.equal(segment.mirror, 2 * before)
    segment.load(torch.arange(16.0))
    assert segment.mirror.tolist() == list(range(12))


def test_gradients_in_low_precision_are_collected_beside_the_others(parameters):
    segment = a_segment(parameters, dtype=torch.bfloat16)
    segment.mirror_gradient.fill_(0.5)
    segment.gradient[12:].fill_(2.0)
    assert segment.collect().tolist() == [0.5] * 12 + [2.0] * 4
    assert parameters[0].grad.tolist() == [[0.5] * 3] * 2


def test_released_parameters_keep_their_values_and_nothing_else(parameters):
    segment = a_segment(parameters)
    segment.values.copy_(torch.arange(16.0))
    segment.release()
    segment.values.zero_()
    assert torch.equal(flat(parameters), torch.arange(16.0))
    assert [parameter.grad for parameter in parameters] == [None] * 3


def test_a_rank_alone_shares_nothing(parameters):
    segment = a_segment(parameters)
    assert not segment.is_shared
    mine = segment.own_part(torch.arange(16.0))
    assert torch.equal(segment.gather(mine), torch.arange(16.0))


def test_a_model_may_have_no_parameter_of_a_kind():
    segment = a_segment([], 0, torch.bfloat16)
    segment.refresh()
    assert (segment.collect().numel(), segment.share.numel(), segment.mirror.numel()) == (0, 0, 0)

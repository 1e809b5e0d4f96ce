import pytest
import torch

from agnews_ray.engine.fused.dropout import CheapDropout, draw_keep, keep


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("probability", [0.001, 0.1, 0.5, 0.99])
def test_the_share_dropped_is_the_one_asked_for(dtype, probability):
    torch.manual_seed(0)
    ones = torch.ones(1003, dtype=dtype)
    kept = torch.stack([keep(ones, draw_keep(ones, probability)).float() for _ in range(4000)])
    # Each draw's rate is one of two, 1/256 apart, that are right on average.
    deviation = (probability * (1 - probability) / kept.numel() + 0.002**2 / len(kept)) ** 0.5
    assert 4 * deviation < probability / 2
    assert kept.mean() == pytest.approx(1 - probability, abs=4 * deviation)
    assert set(kept.unique().tolist()) <= {0.0, 1.0}


def test_neighbours_fall_independently():
    torch.manual_seed(0)
    kept = keep(torch.ones(400_000), draw_keep(torch.ones(400_000), 0.1))
    for distance in (1, 2, 7, 8, 16):
        pairs = torch.stack([kept[:-distance], kept[distance:]])
        assert abs(torch.corrcoef(pairs)[0, 1]) < 0.01


def test_negative_values_and_zeros_keep_their_bits():
    values = torch.tensor([-1.5, 0.0, 3.0, -0.0], dtype=torch.bfloat16)
    mask = torch.tensor([-1, -1, 0, -1], dtype=torch.int16)
    assert keep(values, mask).tolist() == [-1.5, 0.0, 0.0, -0.0]


def test_booleans_as_other_devices_draw_them_do_the_same():
    values = torch.tensor([1.0, 2.0])
    assert keep(values, torch.tensor([True, False])).tolist() == [1.0, 0.0]
    drawn = draw_keep(torch.empty(3, 4, device="meta"), 0.1)
    assert (drawn.dtype, drawn.shape) == (torch.bool, (3, 4))


def test_the_module_scales_what_it_keeps_and_its_gradient_alike():
    torch.manual_seed(0)
    values = torch.randn(50, 40, requires_grad=True)
    dropped = CheapDropout(0.25).train()(values)
    dropped.sum().backward()
    kept = dropped != 0
    assert torch.allclose(dropped[kept], values[kept] / 0.75)
    assert torch.allclose(values.grad, kept / 0.75)


def test_the_module_does_nothing_when_scoring():
    values = torch.randn(5)
    assert CheapDropout(0.5).eval()(values) is values

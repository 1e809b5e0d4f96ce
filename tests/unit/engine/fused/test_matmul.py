import pytest
import torch

from agnews_ray.engine.fused import matmul

WHICH = [
    False,
    pytest.param(
        True,
        marks=pytest.mark.skipif(
            not hasattr(torch.ops.mkldnn, "_linear_pointwise"), reason="this torch has no oneDNN"
        ),
    ),
]


@pytest.fixture(autouse=True, params=WHICH, ids=["torch", "onednn"])
def library(request, monkeypatch):
    monkeypatch.setattr(matmul, "IS_MKL_SLOW", request.param)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-5), (torch.bfloat16, 2e-2)])
def test_products_are_as_precise_as_their_type(dtype, tolerance):
    torch.manual_seed(0)
    first, second, bias = (torch.randn(size).to(dtype) for size in ((70, 96), (40, 96), (40,)))
    expected = first.double() @ second.double().t()
    into = torch.empty(70, 40, dtype=dtype)

    def error(found, wanted):
        return float((found.double() - wanted).abs().max() / wanted.abs().max())

    assert matmul.multiply(first, second.t(), out=into) is into
    assert error(into, expected) < tolerance
    assert error(matmul.multiply(first, second.t()), expected) < tolerance
    assert error(matmul.linear(first, second, bias), expected + bias.double()) < tolerance

import pytest

from agnews_ray.errors import ResourceError
from agnews_ray.run import device
from agnews_ray.spec.study import RecipeSpec

X86 = "flags\t\t: fpu sse2 avx2"


@pytest.fixture
def processor(monkeypatch, tmp_path):
    """Pretends to be on an x86 processor with certain flags."""

    def pretend(flags):
        (tmp_path / "cpuinfo").write_text(flags)
        monkeypatch.setattr(device, "CPUINFO", tmp_path / "cpuinfo")
        monkeypatch.setattr(device, "IS_X86", True)

    return pretend


def resolve(precision, **changes):
    return device.resolve_precision(RecipeSpec(precision=precision), "cpu", **changes)


@pytest.mark.parametrize(("more", "expected"), [("", "fp32"), (" avx512_bf16", "bf16")])
def test_auto_is_bf16_where_the_processor_multiplies_it(processor, more, expected):
    processor(X86 + more)
    assert resolve("auto") == expected


def test_bf16_is_refused_where_it_would_be_emulated(processor):
    processor(X86)
    with pytest.raises(ResourceError, match=r"neither avx512_bf16 nor amx_bf16.*--precision fp32"):
        resolve("bf16")


def test_bf16_is_left_to_workers_elsewhere_to_judge(processor):
    processor(X86)
    assert resolve("bf16", is_here=False) == "bf16"

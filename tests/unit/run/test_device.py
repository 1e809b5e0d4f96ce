import re
import warnings

import pytest
import torch

from agnews_ray.errors import ResourceError
from agnews_ray.run import device
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec

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


NVIDIA_SMI = """#!/bin/sh
case "$*" in
  *name*) printf 'Tesla T4\\nTesla T4\\n' ;;
  *driver_version*) printf '470.82\\n470.82\\n' ;;
  *) echo '| NVIDIA-SMI 470.82   Driver Version: 470.82   CUDA Version: 11.4 |' ;;
esac
"""
TOO_OLD = "The NVIDIA driver on your system is too old (found version 11040)."


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Pretends that a driver lists two GPUs, of which torch makes something."""
    program = tmp_path / "nvidia-smi"
    program.write_text(NVIDIA_SMI)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def pretend(cuda, available, said=""):
        def is_available():
            if said:
                warnings.warn(said, stacklevel=1)
            return available

        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.cuda, "is_available", is_available)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)  # as an old driver counts too
        device.usable_gpus.cache_clear()

    yield pretend
    device.usable_gpus.cache_clear()


def test_gpus_that_torch_can_use_count(machine):
    machine("12.8", True)
    assert device.resolve_device(ScalingSpec()) == ("cuda", 2)
    assert device.device_notes(ScalingSpec(), "cuda") == ()


@pytest.mark.parametrize(
    ("cuda", "said", "found"),
    [
        (
            "12.8",
            TOO_OLD,
            r"2 by nvidia-smi \(driver 470.82, for CUDA 11.4\), none by torch for CUDA 12.8 "
            r"\(The NVIDIA driver on your system is too old.*update the driver for CUDA 12.8",
        ),
        ("12.8", "", r"none by torch for CUDA 12.8 \(CUDA does not start"),
        (None, "", r"2 by nvidia-smi, and torch .* knows no CUDA.*install torch's CUDA build"),
    ],
)
def test_gpus_that_torch_cannot_use_do_not_count_and_are_told_of(machine, cuda, said, found):
    machine(cuda, False, said)
    with pytest.raises(ResourceError, match=found):
        device.resolve_device(ScalingSpec(device="cuda"))
    assert device.resolve_device(ScalingSpec()) == ("cpu", 0)
    (note,) = device.device_notes(ScalingSpec(), "cpu")
    assert re.search(found, note)
    assert device.device_notes(ScalingSpec(device="cpu"), "cpu") == ()


@pytest.mark.parametrize("hidden", ["", "-1"])
def test_gpus_that_are_hidden_on_purpose_are_no_trouble(machine, monkeypatch, hidden):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", hidden)
    machine("12.8", False)
    assert device.device_notes(ScalingSpec(), "cpu") == ()


def test_without_a_driver_torch_is_not_asked(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(device, "DRIVER", tmp_path / "nvidiactl")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: pytest.fail("asked"))
    device.usable_gpus.cache_clear()
    assert device.usable_gpus().count == 0

"""What a record says of the machine: asked of stand-ins for `nvidia-smi` and `git`."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from agnews_ray.record import environment
from agnews_ray.record.environment import (
    describe_environment,
    driver_cuda,
    gpu_memory_bytes,
    num_usable_cpus,
    nvidia_driver,
)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Put programs that print so much, and nothing else, on the path."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(**printed):
        for name, text in printed.items():
            path = tmp_path / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{text}\n")
            path.chmod(0o755)

    return put


def answering(**answers):
    """A shell script that answers to one query each, as a line of values without a header."""
    cases = "\n".join(
        f'"--query-gpu={key} --format=csv,noheader") printf "{text}" ;;'
        for key, text in answers.items()
    )
    return f'case "$*" in\n{cases}\n*) exit 9 ;;\nesac'


def answering_in_mib(text):
    asked = "--query-gpu=memory.total --format=csv,noheader,nounits"
    return f'[ "$*" = "{asked}" ] || exit 9; printf "{text}"'


def test_every_gpu_counts_and_the_first_gives_its_name(programs):
    programs(
        nvidia_smi=answering(name="Tesla T4\\nTesla V100\\n", driver_version="570.1\\n570.1\\n")
    )
    found = describe_environment()
    assert (found.gpu, found.num_gpus) == ("Tesla T4", 2)
    assert nvidia_driver() == "570.1"


@pytest.mark.parametrize(
    ("listed", "mib"), [("15360\\n81559\\n", 15360), (" 15360 ", 15360), ("[N/A]\\n", 0), ("", 0)]
)
def test_the_first_gpus_memory_is_given_in_bytes(programs, listed, mib):
    programs(nvidia_smi=answering_in_mib(listed))
    assert gpu_memory_bytes() == mib * 1024**2


def test_the_drivers_cuda_stands_above_its_list(programs):
    above = "| NVIDIA-SMI 570.1    Driver Version: 570.1    CUDA Version: 12.8     |"
    programs(nvidia_smi=f"[ $# = 0 ] && echo '{above}'")
    assert driver_cuda() == "12.8"
    programs(nvidia_smi="echo nothing of it")
    assert driver_cuda() is None


@pytest.mark.parametrize("script", [None, "exit 1", "echo no; exit 3", "exec /nothing/there"])
def test_without_a_driver_that_answers_there_is_no_gpu(programs, script):
    if script:
        programs(nvidia_smi=script)
    found = describe_environment()
    assert (found.gpu, found.num_gpus) == (None, 0)
    assert nvidia_driver() is None
    assert gpu_memory_bytes() == 0
    assert driver_cuda() is None


def test_a_program_that_does_not_answer_is_given_up(monkeypatch):
    asked = []

    def hangs(command, timeout, **_):
        asked.append(timeout)
        raise subprocess.TimeoutExpired(command, timeout)

    monkeypatch.setattr(environment.shutil, "which", lambda name: f"/bin/{name}")
    monkeypatch.setattr(environment.subprocess, "run", hangs)
    assert nvidia_driver() is None
    assert asked == [5]


def test_where_the_kernel_names_no_processor_the_platform_does(tmp_path, monkeypatch):
    for text in (None, "Hardware : board\n"):
        if text:
            (tmp_path / "cpuinfo").write_text(text)
        monkeypatch.setattr(environment, "Path", lambda _: tmp_path / "cpuinfo")
        for processor, machine, expected in (
            ("", "aarch64", "aarch64"),
            ("arm", "arm64", "arm"),
        ):
            monkeypatch.setattr(environment.platform, "processor", lambda p=processor: p)
            monkeypatch.setattr(environment.platform, "machine", lambda m=machine: m)
            assert environment._cpu_name() == expected


def test_the_machine_is_described_as_others_see_it():
    found = describe_environment()
    assert found.python == platform.python_version()
    assert found.platform == platform.platform()
    assert found.memory_bytes == psutil.virtual_memory().total
    assert found.cpu
    assert found.num_cpus == num_usable_cpus() == len(os.sched_getaffinity(0))
    assert found.versions["pyarrow"] == version("pyarrow")
    assert None not in found.versions.values()


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="no /proc/cpuinfo")
def test_the_processors_name_is_the_kernels():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = {line.split(": ", 1)[1] for line in lines if line.startswith("model name")}
    if not names:
        pytest.skip("this kernel names no processor")
    assert describe_environment().cpu in names


def test_fewer_cpus_may_be_usable_than_there_are(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3, 5, 7}, raising=False)
    assert num_usable_cpus() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert num_usable_cpus() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert num_usable_cpus() == 1


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout in which the module seems to lie, of one commit."""
    root = tmp_path / "checkout"
    module = root / "agnews_ray" / "record" / "environment.py"
    module.parent.mkdir(parents=True)
    module.write_text("one\n")
    monkeypatch.setattr(environment, "__file__", str(module))
    monkeypatch.delenv(environment.COMMIT_VARIABLE, raising=False)

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(
            ["git", *who, "-C", str(root), *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "one")
    return module, git


def test_a_record_names_the_commit_of_the_checkout(checkout):
    module, git = checkout
    commit = git("rev-parse", "HEAD")[:12]
    assert describe_environment().commit == commit
    (module.parent / "untracked").touch()
    assert describe_environment().commit == commit
    module.write_text("changed\n")
    assert describe_environment().commit == f"{commit}-dirty"


def test_where_no_checkout_is_no_commit_is_named_but_the_one_that_was_sent(checkout, monkeypatch):
    module, _ = checkout
    elsewhere = module.parents[3] / "elsewhere" / "agnews_ray" / "record" / "environment.py"
    monkeypatch.setattr(environment, "__file__", str(elsewhere))
    assert describe_environment().commit is None
    monkeypatch.setenv(environment.COMMIT_VARIABLE, "abc-dirty")
    assert describe_environment().commit == "abc-dirty"

"""Faults that come from outside: what the parent does to a running submit and to its files."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from agnews_ray.chaos.faults import Fault
from agnews_ray.chaos.submits import Submit
from agnews_ray.record.checkpoints import CHECKPOINTS, MARKER, PART
from agnews_ray.record.finished import RECORD_FILE

GONE_S = 30.0
"""The longest time in which a killed driver's watchdog has to end everything of it."""

DISK_BYTES, SPARE_BYTES = 256 << 20, 400 << 10
"""The size of the small disk while there is room; the most that is free when it becomes full."""

RUNS = "runs"
"""The folder of a life with its studies."""


def kill(submit: Submit, fault: Fault) -> bool:  # noqa: ARG001
    """Kill the driver."""
    submit.is_ended_by_us = True
    submit.process.kill()
    submit.process.wait()
    return True


def terminate(submit: Submit, fault: Fault) -> bool:
    """Send SIGTERM to the driver, and SIGKILL to its group when the seconds are over."""
    submit.is_ended_by_us = True
    submit.process.terminate()
    try:
        submit.process.wait(fault.value)
    except subprocess.TimeoutExpired:
        submit.kill_group()
        submit.process.wait()
    return True


def kill_head(submit: Submit, fault: Fault) -> bool:  # noqa: ARG001
    """Kill the GCS of the submit's Ray."""
    head = submit.named("gcs_server")
    if head is not None:
        head.kill()
    return head is not None


def stop_head(submit: Submit, fault: Fault) -> bool:
    """Let the GCS of the submit's Ray stand still for seconds."""
    head = submit.named("gcs_server")
    if head is None:
        return False
    head.send_signal(signal.SIGSTOP)
    try:
        time.sleep(fault.value)
    finally:
        head.send_signal(signal.SIGCONT)
    return True


def damage_checkpoint(submit: Submit, fault: Fault) -> bool:
    """Kill the driver once a checkpoint is complete, and damage the newest one."""
    if not _complete(submit.place):
        return False
    kill(submit, fault)
    submit.wait_for_all(GONE_S)
    newest = _complete(submit.place)
    if not newest:  # the trial was finished at that moment
        return False
    part = max((newest[-1].parent).glob(f"rank-*/{PART}"))
    if fault.action == "cut-checkpoint":
        os.truncate(part, int(fault.value * part.stat().st_size))
    else:
        content = bytearray(part.read_bytes())
        content[int(fault.value * len(content))] ^= 0x10
        part.write_bytes(content)
    return True


def fill_disk(submit: Submit, fault: Fault) -> bool:
    """Make the small disk nearly as small as what lies on it."""
    used = shutil.disk_usage(submit.place / RUNS).used
    resize(submit.place / RUNS, used + int(fault.value * SPARE_BYTES))
    return True


def cut_record(trials: Path, fault: Fault, index: int) -> bool:
    """Cut the record of a finished trial.

    Args:
        trials: the folder of a study's trials.
        fault: how much of the record stays.
        index: which trial, in the order of their names.
    """
    records = sorted(trials.glob(f"*/{RECORD_FILE}"))
    if not records:
        return False
    record = records[index % len(records)]
    os.truncate(record, int(fault.value * record.stat().st_size))
    return True


OUTSIDE_ACTIONS: dict[str, Callable[[Submit, Fault], bool]] = {
    "kill": kill,
    "terminate": terminate,
    "kill-head": kill_head,
    "stop-head": stop_head,
    "flip-checkpoint": damage_checkpoint,
    "cut-checkpoint": damage_checkpoint,
    "fill-disk": fill_disk,
}
"""Each returns whether it has happened; if not, it is tried again at once or at the next submit."""


def mount_disk(folder: Path) -> bool:
    """Put a small disk at a folder; False if this process may not mount one."""
    folder.mkdir(parents=True, exist_ok=True)
    size = f"size={DISK_BYTES}"
    return _run("mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder))


def resize(folder: Path, num_bytes: int) -> None:
    """Change the size of a small disk."""
    _run("mount", "-o", f"remount,size={num_bytes}", str(folder))


def unmount_disk(folder: Path) -> None:
    """Take a small disk away."""
    _run("umount", str(folder))


def may_mount(folder: Path) -> bool:
    """Whether this process may mount a small disk, tried at a folder."""
    is_possible = mount_disk(folder)
    if is_possible:
        unmount_disk(folder)
    return is_possible


def _run(program: str, *words: str) -> bool:
    path = shutil.which(program)
    if path is None:
        return False
    return subprocess.run([path, *words], capture_output=True, check=False).returncode == 0  # noqa: S603


def _complete(place: Path) -> list[Path]:
    """Find the markers of complete checkpoints, in the order of their times."""
    found = (place / RUNS).glob(f"*/{CHECKPOINTS}/*/*/{MARKER}")
    times = []
    for path in found:
        try:
            times.append((path.stat().st_mtime_ns, path))
        except OSError:  # it was deleted at this moment
            continue
    return [path for _, path in sorted(times)]

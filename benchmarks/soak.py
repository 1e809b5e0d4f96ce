"""Fifty trials of a toy model, one after the other: what grows?

    python benchmarks/soak.py [--trials 50]

Runs `agnews-ray submit` with that many seeds of a very small encoder with fresh weights on made-up
rows, on its own Ray. After every fifth trial the memory (less what is shared), threads and open
files of the driver and of its training worker are printed, with the number of processes that the
driver has started, and at the end what is left of them.
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

SIZES = {"num_layers": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 32}


def main() -> None:
    """Run the study and look at its processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=50)
    num_trials = parser.parse_args().trials
    print("trial  driver: MiB threads files  worker: MiB threads files  processes", flush=True)
    with tempfile.TemporaryDirectory(prefix="agr-soak-") as folder:
        driver = subprocess.Popen(submit(Path(folder), num_trials), stdout=subprocess.DEVNULL)
        known, shown = set(), 0
        while driver.poll() is None:
            done = len(list(Path(folder).glob("runs/soak/trials/*/record.json")))
            if done >= shown + 5:
                shown = done - done % 5
                with contextlib.suppress(psutil.Error):
                    known |= look(psutil.Process(driver.pid), shown)
            time.sleep(0.2)
        done = len(list(Path(folder).glob("runs/soak/trials/*/record.json")))
    time.sleep(5)
    print(f"exit code {driver.returncode}, {done} trials finished, processes left: "
          f"{sum(psutil.pid_exists(pid) for pid in known)}")  # fmt: skip


def submit(folder: Path, num_trials: int) -> list[str]:
    """Write the job; return the command."""
    job = {
        "name": "soak",
        "models": [
            {
                "model": "minilm",
                "init": "random",
                "architecture": {**SIZES, "vocab_size": 4000},
            }
        ],
        "seeds": list(range(num_trials)),
        "data": {"source": "synthetic:train=64,test=40,seed=7"},
        "recipe": {"num_epochs": 1},
    }
    path = folder / "job.yaml"
    path.write_text(json.dumps(job))  # JSON is YAML
    runs = str(folder / "runs")
    return [sys.executable, "-m", "agnews_ray", "submit", str(path), "--json", "--runs", runs]


def look(driver: psutil.Process, number: int) -> set[int]:
    """Print a line; return the driver's processes."""
    children = driver.children(recursive=True)
    workers = [one for one in children if "RayTrainWorker" in " ".join(one.cmdline())]
    parts = [figures(one) for one in (driver, *workers[:1])] or ["-"]
    print(f"{number:5}  {'  '.join(parts)}  {1 + len(children):9}", flush=True)
    return {one.pid for one in (driver, *children)}


def figures(process: psutil.Process) -> str:
    """Write a process's memory, threads and open files."""
    memory = process.memory_info()
    mib = (memory.rss - memory.shared) / 2**20
    return f"{mib:11.1f} {process.num_threads():7} {process.num_fds():5}"


if __name__ == "__main__":
    main()

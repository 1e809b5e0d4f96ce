"""How memory grows with the train split: `agnews-ray submit` on 120,000 and on 1,200,000 rows.

    python benchmarks/memory.py [ROWS ROWS]

Made-up text and a tiny model, one epoch in batches of 512; texts are cut at 48 tokens, so that the
longest batch is as large in both. Every quarter of a second the resident
memory, less what is shared with other processes, of the driver and of the training worker is read.
Prints the peaks, and their growth beside that of the tokenised ids.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pyarrow.parquet as pq
import yaml

SIZES = {
    "num_layers": 1,
    "hidden_size": 32,
    "num_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 4000,
}


def measure(num_rows: int, folder: Path) -> dict[str, float]:
    """Run a study; peaks of driver and worker and size of the ids, in MiB."""
    job = {
        "name": f"rows-{num_rows}",
        "models": [{"model": "minilm", "init": "random", "architecture": SIZES}],
        "data": {
            "source": f"synthetic:train={num_rows},test=1000,seed=7",
            "max_length_tokens": 48,
        },
        "recipe": {"num_epochs": 1, "global_batch_size": 512, "learning_rate": 1e-3},
    }
    path = folder / "job.yaml"
    path.write_text(yaml.safe_dump(job))
    command = [sys.executable, "-m", "agnews_ray", "submit", str(path), "--json"]
    driver = subprocess.Popen([*command, "--runs", str(folder / "runs")], stdout=subprocess.DEVNULL)
    peaks = {"driver": 0.0, "worker": 0.0}
    while driver.poll() is None:
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(driver.pid)
            peaks["driver"] = max(peaks["driver"], own_memory(process))
            for child in process.children(recursive=True):
                if "RayTrainWorker" in " ".join(child.cmdline()):
                    peaks["worker"] = max(peaks["worker"], own_memory(child))
        time.sleep(0.25)
    (tokenised,) = (folder / "runs/.cache/tokenised").glob("*/train.parquet")
    num_tokens = int(pq.read_metadata(tokenised).metadata[b"num_tokens"])
    tokenised.unlink()
    return peaks | {"ids": num_tokens * 2 / 2**20}


def own_memory(process: psutil.Process) -> float:
    """MiB of a process alone: pages of the object store are the store's."""
    memory = process.memory_info()
    return (memory.rss - memory.shared) / 2**20


def main() -> None:
    """Print a line for each size, then the growth."""
    sizes = [int(n) for n in sys.argv[1:3]] or [120_000, 1_200_000]
    found = []
    for num_rows in sizes:
        with tempfile.TemporaryDirectory() as folder:
            found.append(measure(num_rows, Path(folder)))
        parts = ", ".join(f"{name} {mib:,.0f} MiB" for name, mib in found[-1].items())
        print(f"{num_rows:,} rows: {parts}", flush=True)
    growth = {name: found[1][name] - found[0][name] for name in found[0]}
    print("growth: " + ", ".join(f"{name} {mib:,.0f} MiB" for name, mib in growth.items()))


if __name__ == "__main__":
    main()

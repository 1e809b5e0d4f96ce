"""What Ray and Ray Data cost while training: `agnews-ray submit` against a plain torch loop.

    python benchmarks/ray_share.py MODEL DATASET [ROWS] [ROUNDS]

Both train the same batches from the same weights by the fast engine for one epoch, in turns. Timed
are the steps after the first tenth, in bf16 where the CPU has instructions for it, else in fp32.
Prints samples/s and Ray's share of the training time.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import pyarrow.parquet as pq
from common import make_task  # beside this file

from agnews_ray.compare.speed import Contender
from agnews_ray.engine.timing import WARM_UP_SHARE, time_alone
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.record.store import StudyStore
from agnews_ray.run.device import resolve_precision


def by_submit(model: str, dataset: str, num_rows: int) -> float:
    """Run the command; samples/s from its curve."""
    with tempfile.TemporaryDirectory() as folder:
        init = "pretrained" if Path(model).is_dir() else "random"
        flags = f"--init {init} --limit-train {num_rows} --limit-test 100 --epochs 1"
        words = ["submit", "--models", model, "--dataset", dataset, "--runs", folder]
        command = [sys.executable, "-m", "agnews_ray", *words, *flags.split(), "--json"]
        command += ["--name", "share"]
        subprocess.run(command, check=True, capture_output=True)
        store = StudyStore(Path(folder), "share")
        curve = pq.read_table(
            store.trial_folder(store.records()[0].trial_id) / "curve.parquet"
        ).to_pydict()
    first = max(1, int(WARM_UP_SHARE * len(curve["step"]))) - 1
    samples = curve["samples_seen"][-1] - curve["samples_seen"][first]
    return samples / (curve["seconds"][-1] - curve["seconds"][first])


def main() -> None:
    """Print a line a round, then the median."""
    model, dataset = sys.argv[1:3]
    num_rows, num_rounds = (int(n) for n in (*sys.argv[3:], "3200", "3")[:2])
    task = make_task(model, dataset, num_rows, num_usable_cpus())
    precision = resolve_precision(task.recipe, "cpu")
    print(f"{num_rows} rows, {precision}")
    shares = []
    for number in range(num_rounds):
        found = {}
        for way in ("plain", "ray") if number % 2 == 0 else ("ray", "plain"):
            if way == "plain":
                contender = Contender(engine="fast", precision=precision)
                found[way] = time_alone(task, contender).samples_per_second
            else:
                found[way] = by_submit(model, dataset, num_rows)
        shares.append(1 - found["ray"] / found["plain"])
        print(
            f"plain {found['plain']:.1f}, under Ray {found['ray']:.1f} samples/s: "
            f"Ray's share {shares[-1]:.1%}"
        )
    print(f"median {median(shares):.1%}")


if __name__ == "__main__":
    main()

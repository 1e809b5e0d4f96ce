"""How memory and speed go with the number of rows: scan, tokenising, the stream of batches.

    python benchmarks/scale_rows.py [ROWS ...]        by default 200000 and 1000000

Makes up rows (20,000 different texts of about 40 words, drawn again and again), and does with them
what a trial's driver and worker do, each stage in a process of its own: `data/scan` reads and
checks all rows; `data/stream` tokenises them with Ray Data on two CPUs into one Parquet file; then
the file is streamed in windows of rows, from which `data/batches` makes batches of 512. Prints for
each stage the rows per second of wall time and the highest memory of its process (not of Ray's
others).
"""

import contextlib
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from agnews_ray.data.scan import ScannedDataset, scan_dataset  # noqa: E402
from agnews_ray.data.synthetic import SyntheticSpec, write_synthetic  # noqa: E402
from agnews_ray.spec.data import DataSpec  # noqa: E402

POOL_ROWS = 20_000
CHUNK_ROWS = 100_000
BATCH_SIZE = 512
WINDOW_ROWS = 8 * 8192
"""Rows of a window of the stream."""


def main() -> None:
    """Measure every size, or be the process of one stage."""
    if len(sys.argv) == 4 and sys.argv[1] in STAGES:
        print(json.dumps(measure(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))))
        return
    print("| Rows | Stage | Seconds | Rows/s | Peak memory (MiB) | Note |")
    print("| --- | --- | --- | --- | --- | --- |", flush=True)
    for num_rows in [int(one) for one in sys.argv[1:]] or [200_000, 1_000_000]:
        with tempfile.TemporaryDirectory(prefix="agr-rows-") as folder:
            make_rows(Path(folder), num_rows)
            for stage in STAGES:
                command = [sys.executable, __file__, stage, folder, str(num_rows)]
                done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
                found = json.loads(done.stdout.splitlines()[-1])
                print(
                    f"| {num_rows:,} | {stage} | {found['seconds']:.1f} "
                    f"| {num_rows / found['seconds']:,.0f} | {found['peak']:,.0f} "
                    f"| {found['note']} |",
                    flush=True,
                )


def make_rows(folder: Path, num_rows: int) -> None:
    """Write train.parquet and test.parquet, and a tokenizer of their words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    write_synthetic(SyntheticSpec(train=POOL_ROWS, test=1000, seed=7), folder / "data")
    pool = pq.read_table(folder / "data/train.parquet")
    rng = np.random.default_rng(0)
    with pq.ParquetWriter(folder / "data/train.parquet", pool.schema) as writer:
        for start in range(0, num_rows, CHUNK_ROWS):
            count = min(CHUNK_ROWS, num_rows - start)
            writer.write_table(pool.take(pa.array(rng.integers(POOL_ROWS, size=count))))
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))  # noqa: S106  # no password
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=4000, special_tokens=["[UNK]"])
    tokenizer.train_from_iterator(pool["text"].to_pylist(), trainer)
    tokenizer.enable_truncation(128)
    (folder / "tokenizer.json").write_text(tokenizer.to_str())


def measure(stage: str, folder: Path, num_rows: int) -> dict:
    """Do a stage; its seconds leave out what it starts first, such as Ray."""
    with contextlib.redirect_stdout(sys.stderr):
        seconds, note = STAGES[stage](folder, num_rows)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": seconds, "note": note, "peak": peak}


def scanned(folder: Path) -> ScannedDataset:
    """Scan the rows."""
    return scan_dataset(DataSpec(source=str(folder / "data")), folder / "cache")


def scan(folder: Path, _num_rows: int) -> tuple[float, str]:
    """Read and check all rows."""
    since = time.perf_counter()
    scanned(folder)
    size = (folder / "data/train.parquet").stat().st_size
    return time.perf_counter() - since, f"file of {size / 2**20:,.0f} MiB"


def tokenise(folder: Path, _num_rows: int) -> tuple[float, str]:
    """Tokenise the train rows with Ray Data; the driver holds the scan's row numbers too."""
    import ray

    from agnews_ray.data.stream import tokenise_split
    from agnews_ray.run.session import configure_ray_data

    split = scanned(folder).train
    start_ray(folder)
    configure_ray_data()
    path = folder / "tokenised.parquet"
    since = time.perf_counter()
    tokenise_split(split, (folder / "tokenizer.json").read_text(), path, lambda _: None)
    seconds = time.perf_counter() - since
    spilled = sum(one.stat().st_size for one in (folder / "ray").rglob("ray_spilled_objects*/*"))
    ray.shutdown()
    made = f"{path.stat().st_size / 2**20:,.0f} MiB made, {spilled / 2**20:,.0f} MiB spilled"
    return seconds, made


def stream(folder: Path, num_rows: int) -> tuple[float, str]:
    """Stream one epoch of batches, as a worker does."""
    import ray

    from agnews_ray.data.batches import train_batches
    from agnews_ray.data.stream import iter_windows, open_split
    from agnews_ray.run.session import configure_ray_data

    start_ray(folder)
    configure_ray_data()
    tokenizer = (folder / "tokenizer.json").read_text()
    split = open_split(folder / "tokenised.parquet", tokenizer, 0)
    since = time.perf_counter()
    windows = iter_windows(split.dataset(seed=1, epoch=0).iterator(), WINDOW_ROWS)
    seen = num_batches = 0
    for batch in train_batches(windows, BATCH_SIZE, 1, 0):
        seen, num_batches = seen + len(batch), num_batches + 1
    seconds = time.perf_counter() - since
    ray.shutdown()
    assert seen == num_rows, f"{seen} rows came"
    return seconds, f"{num_batches:,} batches, {'streamed' if not split.is_resident else 'held'}"


def start_ray(folder: Path) -> None:
    """Start a Ray with two CPUs and a small object store."""
    import ray

    ray.init(
        num_cpus=2,
        object_store_memory=500 << 20,
        include_dashboard=False,
        log_to_driver=False,
        _temp_dir=str(folder / "ray"),
    )


STAGES = {"scan": scan, "tokenise": tokenise, "stream": stream}

if __name__ == "__main__":
    main()

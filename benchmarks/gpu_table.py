"""The one table of `benchmarks/gpu.sh`: tests, studies and timed engines of one machine.

    python benchmarks/gpu_table.py RUNS

RUNS is the folder that the script filled: `tests.txt`, `bench.json`, and studies named `gpu-*`.
What is missing has no row.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tabulate import tabulate

COLUMNS = ("What", "Model", "Engine that ran", "Samples/s", "Ours is faster by", "Peak (MB)",
           "First step (s)", "Skipped steps", "Accuracy")  # fmt: skip
MIB = 1 << 20


def tests(runs: Path) -> Iterator[list[str]]:
    """Give the last line of pytest."""
    path = runs / "tests.txt"
    lines = path.read_text().splitlines() if path.exists() else []
    counts = [line for line in lines if " passed" in line or " skipped" in line]
    yield [f"GPU tests: {counts[-1] if counts else 'none'}"]


def studies(runs: Path) -> Iterator[list[str]]:
    """Give a row for each trial."""
    for path in sorted(runs.glob("gpu-*/trials/*/record.json")):
        record = json.loads(path.read_text())
        training = record["training"]
        yield [
            f"{record['study']}, {record['scaling']['num_workers']} worker(s)",
            record["variant"]["name"],
            f"{training['engine']}, {record['precision']}",
            f"{training['samples_per_second']:.0f}",
            "",
            f"{training['peak_memory_bytes'] / MIB:.0f}",
            f"{training['seconds_to_first_step']:.1f}",
            str(training["num_skipped_steps"]),
            "diverged" if record["diverged"] else f"{record['test']['accuracy']:.3f}",
        ]


def timed(runs: Path) -> Iterator[list[str]]:
    """Give a row for each contender; medians of the rounds."""
    bench = _json(runs / "bench.json")
    for row in bench.get("rows", []):
        ratio = row["ratio"]
        yield [
            f"bench, {row['num_rounds']} round(s)",
            row["model"],
            f"{row['engine']}, {row['precision']}",
            f"{row['samples_per_second']:.0f}",
            f"{ratio:.2f} x" if ratio and row["engine"] != "fast" else "",
            f"{row['peak_memory_bytes'] / MIB:.0f}",
        ]
    for row in bench.get("failed", []):
        yield ["bench", row["model"], f"{row['engine']}, {row['precision']}", "failed"]


def notes(runs: Path) -> Iterator[str]:
    """Give what ran on, and why what is not as it was asked for."""
    records = [_json(path) for path in sorted(runs.glob("gpu-*/trials/*/record.json"))]
    for record in records[:1]:
        environment, versions = record["environment"], record["environment"]["versions"]
        known = [f"{name} {versions[name]}" for name in ("torch", "transformers", "ray")]
        machine = environment["gpu"] if record["device"] == "cuda" else environment["cpu"]
        yield ", ".join([machine, *known, f"commit {environment['commit']}"])
    said = {record["training"]["engine_note"] for record in records}
    yield from sorted(note for note in said if note)
    for row in _json(runs / "bench.json").get("failed", []):
        yield f"{row['model']}, {row['engine']} failed: {row['cause']}"


def _json(path: Path) -> dict[str, Any]:
    """Read a document; empty where a command that was to write it did not get that far."""
    text = path.read_text() if path.exists() else ""
    return json.loads(text) if text.strip() else {}


def main() -> None:
    """Print the table, then its notes."""
    runs = Path(sys.argv[1])
    rows = [*tests(runs), *studies(runs), *timed(runs)]
    cells = [row + [""] * (len(COLUMNS) - len(row)) for row in rows]
    print(f"\n{tabulate(cells, COLUMNS, 'github', disable_numparse=True)}\n")
    for note in notes(runs):
        print(f"- {note}")


if __name__ == "__main__":
    main()

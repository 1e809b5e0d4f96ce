"""Odd and damaged input in bulk: is each one read right, or refused in a line that helps?

    python benchmarks/fuzz.py [INPUTS] [FILES]

Runs the properties of `tests/fuzz` on INPUTS inputs (12,000) drawn from a new seed, or only those
of FILES (words in the names of test files, such as `records`), each file in a process of its own.
Prints a Markdown table; of a property that does not hold, the smallest input.
"""

import importlib
import json
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

from hypothesis import HealthCheck, Verbosity, seed, settings

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "fuzz"


def main(num_inputs: int, words: list[str]) -> int:
    """Run all files and print."""
    files = sorted(path.stem for path in FOLDER.glob("test_*.py"))
    num_each = -(-num_inputs // sum(len(properties(name)) for name in files))
    chosen = [name for name in files if not words or any(word in name for word in words)]
    drawn, status = int(time.time()), 0
    print(f"seed {drawn}, {num_each} inputs a property\n")
    print("| kind | inputs | read right | refused with a line | seconds | slowest input, s |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    total = [0, 0, 0.0]
    for name in chosen:
        done = subprocess.run(
            [sys.executable, __file__, "--one", name, str(num_each), str(drawn)],
            stdout=subprocess.PIPE,
            text=True,
        )
        status = status or done.returncode
        line = done.stdout.splitlines()[-1] if done.stdout else "{}"
        for kind, of in json.loads(line).items():
            print(
                f"| {kind} | {of['num_read'] + of['num_refused']:,} | {of['num_read']:,} "
                f"| {of['num_refused']:,} | {of['seconds']:.1f} | {of['slowest_s']:.2f} |"
            )
            total = [
                total[0] + of["num_read"],
                total[1] + of["num_refused"],
                total[2] + of["seconds"],
            ]
        if done.returncode:
            print(f"\n{name}: ended with {done.returncode}\n")
    print(
        f"| all | {total[0] + total[1]:,} | {total[0]:,} | {total[1]:,} | {total[2]:.1f} | |",
        flush=True,
    )
    return status


def properties(name: str) -> list[str]:
    """Name the properties of a test file, without importing it."""
    lines = (FOLDER / f"{name}.py").read_text().splitlines()
    return [line[4:].partition("(")[0] for line in lines if line.startswith("def test_")]


def run_one(name: str, num_each: int, drawn: int) -> None:
    """Run one file's properties, and print what came of their inputs as a line of JSON."""
    sys.path.insert(0, str(ROOT))
    module = importlib.import_module(f"tests.fuzz.{name}")
    tallies = importlib.import_module("tests.fuzz.properties").TALLIES
    long_form = settings(
        max_examples=num_each,
        deadline=None,
        database=None,
        derandomize=False,
        verbosity=Verbosity.normal,
        suppress_health_check=list(HealthCheck),
    )
    failed = False
    for one in properties(name):
        try:
            seed(drawn)(long_form(getattr(module, one)))()
        except BaseException:  # noqa: BLE001  # shown, and the others still run
            import traceback

            traceback.print_exc()
            failed = True
    print(json.dumps({kind: asdict(tally) for kind, tally in tallies.items()}))
    sys.exit(failed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        run_one(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    sys.exit(main(int((sys.argv[1:] or ["12000"])[0]), sys.argv[2:]))

"""How long a study takes to its first step, and each further trial to its own.

    python benchmarks/start.py MODEL DATA [ROUNDS]

Each round is an `agnews-ray submit` of MODEL (a folder or hub id) over three seeds on 64 rows of
DATA, in a process and a runs folder of its own. The first round also makes the tokenised splits in
a cache that the others find, as a user's second study does.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

SEEDS = "42,43,44"
MARK = re.compile(r"(Ray started|models looked at) ([\d.]+) s|: ready after: (.*)")


def main(model: str, data: str, rounds: int = 3) -> None:
    """Print a table of the seconds, and what the first trial waited for."""
    firsts, others = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1, rounds + 1):
            study = submit(model, data, Path(folder), f"round-{number}")
            first, *rest = seconds_of(study)
            firsts.append(first)
            others += rest
            print(f"round {number}: first trial {first:.1f} s, next {seconds_text(rest)}")
            print(*(f"    {line}" for line in marks_of(study)), sep="\n")
    print("\n| what | seconds to the first step: median (lowest-highest) |\n| --- | --- |")
    print(f"| first trial of a study, from the command's start | {spread(firsts)} |")
    print(f"| each next trial, from the end of the one before | {spread(others)} |")


def submit(model: str, data: str, runs: Path, name: str) -> Path:
    """Run a study of three short trials; give its folder."""
    words = ["submit", "--models", model, "--dataset", data, "--seeds", SEEDS, "--name", name]
    limits = ["--limit-train", "64", "--limit-test", "64", "--runs", str(runs), "--epochs", "1"]
    command = [sys.executable, "-m", "agnews_ray", *words, *limits]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return runs / name


def seconds_of(study: Path) -> list[float]:
    """Read each trial's seconds to its first step, in the order of the seeds."""
    records = [json.loads(path.read_text()) for path in study.glob("trials/*/record.json")]
    records.sort(key=lambda record: record["seed"])
    return [record["training"]["seconds_to_first_step"] for record in records]


def marks_of(study: Path) -> list[str]:
    """Read from the log what was reached when."""
    lines = (study / "submit.log").read_text().splitlines()
    return [line.partition(" -- ")[2] or line for line in lines if MARK.search(line)]


def seconds_text(values: list[float]) -> str:
    """Write several figures."""
    return ", ".join(f"{value:.1f} s" for value in values)


def spread(values: list[float]) -> str:
    """Write a median and its range."""
    return f"{median(values):.1f} ({min(values):.1f}-{max(values):.1f})"


if __name__ == "__main__":
    main(*sys.argv[1:3], *(int(word) for word in sys.argv[3:]))

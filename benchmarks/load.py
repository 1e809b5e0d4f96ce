"""How a study of 1,000 trials loads: planning, continuing, `compare` and `report`, with memory.

    python benchmarks/load.py [--variants 100] [--seeds 10] [--rows 7600] [--keep FOLDER]

Makes up two studies of that many trials (no Ray, no training): one of all train rows, and one whose
variants have a curve of five shares. Each point is then measured in a process of its own, from its
start to its end, with its highest memory. "Continues" is the submit of a study with half of its
records; in the place of Ray stands a function that runs nothing. Prints a Markdown table.
"""

import argparse
import contextlib
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from click.testing import CliRunner

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from agnews_ray.app import launch, prepare  # noqa: E402
from agnews_ray.cli.main import main as agnews_ray  # noqa: E402
from agnews_ray.cli.screen import SilentScreen  # noqa: E402
from agnews_ray.data.audit import audit_test_rows  # noqa: E402
from tests.fakes.records import a_record  # noqa: E402
from tests.fakes.studies import scores_of, some_predictions, write_outputs  # noqa: E402

SIZES = {"num_layers": 1, "hidden_size": 32, "num_heads": 2, "intermediate_size": 32}
SHARES = (0.1, 0.25, 0.5, 0.75, 1.0)
MB = 1_000_000


def main() -> None:
    """Make the studies and measure all points, or be the process of one point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--variants", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--rows", type=int, default=7600)
    parser.add_argument("--keep", type=Path, help="make the studies here, or use those made here")
    parser.add_argument("--point", nargs=2, metavar=("NAME", "FOLDER"))
    options = parser.parse_args()
    if options.point:
        name, folder = options.point
        print(json.dumps(measure(name, Path(folder))))
        return
    with contextlib.ExitStack() as stack:
        made = stack.enter_context(tempfile.TemporaryDirectory(prefix="agnews-ray-load-"))
        folder = options.keep or Path(made)
        if not (folder / "half").exists():
            make_studies(folder, options.variants, options.seeds, options.rows)
        print("| Point | Seconds (own CPU) | Peak memory | Wanted | Found |")
        print("| --- | --- | --- | --- | --- |", flush=True)
        for name, (_, words, max_s, max_mb) in POINTS.items():
            found = in_a_process(name, folder)
            wanted = f"< {max_s} s" + (f", < {max_mb:,} MB" if max_mb else "")
            print(
                f"| {words} | {found['seconds']:.1f} ({found['cpu']:.1f}) "
                f"| {found['peak'] / MB:,.0f} MB | {wanted} | {found['said']} |",
                flush=True,
            )


def job(name: str, num_variants: int, num_seeds: int, num_rows: int, shares: tuple) -> dict:
    """Describe a study of small models that differ in their learning rates."""
    return {
        "name": name,
        "question": "Which of many learning rates is best?",
        "models": [
            {
                "name": f"rate-{number:03}",
                "model": "minilm",
                "init": "random",
                "architecture": SIZES,
                "recipe": {"learning_rate": 1e-5 * (1 + number)},
            }
            for number in range(num_variants)
        ],
        "seeds": list(range(1, num_seeds + 1)),
        "data": {"source": f"synthetic:train=4000,test={num_rows},seed=7"},
        **({"curve": list(shares)} if len(shares) > 1 else {}),
    }


def make_studies(folder: Path, num_variants: int, num_seeds: int, num_rows: int) -> None:
    """Make a finished study, half of it, and one with a curve."""
    folder.mkdir(parents=True, exist_ok=True)
    with_curve = num_variants // len(SHARES)
    for name, count, shares in (("whole", num_variants, (1.0,)), ("curve", with_curve, SHARES)):
        path = folder / f"{name}.json"  # JSON is YAML
        path.write_text(json.dumps(job(name, count, num_seeds, num_rows, shares)))
        fill(prepare.prepare_study(prepare.read_study(path, {}), folder))
    for number, trial in enumerate(sorted((folder / "whole/trials").iterdir())):
        if number % 2:
            shutil.copytree(trial, folder / "half/trials" / trial.name, copy_function=os.link)
    for name in ("study.yaml", "test_rows.parquet"):
        shutil.copy2(folder / "whole" / name, folder / "half" / name)


def fill(prepared: prepare.PreparedStudy) -> None:
    """Leave a record, predictions and a curve for every planned trial."""
    store, rng = prepared.store, np.random.default_rng(0)
    record = prepared.scanned.record
    store.folder.mkdir(parents=True)
    store.save_study(prepared.study)
    store.save_test_rows(audit_test_rows(prepared.scanned), record.fingerprint)
    labels = prepared.scanned.test.table()["label"].to_numpy()
    skill = {variant.name: 0.8 + 0.15 * rng.random() for variant in prepared.study.models}
    for trial in prepared.trials:
        right = skill[trial.variant.name] - 0.1 * (1 - trial.train_share)
        logits = some_predictions(rng, labels, right, len(record.class_names))
        left = a_record(
            trial_id=trial.trial_id,
            seed=trial.seed,
            study=prepared.study.name,
            variant=trial.variant,
            recipe=trial.recipe,
            dataset=record,
            data=prepared.study.data,
            train_share=trial.train_share,
            test=scores_of(labels, logits.argmax(axis=1), record.class_names),
        )
        staged = store.staging_folder(trial.trial_id)
        write_outputs(Path(staged), labels, logits)
        store.publish(left, staged)


def in_a_process(name: str, folder: Path) -> dict:
    """Measure a point in a process of its own; its time counts from the start of Python."""
    since = time.perf_counter()
    command = [sys.executable, __file__, "--point", name, str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1]) | {"seconds": time.perf_counter() - since}


def measure(name: str, folder: Path) -> dict:
    """Do what a point says and tell its result, the memory and the CPU time of this process."""
    said = POINTS[name][0](folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {"said": said, "peak": used.ru_maxrss * 1024, "cpu": used.ru_utime + used.ru_stime}


def plan(folder: Path) -> str:
    """Plan a study of which nothing is finished."""
    planned = read("whole", folder, folder / "new")
    return f"{len(planned.trials):,} trials, {len(planned.todo):,} to do"


def go_on(folder: Path) -> str:
    """Submit a study of which half is finished; none of the rest is run."""
    prepared = read("whole", folder, folder, "half")
    num_todo, nothing = len(prepared.todo), SimpleNamespace(finished=(), failed={}, left_out={})
    outcome = launch.execute_study(
        prepared,
        "benchmark",
        time.time(),
        SilentScreen(),
        run=lambda prepared, *_: (prepared, nothing),
    )
    return f"{len(outcome.records):,} finished, {num_todo:,} to do"


def read(job_name: str, folder: Path, runs: Path, name: str = "whole") -> prepare.PreparedStudy:
    """Read and plan a study."""
    study = prepare.read_study(folder / f"{job_name}.json", {"name": name})
    return prepare.prepare_study(study, runs)


def run_command(*words: str) -> str:
    """Run a command of `agnews-ray` in this process; return what it prints."""
    return CliRunner().invoke(agnews_ray, words, catch_exceptions=False).stdout


def compare(name: str) -> Callable[[Path], str]:
    """Return a function that prints a study's table."""

    def run(folder: Path) -> str:
        rows = json.loads(run_command("compare", str(folder / name), "--format", "json"))["rows"]
        return f"{len(rows)} rows"

    return run


def report(name: str, form: str) -> Callable[[Path], str]:
    """Return a function that writes a study's report."""

    def run(folder: Path) -> str:
        place = folder / f"{name}.{form}"
        run_command("report", str(folder / name), "--format", form, "--output", str(place))
        return f"{place.stat().st_size / MB:.2f} MB (wanted < 6 MB)"

    return run


POINTS = {
    "plan": (plan, "a study is planned", 2, None),
    "go on": (go_on, "it goes on after half of its trials", 5, None),
    "compare": (compare("whole"), "`compare`", 10, 1000),
    "compare curve": (compare("curve"), "`compare` of a curve (reads predictions)", 10, 1000),
    "report": (report("whole", "html"), "`report`", 60, 1000),
    "report curve": (report("curve", "html"), "`report` of a curve", 60, 1000),
}
"""Of each point: what is done, in words, the seconds and MB that are wanted at most."""

if __name__ == "__main__":
    main()

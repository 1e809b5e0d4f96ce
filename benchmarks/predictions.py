"""How far are predicted trials off? Predict trials, run them, print both.

    python benchmarks/predictions.py JOB.yaml --runs /tmp/runs-predictions [submit's flags ...]

First `agnews-ray plan` measures each model on the quiet machine, then `agnews-ray submit` runs all
trials; what was predicted stands in each record beside what happened. With `--seeds 1,2,3,4,5` a
job of two models makes ten trials. A trial's prediction also learns from the trials before it: the
column "probe" is what the first of them had, "predicted" what each had when it started.
"""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.store import StudyStore

LONG_S = 180
"""The train time above which a prediction is to be within 15 %."""


def main(words: Sequence[str]) -> None:
    """Plan and run a study, and print what was predicted beside what happened."""
    command = [sys.executable, "-m", "agnews_ray"]
    subprocess.run([*command, "plan", *words, "--fresh"], check=True)
    done = subprocess.run(
        [*command, "submit", *words], check=True, stdout=subprocess.PIPE, text=True
    )
    print(done.stdout)
    folder = done.stdout.partition("results in ")[2].partition(", Ray's log")[0].strip()
    records = sorted(StudyStore.at(Path(folder)).records(), key=lambda one: one.created_at)
    show([record for record in records if record.predicted])


def show(records: Sequence[TrialRecord]) -> None:
    """Print a line for each trial, and the errors of all."""
    print(f"{'trial':36} {'probe':>8} {'predicted':>10} {'happened':>9} {'error':>7}  of the probe"
          "   whole trial (predicted, happened)   memory (MiB)")  # fmt: skip
    errors, of_probe = [], []
    for record in records:
        said, training = record.predicted, record.training
        errors.append(training.train_seconds / said.train_seconds - 1)
        of_probe.append(training.train_seconds / said.measured_seconds - 1)
        print(
            f"{record.trial_id:36} {said.measured_seconds:7.1f}s {said.train_seconds:9.1f}s "
            f"{training.train_seconds:8.1f}s {errors[-1]:+7.1%}  {of_probe[-1]:+12.1%}   "
            f"{said.total_seconds:8.1f}s {record.total_seconds:8.1f}s {'':15} "
            f"{said.peak_memory_bytes >> 20:6} {training.peak_memory_bytes >> 20:6}"
        )
    long = [e for e, r in zip(errors, records, strict=True) if r.training.train_seconds > LONG_S]
    for name, found in (("all", errors), ("probe alone", of_probe), (f"over {LONG_S} s", long)):
        if found:
            size = fmean(abs(one) for one in found)
            print(f"{name}: {len(found)} trial(s), mean error {fmean(found):+.1%}, mean size "
                  f"{size:.1%}, largest {max(found, key=abs):+.1%}")  # fmt: skip


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(sys.argv[1:])

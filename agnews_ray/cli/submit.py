"""``agnews-ray submit``: run a study and print its comparison table."""

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from agnews_ray.cli.ask_budget import has_limit, within_budget
from agnews_ray.cli.flags import overrides, study_options
from agnews_ray.cli.interrupts import leave
from agnews_ray.cli.outcome_text import explain_interrupt, print_outcome
from agnews_ray.cli.place import Place, check_place, hand_over, place_options
from agnews_ray.cli.track import tracked_too

if TYPE_CHECKING:
    from agnews_ray.app.live_tracking import TrackingWatcher
    from agnews_ray.app.prepare import PreparedStudy
    from agnews_ray.run.watcher import StudyWatcher

START_OF_PROCESS = time.time()

T = TypeVar("T")
Run = Callable[["PreparedStudy", str, float, "StudyWatcher"], T]


@click.command(
    epilog="""\b
Examples:
  agnews-ray submit --models distilbert,minilm             the paper's study
  agnews-ray submit --models tfidf-svm,minilm              is a fine-tuned model worth it?
  agnews-ray submit jobs/demo.yaml                         two small models, no downloads
  agnews-ray submit jobs/demo.yaml --seeds 1,2,3 --name d3 three seeds of it
  agnews-ray submit --dataset data/ --limit-train 8000     your own train.csv and test.csv
  agnews-ray submit jobs/t4.yaml --dry-run                 show the plan, run nothing
  agnews-ray submit jobs/t4.yaml --budget 2h               ask first, if it would take longer
  agnews-ray submit jobs/demo.yaml --address http://127.0.0.1:8265 --follow   on a cluster

Exit codes: 0 all trials done, or left out by the budget; 1 a trial failed, 2 the request was wrong,
130 interrupted, 143 terminated."""
)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.yaml]")
@study_options
@place_options
def submit(
    job: Path | None,
    dry_run: bool,
    as_json: bool,
    quiet: bool,
    **flags: Any,  # each of the type that its option gives it
) -> None:
    """Fine-tune every model of a study and print the comparison table.

    JOB.yaml describes the study; flags override it. Without both, the paper's study is run:
    DistilBERT and MiniLM on AG News, 2 epochs, learning rate 2e-5, batch 16, seed 42. It runs on
    this machine, on its GPUs if there are any; with --address (or RAY_ADDRESS) it runs on that
    cluster, as one job. Trials that are already finished are not run again.
    """
    place = Place.taken_from(flags)
    changes = overrides(job, flags)
    check_place(place, quiet)
    from agnews_ray.app import launch, prepare

    if place.address:
        hand_over(prepare.read_study(job, changes), place, dry_run, as_json)
        return
    prepared = None
    try:
        prepared = prepare.prepare_study(prepare.read_study(job, changes), place.location)
        if dry_run:
            from agnews_ray.cli.plan_text import print_plan

            print_plan(prepared, as_json)
            return
        is_silent = as_json or quiet
        prepared = within_budget(prepared, START_OF_PROCESS, is_silent=is_silent)
        outcome, watcher = execute(prepared, place, is_silent, launch.execute_study)
    except KeyboardInterrupt as interrupt:
        leave(interrupt, explain_interrupt(prepared))
    print_outcome(outcome, watcher, as_json, quiet)
    sys.exit(1 if outcome.failed else 0)


def execute(
    prepared: "PreparedStudy", place: Place, is_silent: bool, run: Run[T]
) -> "tuple[T, TrackingWatcher]":
    """Run a prepared study behind the screen that fits the output, and tell its trackers.

    Args:
        prepared: the study.
        place: where it runs, and which trackers are told.
        is_silent: whether nothing is shown while it runs.
        run: the use case.

    Returns:
        Its results, and what the trackers were told.
    """
    from agnews_ray.cli import screen
    from agnews_ray.cli.plan_text import introduction

    chosen = screen.LiveScreen if screen.is_terminal() else screen.PlainScreen
    with screen.SilentScreen() if is_silent else chosen() as shown:
        is_told = prepared.forecast is not None and has_limit(prepared)  # before it was measured
        for line in () if is_told else introduction(prepared):
            shown.note(line)
        with tracked_too(shown, prepared, place.track_to) as watcher:
            return run(prepared, shlex.join(sys.argv), START_OF_PROCESS, watcher), watcher

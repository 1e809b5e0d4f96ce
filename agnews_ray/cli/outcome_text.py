"""The results of a study in words: its table, what failed, and where they lie."""

import os
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from agnews_ray.cli.compare import tell_left_out
from agnews_ray.cli.track import show_tracked

if TYPE_CHECKING:
    from agnews_ray.app.launch import StudyOutcome
    from agnews_ray.app.live_tracking import TrackingWatcher
    from agnews_ray.app.prepare import PreparedStudy
    from agnews_ray.compare.table import ComparisonTable


def print_outcome(
    outcome: "StudyOutcome",
    watcher: "TrackingWatcher",
    as_json: bool,
    quiet: bool,
    further: Mapping[str, object] | None = None,
) -> None:
    """Print a study's table, or its document with ``further`` keys, and where the results lie."""
    from agnews_ray.cli import screen

    table = _table(outcome)
    for note in (*outcome.notes, *watcher.problems):
        click.echo(f"note: {note}", err=True)
    if as_json:
        _print_document(outcome, watcher, table, further or {})
        return
    if table:
        _print_table(table)
    prepared = outcome.prepared
    if quiet:  # otherwise they were printed when they happened
        for trial_id, error in outcome.failed.items():
            click.echo(f"error: {screen.describe_failure(trial_id, error)}", err=True)
    elif outcome.failed:
        num_failed, num_trials = len(outcome.failed), len(prepared.trials)
        click.echo(f"error: {num_failed} of {num_trials} trial(s) failed (see above)", err=True)
    click.echo(
        f"results in {short(prepared.store.location)}, "
        f"Ray's log in {short(str(prepared.store.log_path))}"
    )
    if not quiet:
        show_tracked(watcher)


def _table(outcome: "StudyOutcome") -> "ComparisonTable | None":
    """Compare what finished, with the curve over train rows if the study has one."""
    from agnews_ray.compare.table import compare_records

    study = outcome.prepared.study
    order = [variant.name for variant in study.models]
    if not outcome.records:
        return None
    table = compare_records(study.name, outcome.records, order)
    table = table.model_copy(update={"left_out": outcome.left_out})
    if not study.curve:
        return table
    from agnews_ray.app.study_curve import with_curve
    from agnews_ray.compare.assessment import Settings

    return with_curve(table, outcome.prepared.store, order, Settings(), tell_left_out)


def _print_table(table: "ComparisonTable") -> None:
    """Print the table, and a line for each trial that was interrupted."""
    from agnews_ray.cli import screen
    from agnews_ray.report import attempt_text

    screen.show_table(table)
    for trial in table.interrupted:
        click.echo(attempt_text.line(trial))


def _print_document(
    outcome: "StudyOutcome",
    watcher: "TrackingWatcher",
    table: "ComparisonTable | None",
    further: Mapping[str, object],
) -> None:
    from agnews_ray.cli.plan_text import num_empty
    from agnews_ray.record.json_text import to_json

    prepared = outcome.prepared
    document = {
        "study": prepared.study.name,
        "rows": table.rows if table else [],
        "diverged": table.diverged if table else [],
        "smaller": table.smaller if table else [],
        "curve": table.curve if table else None,
        "interrupted": table.interrupted if table else [],
        "left_out": outcome.left_out,
        "failed": {trial_id: str(error) for trial_id, error in outcome.failed.items()},
        "num_empty_texts": num_empty(prepared.scanned.record),
        "folder": prepared.store.location,
        "log": str(prepared.store.log_path),
        "tracked": [asdict(one) for one in watcher.tracked],
    }
    click.echo(to_json(document | dict(further)))


def explain_interrupt(prepared: "PreparedStudy | None") -> str:
    """Say what an interrupt leaves."""
    if prepared is None:
        return "interrupted: nothing was started"
    done = len(prepared.store.finished().records)
    where = short(prepared.store.location)
    return f"interrupted: {done} finished trial(s) kept in {where}; the same command runs the rest"


def short(location: str) -> str:
    """Write a place as seen from the working folder, if it lies below it."""
    relative = os.path.relpath(location)
    return location if "://" in location or relative.startswith("..") else relative

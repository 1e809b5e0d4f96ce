"""``agnews-ray submit``: run a study and print its comparison table."""

import os
import shlex
import sys
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from agnews_ray.cli.flags import overrides, study_options
from agnews_ray.cli.interrupts import leave
from agnews_ray.cli.jobs import address_option, follow_to_end
from agnews_ray.errors import printable

if TYPE_CHECKING:
    from agnews_ray.app.launch import StudyOutcome
    from agnews_ray.app.prepare import PreparedStudy
    from agnews_ray.plan.trials import PlannedTrial
    from agnews_ray.record.schema import DatasetRecord
    from agnews_ray.spec.study import StudySpec

START_OF_PROCESS = time.time()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a study runs and lies, as the flags say."""

    runs: Path | None
    address: str | None
    storage: str | None
    follow: bool


@click.command(
    epilog="""\b
Examples:
  agnews-ray submit --models distilbert,minilm             the paper's study
  agnews-ray submit --models tfidf-svm,minilm              is a fine-tuned model worth it?
  agnews-ray submit jobs/demo.yaml                         two small models, no downloads
  agnews-ray submit jobs/demo.yaml --seeds 1,2,3 --name d3 three seeds of it
  agnews-ray submit --dataset data/ --limit-train 8000     your own train.csv and test.csv
  agnews-ray submit jobs/t4.yaml --dry-run                 show the plan, run nothing
  agnews-ray submit jobs/demo.yaml --address http://127.0.0.1:8265 --follow   on a cluster

Exit codes: 0 all trials done, 1 a trial failed, 2 the request was wrong,
130 interrupted, 143 terminated."""
)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.yaml]")
@study_options
@click.option(
    "--runs", type=click.Path(path_type=Path), help="Folder of the studies  [default: runs]"
)
@address_option
@click.option(
    "--storage",
    metavar="FOLDER|URI",
    help="Instead of --runs: a folder that all nodes of a cluster can read, or s3:// or gs://.",
)
@click.option("--follow", is_flag=True, help="With --address: show progress until the job ends.")
@click.option(
    "--dry-run", is_flag=True, help="Print the resolved study and its trials; run nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
@click.option("--quiet", is_flag=True, help="Print the table and nothing else while it runs.")
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
    place = Place(**{one.name: flags.pop(one.name) for one in fields(Place)})
    changes = overrides(job, flags)
    _check_place(place, quiet)
    from agnews_ray.app import prepare

    if place.address:
        _hand_over(prepare.read_study(job, changes), place, place.address, dry_run, as_json)
        return
    prepared = None
    try:
        prepared = prepare.prepare_study(
            prepare.read_study(job, changes), place.storage or place.runs or "runs"
        )
        if dry_run:
            _print_plan(prepared, as_json)
            return
        outcome = _execute(prepared, as_json, quiet)
    except KeyboardInterrupt as interrupt:
        leave(interrupt, _explain_interrupt(prepared))
    _print_outcome(outcome, as_json, quiet)
    sys.exit(1 if outcome.failed else 0)


def _check_place(place: Place, quiet: bool) -> None:
    """Refuse options that would have no effect."""
    address = place.address
    if place.follow and not address:
        raise click.UsageError("--follow goes with --address; a local run is always shown")
    if place.runs and place.storage:
        raise click.UsageError(
            "--runs and --storage both name the folder of the studies; give one of them"
        )
    source = click.get_current_context().get_parameter_source("address")
    is_set = source is ParameterSource.ENVIRONMENT
    cause = f"RAY_ADDRESS={address} makes" if is_set else "--address makes"
    way_back = "add --address local" if is_set else "leave --address out"
    for option, given, instead in (
        ("--runs", place.runs, "use --storage instead"),
        ("--quiet", quiet, "leave --quiet out"),
    ):
        if address and given:
            told = f"{option} is only for runs on this machine, but {cause} this a run on a cluster"
            raise click.UsageError(f"{told}; {way_back} to run here, or {instead}")


def _hand_over(
    study: "StudySpec", place: Place, address: str, dry_run: bool, as_json: bool
) -> None:
    from agnews_ray.app import cluster_jobs
    from agnews_ray.record.json_text import to_json
    from agnews_ray.spec.loader import to_yaml

    if dry_run:
        cluster_jobs.check_storage(place.storage)
        click.echo(to_json(study) if as_json else to_yaml(study))
        return
    sent = cluster_jobs.submit_study(study, address, place.storage, shlex.join(sys.argv))
    if place.follow and as_json:
        follow_to_end(sent.address, sent.job_id, as_json=True)
    elif as_json:
        document = {"job_id": sent.job_id, "address": sent.address, "storage": sent.storage}
        click.echo(to_json(document))
    else:
        storage = sent.storage or "the cluster's own storage"
        click.echo(f"job   {sent.job_id} on {sent.address}, results to {storage}")
    if place.follow:
        follow_to_end(sent.address, sent.job_id)
    elif not as_json:
        click.echo(f"next: agnews-ray logs {sent.job_id} --follow, or status, stop, fetch")


def _execute(prepared: "PreparedStudy", as_json: bool, quiet: bool) -> "StudyOutcome":
    from agnews_ray.app import launch
    from agnews_ray.cli import screen

    silent = as_json or quiet
    chosen = screen.LiveScreen if screen.is_terminal() else screen.PlainScreen
    with screen.SilentScreen() if silent else chosen() as shown:
        for line in _introduction(prepared):
            shown.note(line)
        return launch.execute_study(prepared, shlex.join(sys.argv), START_OF_PROCESS, shown)


def _introduction(prepared: "PreparedStudy") -> list[str]:
    record, study = prepared.scanned.record, prepared.study
    held = record.validation.num_selected if record.validation else record.num_validation
    splits = f"{record.num_train:,} train and {record.test.num_selected:,} test rows"
    splits += f" ({held:,} to validate)" if held else ""
    assumed = f"; assumed: {'; '.join(record.assumptions)}" if record.assumptions else ""
    lines = [
        f"study {study.name}: {len(prepared.trials)} trial(s), "
        f"{len(prepared.trials) - len(prepared.todo)} already done",
        f"data  {record.source}: {splits}, "
        f"{len(record.class_names)} classes ({', '.join(record.class_names[:6])}), "
        f"{record.label_kind}, text from {' + '.join(record.text_columns)}{assumed}",
    ]
    lines += [f"note  {sentence}" for sentence in (*prepared.notes, *record.missing_classes)]
    num_empty = _num_empty(record)
    if num_empty:
        share = num_empty / (record.train.num_rows + record.test.num_rows)
        lines.append(f"note  {num_empty:,} rows ({share:.1%}) have no text; they are kept")
    return lines


def _num_empty(record: "DatasetRecord") -> int:
    return record.train.num_empty + record.test.num_empty


def _print_plan(prepared: "PreparedStudy", as_json: bool) -> None:
    from agnews_ray.record.json_text import to_json
    from agnews_ray.spec.loader import to_yaml

    trials: list[dict[str, object]] = [
        {
            "trial_id": trial.trial_id,
            "model": trial.variant.name,
            "seed": trial.seed,
            "num_steps": trial.num_steps,
            "device": trial.device,
            "precision": trial.precision,
            "recipe": trial.variant.recipe or {},
            "scores_test": trial.scores_test,
            "waits_for": trial.waits_for,
            "is_finished": trial.trial_id in prepared.finished,
        }
        for trial in prepared.trials
    ]
    if as_json:
        plan = {"study": prepared.study, "dataset": prepared.scanned.record, "trials": trials}
        click.echo(to_json(plan))
        return
    click.echo(to_yaml(prepared.study))
    for line in _introduction(prepared):
        click.echo(printable(line))
    for trial in prepared.trials:
        click.echo(_planned_line(trial, trial.trial_id in prepared.finished))


def _planned_line(trial: "PlannedTrial", is_finished: bool) -> str:
    from agnews_ray.cli import screen

    work = f"{trial.num_steps:,} steps" if trial.num_steps else screen.LINEAR_FIT
    facts = [work, trial.device, trial.precision]
    if trial.variant.recipe:
        own = trial.variant.recipe.stated().items()
        facts.append(f"recipe of its own ({', '.join(f'{key} {value}' for key, value in own)})")
    if not trial.scores_test:
        facts.append("not scored on test")
    if trial.waits_for:
        facts.append(f"after {', '.join(trial.waits_for)}")
    facts.append("done" if is_finished else "to run")
    return f"trial {trial.trial_id}: {', '.join(facts)}"


def _print_outcome(outcome: "StudyOutcome", as_json: bool, quiet: bool) -> None:
    from agnews_ray.cli import screen
    from agnews_ray.compare.table import compare_records
    from agnews_ray.record.json_text import to_json

    prepared = outcome.prepared
    order = [variant.name for variant in prepared.study.models]
    name = prepared.study.name
    for note in outcome.notes:
        click.echo(f"note: {note}", err=True)
    table = compare_records(name, outcome.records, order) if outcome.records else None
    if as_json:
        document = {
            "study": name,
            "rows": table.rows if table else [],
            "diverged": table.diverged if table else [],
            "failed": {trial_id: str(error) for trial_id, error in outcome.failed.items()},
            "num_empty_texts": _num_empty(prepared.scanned.record),
            "folder": prepared.store.location,
            "log": str(prepared.store.log_path),
        }
        click.echo(to_json(document))
        return
    if table:
        screen.show_table(table)
    if quiet:  # otherwise they were printed when they happened
        for trial_id, error in outcome.failed.items():
            click.echo(f"error: {screen.describe_failure(trial_id, error)}", err=True)
    elif outcome.failed:
        num_failed, num_trials = len(outcome.failed), len(prepared.trials)
        click.echo(f"error: {num_failed} of {num_trials} trial(s) failed (see above)", err=True)
    click.echo(
        f"results in {_short(prepared.store.location)}, "
        f"Ray's log in {_short(str(prepared.store.log_path))}"
    )


def _explain_interrupt(prepared: "PreparedStudy | None") -> str:
    if prepared is None:
        return "interrupted: nothing was started"
    done = len(prepared.store.finished().records)
    where = _short(prepared.store.location)
    return f"interrupted: {done} finished trial(s) kept in {where}; the same command runs the rest"


def _short(location: str) -> str:
    relative = os.path.relpath(location)
    return location if "://" in location or relative.startswith("..") else relative

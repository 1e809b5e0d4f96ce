"""``agnews-ray jobs``, ``status``, ``stop``, ``fetch``: studies on a cluster."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from agnews_ray.errors import ClusterError

JOB_ID = click.argument("job_id", metavar="[ID]", required=False)
AS_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)


def address_option(command: Callable[..., None]) -> Callable[..., None]:
    """Attach ``--address``, which may also come from ``RAY_ADDRESS``."""
    return click.option(
        "--address",
        envvar="RAY_ADDRESS",
        metavar="URL",
        help="The cluster's dashboard, such as http://127.0.0.1:8265; local: this machine, even "
        "if the environment names a cluster  [env: RAY_ADDRESS]",
        callback=_checked,
    )(command)


def _checked(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    """Refuse a value that is not a dashboard's address, and name its origin."""
    if value is None or value == "local":
        return None
    from agnews_ray.cluster.jobs_client import ADDRESS_PATTERN

    if not ADDRESS_PATTERN.fullmatch(value):
        is_set = context.get_parameter_source(parameter.name or "") is ParameterSource.ENVIRONMENT
        where = "RAY_ADDRESS" if is_set else "--address"
        wanted = "a dashboard's address, such as http://127.0.0.1:8265"
        hint = "give that, or --address local for this machine"
        raise ClusterError(where, wanted, repr(value), hint)
    return value


def known_address(address: str | None) -> str:
    """Return the address, or raise if there is none.

    Raises:
        ClusterError: there is none.
    """
    if not address:
        hint = "set RAY_ADDRESS=http://127.0.0.1:8265, or give it here"
        raise ClusterError("--address", "the address of a cluster's dashboard", "none", hint)
    return address


@click.command(
    epilog="""\b
Examples:
  agnews-ray jobs --address http://127.0.0.1:8265
  agnews-ray jobs --json | jq -r '.[] | select(.status == "RUNNING").job_id'"""
)
@address_option
@AS_JSON
def jobs(address: str | None, as_json: bool) -> None:
    """List the studies that were submitted to a cluster, the latest first."""
    from agnews_ray.app import cluster_jobs

    found = cluster_jobs.list_jobs(known_address(address))
    if as_json:
        print_json([one.model_dump(exclude={"trials"}) for one in found])
        return
    if not found:
        click.echo("no jobs yet; submit one with: agnews-ray submit ... --address URL")
    for job in found:
        click.echo(f"{job.job_id:32}  {job.status:9}  {_times(job):24}  {job.storage}")


@click.command(
    epilog="""\b
Examples:
  agnews-ray status                              the latest job
  agnews-ray status demo-1a2b3c --json | jq '.trials[].state'"""
)
@JOB_ID
@address_option
@AS_JSON
def status(job_id: str | None, address: str | None, as_json: bool) -> None:
    """Show the state of a job and of each trial, and what it waits for.

    Without ID, the latest job is shown.
    """
    from agnews_ray.app import cluster_jobs

    state = cluster_jobs.job_state(known_address(address), job_id)
    if as_json:
        print_json(state)
        return
    click.echo(f"{state.job_id}: {state.status}, {_times(state)}")
    if state.error:
        click.echo(f"error: {state.error}")
    if state.location:
        click.echo(f"results in {state.location}")
    if state.phase:
        click.echo(state.phase)
    for trial in sorted(state.trials, key=lambda one: one.state != "failed"):
        click.echo(f"  {trial.trial_id:44}  {_describe(trial)}")


@click.command(
    epilog="""\b
Example:
  agnews-ray stop demo-1a2b3c"""
)
@click.argument("job_id", metavar="ID")
@address_option
@AS_JSON
def stop(job_id: str, address: str | None, as_json: bool) -> None:
    """Stop a job. Finished trials are kept; the same submit runs the rest."""
    from agnews_ray.app import cluster_jobs

    job = cluster_jobs.stop_job(known_address(address), job_id)
    was_running = not job.has_ended
    if as_json:
        print_json({"job_id": job_id, "was_running": was_running})
    elif was_running:
        click.echo(
            f"{job_id} is stopping; finished trials are kept, and the same submit runs the rest"
        )
    else:
        click.echo(f"{job_id} had already ended ({job.status})")


@click.command(
    epilog="""\b
Examples:
  agnews-ray fetch                               the latest job, to runs/<study>
  agnews-ray fetch demo-1a2b3c --runs home"""
)
@JOB_ID
@click.option("--runs", default="runs", show_default=True, type=click.Path(path_type=Path))
@address_option
@AS_JSON
def fetch(job_id: str | None, runs: Path, address: str | None, as_json: bool) -> None:
    """Copy a job's missing records, predictions and artifacts to this machine.

    Without ID, the latest job is used. Then compare, measure and report work as usual.
    """
    from agnews_ray.app import cluster_jobs

    folder, copied = cluster_jobs.fetch_job(known_address(address), job_id, runs)
    if as_json:
        print_json({"folder": str(folder), "copied": copied})
        return
    num_records = sum(name.endswith("/record.json") for name in copied)
    click.echo(f"{len(copied)} file(s) copied, {num_records} new trial(s), to {folder}")
    click.echo(f"next: agnews-ray compare {folder}")


def print_json(content: Any) -> None:
    """Print one JSON document."""
    from agnews_ray.record.json_text import to_json

    click.echo(to_json(content))


def _times(job: Any) -> str:
    from agnews_ray.cli.screen import clock

    if job.started_at is None:
        return "not started"
    since = time.strftime("%m-%d %H:%M", time.localtime(job.started_at))
    return f"{since} for {clock((job.ended_at or time.time()) - job.started_at)}"


def _describe(trial: Any) -> str:
    from agnews_ray.cli.screen import clock

    match trial.state:
        case "waiting":
            return f"waits for {trial.waits_for}"
        case "training":
            left = "" if trial.seconds_left is None else f", {clock(trial.seconds_left)} left"
            return (
                f"training: step {trial.step:,} of {trial.num_steps:,}, "
                f"{trial.samples_per_second or 0:.0f} samples/s{left}"
            )
        case "done" if trial.diverged is not None:
            return f"DIVERGED: {trial.diverged}"
        case "done" if trial.accuracy is not None:
            return f"done: accuracy {trial.accuracy:.4f}, macro-F1 {trial.macro_f1:.4f}"
        case "failed":
            return f"FAILED: {trial.error}"
    return str(trial.state)

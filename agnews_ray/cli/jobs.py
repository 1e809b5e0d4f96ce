"""``agnews-ray jobs``, ``status``, ``logs``, ``stop``, ``fetch``: studies on a cluster."""

import contextlib
import sys
from collections.abc import Callable, Iterable
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from agnews_ray.cli.compare import tell_left_out
from agnews_ray.cli.interrupts import leave
from agnews_ray.cli.streams import is_unread
from agnews_ray.errors import ClusterError, StoreError

if TYPE_CHECKING:
    from agnews_ray.cluster.event_kinds import Event
    from agnews_ray.cluster.job_state import JobState

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


def _checked(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
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
    from agnews_ray.cli.job_text import times_of

    found = cluster_jobs.list_jobs(known_address(address))
    if as_json:
        _print_json([one.model_dump(exclude={"trials"}) for one in found])
        return
    if not found:
        click.echo("no jobs yet; submit one with: agnews-ray submit ... --address URL")
    for job in found:
        click.echo(f"{job.job_id:32}  {job.status:9}  {times_of(job):24}  {job.storage}")


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
    from agnews_ray.cli.job_text import describe_trial, times_of

    state = cluster_jobs.job_state(known_address(address), job_id)
    if as_json:
        _print_json(state)
        return
    click.echo(f"{state.job_id}: {state.status}, {times_of(state)}")
    if state.error:
        click.echo(f"error: {state.error}")
    if state.location:
        click.echo(f"results in {state.location}")
    if state.phase:
        click.echo(state.phase)
    for trial in sorted(state.trials, key=lambda one: one.state != "failed"):
        click.echo(f"  {trial.trial_id:44}  {describe_trial(trial)}")


@click.command(
    epilog="""\b
Examples:
  agnews-ray logs demo-1a2b3c --follow
  agnews-ray logs demo-1a2b3c --trial minilm-demo-s42-0123456789"""
)
@JOB_ID
@click.option("--follow", is_flag=True, help="Keep printing until the job ends.")
@click.option("--all", "keeps_lines", is_flag=True, help="Also the lines of Ray and of libraries.")
@click.option("--trial", metavar="TRIAL", help="Only this trial; the start of its id is enough.")
@address_option
@AS_JSON
def logs(job_id: str | None, follow: bool, address: str | None, **shown: Any) -> None:
    """Print a job's lines about its trials; Ray's own lines are in its dashboard.

    Without ID, the latest job is shown. --json prints one document per line.
    """
    from agnews_ray.app import cluster_jobs

    address = known_address(address)
    events: Iterable[Event | str]
    if follow:
        job_id = job_id or cluster_jobs.job_state(address, None).job_id
        events = takewhile(lambda _: not is_unread(), cluster_jobs.follow(address, job_id, _say))
    else:
        events = cluster_jobs.read_log(address, job_id)
    print_events(events, **shown)


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
        _print_json({"job_id": job_id, "was_running": was_running})
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
        _print_json({"folder": str(folder), "copied": copied})
        return
    num_records = sum(name.endswith("/record.json") for name in copied)
    click.echo(f"{len(copied)} file(s) copied, {num_records} new trial(s), to {folder}")
    click.echo(f"next: agnews-ray compare {folder}")


def print_events(
    events: "Iterable[Event | str]",
    *,
    trial: str | None = None,
    keeps_lines: bool = False,
    as_json: bool = False,
) -> None:
    """Show events: live on a terminal, else as lines.

    Args:
        events: events of ``cluster.events``, and other lines as text.
        trial: the start of the id of the only trial to show.
        keeps_lines: whether to show other lines too.
        as_json: whether to print events as they are.
    """
    from agnews_ray.cli import screen
    from agnews_ray.cluster.event_kinds import trial_of
    from agnews_ray.cluster.events import show_event
    from agnews_ray.record.json_text import to_json

    chosen = screen.LiveScreen if screen.is_terminal() else screen.PlainScreen
    with screen.SilentScreen() if as_json else chosen() as shown:
        for event in events:
            if isinstance(event, str):
                if keeps_lines:
                    shown.note(event)
            elif not (trial_of(event) or "").startswith(trial or ""):
                continue
            elif as_json:
                click.echo(to_json(event, indent=None))
            else:
                show_event(event, shown)


def follow_to_end(address: str, job_id: str, *, as_json: bool = False) -> None:
    """Show a job until it ends, then exit with its code; Ctrl-C leaves the job running.

    Args:
        address: the address of the cluster's dashboard.
        job_id: the job.
        as_json: whether to print only its last state, as one document.
    """
    from agnews_ray.app import cluster_jobs

    try:
        for_people = print_events if not as_json else list
        for_people(cluster_jobs.follow(address, job_id, _say))
        state = cluster_jobs.job_state(address, job_id)
    except KeyboardInterrupt as interrupt:
        leave(interrupt, f"{job_id} is still running; see: agnews-ray logs {job_id} --follow")
    if as_json:
        _print_json(state)
    else:
        if state.error and not state.trials:
            click.echo(f"error: {state.error}", err=True)
        _print_results(state)
        click.echo(f"{job_id}: {state.status}; next: agnews-ray fetch {job_id}")
    sys.exit(0 if state.status == "SUCCEEDED" else 1)


def _print_results(state: "JobState") -> None:
    """Print the table as a local run does, if the storage can be read from here."""
    from agnews_ray.app.analyse import compare_study
    from agnews_ray.cli import screen
    from agnews_ray.record.object_store import local_study

    if state.location is None or not any(trial.state == "done" for trial in state.trials):
        return
    with contextlib.suppress(StoreError):  # a folder that only the cluster can read
        screen.show_table(compare_study(local_study(state.location), tell_left_out))


def _print_json(content: object) -> None:
    from agnews_ray.record.json_text import to_json

    click.echo(to_json(content))


def _say(text: str) -> None:
    click.echo(text, err=True)

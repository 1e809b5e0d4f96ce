"""``agnews-ray logs``: the events of a study that runs as a job, and its end."""

import contextlib
import sys
from collections.abc import Iterable
from itertools import takewhile
from typing import Any

import click

from agnews_ray.cli.compare import tell_left_out
from agnews_ray.cli.interrupts import leave
from agnews_ray.cli.jobs import AS_JSON, JOB_ID, address_option, known_address, print_json
from agnews_ray.cli.streams import is_unread
from agnews_ray.errors import StoreError


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
    events: Iterable[Any]
    if follow:
        job_id = job_id or cluster_jobs.job_state(address, None).job_id
        events = takewhile(lambda _: not is_unread(), cluster_jobs.follow(address, job_id, _say))
    else:
        events = cluster_jobs.read_log(address, job_id)
    print_events(events, **shown)


def print_events(
    events: Any, *, trial: str | None = None, keeps_lines: bool = False, as_json: bool = False
) -> None:
    """Show events: live on a terminal, else as lines.

    Args:
        events: events of ``cluster.events``, and other lines as text.
        trial: the start of the id of the only trial to show.
        keeps_lines: whether to show other lines too.
        as_json: whether to print events as they are.
    """
    from agnews_ray.cli import screen
    from agnews_ray.cluster.events import show_event
    from agnews_ray.record.json_text import to_json

    chosen = screen.LiveScreen if screen.is_terminal() else screen.PlainScreen
    with screen.SilentScreen() if as_json else chosen() as shown:
        for event in events:
            if isinstance(event, str):
                if keeps_lines:
                    shown.note(event)
            elif trial and not _is_about(event, trial):
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
        print_json(state)
    else:
        if state.error and not state.trials:
            click.echo(f"error: {state.error}", err=True)
        _print_results(state)
        click.echo(f"{job_id}: {state.status}; next: agnews-ray fetch {job_id}")
    sys.exit(0 if state.status == "SUCCEEDED" else 1)


def _print_results(state: Any) -> None:
    """Print the table as a local run does, if the storage can be read from here."""
    from agnews_ray.app.analyse import compare_study
    from agnews_ray.cli import screen
    from agnews_ray.record.object_store import local_study

    if state.location is None or not any(trial.state == "done" for trial in state.trials):
        return
    with contextlib.suppress(StoreError):  # a folder that only the cluster can read
        screen.show_table(compare_study(local_study(state.location), tell_left_out))


def _say(text: str) -> None:
    click.echo(text, err=True)


def _is_about(event: Any, trial: str) -> bool:
    about = getattr(event, "trial", None) or getattr(event, "progress", None)
    return about is not None and about.trial_id.startswith(trial)

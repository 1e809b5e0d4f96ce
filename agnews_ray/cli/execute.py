"""``agnews-ray execute`` and ``probe``, which ``submit`` and ``doctor`` start on a cluster."""

import os
import sys
import time
from pathlib import Path

import click

from agnews_ray.errors import AgnewsError

START_OF_PROCESS = time.time()


STORAGE = click.option(
    "--storage",
    envvar="AGNEWS_RAY_STORAGE",
    default="~/agnews-ray",
    help="Folder that all nodes share, or its URI  [env: AGNEWS_RAY_STORAGE]",
)


@click.command(hidden=True)
@click.argument("job", type=click.Path(path_type=Path))
@STORAGE
@click.option("--command", required=True, help="The command line to keep in the records.")
@click.option("--tune", "is_search", is_flag=True, help="Search its best settings.")
def execute(job: Path, storage: str, command: str, is_search: bool) -> None:
    """Run the study in JOB on the Ray cluster of this process, and print events."""
    from agnews_ray.app.prepare import read_study
    from agnews_ray.cluster.events import EventWriter

    events = EventWriter()
    try:
        from agnews_ray.app.execute_job import execute_job, execute_search

        run = execute_search if is_search else execute_job
        study = read_study(job, {})
        os.chdir("/")  # Ray may unpack the working folder again and delete this one
        outcome = run(study, _location(storage), command, START_OF_PROCESS, events)
    except AgnewsError as error:
        events.error(error)
        raise
    for note in outcome.notes:
        events.note(note)
    events.end()
    sys.exit(1 if outcome.failed else 0)


@click.command(hidden=True)
@STORAGE
@click.option("--hub-ids", default="", help="Models to load from the hub.")
def probe(storage: str, hub_ids: str) -> None:
    """Check the Ray cluster of this process, and print one event."""
    from agnews_ray.cluster.events import EventWriter

    events = EventWriter()
    try:
        from agnews_ray.app.execute_job import probe_job

        os.chdir("/")
        events.probe(probe_job(_location(storage), [i for i in hub_ids.split(",") if i]))
    except AgnewsError as error:
        events.error(error)
        raise


def _location(storage: str) -> str:
    from agnews_ray.record.storage import is_uri

    return storage if is_uri(storage) else str(Path(storage).expanduser())

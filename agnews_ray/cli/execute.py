"""``agnews-ray execute``: what ``submit --address`` starts on a cluster."""

import os
import sys
import time
from pathlib import Path

import click

from agnews_ray.errors import AgnewsError

START_OF_PROCESS = time.time()


@click.command(hidden=True)
@click.argument("job", type=click.Path(path_type=Path))
@click.option(
    "--storage",
    envvar="AGNEWS_RAY_STORAGE",
    default="~/agnews-ray",
    help="Folder that all nodes share, or its URI  [env: AGNEWS_RAY_STORAGE]",
)
@click.option("--command", required=True, help="The command line to keep in the records.")
def execute(job: Path, storage: str, command: str) -> None:
    """Run the study in JOB on the Ray cluster around this process; prints events."""
    from agnews_ray.app.launch import read_study
    from agnews_ray.record.storage import is_uri
    from agnews_ray.run.events import EventWriter

    events = EventWriter()
    try:
        from agnews_ray.app.job import execute_job

        study = read_study(job, {})
        os.chdir("/")  # Ray may unpack the working folder anew, and this one would be gone
        location = storage if is_uri(storage) else str(Path(storage).expanduser())
        outcome = execute_job(study, location, command, START_OF_PROCESS, events)
    except AgnewsError as error:
        events.error(error)
        raise
    events.end()
    sys.exit(1 if outcome.failed else 0)

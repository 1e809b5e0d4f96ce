"""Where a study runs: the flags that say so, their checks, and the way to a cluster."""

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from agnews_ray.cli.jobs import address_option, follow_to_end
from agnews_ray.cli.track import check_tracking, track_option

if TYPE_CHECKING:
    from agnews_ray.spec.study import StudySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a study runs and lies, as the flags say."""

    runs: Path | None
    address: str | None
    storage: str | None
    follow: bool
    track_to: tuple[str, ...]

    @property
    def location(self) -> str | Path:
        """The folder of the studies, or its URI."""
        return self.storage or self.runs or "runs"

    @classmethod
    def taken_from(cls, flags: dict[str, Any]) -> "Place":
        """Take what belongs here out of a command's flags."""
        return cls(**{one.name: flags.pop(one.name) for one in fields(cls)})


def place_options(command: Callable[..., None]) -> Callable[..., None]:
    """Attach the flags that say where a study runs, and what is printed."""
    options: list[Callable[[Callable[..., None]], Callable[..., None]]] = [
        click.option(
            "--runs", type=click.Path(path_type=Path), help="Folder of the studies  [default: runs]"
        ),
        address_option,
        click.option(
            "--storage",
            metavar="FOLDER|URI",
            help="Instead of --runs: a folder that all nodes of a cluster can read, or s3:// or gs://.",
        ),
        track_option,
        click.option(
            "--follow", is_flag=True, help="With --address: show progress until the job ends."
        ),
        click.option(
            "--dry-run", is_flag=True, help="Print the resolved study and its trials; run nothing."
        ),
        click.option(
            "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
        ),
        click.option(
            "--quiet", is_flag=True, help="Print the table and nothing else while it runs."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def check_place(place: Place, quiet: bool) -> None:
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
    check_tracking(place.track_to, address)


def hand_over(
    study: "StudySpec", place: Place, dry_run: bool, as_json: bool, *, is_search: bool = False
) -> None:
    """Give a study to the cluster at the place's address, and follow it if that is wanted."""
    from agnews_ray.app import cluster_jobs
    from agnews_ray.record.json_text import to_json
    from agnews_ray.spec.loader import to_yaml

    if dry_run:
        cluster_jobs.check_storage(place.storage)
        click.echo(to_json(study) if as_json else to_yaml(study))
        return
    sent = cluster_jobs.submit_study(
        study, place.address or "", place.storage, shlex.join(sys.argv), is_search=is_search
    )
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

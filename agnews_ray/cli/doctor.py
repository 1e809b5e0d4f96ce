"""``agnews-ray doctor`` and ``cluster check``: what is wrong, before anything is spent."""

import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agnews_ray.cli.jobs import AS_JSON, address_option

if TYPE_CHECKING:
    from agnews_ray.cluster.checks import Check

COLOURS = {"ok": "green", "warning": "yellow", "error": "red"}


@click.command(
    epilog="""\b
Examples:
  agnews-ray doctor                                          this machine, the paper's study
  agnews-ray doctor jobs/t4.yaml --address http://127.0.0.1:8265 --storage s3://bucket/runs

Exit codes: 0 nothing that will fail, 1 an error."""
)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.yaml]")
@address_option
@click.option("--storage", metavar="FOLDER|URI", help="The same as for submit.")
@AS_JSON
def doctor(job: Path | None, address: str | None, storage: str | None, as_json: bool) -> None:
    """Examine this machine, or a cluster, for a study: GPUs, versions, memory, disk, hub, storage.

    On a cluster a short job looks around on each node; nothing is trained, nothing is left.
    """
    from agnews_ray.app.diagnose import examine_cluster, examine_here
    from agnews_ray.app.prepare import read_study

    study = read_study(job, {})
    if address:
        checks = examine_cluster(study, address, storage)
    else:
        checks = examine_here(study, storage or "runs")
    _finish(checks, as_json)


@click.group(
    epilog="""\b
Example:
  agnews-ray cluster check cluster.yaml"""
)
def cluster() -> None:
    """Look after the file that `ray up` starts a cluster from."""


@cluster.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="CLUSTER.yaml")
@AS_JSON
def check(path: Path, as_json: bool) -> None:
    """Say offline what is wrong with CLUSTER.yaml: Ray's own checks, then ours.

    Placeholders, doors open to strangers, images and versions that do not agree with this
    installation, missing files, a missing token. Exit code 1 where `ray up` should not be run.
    """
    from agnews_ray.cluster.cluster_file import check_cluster_file

    _finish(check_cluster_file(path), as_json)


def _finish(checks: "Sequence[Check]", as_json: bool) -> None:
    """Print findings, and end with 1 where one is an error."""
    if as_json:
        from agnews_ray.record.json_text import to_json

        click.echo(to_json([dataclasses.asdict(one) for one in checks]))
    else:
        for one in checks:
            level = click.style(f"{one.level:7}", fg=COLOURS[one.level])
            hint = f"; {one.hint}" if one.hint else ""
            click.echo(f"{level}  {one.name}: {one.found}{hint}")
    sys.exit(any(one.level == "error" for one in checks))

"""``agnews-ray doctor`` and ``cluster check``: find problems before a run costs money."""

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
    """Check this machine, or a cluster, for a study: GPUs, versions, memory, disk, hub, storage.

    On a cluster a short job checks each node. It trains nothing and leaves no files.
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
    """Check the file from which `ray up` starts a cluster."""


@cluster.command()
@click.argument("path", type=click.Path(path_type=Path), metavar="CLUSTER.yaml")
@AS_JSON
def check(path: Path, as_json: bool) -> None:
    """Check CLUSTER.yaml offline: first Ray's own checks, then ours.

    It finds placeholders, ports open to strangers, images and versions that differ from this
    installation, missing files and a missing token. Exit code 1 means: do not run `ray up`.
    """
    from agnews_ray.cluster.cluster_file import check_cluster_file

    _finish(check_cluster_file(path), as_json)


def _finish(checks: "Sequence[Check]", as_json: bool) -> None:
    """Print findings, and exit with code 1 if one is an error."""
    if as_json:
        from agnews_ray.record.json_text import to_json

        click.echo(to_json([dataclasses.asdict(one) for one in checks]))
    else:
        for one in checks:
            level = click.style(f"{one.level:7}", fg=COLOURS[one.level])
            hint = f"; {one.hint}" if one.hint else ""
            click.echo(f"{level}  {one.name}: {one.found}{hint}")
    sys.exit(any(one.level == "error" for one in checks))

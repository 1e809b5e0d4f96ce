"""The command group, and how it reports errors."""

import sys
import traceback
from typing import Any

import click

import agnews_ray
from agnews_ray.cli.bench import bench
from agnews_ray.cli.clean import clean
from agnews_ray.cli.compare import compare
from agnews_ray.cli.doctor import cluster, doctor
from agnews_ray.cli.execute import execute, probe
from agnews_ray.cli.interrupts import leave
from agnews_ray.cli.jobs import fetch, jobs, logs, status, stop
from agnews_ray.cli.measure import measure
from agnews_ray.cli.plan import plan
from agnews_ray.cli.report import report
from agnews_ray.cli.streams import write_error
from agnews_ray.cli.studies import studies
from agnews_ray.cli.submit import submit
from agnews_ray.cli.track import track
from agnews_ray.cli.tune import tune
from agnews_ray.cli.verify import verify
from agnews_ray.errors import AgnewsError
from agnews_ray.run.process_setup import own_environment


class _Group(click.Group):
    """A group that turns errors into one line and an exit code; ``--debug`` adds the traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            super().invoke(ctx)
            _check_written()
        except AgnewsError as error:
            if ctx.params.get("debug"):
                traceback.print_exception(error)
            click.echo(f"error: {error}", err=True)
            sys.exit(error.exit_code)
        except KeyboardInterrupt as interrupt:
            leave(interrupt)
        except SystemExit as end:
            if not end.code:
                _check_written()
            raise


def _check_written() -> None:
    """Fail if not all output was written, for example on a full disk."""
    error = write_error()
    if error is not None:
        click.echo(f"error: standard output: {error.strerror}; not all was written", err=True)
        sys.exit(1)


@click.group(
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Start with `agnews-ray submit jobs/demo.yaml`: two small models, no downloads.",
)
@click.version_option(agnews_ray.__version__, prog_name="agnews-ray")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def main(debug: bool) -> None:  # noqa: ARG001  # read by _Group
    """Fine-tune compact text classifiers under one recipe on Ray, and compare them."""
    click.get_current_context().with_resource(own_environment())


for command in (submit, plan, tune, studies, compare, measure, report, track, verify, bench, clean):
    main.add_command(command)
for command in (jobs, status, logs, stop, fetch, doctor, cluster, execute, probe):
    main.add_command(command)

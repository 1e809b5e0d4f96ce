"""``agnews-ray chaos``: prove on this machine that nothing is lost."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agnews_ray.chaos.faults import KINDS

if TYPE_CHECKING:
    from agnews_ray.app.prove_recovery import FaultPlan


def _kinds(_: click.Context, __: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    unknown = [name for name in names if name not in KINDS]
    if unknown or not names:
        raise click.BadParameter(f"want some of {', '.join(KINDS)}, found {value!r}")
    return names


@click.command(
    epilog="""\b
Examples:
  agnews-ray chaos --faults 12                     a small study on made-up rows, each kind once
  agnews-ray chaos jobs/demo.yaml --faults 200     the long form
  agnews-ray chaos --kinds worker,driver --keep    two kinds; what went wrong can be looked at
  agnews-ray chaos --dry-run                       the drawn faults; nothing is run

Exit codes: 0 all results are equal and nothing is left behind; 1 otherwise."""
)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.yaml]")
@click.option(
    "--faults",
    "total",
    type=click.IntRange(min=1),
    default=60,
    show_default=True,
    help="Number of faults; each kind has one at least.",
)
@click.option(
    "--kinds",
    metavar="A,B",
    default=",".join(KINDS),
    show_default=True,
    callback=_kinds,
    help="Kinds of faults.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the draws.")
@click.option(
    "--runs",
    default="runs",
    show_default=True,
    type=click.Path(path_type=Path),
    help="The study runs in .chaos in this folder, which is deleted at the end.",
)
@click.option("--keep", is_flag=True, help="Keep the folders if something went wrong.")
@click.option("--dry-run", is_flag=True, help="Show the drawn faults; run nothing.")
@click.option(
    "--format",
    "chaos_format",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
)
def chaos(dry_run: bool, chaos_format: str, **wanted: Any) -> None:  # of its options' types
    """Run a study undisturbed, then under faults that are drawn, and compare the results.

    JOB.yaml describes the study, which runs on this machine. Workers, drivers, Ray's head and
    raylets, and a node of a cluster are killed; storage is full, slow or damaged; the clock moves.
    The same submit then goes on. For each kind of fault the table says how many happened and were
    survived, whether weights and predictions of every trial are equal by the byte to those of the
    undisturbed run, and what was left behind.
    """
    from agnews_ray.app.prove_recovery import Wanted, plan_faults, prove
    from agnews_ray.chaos import chaos_table

    asked = Wanted(**wanted)
    plan = plan_faults(asked)
    if dry_run:
        _print_plan(plan)
        return
    found = prove(plan, asked, lambda line: click.echo(line, err=True))
    click.echo(chaos_table.FORMATS[chaos_format](found))
    sys.exit(0 if found.is_well else 1)


def _print_plan(plan: "FaultPlan") -> None:
    scale = plan.scale
    click.echo(
        f"study {plan.study}: {scale.num_trials} trial(s) of up to {scale.num_steps:,} steps, "
        f"a checkpoint every {plan.checkpoint_every}; {len(plan.faults)} fault(s)"
    )
    for fault in plan.faults:
        click.echo(f"  {fault.kind:<11}{fault}")
    for note in plan.notes:
        click.echo(note)

"""``agnews-ray measure``: measure the speed of a study's finished artifacts, in turns."""

import shlex
import sys
from pathlib import Path
from typing import Any

import click

from agnews_ray.cli.price_flags import price_options, prices_of


@click.command(
    epilog="""\b
Examples:
  agnews-ray measure runs/demo
  agnews-ray measure runs/demo --rows 2048 --device cpu --price-per-hour 0.35
  agnews-ray measure runs/demo --json | jq '.costs[].latency_p95_ms'"""
)
@click.argument("study", type=click.Path(path_type=Path))
@click.option(
    "--rows",
    "num_rows",
    type=click.IntRange(min=1),
    default=512,
    show_default=True,
    help="Test rows to time, one at a time and 64 at a time.",
)
@click.option(
    "--device",
    type=click.Choice(["all", "cpu", "cuda"]),
    default="all",
    show_default=True,
    help="all: the CPU on one thread and on all, and the GPU if there is one.",
)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
    default="auto",
    show_default=True,
    help="auto: fp32 on a CPU, fp16 on a GPU.",
)
@price_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def measure(
    study: Path,
    price_per_hour: float | None,
    train_prices: tuple[tuple[str | None, float], ...],
    as_json: bool,
    **options: Any,  # each of the type that its option gives it
) -> None:
    """Measure the cost of using the finished models of STUDY (runs/<study>).

    The study must be on this machine: `agnews-ray fetch` copies it from a cluster.

    For the first trial of each variant: latency and throughput from text to probabilities, memory,
    load time and FLOPs. The models take turns on the same test rows, so that a busy machine affects
    all of them equally. The results are kept beside the records, for `report`; scores do not
    change.
    """
    from agnews_ray.app.analyse import compare_study
    from agnews_ray.app.measure_artifacts import MeasureSpec, measure_study
    from agnews_ray.report import sentences, table_formats

    def note(line: str) -> None:
        if not as_json:
            click.echo(line, err=True)

    spec = MeasureSpec(**options)
    prices = prices_of(price_per_hour, train_prices)
    costs = measure_study(study, spec, shlex.join(sys.argv), prices, note)
    table = compare_study(study)
    if as_json:
        click.echo(table_formats.costs_to_json(table, costs))
    else:
        click.echo(table_formats.costs_to_plain(costs))
        for line in sentences.name_diverged(table):
            click.echo(line)

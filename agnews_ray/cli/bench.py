"""``agnews-ray bench``: the speed of the engines, compared in one run."""

import sys
from pathlib import Path
from typing import Any

import click

from agnews_ray.spec import DEFAULT_MODELS


@click.command(
    epilog="""\b
Examples:
  agnews-ray bench --init random --dataset synthetic:train=1600,test=100,seed=7
  agnews-ray bench --models minilm --dataset data/ --rows 3200 --rounds 5
  agnews-ray bench --models models/ours --dataset data/ --format json | jq '.rows[].ratio'"""
)
@click.option(
    "--models",
    metavar="A,B",
    default=",".join(DEFAULT_MODELS),
    show_default=True,
    help="Aliases, hub ids or folders.",
)
@click.option(
    "--init",
    type=click.Choice(["pretrained", "random"]),
    default="pretrained",
    show_default=True,
    help="random: fresh weights, no download; they train as fast as pretrained ones.",
)
@click.option("--dataset", default="ag_news", show_default=True, help="The same as for submit.")
@click.option(
    "--rows",
    "num_rows",
    type=click.IntRange(min=160),
    default=1600,
    show_default=True,
    help="Train rows of each run, a stratified sample; the first tenth of the steps is warm-up.",
)
@click.option("--rounds", "num_rounds", type=click.IntRange(min=1), default=3, show_default=True)
@click.option(
    "--precision",
    type=click.Choice(["auto", "fp32", "bf16", "fp16"]),
    default="auto",
    show_default=True,
    help="auto: fp16 on a GPU, on a CPU bf16 if it is native; on a CPU fp32 is timed too.",
)
@click.option(
    "--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True
)
@click.option("--runs", default="runs", show_default=True, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "bench_format",
    type=click.Choice(["table", "markdown", "json"]),
    default="table",
    show_default=True,
)
def bench(
    runs: Path, num_rounds: int, bench_format: str, **settings: Any
) -> None:  # of the types of its options
    """Compare the speed of our engine with that of the Hugging Face Trainer.

    Our engine, the Trainer at its best (batches of similar length, fused optimiser; on a GPU also
    compiled), the Trainer as the paper used it, and on a CPU its fp32 default train the same rows
    from the same weights for one epoch, in turns, each in its own process. The table shows medians,
    and the ratio of our speed to each of the others within each round. No files are kept.
    """
    from agnews_ray.app.prepare import read_study
    from agnews_ray.bench import speed_table
    from agnews_ray.bench.rounds import bench_engines

    study = read_study(None, _flags(**settings))
    found = bench_engines(study, runs, num_rounds, lambda line: click.echo(line, err=True))
    click.echo(speed_table.FORMATS[bench_format](found))
    sys.exit(0 if found.rows else 1)


def _flags(
    models: str, init: str, dataset: str, num_rows: int, precision: str, device: str
) -> dict[str, object]:
    names = [name.strip() for name in models.split(",") if name.strip()]
    return {
        "models": [{"model": name, "init": init} for name in names],
        "data.source": dataset,
        "data.limit_train": num_rows,
        "recipe.num_epochs": 1,
        "recipe.precision": precision,
        "scaling.device": device,
    }

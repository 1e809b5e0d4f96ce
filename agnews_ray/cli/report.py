"""``agnews-ray report``: the verdict, in words and as a page."""

from pathlib import Path
from typing import Any

import click

from agnews_ray.cli.compare import tell_left_out
from agnews_ray.cli.price_flags import price_options, prices_of

FORMATS = ("html", "markdown", "latex", "csv", "json")
METRICS = ("accuracy", "macro-f1")


@click.command(
    epilog="""\b
Examples:
  agnews-ray report runs/demo                            one page, opens offline
  agnews-ray report runs/demo --margin 0.002             what counts as equal
  agnews-ray report runs/demo --metric macro-f1          the verdict on the other metric
  agnews-ray report runs/demo --format markdown          with PNG figures, for a pull request
  agnews-ray report runs/demo --format json | jq '.pairs[].verdict'"""
)
@click.argument("study")
@click.option(
    "--format",
    "report_format",
    type=click.Choice(FORMATS),
    default="html",
    show_default=True,
    help="html is one file; markdown and latex are folders with PNG figures; csv is a folder with "
    "one file per table; json is printed, with every number unrounded.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File or folder to write  [default: in the study's folder; for a URI, here]",
)
@click.option(
    "--metric",
    type=click.Choice(METRICS),
    default="accuracy",
    show_default=True,
    help="The metric that the verdict judges; for macro-f1, which has no exact test, by a "
    "bootstrap over rows.",
)
@click.option(
    "--margin",
    type=click.FloatRange(0, 1, min_open=True, max_open=True),
    default=0.005,
    show_default=True,
    help="Difference in the metric, as a fraction, below which two models count as equal.",
)
@click.option(
    "--alpha",
    type=click.FloatRange(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="Allowed chance of any wrong verdict, over the differences and equivalences of all "
    "pairs; scores have intervals at 1 - alpha, pairs the interval that decides them.",
)
@price_options
def report(
    study: str, report_format: Any, output: Path | None, **settings: Any
) -> None:  # of the types of its options
    """Write a report on the finished trials of STUDY (runs/<study>, or its URI).

    It has the verdict on every model against the study's first, with intervals over seeds and test
    rows and tests corrected for their number; cost, curves, confusion, calibration, doubtful rows.
    This command needs neither Ray nor torch. Run `agnews-ray measure` before to add costs of use.
    """
    from agnews_ray.app.analyse import assess_study
    from agnews_ray.app.write_report import default_output, write_report
    from agnews_ray.compare.assessment import Settings
    from agnews_ray.record.json_text import to_json
    from agnews_ray.record.object_store import local_study
    from agnews_ray.record.storage import is_uri
    from agnews_ray.report import sentences

    folder = local_study(study)
    prices = prices_of(settings.pop("price_per_hour"), settings.pop("train_prices"))
    assessment = assess_study(folder, Settings(prices=prices, **settings), tell_left_out)
    if report_format == "json" and output is None:
        click.echo(to_json(assessment))
        return
    if output is None:
        output = default_output(Path(folder.name) if is_uri(study) else folder, report_format)
    written = write_report(assessment, report_format, output)
    for sentence in sentences.conclusion(assessment):
        click.echo(sentence)
    click.echo(f"report in {written}")

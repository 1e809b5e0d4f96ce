"""``agnews-ray compare``: print the comparison table of a study."""

import click

FORMATS = ("table", "markdown", "csv", "json", "latex")


@click.command(
    epilog="""\b
Examples:
  agnews-ray compare runs/demo
  agnews-ray compare s3://bucket/runs/demo
  agnews-ray compare runs/demo --format latex > table.tex
  agnews-ray compare runs/demo --format json | jq '.rows[].accuracy'"""
)
@click.argument("study")
@click.option(
    "--format",
    "format_name",
    type=click.Choice(FORMATS),
    default="table",
    show_default=True,
    help="csv and json hold every field, unrounded, in seconds, bytes and fractions.",
)
def compare(study: str, format_name: str) -> None:
    """Print the comparison table of the finished trials in STUDY (runs/<study>, or its URI).

    The first six columns are the paper's. Several seeds are shown as mean ± standard deviation.
    This command needs neither Ray nor torch.
    """
    from agnews_ray.app import analyse
    from agnews_ray.cli import screen
    from agnews_ray.record.object_store import local_study
    from agnews_ray.report import table_formats

    table = analyse.compare_study(local_study(study), tell_left_out)
    if format_name == "table":
        screen.show_table(table)
    else:
        click.echo(table_formats.FORMATS[format_name](table))


def tell_left_out(line: str) -> None:
    """Print notes on trials that are not part of the result."""
    click.echo(f"note: {line}", err=True)

"""``agnews-ray verify``: compare a study with the paper, or with another study."""

import sys

import click

from agnews_ray.cli.compare import tell_left_out


@click.command(
    epilog="""\b
Examples:
  agnews-ray verify runs/paper --against paper
  agnews-ray verify runs/mine --against runs/theirs
  agnews-ray verify runs/paper --against paper --json

Exit codes: 0 everything judged agrees, 1 something disagrees, 2 nothing could be compared."""
)
@click.argument("study")
@click.option(
    "--against",
    required=True,
    metavar="paper|STUDY",
    help="The published table, or another study's folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def verify(study: str, against: str, as_json: bool) -> None:
    """Compare the finished trials of STUDY (runs/<study>, or its URI) with published numbers.

    Parameters and size must match to the printed digit. For accuracy and macro-F1 the difference is
    judged. A published run must be in the prediction interval of one more run of ours, over our
    seeds; another study is compared by the seeds of both and the rows they share. Over all scores
    together, at most 5 % of the studies that do repeat the other are reported to disagree.
    Train times are shown but not judged; so are scores with one seed on both sides, or with
    another recipe, limit or number of rows.
    """
    from agnews_ray.app.analyse import verify_study
    from agnews_ray.record.json_text import to_json
    from agnews_ray.record.object_store import local_study
    from agnews_ray.report import table_formats

    folder = local_study(study)
    if against != "paper":
        against = str(local_study(against))
    lines = verify_study(folder, against, tell_left_out)
    num_wrong = sum(line.agrees is False for line in lines)
    if as_json:
        document = {
            "study": folder.name,
            "against": against,
            "num_disagreements": num_wrong,
            "rows": lines,
        }
        click.echo(to_json(document))
    else:
        click.echo(table_formats.agreement_to_plain(lines))
        click.echo(f"{num_wrong} of {sum(line.agrees is not None for line in lines)} disagree")
    sys.exit(1 if num_wrong else 0)

"""``agnews-ray clean``: free the room of leftovers and caches; show first, delete then."""

import sys
from typing import TYPE_CHECKING, Any

import click

from agnews_ray.cli.studies import size_text
from agnews_ray.errors import printable

if TYPE_CHECKING:
    from agnews_ray.app.clean_up import Found, Removed


@click.command(
    epilog="""\b
Examples:
  agnews-ray clean                          what ended and failed submits have left in runs/
  agnews-ray clean --caches --runs /data/runs
  agnews-ray clean --all --yes              in a script: everything, without a question
  agnews-ray clean --json | jq .size_bytes  only look"""
)
@click.option(
    "--runs",
    metavar="FOLDER|URI",
    help="Folder of the studies, or its s3:// or gs://  [default: runs]",
)
@click.option("--caches", is_flag=True, help="Also what is made or downloaded again when needed.")
@click.option(
    "--checkpoints",
    is_flag=True,
    help="Also checkpoints of unfinished trials, which then start from the first step.",
)
@click.option("--all", "all_of_it", is_flag=True, help="Both --caches and --checkpoints.")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def clean(  # one parameter per flag
    runs: str | None, caches: bool, checkpoints: bool, all_of_it: bool, yes: bool, as_json: bool
) -> None:
    """Free disk space: show what may go and why, ask, delete.

    By default these are leftovers only, which nothing reads any more: unfinished files of submits
    that have ended, trials set aside as damaged, half-written files, temporary folders of dead
    processes, and checkpoints of finished trials. Studies, records, finished trials, and whatever
    a running submit writes to are never touched. Without a terminal, and without --yes, it only
    shows.
    """
    from agnews_ray.app.clean_up import find_removable, remove

    found = find_removable(
        runs or "runs", caches=caches or all_of_it, checkpoints=checkpoints or all_of_it
    )
    if not as_json:
        for line in lines_of(found):
            click.echo(printable(line))
    removed = remove(found) if found.removable and _may_remove(found, yes, as_json) else None
    if as_json:
        from agnews_ray.record.json_text import to_json

        click.echo(to_json(document(found, removed)))
    elif removed is not None:
        click.echo(f"freed {size_text(removed.freed_bytes)}")
    if removed is not None and removed.problems:
        for problem in removed.problems:
            click.echo(f"error: {problem}", err=True)
        sys.exit(1)


def lines_of(found: "Found") -> list[str]:
    """Write what may go as a table, with its sum and what was left alone."""
    from tabulate import tabulate

    lines = []
    if found.removable:
        head = ("what", "where", "size", "why it may go")
        rows = [
            (one.what, one.where, size_text(one.size_bytes), one.why) for one in found.removable
        ]
        colalign = ("left", "left", "right", "left")
        table = tabulate(rows, head, "plain", colalign=colalign, disable_numparse=True)
        lines += [*table.splitlines(), f"together {size_text(found.size_bytes)}"]
    else:
        lines.append("nothing to clean")
    return lines + [f"note: {note}" for note in found.notes]


def document(found: "Found", removed: "Removed | None") -> dict[str, Any]:
    """Make the document of ``--json``."""
    return {
        "removable": [
            {"what": one.what, "where": one.where, "size_bytes": one.size_bytes, "why": one.why}
            for one in found.removable
        ],
        "size_bytes": found.size_bytes,
        "notes": list(found.notes),
        "is_removed": removed is not None and not removed.problems,
        "freed_bytes": removed.freed_bytes if removed else 0,
        "problems": list(removed.problems) if removed else [],
    }


def _may_remove(found: "Found", yes: bool, as_json: bool) -> bool:
    if yes:
        return True
    if as_json or not _is_on_terminal():
        if not as_json:
            click.echo("nothing was deleted; --yes deletes it")
        return False
    question = f"delete these {len(found.removable)} ({size_text(found.size_bytes)})?"
    if click.confirm(question, default=False):
        return True
    click.echo("nothing was deleted", err=True)
    return False


def _is_on_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()

"""``agnews-ray studies``: list the studies of a runs folder."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from agnews_ray.app.list_studies import ListedStudy

UNITS = ("B", "kB", "MB", "GB", "TB")


@click.command(
    epilog="""\b
Examples:
  agnews-ray studies
  agnews-ray studies /data/runs
  agnews-ray studies --json | jq -r '.[] | select(.state == "unfinished").name'"""
)
@click.argument("runs", default="runs", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def studies(runs: Path, as_json: bool) -> None:
    """List the studies in RUNS (by default, runs/): state, size, question and verdict of each.

    A study is running, finished, unfinished (submit it again: only what is missing is trained) or
    unreadable. This command needs neither Ray nor torch.
    """
    from agnews_ray.app.list_studies import list_studies
    from agnews_ray.record.json_text import to_json

    found = list_studies(runs)
    if as_json:
        click.echo(to_json([asdict(one) for one in found]))
        return
    num_listed = 0
    for one in found:  # each is printed when it is known: verdicts take a second
        click.echo("\n".join(lines_of(one)))
        num_listed += 1
    if not num_listed:
        click.echo(f"no studies in {runs}; start one: agnews-ray submit jobs/demo.yaml")


def lines_of(study: "ListedStudy") -> Iterator[str]:
    """Write a study: a line of facts, then its question, its verdict and problems."""
    facts: Iterable[str] = (
        study.name,
        study.state,
        f"{study.num_finished} of {study.num_trials} trials" if study.num_trials else "",
        f"{study.num_searched} searched" if study.num_searched else "",
        f"{study.num_interrupted} interrupted" if study.num_interrupted else "",
        size_text(study.size_bytes),
        f"last trial {study.last_finished_at[:16].replace('T', ' ')} UTC"
        if study.last_finished_at
        else "",
        ", ".join(study.models),
    )
    yield "  ".join(fact for fact in facts if fact)
    for line in (study.question, study.verdict, study.problem and f"note: {study.problem}"):
        if line:
            yield f"    {line}"


def size_text(num_bytes: int) -> str:
    """Write a size in units of 1,000 bytes."""
    number, unit = float(num_bytes), UNITS[0]
    for unit in UNITS:
        if number < 999.5 or unit == UNITS[-1]:
            break
        number /= 1000
    return f"{number:.0f} {unit}" if unit == UNITS[0] or number >= 99.5 else f"{number:.3g} {unit}"

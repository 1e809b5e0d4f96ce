"""``agnews-ray plan``: what a study will take, before anything is trained."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agnews_ray.cli.flags import overrides, study_options
from agnews_ray.errors import printable

if TYPE_CHECKING:
    from agnews_ray.app.afford import Answer, VariantCost
    from agnews_ray.app.prepare import PreparedStudy


@click.command(
    epilog="""\b
Examples:
  agnews-ray plan jobs/paper.yaml                          how long, how much memory and disk?
  agnews-ray plan jobs/paper.yaml --price-per-hour 0.35    and what will it cost?
  agnews-ray plan jobs/paper.yaml --budget 2h              what of it fits in two hours?
  agnews-ray plan --models minilm --limit-train 8000 --json | jq .study.seconds

The first plan of a model trains a few batches of it, for up to half a minute; what it measures is
kept in RUNS/.cache and used again for other seeds, rows and epochs. Each trial that ends on this
machine corrects later predictions."""
)
@click.argument("job", required=False, type=click.Path(path_type=Path), metavar="[JOB.yaml]")
@study_options
@click.option(
    "--runs", type=click.Path(path_type=Path), help="Folder of the studies  [default: runs]"
)
@click.option("--fresh", is_flag=True, help="Measure again, even if it was measured before.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document and nothing else.")
def plan(
    job: Path | None,
    runs: Path | None,
    fresh: bool,
    as_json: bool,
    **flags: Any,  # each of the type that its option gives it
) -> None:
    """Predict what a study takes on this machine: time, memory, disk, money.

    It takes the job file and flags of submit. Times are medians, with the interval that holds 8 of
    10 trials. Finished trials cost nothing. With --budget it says what a submit under that budget
    would run, and what would fit.
    """
    from dataclasses import replace

    from agnews_ray.app import afford, prepare
    from agnews_ray.app.forecast_study import forecast_study
    from agnews_ray.bench.probe_process import probe_alone
    from agnews_ray.cli import cost_text
    from agnews_ray.cli.plan_text import introduction

    study = prepare.read_study(job, overrides(job, flags))
    prepared = prepare.prepare_study(study, runs or "runs")

    def note(line: str) -> None:
        click.echo(printable(line), err=as_json)

    if not as_json:
        for line in introduction(prepared):
            note(line)
    forecast = forecast_study(prepared, note, measure=probe_alone, is_fresh=fresh)
    prepared = replace(prepared, forecast=forecast)
    answer, costs = afford.afford(prepared), afford.variant_costs(prepared)
    if as_json:
        click.echo(_as_json(prepared, answer, costs))
        return
    click.echo()
    click.echo(printable_lines(cost_text.variants_table(costs)))
    click.echo()
    for line in (*cost_text.study_lines(prepared, answer, costs), *cost_text.budget_lines(answer)):
        note(line)


def printable_lines(text: str) -> str:
    """Make each line of a text printable."""
    return "\n".join(map(printable, text.splitlines()))


def _as_json(prepared: "PreparedStudy", answer: "Answer", costs: "tuple[VariantCost, ...]") -> str:
    from agnews_ray.cli.cost_text import NUM_PAST
    from agnews_ray.record.json_text import to_json

    forecast, limit = prepared.forecast, answer.limit
    cost = answer.cost
    document = {
        "study": {
            "name": prepared.study.name,
            "num_trials": len(prepared.trials),
            "num_finished": len(prepared.trials) - len(prepared.todo),
            "seconds": cost.median,
            "seconds_low": cost.low,
            "seconds_high": cost.high,
            "past_errors": forecast.past.last(NUM_PAST) if forecast else [],
        },
        "variants": costs,
        "budget": None
        if limit is None
        else {
            "limit": limit.text,
            "seconds": limit.seconds,
            "fits": answer.fits,
            "runs": [trial.trial_id for trial in answer.kept],
            "leaves_out": [trial.trial_id for trial in answer.left],
            "options": [
                {
                    "what": one.what,
                    "change": one.change,
                    "seconds": one.cost.median,
                    "is_measured": one.is_measured,
                }
                for one in answer.options
            ],
        },
    }
    return to_json(document)

"""``agnews-ray tune``: search for better settings, and show whether they are."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agnews_ray.cli.flags import overrides, study_options
from agnews_ray.cli.interrupts import leave
from agnews_ray.cli.outcome_text import explain_interrupt, print_outcome, short
from agnews_ray.cli.place import Place, check_place, hand_over, place_options
from agnews_ray.cli.submit import execute

if TYPE_CHECKING:
    from agnews_ray.app.prepare import PreparedStudy
    from agnews_ray.app.tune_study import TunedStudy

SEARCH = "search__"
"""The start of the parameters of the search's own flags."""


@click.command(
    epilog="""\b
A search space in JOB.yaml, over any key of `recipe` or `architecture`:
  search:
    space:
      recipe.learning_rate: {low: 1.0e-5, high: 5.0e-4, log: true}
      recipe.num_epochs: [1, 2, 3]
\b
Examples:
  agnews-ray tune jobs/tune.yaml --dry-run            what would be searched
  agnews-ray tune jobs/tune.yaml                      search, then winner against default
  agnews-ray tune jobs/tune.yaml --tune-seeds 3       score a setting by the mean of three seeds
  agnews-ray submit runs/tune/best.yaml               train the winner

Exit codes: as for submit."""
)
@click.argument("job", type=click.Path(path_type=Path), metavar="JOB.yaml")
@click.option("--num-trials", f"{SEARCH}num_trials", type=int, help="settings a model  [20]")
@click.option("--tune-seeds", f"{SEARCH}num_seeds", type=int, help="seeds a setting  [1]")
@click.option(
    "--searcher",
    f"{SEARCH}searcher",
    type=click.Choice(("tpe", "random")),
    help="how settings are chosen  [tpe]",
)
@click.option(
    "--scheduler",
    f"{SEARCH}scheduler",
    type=click.Choice(("asha", "none")),
    help="asha: stop settings that fall behind, also within epochs  [asha]",
)
@click.option(
    "--metric",
    f"{SEARCH}metric",
    type=click.Choice(("accuracy", "macro-f1")),
    help="score on the validation split  [accuracy]",
)
@study_options
@place_options
def tune(job: Path, dry_run: bool, as_json: bool, quiet: bool, **flags: Any) -> None:
    """Search for each model's best settings, then train them beside the default recipe.

    Settings are chosen by Optuna through Ray Tune and compared on a validation split, never on
    test; every model has the same number of them, the default recipe among them. The best one is
    then trained with the study's seeds, which the search has not seen, beside the default: the
    table and the verdict say whether the search has helped. Interrupt it at any time: the same
    command continues, and one with fewer --num-trials ends with what is there.
    """
    place = Place.taken_from(flags)
    of_search = {name: flags.pop(name) for name in list(flags) if name.startswith(SEARCH)}
    changes = overrides(job, flags)
    changes |= {name.replace("__", "."): value for name, value in of_search.items()}
    check_place(place, quiet)
    from agnews_ray.app import prepare, tune_study
    from agnews_ray.cli.plan_text import print_plan

    prepared = None
    study = prepare.read_study(job, changes)
    if place.address:
        tune_study.check_search(study)
        hand_over(study, place, dry_run, as_json, is_search=True)
        return
    try:
        prepared = tune_study.prepare_search(study, place.location)
        if dry_run:
            print_plan(prepared, as_json)
            for line in () if as_json else _plan_lines(prepared):
                click.echo(line)
            return
        tuned, watcher = execute(prepared, place, as_json or quiet, tune_study.tune_study)
    except KeyboardInterrupt as interrupt:
        leave(interrupt, explain_interrupt(prepared))
    print_outcome(tuned.outcome, watcher, as_json, quiet, _as_document(tuned))
    if not as_json:
        _print_winners(tuned)
    sys.exit(1 if tuned.outcome.failed else 0)


def _plan_lines(prepared: "PreparedStudy") -> list[str]:
    search = prepared.study.search
    if search is None:
        return []
    stops = ", stopped early if they fall behind" if search.scheduler == "asha" else ""
    lines = [
        f"search of {search.num_trials} setting(s) a model x {search.num_seeds} seed(s) by "
        f"{search.searcher}{stops}; {search.metric} on the validation split decides"
    ]
    for path, one in search.space.items():
        values = (
            f"{one.low:g} to {one.high:g}{' (logarithm)' if one.log else ''}"
            if one.low is not None
            else ", ".join(map(str, one.choices))
        )
        lines.append(f"  {path}: {values}")
    return lines


def _as_document(tuned: "TunedStudy") -> dict[str, object]:
    return {
        "best": str(tuned.best_path),
        "winners": [
            {
                "variant": winner.variant,
                "is_default": winner.tuned is None,
                "settings": winner.settings,
                "validation_score": winner.score,
                "num_tried": winner.num_tried,
                "num_stopped": winner.num_stopped,
            }
            for winner in tuned.winners
        ],
    }


def _print_winners(tuned: "TunedStudy") -> None:
    from agnews_ray.run.variant_search import in_words

    for winner in tuned.winners:
        best = "the default" if winner.tuned is None else in_words(winner.settings)
        click.echo(
            f"{winner.variant}: best of {winner.num_tried} settings ({winner.num_stopped} stopped "
            f"early) is {best}, with {winner.score:.4f} on validation"
        )
    best = short(str(tuned.best_path))
    click.echo(f"next: agnews-ray submit {shlex.quote(best)}, or report the study")

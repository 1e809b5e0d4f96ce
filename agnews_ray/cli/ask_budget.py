"""What ``submit`` does about a budget before it starts: predict, and ask or refuse."""

import dataclasses
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from agnews_ray.errors import printable

if TYPE_CHECKING:
    from agnews_ray.app.afford import Answer
    from agnews_ray.app.prepare import PreparedStudy


def has_limit(prepared: "PreparedStudy") -> bool:
    """Whether a study has a budget that something of it may exceed."""
    budget = prepared.study.budget
    return bool(prepared.todo) and budget is not None and budget.limit is not None


def within_budget(
    prepared: "PreparedStudy", started_at: float, *, is_silent: bool
) -> "PreparedStudy":
    """Predict a study, and go on only if it fits in its budget or the user agrees to less.

    Without a budget nothing is measured: if probes of an earlier plan are kept, the trials'
    records say what these predict.

    Args:
        prepared: the study.
        started_at: the Unix time from which the budget counts.
        is_silent: whether nothing may be shown and nobody asked.

    Returns:
        The study with its forecast, if there is one.

    Raises:
        ResourceError: the study does not fit, and nobody is there to ask.
    """
    from agnews_ray.app.afford import afford
    from agnews_ray.app.forecast_study import forecast_study, has_probes
    from agnews_ray.bench.probe_process import probe_alone
    from agnews_ray.cli.cost_text import fit_line
    from agnews_ray.cli.plan_text import introduction

    is_limited = has_limit(prepared)
    if not is_limited and not (prepared.todo and has_probes(prepared)):
        return prepared

    def note(line: str) -> None:
        if not is_silent:
            click.echo(printable(line))

    for line in introduction(prepared) if is_limited else ():
        note(line)
    forecast = forecast_study(prepared, note, measure=probe_alone if is_limited else None)
    prepared = dataclasses.replace(prepared, forecast=forecast)
    if is_limited:
        answer = afford(prepared, time.time() - started_at)
        budget = prepared.study.budget
        if answer.fits or (answer.kept and budget is not None and budget.runs_what_fits):
            note(fit_line(answer))
        else:
            ask_or_refuse(answer, note, is_silent=is_silent)
    return prepared


def ask_or_refuse(answer: "Answer", note: Callable[[str], None], *, is_silent: bool) -> None:
    """Return if the user agrees that trials are left out.

    Args:
        answer: of a study that does not fit.
        note: called with each line that is shown before the question.
        is_silent: whether nobody may be asked.

    Raises:
        ResourceError: nobody is there to ask.
        SystemExit: the user does not agree, or nothing fits.
    """
    from agnews_ray.app.afford import refuse
    from agnews_ray.cli.cost_text import budget_lines

    if is_silent or not (sys.stdin.isatty() and sys.stdout.isatty()):
        refuse(answer)
    for line in budget_lines(answer):
        note(line)
    question = f"run the {len(answer.kept)} trial(s) that fit, and leave {len(answer.left)} out?"
    if not answer.kept or not click.confirm(question, default=False):
        click.echo("nothing was started", err=True)
        sys.exit(2)

"""A study's plan in words: what ``submit`` says first, and all that ``--dry-run`` shows."""

from typing import TYPE_CHECKING

import click

from agnews_ray.errors import printable
from agnews_ray.record.json_text import to_json
from agnews_ray.spec.loader import to_yaml
from agnews_ray.spec.shares import in_percent

if TYPE_CHECKING:
    from agnews_ray.app.prepare import PreparedStudy
    from agnews_ray.plan.trials import PlannedTrial
    from agnews_ray.record.schema import DatasetRecord


def introduction(prepared: "PreparedStudy") -> list[str]:
    """Describe a study before it runs: its trials, its data, and what is to be known of them."""
    record, study = prepared.scanned.record, prepared.study
    held = record.validation.num_selected if record.validation else record.num_validation
    splits = f"{record.num_train:,} train and {record.test.num_selected:,} test rows"
    splits += f" ({held:,} to validate)" if held else ""
    assumed = f"; assumed: {'; '.join(record.assumptions)}" if record.assumptions else ""
    lines = [
        f"study {study.name}: {len(prepared.trials)} trial(s), "
        f"{len(prepared.trials) - len(prepared.todo)} already done",
        f"data  {record.source}: {splits}, "
        f"{len(record.class_names)} classes ({', '.join(record.class_names[:6])}), "
        f"{record.label_kind}, text from {' + '.join(record.text_columns)}{assumed}",
    ]
    lines += [f"note  {sentence}" for sentence in (*prepared.notes, *record.missing_classes)]
    if study.curve and any(variant.init == "random" for variant in study.models):
        lines.append(
            "note  fresh models have a tokenizer trained on all train texts, at each share of them"
        )
    if study.curve and any(variant.pretraining for variant in study.models):
        lines.append("note  pre-training reads all train texts, at each share of their labels")
    without_text = num_empty(record)
    if without_text:
        share = without_text / (record.train.num_rows + record.test.num_rows)
        lines.append(f"note  {without_text:,} rows ({share:.1%}) have no text; they are kept")
    return lines


def num_empty(record: "DatasetRecord") -> int:
    """Count the train and test rows without a text."""
    return record.train.num_empty + record.test.num_empty


def print_plan(prepared: "PreparedStudy", as_json: bool) -> None:
    """Print a study and its trials, as ``--dry-run`` shows them."""
    trials: list[dict[str, object]] = [
        {
            "trial_id": trial.trial_id,
            "model": trial.variant.name,
            "seed": trial.seed,
            "train_share": trial.train_share,
            "work": trial.work,
            "num_rows": trial.num_rows,
            "num_steps": trial.num_steps,
            "device": trial.device,
            "precision": trial.precision,
            "recipe": trial.variant.recipe or {},
            "scores_test": trial.scores_test,
            "waits_for": trial.waits_for,
            "is_finished": trial.trial_id in prepared.finished,
        }
        for trial in prepared.trials
    ]
    if as_json:
        plan = {"study": prepared.study, "dataset": prepared.scanned.record, "trials": trials}
        click.echo(to_json(plan))
        return
    click.echo(to_yaml(prepared.study))
    for line in introduction(prepared):
        click.echo(printable(line))
    for trial in prepared.trials:
        click.echo(planned_line(trial, trial.trial_id in prepared.finished))


def planned_line(trial: "PlannedTrial", is_finished: bool) -> str:
    """Describe a planned trial in a line."""
    does = f"{'pre-training, ' if trial.work == 'pretraining' else ''}{trial.num_steps:,} steps"
    if trial.work == "labelling":
        does = f"labels {trial.num_rows:,} rows for its students"
    facts = [does, trial.device, trial.precision]
    if trial.train_share < 1:
        share = in_percent(trial.train_share)
        texts = ", texts included" if trial.transfer is not None else ""
        facts.insert(0, f"{share} of the train rows ({trial.num_rows:,} rows{texts})")
    if trial.transfer is not None:
        facts.append(f"texts without labels from {trial.transfer.source}")
    if trial.variant.recipe:
        own = trial.variant.recipe.stated().items()
        facts.append(f"recipe of its own ({', '.join(f'{key} {value}' for key, value in own)})")
    if not trial.scores_test and trial.work == "fine-tuning":
        facts.append("not scored on test")
    if trial.waits_for:
        facts.append(f"after {', '.join(trial.waits_for)}")
    facts.append("done" if is_finished else "to run")
    return f"trial {trial.trial_id}: {', '.join(facts)}"

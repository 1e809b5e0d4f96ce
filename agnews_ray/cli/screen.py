"""The progress display of a running study: live bars on a terminal, plain lines elsewhere."""

import math
import sys
import time
from collections.abc import Collection, Sequence

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from agnews_ray.compare.table import ComparisonTable
from agnews_ray.errors import one_line, printable
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress, TrialRetry
from agnews_ray.spec.shares import in_percent

GOOD, BAD = "[green]✓[/]", "[red]✗[/]"
"""The marks of ended trials, in rich's markup."""

WIDE = 110
"""The width of a terminal, in characters, from which bars are shown beside numbers."""

MAX_NAME = 24
"""The longest variant name beside a bar, in characters."""

PLAIN_INTERVAL_S = 10.0
"""The seconds between two plain lines of one trial."""

LEAST_PLAIN = 0.01
"""The smallest loss that is written without an exponent; MiniLM's are smaller."""


LINEAR_FIT = "a fit without steps"
"""What a linear model's trial does."""


def is_terminal() -> bool:
    """Whether stdout is a terminal."""
    return sys.stdout.isatty()


def show_table(table: ComparisonTable) -> None:
    """Print the table: fitted to the terminal's width, or plain elsewhere."""
    # These import scipy, for a second: a study needs them at its end, not before Ray starts.
    from agnews_ray.report import curve_text, search_text, sentences, table_formats, teaching_text

    if is_terminal():
        console = Console()
        console.print(table_formats.to_rich(table, console.width))
        remarks = (*sentences.own_recipes(table), *sentences.best_epochs(table))
        for line in (*remarks, *search_text.lines(table), *teaching_text.lines(table)):
            console.print(line, markup=False, highlight=False)
        for line in sentences.warnings(table):
            console.print(line, markup=False, style="red")
        for line in curve_text.written(table.curve, "simple"):
            console.print(line, markup=False, highlight=False)
    else:
        click.echo(table_formats.to_plain(table))


def clock(seconds: float) -> str:
    """Write a duration as ``1:02:03`` or ``2:03``; ``-:--`` if it is not known."""
    if math.isnan(seconds):
        return "-:--"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class SilentScreen:
    """Shows nothing; the others begin with it."""

    def __enter__(self) -> "SilentScreen":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def study(
        self, name: str, location: str, trials: Sequence[TrialFacts], finished: Collection[str]
    ) -> None:
        """Show nothing; notes describe the plan."""

    def note(self, text: str) -> None:
        """Show a line."""

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        """Show the progress of tokenising."""

    def started(self, trial: TrialFacts) -> None:
        """Show that a trial starts."""

    def waiting(self, trial: TrialFacts, reason: str) -> None:
        """Show what a trial without workers waits for."""

    def progress(self, progress: TrialProgress) -> None:
        """Show where a trial stands."""

    def retried(self, retry: TrialRetry) -> None:
        """Show that a trial starts again."""
        self.note(retry.text)

    def finished(self, trial: TrialFacts, record: RecordFacts) -> None:
        """Show a trial's scores."""

    def failed(self, trial: TrialFacts, error: Exception | str) -> None:
        """Show a trial's error."""


class PlainScreen(SilentScreen):
    """Lines for logs and pipes: starts, ends, and progress every ten seconds."""

    def __init__(self) -> None:
        self._last: dict[str, float] = {}
        self._last_line = ""

    def note(self, text: str) -> None:
        click.echo(printable(text.expandtabs()))

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        if done == total:
            self.note(f"tokenised {split} for {variant}: {total:,} rows")

    def started(self, trial: TrialFacts) -> None:
        of_rows = f"{share}, " if (share := _share(trial)) else ""
        self.note(f"start {trial.trial_id}: {of_rows}{_work(trial)}, {trial.precision}")

    def waiting(self, trial: TrialFacts, reason: str) -> None:
        if self._is_due(trial.trial_id):
            self.note(f"      {trial.trial_id}: waits for {reason}")

    def progress(self, progress: TrialProgress) -> None:
        is_told = progress.phase == "training" or not progress.num_steps
        line = f"      {progress.trial_id}: {describe(progress)}"
        if is_told and line != self._last_line and self._is_due(progress.trial_id):
            self._last_line = line
            self.note(line)

    def _is_due(self, trial_id: str) -> bool:
        now = time.monotonic()
        is_due = now - self._last.get(trial_id, -math.inf) >= PLAIN_INTERVAL_S
        if is_due:
            self._last[trial_id] = now
        return is_due

    def finished(self, trial: TrialFacts, record: RecordFacts) -> None:
        self.note(f"done  {trial.trial_id}: {describe_result(record)}")

    def failed(self, trial: TrialFacts, error: Exception | str) -> None:
        click.echo(f"FAIL  {describe_failure(trial.trial_id, error)}", err=True)


class _CutColumn(TextColumn):
    """The one column whose end is cut off on a narrow terminal."""

    def render(self, task: Task) -> Text:
        text = super().render(task)
        text.no_wrap, text.overflow = True, "ellipsis"
        return text


class LiveScreen(SilentScreen):
    """One bar per trial, redrawn in place."""

    def __init__(self) -> None:
        console = Console()
        columns: list[ProgressColumn] = [
            TextColumn("{task.description}", "bold", markup=False),
            BarColumn(bar_width=24),
            TextColumn("{task.percentage:>3.0f} %"),
            _CutColumn("{task.fields[note]}", markup=False, table_column=Column()),
        ]
        if console.width < WIDE:  # the numbers show it too
            del columns[1]
        self._progress = Progress(*columns, console=console, refresh_per_second=4)
        self._bars: dict[str, TaskID] = {}

    def __enter__(self) -> "LiveScreen":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def note(self, text: str) -> None:
        self._progress.console.print(printable(text.expandtabs()), highlight=False, markup=False)

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        name, note = f"tokenise {split}", f"{done:,} rows, {_cut(variant)}"
        if name not in self._bars:
            self._bars[name] = self._progress.add_task(name, total=total, note=note)
        self._progress.update(self._bars[name], completed=done, total=total, note=note)
        if done == total:
            self._remove(name)

    def started(self, trial: TrialFacts) -> None:
        self._bars[trial.trial_id] = self._progress.add_task(
            _title(trial),
            total=trial.num_steps or None,  # None: a bar that moves
            note="starting workers" if trial.num_steps or trial.work == "labelling" else "starting",
        )

    def waiting(self, trial: TrialFacts, reason: str) -> None:
        self._progress.update(self._bars[trial.trial_id], note=f"waits for {reason}")

    def progress(self, progress: TrialProgress) -> None:
        if progress.trial_id in self._bars:  # a last message may come after the end
            note = describe(progress)
            done = progress.num_steps if progress.phase in ("scoring", "saving") else progress.step
            self._progress.update(self._bars[progress.trial_id], completed=done, note=note)

    def finished(self, trial: TrialFacts, record: RecordFacts) -> None:
        mark = GOOD if record.diverged is None else BAD
        self._end(trial, mark, f"{_title(trial)}  {describe_result(record)}")

    def failed(self, trial: TrialFacts, error: Exception | str) -> None:
        self._end(trial, BAD, describe_failure(trial.trial_id, error))

    def _end(self, trial: TrialFacts, mark: str, result: str) -> None:
        """Give a line that stays for a bar that goes: a study may have more trials than lines."""
        self._remove(trial.trial_id)
        self._progress.console.print(Text.from_markup(mark).append(f" {result}", "default"))

    def _remove(self, name: str) -> None:
        if name in self._bars:
            self._progress.remove_task(self._bars.pop(name))


def _work(trial: TrialFacts) -> str:
    """Say what a trial will do."""
    if trial.work == "labelling":
        return f"labels {trial.num_rows:,} rows for its students"
    before = "pre-training, " if trial.work == "pretraining" else ""
    return f"{before}{trial.num_steps:,} steps" if trial.num_steps else LINEAR_FIT


def _title(trial: TrialFacts) -> str:
    kind = {"pretraining": "pre-training", "labelling": "labels"}.get(trial.work, "")
    parts = (_cut(trial.variant.name), kind, _share(trial), f"seed {trial.seed}")
    return " · ".join(part for part in parts if part)


def _share(trial: TrialFacts) -> str:
    """Name the share of the train rows; empty for all of them."""
    return "" if trial.train_share == 1 else f"{in_percent(trial.train_share)} of the rows"


def describe_failure(trial_id: str, error: Exception | str) -> str:
    """Write a trial's error in a line that names the trial once."""
    text = one_line(error)
    return text if trial_id in text else f"{trial_id}: {text}"


def describe(progress: TrialProgress) -> str:
    """Write a trial's progress in a line."""
    if progress.phase != "training":
        return progress.phase
    return (  # what is of most use first: a narrow terminal cuts the end off
        f"{clock(progress.seconds_left)} left  loss {_loss(progress.loss)}  "
        f"{progress.samples_per_second:.0f} samples/s  "
        f"step {progress.step:,}/{progress.num_steps:,}  epoch {progress.epoch:.2f}"
    )


def _cut(name: str) -> str:
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 1]}…"


def _loss(loss: float | None) -> str:
    if loss is None or not math.isfinite(loss):
        return "is not a number"
    return f"{loss:.3f}" if abs(loss) >= LEAST_PLAIN or not loss else f"{loss:.1e}"


def describe_result(record: RecordFacts) -> str:
    """Write a finished trial's result in a line."""
    training, test = record.training, record.test
    if record.diverged is not None:
        return f"DIVERGED: {record.diverged}; it has no scores"
    took = f"{clock(training.train_seconds)} at {training.samples_per_second:.0f} samples/s"
    if training.best_epoch is not None:
        took += f"  best epoch {training.best_epoch}"
    if training.stopped_after_epoch is not None:
        took += f", stopped after {training.stopped_after_epoch}"
    if record.work == "labelling":
        return f"{training.num_train_examples:,} rows labelled  {took}"
    if record.work == "pretraining":
        return f"loss {_loss(training.final_loss)}  {took}"
    if test.accuracy is None:
        return f"not scored on test  {took}"
    return f"accuracy {test.accuracy:.4f}  macro-F1 {test.macro_f1:.4f}  {took}"

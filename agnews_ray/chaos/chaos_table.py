"""What came of the faults, as a table for the terminal, as Markdown, or as JSON."""

from collections.abc import Callable, Sequence

from pydantic import Field
from tabulate import tabulate

from agnews_ray.record import json_text
from agnews_ray.record.shape import Record


class ChaosRow(Record):
    """What came of one kind of fault."""

    kind: str
    what: str
    num_drawn: int
    num_fired: int
    num_survived: int
    num_lives: int
    """The lives of the study; in each it ran to its end."""
    num_submits: int
    steps_repeated: int | None
    """None if the records do not say."""
    seconds_lost: float
    """The seconds of all lives, less those of as many undisturbed runs."""
    num_results: int
    num_equal: int
    """The results that are equal to the undisturbed run's, by the byte."""
    problems: tuple[str, ...] = ()
    differing: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether each fault happened, and nothing was lost or left."""
        is_all_fired = self.num_drawn == self.num_fired
        return is_all_fired and not (self.problems or self.differing or self.left)


class Chaos(Record):
    """What came of all faults."""

    seed: int
    num_trials: int
    num_steps: int
    checkpoint_every: str
    quiet_seconds: float
    """The seconds of the undisturbed run."""
    seconds: float
    rows: tuple[ChaosRow, ...] = Field(default=())
    notes: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether all kinds are."""
        return all(row.is_well for row in self.rows)


COLUMNS: dict[str, Callable[[ChaosRow], str]] = {
    "Fault": lambda r: r.what,
    "Drawn": lambda r: str(r.num_drawn),
    "Fired": lambda r: str(r.num_fired),
    "Survived": lambda r: str(r.num_survived),
    "Steps repeated": lambda r: "-" if r.steps_repeated is None else str(r.steps_repeated),
    "Seconds lost": lambda r: f"{r.seconds_lost:.0f}",
    "Results equal": lambda r: f"{r.num_equal} of {r.num_results}",
    "Left behind": lambda r: str(len(r.left)) if r.left else "nothing",
}


def to_plain(chaos: Chaos) -> str:
    """Format the rows for a terminal."""
    return "\n".join([_caption(chaos), _lay_out(chaos, "simple"), *_notes(chaos)])


def to_markdown(chaos: Chaos) -> str:
    """Write a GitHub table under its caption."""
    return "\n\n".join([_caption(chaos), _lay_out(chaos, "github"), *_notes(chaos)])


def to_json(chaos: Chaos) -> str:
    """Write everything, unrounded."""
    return json_text.to_json(chaos)


FORMATS: dict[str, Callable[[Chaos], str]] = {
    "table": to_plain,
    "markdown": to_markdown,
    "json": to_json,
}


def _caption(chaos: Chaos) -> str:
    return (
        f"{chaos.num_trials} trial(s) of up to {chaos.num_steps:,} steps, a checkpoint every "
        f"{chaos.checkpoint_every}; undisturbed {chaos.quiet_seconds:.0f} s; seed {chaos.seed}; "
        f"{chaos.seconds / 60:.1f} min in all"
    )


def _lay_out(chaos: Chaos, style: str) -> str:
    cells = [[cell(row) for cell in COLUMNS.values()] for row in (*chaos.rows, _total(chaos.rows))]
    alignment = ["left"] + ["right"] * (len(COLUMNS) - 1)
    return tabulate(cells, [*COLUMNS], style, disable_numparse=True, colalign=alignment)


def _total(rows: Sequence[ChaosRow]) -> ChaosRow:
    repeated = [row.steps_repeated for row in rows if row.steps_repeated is not None]
    return ChaosRow(
        kind="all",
        what="all",
        num_drawn=sum(row.num_drawn for row in rows),
        num_fired=sum(row.num_fired for row in rows),
        num_survived=sum(row.num_survived for row in rows),
        num_lives=sum(row.num_lives for row in rows),
        num_submits=sum(row.num_submits for row in rows),
        steps_repeated=sum(repeated) if repeated else None,
        seconds_lost=sum(row.seconds_lost for row in rows),
        num_results=sum(row.num_results for row in rows),
        num_equal=sum(row.num_equal for row in rows),
        left=tuple(line for row in rows for line in row.left),
    )


def _notes(chaos: Chaos) -> list[str]:
    lines = [
        f"{row.kind}: {line}"
        for row in chaos.rows
        for line in (*row.problems, *row.differing, *(f"left behind: {one}" for one in row.left))
    ]
    lines += [
        f"{row.kind}: {row.num_drawn - row.num_fired} fault(s) did not happen"
        for row in chaos.rows
        if row.num_fired < row.num_drawn
    ]
    return [*lines, *chaos.notes]

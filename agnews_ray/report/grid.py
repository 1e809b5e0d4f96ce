"""The parts of every report: sections of text, figures and tables."""

from dataclasses import dataclass
from typing import NamedTuple

from agnews_ray.compare.findings import Interval
from agnews_ray.report.drawing import Figure


class Cell(NamedTuple):
    """A text in a table, and the value by which it is sorted."""

    text: str
    order: float | str
    interval: Interval | None = None
    """The interval, if the text is an estimate with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of formatted text."""

    name: str
    """Part of ids and file names: letters, digits and hyphens."""
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    num_text_columns: int = 1
    """The number of leading columns with words, not numbers."""
    note: str = ""
    is_long: bool = False
    """Whether the table is folded on the page at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report; each of its fields may be empty."""

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    """The figures; those with a ``choice`` are shown one at a time."""
    grids: tuple[Grid, ...] = ()
    code: tuple[str, ...] = ()
    """The commands to show."""


def facts_grid(name: str, title: str, facts: dict[str, str]) -> Grid:
    """Make a folded table of names and values."""
    rows = tuple((word(key), word(value)) for key, value in facts.items())
    return Grid(
        name=name,
        title=title,
        columns=("What", "Value"),
        rows=rows,
        num_text_columns=2,
        is_long=True,
    )


def word(text: str) -> Cell:
    """Make a cell of words."""
    return Cell(text, text.lower()[:60])  # long enough for sorting


def estimate(text: str, interval: Interval) -> Cell:
    """Make a cell of an estimate, written with its interval, sorted by its value."""
    return Cell(text, interval.value, interval)


def number(value: float, style: str) -> Cell:
    """Make a cell of a number, written in a format style, sorted as it is."""
    return Cell(f"{value:{style}}", value)


def sort_key(text: str) -> float | str:
    """Return the leading number of a text for sorting, if there is one."""
    try:
        return float(text.split()[0].replace(",", ""))
    except (ValueError, IndexError):
        return text.lower()


def kept_text(text: str | None) -> str:
    """Return a row's text, or a note that there is none."""
    return "(not kept)" if text is None else text


def how_many_listed(num_listed: int, num_found: int) -> str:
    """Say how many entries are listed, if not all are."""
    return f" The first {num_listed:,} are listed." if num_listed < num_found else ""

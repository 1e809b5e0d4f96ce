"""The parts that every report is made of: sections of text, figures and tables."""

from dataclasses import dataclass
from typing import NamedTuple

from agnews_ray.compare.results import Interval
from agnews_ray.report.drawing import Figure


class Cell(NamedTuple):
    """What stands in a table, and what it is sorted by."""

    text: str
    order: float | str
    interval: Interval | None = None
    """Where the text is an estimate with one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of ready-made text."""

    name: str
    """Part of ids and file names: letters, digits and hyphens."""
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    num_text_columns: int = 1
    """Leading columns that are words, not numbers."""
    note: str = ""
    is_long: bool = False
    """Whether it is folded away on the page at first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the report; every part may be missing."""

    name: str
    title: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    """Those with a ``choice`` are shown one at a time."""
    grids: tuple[Grid, ...] = ()
    code: tuple[str, ...] = ()
    """Commands."""


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
    return Cell(text, text.lower()[:60])  # enough to sort by


def estimate(text: str, interval: Interval) -> Cell:
    """Make a cell of an estimate, written with its interval, sorted by its value."""
    return Cell(text, interval.value, interval)


def number(value: float, style: str) -> Cell:
    """Make a cell of a number, written in a format style, sorted as it is."""
    return Cell(f"{value:{style}}", value)


def sort_key(text: str) -> float | str:
    """Sort by the leading number where there is one."""
    try:
        return float(text.split()[0].replace(",", ""))
    except (ValueError, IndexError):
        return text.lower()


def kept_text(text: str | None) -> str:
    """Write a row's text, or that there is none."""
    return "(not kept)" if text is None else text


def how_many_listed(num_listed: int, num_found: int) -> str:
    """Say that a list was cut, if it was."""
    return f" The first {num_listed:,} are listed." if num_listed < num_found else ""

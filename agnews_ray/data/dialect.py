"""How the lines of a CSV become rows: delimiter, quotes, escapes."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import methodcaller
from typing import Literal

NAMES = {"\t": "tab", " ": "space", ";": "';'", "|": "'|'", ",": "','"}
MAX_FIELD_CHARS = 4 << 20
"""The longest field, in characters; a longer one means that a quote was never closed."""

csv.field_size_limit(MAX_FIELD_CHARS)

UNMARKED = methodcaller("removeprefix", "\ufeff")
"""Removes a byte order mark, which may be in the middle of a file that was joined from several."""

MARKS = {0xE000: "\n", 0xE001: "\t", 0xE002: "\r"}
"""Characters that replace ``\\n`` and similar until a row is split; csv would keep the letter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How lines become fields: the settings for Python's csv module."""

    delimiter: str = ","
    quote: str | None = '"'
    escape: str | None = None
    skips_space: bool = False
    """Whether spaces after a delimiter are dropped."""
    has_comments: bool = False
    """Whether there are comments above the header; below it there are none."""
    num_skipped_lines: int = 0
    """The number of lines before the header or first row: blank ones, comments, ``sep=;``."""
    has_open_end: bool = False
    """Whether every row ends with a delimiter after which there is no field."""

    def rows(self, lines: Iterable[str]) -> Iterator[list[str]]:
        """Parse lines into rows; blank lines are skipped.

        Args:
            lines: with their line ends, from the file's first line on.

        Yields:
            The fields of each row, the header included.

        Raises:
            csv.Error: text after a closing quote, or a quote that is never closed.
        """
        quoting: Literal[0, 3] = csv.QUOTE_NONE if self.quote is None else csv.QUOTE_MINIMAL
        kept: Iterable[str] = map(UNMARKED, islice(lines, self.num_skipped_lines, None))
        parsed = csv.reader(
            kept if self.escape is None else map(_mark_escapes, kept),
            delimiter=self.delimiter,
            quotechar=self.quote,
            quoting=quoting,
            escapechar=self.escape,
            skipinitialspace=self.skips_space,
            strict=True,
        )
        is_first = True
        for row in parsed:
            if self.has_open_end and row and not row[-1].strip():
                row.pop()
            # Excel writes empty rows below the last one; an empty header row counts as a header.
            is_filled = row and (row[0].strip() or any(map(str.strip, row)))
            if is_filled or (is_first and len(row) > 1):
                is_first = False
                yield row if not self.escape else [cell.translate(MARKS) for cell in row]

    def notes(self, is_delimiter_stated: bool) -> tuple[str, ...]:
        """Describe what differs from a plain CSV and was not stated by the user."""
        quote = {"'": "single quotes", None: "no quotes"}.get(self.quote)
        said = (
            (
                self.delimiter != "," and not is_delimiter_stated,
                f"delimiter {NAMES.get(self.delimiter, self.delimiter)}",
            ),
            (quote is not None, quote or ""),
            (self.escape is not None, "backslash escapes"),
            (self.skips_space, "spaces after delimiters dropped"),
            (self.has_comments, "lines that start with # above the header left out"),
            (self.has_open_end, "a delimiter ends each row"),
        )
        return tuple(text for holds, text in said if holds)


def _mark_escapes(line: str) -> str:
    if "\\" not in line:
        return line
    marks = {"n": "\ue000", "t": "\ue001", "r": "\ue002"}
    return re.sub(r"\\(.)", lambda match: marks.get(match[1], match[0]), line)

"""The dialect of a CSV file, found by parsing a sample in each dialect, never by guessing."""

import contextlib
import csv
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from agnews_ray.data.columns import names_both_roles
from agnews_ray.data.dialect import NAMES, Dialect
from agnews_ray.data.headerless import is_label_like
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

DELIMITERS = (",", "\t", ";", "|")
SHORT_CHARS = 256 << 10
"""The number of characters parsed in every dialect; the rest of the sample confirms the result, or
the search starts again with all of it."""


def find_dialect(
    path: Path, sample: str, is_whole: bool, spec: DataSpec, like: Dialect | None = None
) -> Dialect:
    """Choose the dialect in which every row of a sample has the same number of fields.

    Args:
        path: the file, for messages; its ending may favour a delimiter.
        sample: the file's first characters.
        is_whole: whether that is the whole file; otherwise its last row may be cut off.
        spec: the user's settings, which may state delimiter and quotes.
        like: the dialect of the train split's first file, preferred if several fit.

    Returns:
        The dialect. If none fits all rows, the one that fits most: reading will name the other
        rows.

    Raises:
        DataError: two delimiters fit equally well.
    """
    lines = _lines(sample)
    if len(sample) > SHORT_CHARS:
        with contextlib.suppress(DataError):
            short = _choose(path, _lines(sample[:SHORT_CHARS]), False, spec, like)
            if _fit(short, lines, is_whole):
                return short
    return _choose(path, lines, is_whole, spec, like)


def _choose(
    path: Path, lines: list[str], is_whole: bool, spec: DataSpec, like: Dialect | None
) -> Dialect:
    start, told, has_comments = _preamble(lines)
    delimiters = (spec.delimiter or told or "",) if spec.delimiter or told else DELIMITERS
    base = Dialect(num_skipped_lines=start, has_comments=has_comments)
    if like is not None and (like.quote, like.escape, like.skips_space) != ('"', None, False):
        same = replace(like, num_skipped_lines=start, has_comments=has_comments, has_open_end=False)
        if fit := _fit(same, lines, is_whole):  # a short file may show no quotes or escapes
            return _without_comment_reading(fit.dialect, lines)
    fitting = []
    for delimiter in delimiters:
        variants = _variants(replace(base, delimiter=delimiter), spec.quote)
        found = _first_fitting(variants, lines, is_whole)
        if found:
            fitting.append(found)
    if not fitting:
        nearest, num_single, most = _nearest(base, delimiters, lines)
        if like is None and num_single > 4 and num_single > 2 * most:
            hint = "give the delimiter with --delimiter, or write one table of both"
            first = lines[base.num_skipped_lines][:60].strip()
            raise DataError(str(path), "a text and a label column", f"one column, {first!r}", hint)
        return nearest
    alike = [fit for fit in fitting if like is not None and fit[0].delimiter == like.delimiter]
    fitting = alike or fitting
    dialect = fitting[0][0] if len(fitting) == 1 else _best(path, fitting)
    return _without_comment_reading(dialect, lines)


def read_sample(dialect: Dialect, sample: str, is_whole: bool) -> list[list[str]]:
    """Parse a sample as far as it goes.

    Args:
        dialect: the dialect that was found.
        sample: the file's first characters.
        is_whole: whether that is the whole file; otherwise the last row is left out.

    Returns:
        The rows before the first one that cannot be parsed.
    """
    rows: list[list[str]] = []
    try:
        rows.extend(dialect.rows(_lines(sample)))
    except csv.Error:
        return rows
    return rows if is_whole else rows[:-1]


def _lines(sample: str) -> list[str]:
    """Split at line ends only; ``str.splitlines`` also splits at characters that texts contain."""
    return list(io.StringIO(sample, newline=""))


def _preamble(lines: list[str]) -> tuple[int, str | None, bool]:
    """Count the lines before the header: blank ones, ``sep=;`` as Excel reads it, comments."""
    told, has_comments, number = None, False, 0
    for number, line in enumerate(lines):  # noqa: B007
        said = re.fullmatch(r'"?sep=(.)"?', line.strip("\r\n"), re.IGNORECASE)
        if said:
            told = said[1]
        elif line.startswith("#"):
            has_comments = True
        elif line.strip():
            break
    return number, told, has_comments


def _variants(base: Dialect, stated: str | None) -> list[Dialect]:
    """List the ways of quoting, the usual ones first."""
    listed: list[Dialect] = []
    for quote in ('"', "none", "'") if stated is None else (stated,):
        if quote == "none":
            listed.append(replace(base, quote=None))
            continue
        listed += [
            replace(base, quote=quote, escape=escape, skips_space=skips)
            for escape in (None, "\\")
            for skips in (False, True)
        ]
    return listed


@dataclass(frozen=True, slots=True)
class _Fit:
    """A sample parsed in a dialect in which all rows have the same width."""

    rows: list[list[str]]
    dialect: Dialect


def _first_fitting(
    variants: list[Dialect], lines: list[str], is_whole: bool
) -> tuple[Dialect, list[list[str]]] | None:
    fits = [fit for variant in variants if (fit := _fit(variant, lines, is_whole))]
    if not fits:
        return None
    chosen = fits[0]
    for other in fits[1:]:
        if _is_better(other, chosen):
            chosen = other
    return chosen.dialect, chosen.rows


def _fit(dialect: Dialect, lines: list[str], is_whole: bool) -> _Fit | None:
    """Parse all lines; None if rows differ in width or a quote is misplaced."""
    rows = _complete_rows(dialect, lines, is_whole)
    if rows is None:
        return None
    if dialect.quote is None and dialect.delimiter != "\t" and _any_wrapped(rows):
        return None
    widths = {len(row) for row in rows}
    open_end = all(not row[-1].strip() for row in rows[1:]) and len(rows) > 1
    if open_end and (widths == {len(rows[0]), len(rows[0]) + 1} or not rows[0][-1].strip()):
        dialect = replace(dialect, has_open_end=True)
        rows = [row[:-1] if not row[-1].strip() else row for row in rows]
        widths = {len(row) for row in rows}
    if len(widths) != 1 or widths == {1}:
        return None
    return _Fit(rows, dialect)


def _complete_rows(dialect: Dialect, lines: list[str], is_whole: bool) -> list[list[str]] | None:
    """Parse all rows but the one that a sample cuts off; None if a row cannot be right."""
    rows: list[list[str]] = []
    try:
        for row in dialect.rows(lines):
            # Never the last row: a sample may cut it off after any of its fields.
            if len(rows) > 3 and abs(len(rows[-1]) - len(rows[1])) > 1:
                return None
            rows.append(row)
    except csv.Error as error:
        # A row that is cut off inside its quotes is not among the rows.
        return None if is_whole or "unexpected end" not in str(error) else rows
    return rows if is_whole or len(rows) < 2 else rows[:-1]


def _any_wrapped(rows: list[list[str]]) -> bool:
    return any(len(cell) > 1 and cell[0] == cell[-1] == '"' for row in rows for cell in row)


def _is_better(other: _Fit, chosen: _Fit) -> bool:
    """Whether a less usual way of quoting removes quotes that the usual way leaves in the text."""
    if other.dialect.quote is None:
        # Every line is a row: what looked like quotes would have joined some.
        return len(other.rows) > len(chosen.rows)
    if other.dialect.escape != chosen.dialect.escape:
        return False
    if other.dialect.quote != chosen.dialect.quote:
        mark = other.dialect.quote
        return any(
            all(len(cell) > 1 and cell[0] == cell[-1] == mark for cell in column)
            for column in zip(*chosen.rows[1:], strict=True)
        )
    if other.dialect.skips_space and not chosen.dialect.skips_space:
        mark = f" {other.dialect.quote}"
        return any(cell.startswith(mark) for row in chosen.rows for cell in row)
    return False


def _best(path: Path, fitting: list[tuple[Dialect, list[list[str]]]]) -> Dialect:
    """Choose between delimiters that all fit, by the header's names, the ending and the labels."""
    named = [dialect for dialect, rows in fitting if names_both_roles(rows[0])]
    if len(named) == 1:
        return named[0]
    by_ending = [d for d, _ in fitting if d.delimiter == "\t"]
    if by_ending and any(s.lower() in (".tsv", ".tab") for s in path.suffixes):
        return by_ending[0]
    labelled = []
    for dialect, rows in fitting:
        columns = list(zip(*rows[1:], strict=True)) or [()]
        if is_label_like(columns[0]) or is_label_like(columns[-1]):
            labelled.append(dialect)
    if len(labelled) == 1:
        return labelled[0]
    names = " or ".join(NAMES.get(d.delimiter, d.delimiter) for d, _ in fitting[:3])
    hint = "choose one with --delimiter"
    raise DataError(str(path), "one delimiter", f"rows that {names} would split equally well", hint)


def _nearest(
    base: Dialect, delimiters: tuple[str, ...], lines: list[str]
) -> tuple[Dialect, int, int]:
    """Find the delimiter for which most rows have one width above 1; reading names the others.

    Also returns the most rows with one field, and the number of rows of that width.
    """
    best, most, num_single = replace(base, delimiter=delimiters[0]), 0, 0
    for delimiter in delimiters:
        dialect = replace(base, delimiter=delimiter)
        widths: Counter[int] = Counter()
        try:
            widths.update(len(row) for row in dialect.rows(lines))
        except csv.Error:
            widths.update({2: 0})
        num_single = max(num_single, widths[1])
        count = max((n for width, n in widths.items() if width > 1), default=0)
        if count > most:
            best, most = dialect, count
    return best, num_single, most


def _without_comment_reading(dialect: Dialect, lines: list[str]) -> Dialect:
    """Read lines that start with # as rows if they are as wide as the others.

    A header may also start with #, and a text with a hashtag.
    """
    if not dialect.has_comments:
        return dialect
    plain = replace(dialect, has_comments=False, num_skipped_lines=0)
    width = len(next(dialect.rows(lines), []))
    marked = [line for line in lines[: dialect.num_skipped_lines] if line.startswith("#")]
    rows = _rows_of(plain, marked)
    if not rows or any(len(row) != width for row in rows):
        return dialect
    return plain


def _rows_of(dialect: Dialect, lines: list[str]) -> list[list[str]]:
    try:
        return list(dialect.rows(lines))
    except csv.Error:
        return []

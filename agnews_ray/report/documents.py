"""The report as Markdown with PNG figures, as LaTeX, and as CSV: file name to content."""

import csv
import io
import re

from tabulate import tabulate

from agnews_ray.compare.assessment import Assessment
from agnews_ray.report.escaping import markdown_text, tex_text
from agnews_ray.report.grid import Cell, Grid
from agnews_ray.report.sections import all_sections

Files = dict[str, bytes]

MAX_CELL = 300
"""The longest text in a Markdown or LaTeX table, in characters; CSV and HTML have the whole
text."""
MAX_FIGURES = 4
"""The largest number of figures in a section of Markdown and LaTeX; on the page all can be
chosen."""
MAX_ROWS = 25
"""The largest number of rows of a folded table in Markdown and LaTeX."""


def to_markdown(assessment: Assessment) -> Files:
    """Write ``report.md`` and the figures that it shows.

    Args:
        assessment: the study's assessment.

    Returns:
        Content by file name; texts are escaped.
    """
    lines = [f"# {markdown_text(assessment.table.study)}", ""]
    if assessment.question:
        lines += [markdown_text(assessment.question), ""]
    pictures: Files = {}
    for section in all_sections(assessment):
        lines += [f"## {section.title}", ""]
        lines += [f"{markdown_text(paragraph)}\n" for paragraph in section.paragraphs]
        for figure in section.figures[:MAX_FIGURES]:
            pictures[f"{figure.name}.png"] = figure.png()
            lines += [f"![{markdown_text(figure.description)}]({figure.name}.png)", ""]
        for grid in section.grids:
            lines += [f"### {markdown_text(grid.title)}", "", _grid(grid, "github"), ""]
            lines += [f"{markdown_text(note)}\n" for note in (grid.note, _rest(grid)) if note]
        if section.code:
            lines += ["```", *section.code, "```", ""]
    return {"report.md": "\n".join(lines).encode(), **pictures}


def to_latex(assessment: Assessment) -> Files:
    """Write ``report.tex``: a document of booktabs tables, with the figures as PNG.

    Args:
        assessment: the study's assessment.

    Returns:
        Content by file name.
    """
    lines = [
        r"\documentclass{article}",
        r"\usepackage[T1]{fontenc}\usepackage[utf8]{inputenc}",
        r"\usepackage{booktabs,graphicx,geometry,textcomp}",
        r"\geometry{margin=2cm}",
        r"\begin{document}",
        rf"\section*{{{tex_text(assessment.table.study)}}}",
        tex_text(assessment.question),
    ]
    pictures: Files = {}
    for section in all_sections(assessment):
        lines += ["", rf"\subsection*{{{tex_text(section.title)}}}"]
        lines += [f"{tex_text(paragraph)}\n" for paragraph in section.paragraphs]
        for figure in section.figures[:MAX_FIGURES]:
            pictures[f"{figure.name}.png"] = figure.png()
            lines += [rf"\includegraphics[width=0.8\linewidth]{{{figure.name}.png}}", ""]
        for grid in section.grids:
            lines += [rf"\paragraph{{{tex_text(grid.title)}}}", r"\begin{center}"]
            lines += [
                r"\resizebox{\linewidth}{!}{%",
                _grid(grid, "latex_booktabs"),
                r"}\end{center}",
            ]
            lines += [f"{tex_text(note)}\n" for note in (grid.note, _rest(grid)) if note]
        lines += [rf"\par\noindent\texttt{{{tex_text(line)}}}" for line in section.code]
    lines += [r"\end{document}", ""]
    return {"report.tex": "\n".join(lines).encode(), **pictures}


def to_csv(assessment: Assessment) -> Files:
    """Write one CSV file per table: intervals as three columns, texts in full.

    ``report --format json`` has everything unrounded.

    Args:
        assessment: the study's assessment.

    Returns:
        Content by file name.
    """
    files: Files = {}
    for section in all_sections(assessment):
        for grid in section.grids:
            files[f"{grid.name}.csv"] = _csv(grid).encode()
    return files


def _csv(grid: Grid) -> str:
    """Write a table as CSV; intervals become three columns."""
    has_interval = [
        any(row[index].interval for row in grid.rows) for index in range(len(grid.columns))
    ]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    headers: list[str] = []
    for name, wide in zip(grid.columns, has_interval, strict=True):
        headers += [name, f"{name}, low", f"{name}, high"] if wide else [name]
    writer.writerow(headers)
    for row in grid.rows:
        values: list[object] = []
        for cell, wide in zip(row, has_interval, strict=True):
            ends = (cell.interval.low, cell.interval.high) if cell.interval else ("", "")
            values += [cell.order, *ends] if wide else [_unrounded(cell)]
        writer.writerow(values)
    return out.getvalue()


def _unrounded(cell: Cell) -> object:
    """Return a cell's number if it has only a number, else its text."""
    return cell.order if re.fullmatch(r"-?[\d,.]+", cell.text) else cell.text


def _grid(grid: Grid, style: str) -> str:
    """Format a table with tabulate, shortened for a document."""
    rows = grid.rows[:MAX_ROWS] if grid.is_long else grid.rows
    escape = _markdown_cell if style == "github" else _for_tabulate
    cells = [[escape(_shorten(cell.text)) for cell in row] for row in rows]
    headers = [escape(column) for column in grid.columns]
    num_numbers = len(headers) - grid.num_text_columns
    alignment = ["left"] * grid.num_text_columns + ["right"] * num_numbers
    table = tabulate(cells, headers, style, disable_numparse=True, colalign=alignment)
    if style != "github":
        # After a rule or a line break TeX would read [...] or * as its argument.
        table = re.sub(r"(?m)^(?!\\|$)", "{}", table)
    return table if cells else escape("none")


def _rest(grid: Grid) -> str:
    num_left_out = len(grid.rows) - MAX_ROWS
    if not grid.is_long or num_left_out <= 0:
        return ""
    return f"{num_left_out:,} more rows are in the HTML and CSV reports."


def _shorten(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= MAX_CELL else f"{flat[:MAX_CELL]}\N{HORIZONTAL ELLIPSIS}"


def _markdown_cell(text: str) -> str:
    return markdown_text(" ".join(text.split()))


def _for_tabulate(text: str) -> str:
    """Prepare a text for tabulate, whose LaTeX styles escape it but lack a minus sign."""
    return text.replace("\N{MINUS SIGN}", "-")

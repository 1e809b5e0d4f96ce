"""The comparison table in every format; the paper's six columns come first, with its names."""

import csv
import io
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from rich import box
from rich.table import Table
from rich.text import Text
from tabulate import tabulate

from agnews_ray.compare.findings import CostFacts
from agnews_ray.compare.published import Agreement
from agnews_ray.compare.table import ComparisonTable, VariantRow
from agnews_ray.compare.times import TrainingTimes
from agnews_ray.record import json_text
from agnews_ray.report import sentences
from agnews_ray.report.curve_text import written
from agnews_ray.report.escaping import markdown_text, tex_text

MIB = 1 << 20
"""The bytes of a MiB, as the paper's "MB" are MiB of the saved weights."""


NUM_PAPER_COLUMNS = 6


def with_spread(value: float, spread: float | None, digits: int) -> str:
    """Write a mean over seeds, with its standard deviation if there is one."""
    text = f"{value:.{digits}f}"
    return text if spread is None else f"{text} ± {spread:.{digits}f}"


def _each_machine(row: VariantRow, write: Callable[[TrainingTimes], str]) -> str:
    """Write a time for each machine, as times of different machines have no mean."""
    return " | ".join(write(times) for times in row.times)


def _minutes(times: TrainingTimes) -> str:
    spread = times.train_seconds_std
    return with_spread(times.train_seconds / 60, spread / 60 if spread else None, 2)


def _seeds(num_seeds: int, num_diverged: int) -> str:
    return f"{num_seeds} (+{num_diverged} diverged)" if num_diverged else str(num_seeds)


COLUMNS: dict[str, Callable[[VariantRow], str]] = {
    "Model": lambda r: r.model,
    "Parameters (M)": lambda r: f"{r.parameters / 1e6:.2f}",
    "Accuracy": lambda r: with_spread(r.accuracy, r.accuracy_std, 4),
    "Macro-F1": lambda r: with_spread(r.macro_f1, r.macro_f1_std, 4),
    "Train time (min)": lambda r: _each_machine(r, _minutes),
    "Model Size (MB)": lambda r: f"{r.size_bytes / MIB:.1f}",
    "Samples/s": lambda r: _each_machine(r, lambda t: f"{t.samples_per_second:.0f}"),
    "Padding": lambda r: "-" if r.padding_share is None else f"{100 * r.padding_share:.1f} %",
    "Peak (MB)": lambda r: _each_machine(r, lambda t: f"{t.peak_memory_bytes / MIB:.0f}"),
    "Seeds": lambda r: _seeds(r.num_seeds, r.num_diverged),
    "Precision": lambda r: r.precision,
}


def to_rich(table: ComparisonTable, width: int) -> Table:
    """Format the table for a terminal.

    Args:
        table: the rows.
        width: the terminal's width, in characters.

    Returns:
        A rich table: the paper's columns, then as many others as fit.
    """
    cells = _cells(table)
    headers = [name.replace(" (", "\n(") for name in COLUMNS]
    laid_out = Table(box=box.SIMPLE_HEAD, title=Text(caption(table)), title_justify="left")
    num_shown, used = 0, 0
    for index, header in enumerate(headers):
        parts = [*header.split("\n"), *(row[index] for row in cells)]
        used += max(len(part) for part in parts) + 2
        if index >= NUM_PAPER_COLUMNS and used > width - 2:
            laid_out.caption = "`compare --format csv` has every column"
            break
        justify: Literal["left", "right"] = "right" if index else "left"
        laid_out.add_column(header, justify=justify, no_wrap=index > 0)
        num_shown += 1
    for row in cells:
        laid_out.add_row(*map(Text, row[:num_shown]))  # unchanged: names are not markup
    return laid_out


def to_plain(table: ComparisonTable) -> str:
    """Format the table for a file or a pipe."""
    lines = [caption(table), _lay_out(_cells(table), "simple"), *sentences.remarks(table)]
    return "\n".join([*lines, *written(table.curve, "simple")])


def to_markdown(table: ComparisonTable) -> str:
    """Write a GitHub table."""
    cells = [[markdown_text(cell) for cell in row] for row in _cells(table)]
    lines = [markdown_text(line) for line in sentences.remarks(table)]
    return "\n\n".join([_lay_out(cells, "github"), *lines, *written(table.curve, "github")])


def to_latex(table: ComparisonTable) -> str:
    """Write a booktabs table; names are escaped."""
    cells = [[cell.replace("±", "+-") for cell in row] for row in _cells(table)]
    laid_out = _lay_out(cells, "latex_booktabs").replace("+-", r"$\pm$")
    lines = [tex_text(line) for line in sentences.remarks(table)]
    return "\n\n".join([laid_out, *lines, *written(table.curve, "latex_booktabs")])


def to_csv(table: ComparisonTable) -> str:
    """Write every field, unrounded, in SI units: a line for each row and machine.

    The rows of trials with a share of the train rows come after the others.
    """
    apart = ("times", "search", "teaching")
    of_row = [name for name in VariantRow.model_fields if name not in apart]
    of_times = {
        name: f"{name}_there" if name in of_row else name for name in TrainingTimes.model_fields
    }
    fields = [*of_row, "search_train_seconds", "teaching_seconds", *of_times.values()]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(fields)
    for row in (*table.rows, *table.smaller):
        values = row.model_dump(include=set(of_row))
        values["seeds"] = " ".join(str(seed) for seed in row.seeds)
        values["recipe_changes"] = "; ".join(map(str, row.recipe_changes))
        values["search_train_seconds"] = row.search.train_seconds if row.search else ""
        values["teaching_seconds"] = row.teaching.train_seconds if row.teaching else ""
        for times in row.times:
            there = times.model_dump()
            writer.writerow([*values.values(), *(there[name] for name in of_times)])
    for name, num_diverged in variants_without_row(table).items():
        known = {"model": name, "num_seeds": 0, "num_diverged": num_diverged}
        writer.writerow([known.get(name, "") for name in fields])
    return out.getvalue().rstrip("\n")


def to_json(table: ComparisonTable) -> str:
    """Write ``{"study": ..., "rows": [...]}``, unrounded."""
    return json_text.to_json(table)


FORMATS: dict[str, Callable[[ComparisonTable], str]] = {
    "table": to_plain,
    "markdown": to_markdown,
    "csv": to_csv,
    "json": to_json,
    "latex": to_latex,
}


COST_COLUMNS: dict[str, tuple[Callable[[CostFacts], str | float | None], str]] = {
    "Model": (lambda c: c.variant, ""),
    "Setting": (lambda c: c.setting, ""),
    "p50 (ms)": (lambda c: c.latency_p50_ms, ".2f"),
    "p95 (ms)": (lambda c: c.latency_p95_ms, ".2f"),
    "p99 (ms)": (lambda c: c.latency_p99_ms, ".2f"),
    "Rows/s": (lambda c: c.rows_per_second, ".0f"),
    "Load (s)": (lambda c: c.load_seconds, ".2f"),
    "Peak (MB)": (lambda c: c.peak_memory_bytes / MIB, ".0f"),
    "GFLOP/row": (lambda c: c.flops_per_row / 1e9, ".3g"),
    "Money/1M rows": (lambda c: c.money_per_million, ".3g"),
    "Money/training": (lambda c: c.money_per_training, ".3g"),
}
"""The columns of a cost, and how each is written."""


def cost_value(cost: CostFacts, column: str) -> str | float:
    """Return a column's value, unrounded; empty if it is not known."""
    value = COST_COLUMNS[column][0](cost)
    return "" if value is None else value


def cost_text(cost: CostFacts, column: str) -> str:
    """Write a column's value, with a dash if it is not known."""
    value = cost_value(cost, column)
    return "-" if value == "" else f"{value:{COST_COLUMNS[column][1]}}"


def cost_columns(costs: Sequence[CostFacts]) -> list[str]:
    """Return the names of the columns that have a value."""
    known = {
        "Money/1M rows": any(cost.money_per_million is not None for cost in costs),
        "Money/training": any(
            cost.money_per_training is not None or cost.why_no_training_price for cost in costs
        ),
    }
    has_price = any(known.values())  # a dash then shows what is missing
    return [name for name in COST_COLUMNS if name not in known or has_price]


def unpriced(costs: Sequence[CostFacts]) -> list[str]:
    """Say why a money column has dashes, with a sentence for each reason; none without a price."""
    if "Money/training" not in cost_columns(costs):
        return []
    reasons: dict[str, list[str]] = {}
    for cost in costs:
        if cost.why_no_training_price and cost.variant not in reasons.setdefault(
            cost.why_no_training_price, []
        ):
            reasons[cost.why_no_training_price].append(cost.variant)
    return [
        f"No price per training of {', '.join(names)}: {why}." for why, names in reasons.items()
    ]


def costs_to_plain(costs: Sequence[CostFacts]) -> str:
    """Format measured costs for a terminal."""
    names = cost_columns(costs)
    cells = [[cost_text(cost, name) for name in names] for cost in costs]
    alignment = ["left", "left"] + ["right"] * (len(names) - 2)
    machines = ", ".join(dict.fromkeys(cost.machine for cost in costs))
    table = tabulate(cells, names, "simple", disable_numparse=True, colalign=alignment)
    return "\n".join([machines, table, *unpriced(costs)])


def costs_to_json(table: ComparisonTable, costs: Sequence[CostFacts]) -> str:
    """Write ``{"study": ..., "costs": [...], "diverged": [...]}``, unrounded."""
    document = {"study": table.study, "costs": costs, "diverged": table.diverged}
    return json_text.to_json(document)


def agreement_to_plain(lines: Sequence[Agreement]) -> str:
    """Format published and found numbers for a terminal."""
    verdicts = {True: "agrees", False: "DISAGREES", None: "not judged"}
    cells = [
        [
            line.model,
            line.quantity,
            line.published,
            line.found,
            sentences.difference(line.difference) if line.difference else "",
            verdicts[line.agrees],
            line.note,
        ]
        for line in lines
    ]
    headers = ["Model", "", "Published", "Found", "Difference (points)", "", ""]
    return tabulate(cells, headers, "simple", disable_numparse=True)


def caption(table: ComparisonTable) -> str:
    """Say in one line what the rows have in common."""
    if not table.rows:
        why = "every trial diverged" if table.diverged else "no trial scores the test split"
        return f"{table.study}: {why}"
    first = next((row for row in table.rows if not row.is_linear), table.rows[0])
    return (
        f"{table.study}: {first.num_train_examples:,} train rows, "
        f"{first.num_test_examples:,} test rows, {first.num_workers} worker(s), {devices(table)}"
    )


def devices(table: ComparisonTable) -> str:
    """Name the machines that trained, in the order of a row's times.

    An engine is named if it is not the requested one.
    """
    orders = dict.fromkeys(
        " | ".join(_place(row, times) for times in row.times) for row in table.rows
    )
    return ", ".join(orders)


def _place(row: VariantRow, times: TrainingTimes) -> str:
    fell_back = times.engine != row.engine
    return f"{times.device} ({times.engine})" if fell_back else times.device


def _cells(table: ComparisonTable) -> list[list[str]]:
    cells = [[cell(row) for cell in COLUMNS.values()] for row in table.rows]
    return cells + diverged_cells(table)


def variants_without_row(table: ComparisonTable) -> dict[str, int]:
    """Name the variants whose seeds all diverged, with their numbers of seeds."""
    return Counter(one.model for one in table.diverged if not one.has_row)


def diverged_cells(table: ComparisonTable) -> list[list[str]]:
    """Write a row for each variant whose seeds all diverged: it has no scores."""
    known = {"Accuracy": "diverged", "Macro-F1": "diverged"}
    return [
        [{"Model": name, "Seeds": _seeds(0, count), **known}.get(column, "-") for column in COLUMNS]
        for name, count in variants_without_row(table).items()
    ]


def _lay_out(cells: list[list[str]], style: str) -> str:
    """Format text with tabulate: names on the left, numbers on the right, unchanged."""
    alignment = ["left"] + ["right"] * (len(COLUMNS) - 1)
    return tabulate(cells, [*COLUMNS], style, disable_numparse=True, colalign=alignment)

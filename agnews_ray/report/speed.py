"""Timed engines as a table for the terminal, as Markdown, or as JSON."""

from collections.abc import Callable, Sequence

from tabulate import tabulate

from agnews_ray.compare.speed import Bench, SpeedRow
from agnews_ray.record import json_text
from agnews_ray.report.tables import MIB

COLUMNS: dict[str, Callable[[SpeedRow], str]] = {
    "Model": lambda r: r.model,
    "Engine": lambda r: f"{r.engine}, {r.precision}",
    "Samples/s": lambda r: _spread(
        r.samples_per_second, r.lowest_samples_per_second, r.highest_samples_per_second, ".1f"
    ),
    "Ours is faster by": lambda r: (
        f"{_spread(r.ratio, r.lowest_ratio, r.highest_ratio, '.2f')} x"
        if r.engine != "fast"
        else "-"
    ),
    "Padding": lambda r: f"{100 * r.padding_share:.1f} %",
    "Peak (MB)": lambda r: f"{r.peak_memory_bytes / MIB:.0f}",
    "Of the roofline": lambda r: f"{100 * r.roofline_share:.0f} %",
    "Final loss": lambda r: "not a number" if r.final_loss is None else f"{r.final_loss:.3f}",
}


def to_plain(bench: Bench) -> str:
    """Lay the rows out for a terminal."""
    return f"{_caption(bench)}\n{_lay_out(bench.rows, 'simple')}"


def to_markdown(bench: Bench) -> str:
    """Write a GitHub table under its caption."""
    return f"{_caption(bench)}\n\n{_lay_out(bench.rows, 'github')}"


def to_json(bench: Bench) -> str:
    """Write everything, unrounded: ``{"rows": ..., "environment": ..., ...}``."""
    return json_text.to_json(bench)


FORMATS: dict[str, Callable[[Bench], str]] = {
    "table": to_plain,
    "markdown": to_markdown,
    "json": to_json,
}


def _caption(bench: Bench) -> str:
    environment, num_rounds = bench.environment, bench.rows[0].num_rounds
    machine = f"{environment.cpu}, {bench.num_threads} thread(s)"
    if bench.device == "cuda":
        machine = environment.gpu or "GPU"
    versions = ", ".join(
        f"{name} {environment.versions[name]}" for name in ("torch", "transformers")
    )
    return (
        f"{machine}; {versions}; {bench.num_train_rows:,} train rows, {num_rounds} round(s); "
        "median (lowest-highest)"
    )


def _spread(value: float, lowest: float, highest: float, how: str) -> str:
    return f"{value:{how}} ({lowest:{how}}-{highest:{how}})"


def _lay_out(rows: Sequence[SpeedRow], style: str) -> str:
    cells = [[cell(row) for cell in COLUMNS.values()] for row in rows]
    alignment = ["left", "left"] + ["right"] * (len(COLUMNS) - 2)
    return tabulate(cells, [*COLUMNS], style, disable_numparse=True, colalign=alignment)

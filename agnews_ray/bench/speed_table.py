"""The speed of engines as a table for the terminal, as Markdown, or as JSON."""

from collections.abc import Callable

from tabulate import tabulate

from agnews_ray.bench.ratios import Bench, SpeedRow
from agnews_ray.record import json_text
from agnews_ray.report.table_formats import MIB

BUSY_SHARE = 0.05
"""The share of the processors above which the use by other programs is reported."""

COLUMNS: dict[str, Callable[[SpeedRow], str]] = {
    "Model": lambda r: r.model,
    "Engine": lambda r: f"{r.engine}, {r.precision}",
    "Samples/s": lambda r: _spread(
        r.samples_per_second, r.lowest_samples_per_second, r.highest_samples_per_second, ".1f"
    ),
    "Ours is faster by": lambda r: (
        f"{_spread(r.ratio, r.lowest_ratio, r.highest_ratio, '.2f')} x"
        if r.engine != "fast" and r.ratio and r.lowest_ratio and r.highest_ratio
        else "-"
    ),
    "Padding": lambda r: f"{100 * r.padding_share:.1f} %",
    "Peak (MB)": lambda r: f"{r.peak_memory_bytes / MIB:.0f}",
    "Share of the roofline": lambda r: f"{100 * r.roofline_share:.0f} %",
    "Final loss": lambda r: "not a number" if r.final_loss is None else f"{r.final_loss:.3f}",
}


def to_plain(bench: Bench) -> str:
    """Format the rows for a terminal."""
    return "\n".join([_caption(bench), _lay_out(bench, "simple"), *_notes(bench)])


def to_markdown(bench: Bench) -> str:
    """Write a GitHub table under its caption."""
    return "\n\n".join([_caption(bench), _lay_out(bench, "github"), *_notes(bench)])


def to_json(bench: Bench) -> str:
    """Write everything, unrounded: ``{"rows": ..., "environment": ..., ...}``."""
    return json_text.to_json(bench)


FORMATS: dict[str, Callable[[Bench], str]] = {
    "table": to_plain,
    "markdown": to_markdown,
    "json": to_json,
}


def _caption(bench: Bench) -> str:
    environment = bench.environment
    num_rounds = max((row.num_rounds for row in bench.rows), default=0)
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


def _notes(bench: Bench) -> list[str]:
    notes = [f"{r.model}, {r.engine}, {r.precision} failed: {r.cause}" for r in bench.failed]
    others, num_cpus = bench.others_cores, bench.environment.num_cpus
    if others is not None and others > BUSY_SHARE * num_cpus:
        notes.append(
            f"note: other programs used {others:.1f} of {num_cpus} cores while these were "
            "measured; run it again on a quiet machine"
        )
    return notes


def _lay_out(bench: Bench, style: str) -> str:
    cells = [[cell(row) for cell in COLUMNS.values()] for row in bench.rows]
    for row in bench.failed:
        named = [row.model, f"{row.engine}, {row.precision}", "failed"]
        cells.append(named + ["-"] * (len(COLUMNS) - len(named)))
    alignment = ["left", "left"] + ["right"] * (len(COLUMNS) - 2)
    return tabulate(cells, [*COLUMNS], style, disable_numparse=True, colalign=alignment)

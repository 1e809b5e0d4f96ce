"""What a finished artifact costs to use: measured later than the record, and kept beside it."""

import json
from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from agnews_ray.errors import RecordError
from agnews_ray.record.durable import write_whole
from agnews_ray.record.finished import NewerRecordError
from agnews_ray.record.json_text import to_json
from agnews_ray.record.schema import Record
from agnews_ray.spec.base import Device, Precision

FILE_NAME = "cost.json"
SCHEMA_VERSION = 1


class CostRecord(Record):
    """One artifact on one device, timed in alternation with the others of its study."""

    schema_version: int = SCHEMA_VERSION
    measured_at: str
    """UTC, ISO 8601."""
    command: str
    machine: str
    """Name of the CPU or GPU."""
    device: Device
    num_threads: int
    """CPU threads that torch was given."""
    precision: Precision
    """Of weights and arithmetic."""
    num_rows: int
    """Test rows timed, one at a time and in batches."""
    latency_p50_ms: float
    """From text to probabilities, one row at a time; tokenising included."""
    latency_p95_ms: float
    latency_p99_ms: float
    rows_per_second: float
    """From text to probabilities, 64 rows of like length at a time."""
    load_seconds: float
    """Weights and tokenizer from disk, in a fresh process, imports not counted; median of three."""
    peak_memory_bytes: int
    """Of a fresh process that loads and predicts: resident on a CPU, allocated on a GPU."""
    flops_per_row: float
    """Floating-point operations of the forward pass, mean over the test rows, unpadded."""
    versions: dict[str, str]
    """torch and transformers."""

    @property
    def setting(self) -> str:
        """Device, threads and precision in a few words."""
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        place = "GPU" if self.device == "cuda" else f"CPU, {threads}"
        return f"{place}, {self.precision}"


def load_costs(folder: Path) -> tuple[CostRecord, ...]:
    """Read a trial's measurements.

    Args:
        folder: of the trial.

    Returns:
        One for each machine and setting; empty where nothing was measured.

    Raises:
        RecordError: the file is damaged.
    """
    path = folder / FILE_NAME
    hint = "delete it and run `agnews-ray measure` again"
    if not path.is_file():
        return ()
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        versions = {one["schema_version"] for one in content}
        if any(type(one) is not int for one in versions):
            raise TypeError("version")  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RecordError(str(path), "measured costs", "a damaged file", hint) from error
    if any(one > SCHEMA_VERSION for one in versions):
        found = f"version {max(versions)}"
        wanted = f"costs of version {SCHEMA_VERSION}"
        raise NewerRecordError(str(path), wanted, found, "upgrade agnews-ray")
    try:
        return TypeAdapter(tuple[CostRecord, ...]).validate_python(content)
    except ValidationError as error:
        raise RecordError(str(path), "measured costs", "a damaged file", hint) from error


def save_costs(folder: Path, measured: Sequence[CostRecord]) -> None:
    """Add measurements to a trial's; the same machine's same setting is replaced.

    Args:
        folder: of the trial.
        measured: what is new.

    Raises:
        StoreError: the folder cannot be written, or a newer version's file is there.
    """
    new = {(cost.machine, cost.setting): cost for cost in measured}
    kept = {(cost.machine, cost.setting): cost for cost in _readable_costs(folder)}
    content = list((kept | new).values())
    write_whole(folder / FILE_NAME, to_json(content) + "\n")


def _readable_costs(folder: Path) -> tuple[CostRecord, ...]:
    """Nothing where the file is damaged: what took minutes to measure is not lost to it."""
    try:
        return load_costs(folder)
    except NewerRecordError:
        raise
    except RecordError:
        return ()

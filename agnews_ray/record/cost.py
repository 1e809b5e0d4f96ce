"""The cost of using a finished artifact, measured after the record was made and kept beside it."""

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
    """The measurements of one artifact on one device, in turns with the others of its study."""

    schema_version: int = SCHEMA_VERSION
    measured_at: str
    """The time of the measurement, in UTC, ISO 8601."""
    command: str
    machine: str
    """The name of the CPU or GPU."""
    device: Device
    num_threads: int
    """The number of torch's CPU threads."""
    precision: Precision
    """The precision of weights and arithmetic."""
    num_rows: int
    """The number of test rows timed, one at a time and in batches."""
    latency_p50_ms: float
    """The median time from text to probabilities, one row at a time, with tokenising."""
    latency_p95_ms: float
    latency_p99_ms: float
    rows_per_second: float
    """The rows per second from text to probabilities, in batches of 64 rows of similar length."""
    load_seconds: float
    """The time to load weights and tokenizer from disk, in a new process, without imports; median
    of three."""
    peak_memory_bytes: int
    """The peak memory of a new process that loads and predicts: resident on a CPU, allocated on a
    GPU."""
    flops_per_row: float
    """The floating-point operations of the forward pass, mean over the test rows, without
    padding."""
    versions: dict[str, str]
    """The versions of torch and transformers."""

    @property
    def setting(self) -> str:
        """Device, threads and precision in a few words."""
        threads = f"{self.num_threads} thread{'s' if self.num_threads > 1 else ''}"
        place = "GPU" if self.device == "cuda" else f"CPU, {threads}"
        return f"{place}, {self.precision}"


def load_costs(folder: Path) -> tuple[CostRecord, ...]:
    """Read a trial's measurements.

    Args:
        folder: the trial's folder.

    Returns:
        One for each machine and setting; empty if nothing was measured.

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
    """Add measurements to a trial's; one of the same machine and setting is replaced.

    Args:
        folder: the trial's folder.
        measured: the new measurements.

    Raises:
        StoreError: the folder cannot be written, or a newer version's file is there.
    """
    new = {(cost.machine, cost.setting): cost for cost in measured}
    kept = {(cost.machine, cost.setting): cost for cost in _readable_costs(folder)}
    content = list((kept | new).values())
    write_whole(folder / FILE_NAME, to_json(content) + "\n")


def _readable_costs(folder: Path) -> tuple[CostRecord, ...]:
    """Read what can be read: nothing of a damaged file, so that new measurements are not lost."""
    try:
        return load_costs(folder)
    except NewerRecordError:
        raise
    except RecordError:
        return ()

"""Use case: measure the speed of a study's finished artifacts in turns, with torch, without Ray."""

import gc
import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Literal

import numpy as np
import torch
from safetensors import SafetensorError

from agnews_ray.app.analyse import open_study, variant_order
from agnews_ray.compare.cost_front import cost_facts
from agnews_ray.compare.findings import CostFacts
from agnews_ray.compare.grouping import for_students, group_records
from agnews_ray.compare.prices import Prices
from agnews_ray.compare.searches import searched
from agnews_ray.compare.table import ComparisonTable, VariantRow, compare_records
from agnews_ray.engine.child_process import call_alone
from agnews_ray.errors import ResourceError, StoreError
from agnews_ray.model.artifact import Classifier, can_run_on, is_artifact, probe
from agnews_ray.model.flops import flops_per_row
from agnews_ray.record.cost import CostRecord, save_costs
from agnews_ray.record.environment import describe_environment, num_usable_cpus
from agnews_ray.record.outputs import load_test_rows
from agnews_ray.record.schema import EnvironmentRecord
from agnews_ray.run.device import (
    check_precision,
    device_notes,
    resolve_device,
    resolve_precision,
)
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec

BATCH_ROWS = 64
BATCH_REPEATS = 3

Note = Callable[[str], None]
"""A function that is called with one line about what is being measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasureSpec:
    """The settings of a measurement."""

    num_rows: int = 512
    """The number of test rows, the same for every artifact; a round has 64 of similar length."""
    device: Device | Literal["all"] = "all"
    """The device; ``all`` is the CPU, and the GPU if there is one."""
    precision: Precision | Literal["auto"] = "auto"
    """The precision; ``auto``: fp32 on a CPU, fp16 on a GPU."""


@dataclass(frozen=True, slots=True)
class _Setting:
    device: Device
    num_threads: int
    precision: Precision


@dataclass(frozen=True, slots=True)
class _Artifact:
    """A variant's first finished trial; its other seeds differ in scores, not in cost."""

    row: VariantRow
    trial_folder: Path
    max_length_tokens: int

    @property
    def folder(self) -> Path:
        return self.trial_folder / "artifact"


@dataclass(frozen=True, slots=True)
class _Probed:
    load_seconds: float
    peak_memory_bytes: int
    flops_per_row: float
    precision: Precision
    """That of the setting, or what the artifact is computed in at all."""


@dataclass(slots=True)
class _Timed:
    """The measured times of one artifact in one setting."""

    single_s: list[float] = field(default_factory=list)
    """The seconds of each single row."""
    batch_s: list[float] = field(default_factory=list)
    """The seconds of each batch, median of its repeats."""


def measure_study(
    folder: Path, spec: MeasureSpec, command: str, prices: Prices, note: Note
) -> tuple[CostFacts, ...]:
    """Measure every variant's artifact, and keep the results beside its record.

    The artifacts take turns on the same rows, in another order each round, so that a busy machine
    affects all equally. Scores and records do not change.

    Args:
        folder: ``runs/<study>``.
        spec: rows, device, precision.
        command: the command line, which is kept.
        prices: the prices for the result; they are not kept.
        note: called with one line about each measurement.

    Returns:
        The new measurements, in the study's order.

    Raises:
        StoreError: there is no study or no finished trial, or an artifact or the test rows are
            missing.
        ResourceError: this machine lacks the requested device.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # one thread must mean one thread
    artifacts, texts = _open(folder, spec.num_rows, note)
    environment = describe_environment()
    found: list[list[CostRecord]] = [[] for _ in artifacts]
    settings = _settings(spec)
    if spec.device == "all":
        for line in device_notes(ScalingSpec(), settings[-1].device):
            note(line)
    for setting in settings:
        note(f"loading on {setting.device}, {setting.num_threads} thread(s), {setting.precision}")
        fitting = [one for one in artifacts if can_run_on(one.folder, setting.device)]
        for artifact in artifacts:
            if artifact not in fitting:
                note(f"{artifact.row.model} is left out: it is computed on the CPU alone")
        timed = _measure_setting(fitting, texts, setting, note) if fitting else []
        for artifact, (facts, times) in zip(fitting, timed, strict=True):
            costs = found[artifacts.index(artifact)]
            costs.append(_cost_record(setting, facts, times, environment, command))
            save_costs(artifact.trial_folder, costs)
    rows = [artifact.row for artifact in artifacts]
    return cost_facts(list(zip(rows, found, strict=True)), prices)


def _measure_setting(
    artifacts: Sequence[_Artifact], texts: Sequence[str], setting: _Setting, note: Note
) -> list[tuple[_Probed, _Timed]]:
    probed, classifiers = [], []
    for artifact in artifacts:
        max_length = artifact.max_length_tokens
        try:
            load_seconds, peak = _probe(artifact, texts, setting)
            classifier = Classifier(artifact.folder, max_length, setting.device, setting.precision)
        except (OSError, RuntimeError, ValueError, SafetensorError, StoreError) as error:
            found = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
            hint = "free memory, or delete the trial's folder and submit again"
            wanted = f"a model that loads and predicts on {setting.device}"
            raise ResourceError(str(artifact.folder), wanted, found, hint) from error
        flops = flops_per_row(artifact.folder, classifier.num_tokens(texts))
        probed.append(_Probed(load_seconds, peak, flops, classifier.precision))
        classifiers.append(classifier)
    timed = _time_in_turns(classifiers, texts, setting.num_threads, note)
    return list(zip(probed, timed, strict=True))


def _cost_record(
    setting: _Setting,
    probed: _Probed,
    times: _Timed,
    environment: EnvironmentRecord,
    command: str,
) -> CostRecord:
    p50, p95, p99 = (float(ms) for ms in np.percentile(times.single_s, [50, 95, 99]) * 1e3)
    gpu = environment.gpu or "GPU"
    return CostRecord(
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command,
        machine=gpu if setting.device == "cuda" else environment.cpu,
        device=setting.device,
        num_threads=setting.num_threads,
        precision=probed.precision,
        num_rows=len(times.single_s),
        latency_p50_ms=p50,
        latency_p95_ms=p95,
        latency_p99_ms=p99,
        rows_per_second=len(times.single_s) / sum(times.batch_s),
        load_seconds=probed.load_seconds,
        peak_memory_bytes=probed.peak_memory_bytes,
        flops_per_row=probed.flops_per_row,
        versions={name: environment.versions[name] for name in ("torch", "transformers")},
    )


def _open(folder: Path, num_rows: int, note: Note) -> tuple[list[_Artifact], list[str]]:
    """Open the artifacts, name diverged trials, and choose texts in groups of similar length."""
    store, study, records = open_study(folder, note)
    order = variant_order(study)
    artifacts = []
    finished = store.finished().records
    used = (*records, *searched(finished), *for_students(finished))
    table = compare_records(store.folder.name, used, order)
    _name_diverged(table, note)
    for row, group in zip(table.rows, group_records(records, order), strict=True):
        trial_folder = store.trial_folder(group[0].trial_id)
        artifact = _Artifact(row, trial_folder, group[0].data.max_length_tokens)
        if not is_artifact(artifact.folder):
            hint = f"delete {trial_folder} and submit again"
            raise StoreError(str(artifact.folder), "a saved model", "none", hint)
        artifacts.append(artifact)
    kept = load_test_rows(
        store.test_rows_path, records[0].dataset.fingerprint, records[0].test.num_examples
    )
    if kept is None:
        hint = "run the study's `agnews-ray submit` again; no trial is run again"
        raise StoreError(str(store.test_rows_path), "the study's test rows", "none", hint)
    rng = np.random.default_rng(0)
    num_rounds = max(1, min(num_rows, len(kept.texts)) // BATCH_ROWS)
    num_taken = min(num_rounds * BATCH_ROWS, len(kept.texts))
    chosen = rng.choice(len(kept.texts), size=num_taken, replace=False)
    return artifacts, sorted((kept.texts[index] for index in chosen), key=len)


def _name_diverged(table: ComparisonTable, note: Note) -> None:
    for trial in table.diverged:
        note(f"{trial.trial_id} diverged ({trial.reason}) and is not measured")
    if not table.rows:
        hint = "lower --learning-rate, or use another --precision, with another --name"
        raise StoreError(table.study, "a trial that did not diverge", "none", hint)


def _settings(spec: MeasureSpec) -> list[_Setting]:
    settings: list[_Setting] = []
    num_cpus = num_usable_cpus()
    device, num_gpus = resolve_device(
        ScalingSpec(device="auto" if spec.device == "all" else spec.device)
    )
    if spec.device != "cuda":
        precision: Precision = "fp32" if spec.precision == "auto" else spec.precision
        check_precision(precision, "cpu")
        settings += [_Setting("cpu", threads, precision) for threads in sorted({1, num_cpus})]
    if num_gpus:
        recipe = RecipeSpec(precision=spec.precision)
        settings.append(_Setting("cuda", num_cpus, resolve_precision(recipe, device)))
    return settings


def _probe(artifact: _Artifact, texts: Sequence[str], setting: _Setting) -> tuple[float, int]:
    """Measure seconds to load, and peak bytes, in a separate process."""
    max_length = artifact.max_length_tokens
    where = (setting.device, setting.precision, setting.num_threads)
    seconds, peak = call_alone(probe, artifact.folder, texts, max_length, *where)
    return seconds, peak


def _time_in_turns(
    classifiers: Sequence[Classifier], texts: Sequence[str], num_threads: int, note: Note
) -> list[_Timed]:
    """Time all classifiers in turns on the same rows."""
    rounds = [texts[first : first + BATCH_ROWS] for first in range(0, len(texts), BATCH_ROWS)]
    random.Random(0).shuffle(rounds)  # noqa: S311  # a machine's drift must not look like length
    timed = [_Timed() for _ in classifiers]
    with _quiet_machine(num_threads):
        for classifier in classifiers:  # warm up
            classifier(texts[:BATCH_ROWS])
            classifier(texts[-1:])
        for number, rows in enumerate(rounds):
            note(f"round {number + 1} of {len(rounds)}: {len(classifiers)} artifact(s) in turns")
            for turn in range(len(classifiers)):
                index = (number + turn) % len(classifiers)
                classifier, times = classifiers[index], timed[index]
                times.single_s += [_seconds(classifier, [text]) for text in rows]
                repeats = [_seconds(classifier, rows) for _ in range(BATCH_REPEATS)]
                times.batch_s.append(median(repeats))
    return timed


def _seconds(classifier: Classifier, texts: Sequence[str]) -> float:
    start = time.perf_counter()
    classifier(texts)
    return time.perf_counter() - start


@contextmanager
def _quiet_machine(num_threads: int) -> Iterator[None]:
    """Use this number of threads, without garbage collection in between."""
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        torch.set_num_threads(before)

"""Use case: predict what a study will take, by short probes and the errors of the past."""

import json
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from agnews_ray.app.prepare import PreparedStudy
from agnews_ray.bench.probe_request import ProbeRequest
from agnews_ray.data.cached import cache_key, find_fault, kept_folder
from agnews_ray.data.padding import Order, padded_lengths, scored_lengths
from agnews_ray.data.scan import ScannedDataset
from agnews_ray.model import zoo
from agnews_ray.plan.past_errors import machine_of, past_errors
from agnews_ray.plan.probed import FILE_NAME, Batches, Measured, Probed, Workload, workload
from agnews_ray.plan.time_forecast import Forecast
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.environment import describe_environment, num_usable_cpus
from agnews_ray.record.finished import read_finished
from agnews_ray.record.json_text import to_json
from agnews_ray.record.schema import EnvironmentRecord, TrialRecord
from agnews_ray.spec.linear_models import is_linear

PROBES_FOLDER = "probes"
"""The folder of kept probes in the cache."""

PROBE_VERSION = 1
"""The version of what a probe measures; raised whenever it measures something else."""

OF_STEP = ("global_batch_size", "evaluation_batch_size", "label_smoothing", "class_weights")
"""The fields of a recipe that may change the time of a batch."""

GPU_LENGTH_MULTIPLE = 8
"""The number of tokens of which padded lengths are a multiple on a GPU (``engine.fast``)."""

ORDERS: Mapping[str, Order] = {"fast": "similar", "reference": "random"}
"""Which rows an engine puts in a batch; the others group them as the Trainer does."""

Note = Callable[[str], None]
Probe = Callable[[ProbeRequest], Measured]


NOT_PROBED = "a linear model, fitted in seconds or by one pass of its encoder, is not probed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine that trains."""

    environment: EnvironmentRecord
    num_threads: int
    """The number of CPU threads of a worker."""
    num_at_once: int
    """The number of trials side by side."""
    num_machines: int = 1
    """The number of machines of a trial."""

    @classmethod
    def here(cls, prepared: PreparedStudy) -> "Machine":
        """Describe this machine, as it trains the study."""
        workers = prepared.study.scaling.num_workers
        num_at_once = max(1, prepared.num_gpus // workers)
        return cls(
            environment=describe_environment(),
            num_threads=max(1, num_usable_cpus() // (num_at_once * workers)),
            num_at_once=num_at_once,
        )


def forecast_study(
    prepared: PreparedStudy,
    note: Note,
    *,
    measure: Probe | None,
    is_fresh: bool = False,
    machine: Machine | None = None,
) -> Forecast:
    """Predict what each variant of a study takes.

    Args:
        prepared: the study.
        note: called with a line about what is measured now.
        measure: measures variants; None uses only probes that are kept.
        is_fresh: whether kept probes are measured again.
        machine: the machine that trains; None: this one.

    Returns:
        The forecast; a variant without a probe is in ``unmeasured``.
    """
    machine = machine or Machine.here(prepared)
    tuned = [trial for trial in prepared.trials if trial.work == "fine-tuning"]
    trials = {trial.variant.name: trial for trial in reversed(tuned)}
    keys = {
        name: _key(prepared, trial, machine)
        for name, trial in trials.items()
        if not is_linear(trial.variant.model)
    }
    folder = prepared.cache / PROBES_FOLDER
    found: dict[str, Probed | str] = dict.fromkeys(trials.keys() - keys, NOT_PROBED)
    for name, key in keys.items():
        kept = None if is_fresh else _kept(folder / key)
        if kept is not None and (kept.is_quiet or measure is None):
            found[name] = kept
    missing = tuple(trials[v.name] for v in prepared.study.models if v.name not in found)
    if missing and measure is not None:
        found |= _measured(prepared, missing, machine, measure, note)
        for trial in missing:
            measured = found[trial.variant.name]
            if isinstance(measured, Probed):
                _keep(measured, folder / keys[trial.variant.name], note)
    records = list(_records_beside(prepared)) if found else []
    workers = prepared.study.scaling.num_workers
    name = machine_of(machine.environment, prepared.device, workers)
    works = {
        one: _work(prepared, trials[one], probed, machine, keys[one])
        for one, probed in found.items()
        if isinstance(probed, Probed)
    }
    return Forecast(
        workloads=works,
        unmeasured={
            one: str(found.get(one, "no probe is kept")) for one in trials if one not in works
        },
        past=past_errors(records, name),
        num_at_once=machine.num_at_once,
        num_machines=machine.num_machines,
        done=frozenset(_tokenised(prepared, works, records)),
    )


def has_probes(prepared: PreparedStudy) -> bool:
    """Whether any probe is kept beside the study."""
    return (prepared.cache / PROBES_FOLDER).is_dir()


def _measured(
    prepared: PreparedStudy,
    trials: tuple[PlannedTrial, ...],
    machine: Machine,
    measure: Probe,
    note: Note,
) -> Measured:
    names = ", ".join(trial.variant.name for trial in trials)
    note(f"probe {names}: training a few batches on the {trials[0].device}")
    request = ProbeRequest(
        scanned=prepared.scanned,
        data=prepared.study.data,
        cache=prepared.cache,
        trials=trials,
        num_threads=machine.num_threads,
        num_workers=prepared.study.scaling.num_workers,
    )
    try:
        found = measure(request)
    except Exception as error:  # noqa: BLE001  # a process that was killed for its memory
        why = f"{type(error).__name__}: {' '.join(str(error).split())}"[:200]
        found = {trial.variant.name: why for trial in trials}
    for name, one in found.items():
        if isinstance(one, str):
            note(f"note  {name} could not be measured: {one}")
        elif not one.is_quiet:
            note(
                f"note  {name}: other programs kept {one.others_cores:.1f} processors busy while "
                "it was measured; trials are predicted to be as slow"
            )
    return found


def _key(prepared: PreparedStudy, trial: PlannedTrial, machine: Machine) -> str:
    """Make a probe's name from all that its times and lengths depend on, but for the load."""
    variant, here = trial.variant, machine.environment
    recipe = trial.recipe.model_dump(mode="json")
    record = prepared.scanned.record
    content = {
        "machine": [here.gpu if trial.device == "cuda" else here.cpu, here.num_cpus],
        "threads": machine.num_threads,
        "device": trial.device,
        "weights": zoo.identity(variant) + zoo.head_of(variant),
        "variant": variant.model_dump(mode="json", include={"init", "architecture", "engine"})
        | ({"student": variant.student.model_dump(mode="json")} if variant.student else {}),
        "recipe": {name: recipe[name] for name in OF_STEP if name in recipe},
        "precision": trial.precision,
        "num_workers": prepared.study.scaling.num_workers,
        "rows": [record.train.fingerprint, record.test.fingerprint, len(record.class_names)],
        "max_length": prepared.study.data.max_length_tokens,
    }
    return cache_key(content, PROBE_VERSION, ["torch", "transformers", "tokenizers"])


def _kept(folder: Path) -> Probed | None:
    if find_fault(folder, {}) is not None:
        return None
    try:
        return Probed.model_validate_json((folder / FILE_NAME).read_bytes())
    except (OSError, ValidationError):
        return None


def _keep(probed: Probed, folder: Path, note: Note) -> None:
    shutil.rmtree(folder, ignore_errors=True)  # measured again
    text = to_json(probed)
    kept_folder(folder, lambda new: _write(new / FILE_NAME, text), note)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _work(
    prepared: PreparedStudy, trial: PlannedTrial, probed: Probed, machine: Machine, key: str
) -> Workload:
    scanned, recipe = prepared.scanned, trial.recipe
    size = recipe.evaluation_batch_size
    test = np.array(probed.test_lengths)
    order = ORDERS.get(trial.variant.engine, "grouped")
    train = padded_lengths(
        np.array(probed.train_lengths),
        scanned.record.num_train,
        recipe.global_batch_size,
        order,
    )
    is_rounded = trial.device == "cuda" and order == "similar"
    batches = Batches(
        train=_rounded(train) if is_rounded else train,
        test=_share(scored_lengths(test, _num_scored(scanned, trial), size), prepared),
        validation=_share(scored_lengths(test, scanned.validation.num_rows, size), prepared),
        num_texts=scanned.train.num_rows + scanned.test.num_rows + scanned.validation.num_rows,
    )
    return workload(probed, batches, recipe.num_epochs, machine.environment.num_cpus, key)


def _num_scored(scanned: ScannedDataset, trial: PlannedTrial) -> int:
    return scanned.test.num_rows if trial.scores_test else 0


def _share(lengths: NDArray[np.int64], prepared: PreparedStudy) -> NDArray[np.int64]:
    """Take the batches that one worker scores."""
    return lengths[:: prepared.study.scaling.num_workers]


def _rounded(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return -(-lengths // GPU_LENGTH_MULTIPLE) * GPU_LENGTH_MULTIPLE


def _records_beside(prepared: PreparedStudy) -> Iterable[TrialRecord]:
    """Read the records of all studies in the runs folder."""
    for trials in sorted(prepared.store.folder.parent.glob("*/trials")):
        yield from read_finished(trials).records


def _tokenised(
    prepared: PreparedStudy, works: Mapping[str, Workload], records: Iterable[TrialRecord]
) -> Iterable[str]:
    """Name the tokenizers with which an earlier trial had these very rows tokenised."""
    lengths = prepared.study.data.max_length_tokens
    known = {
        json.dumps(_of_tokenizer(record.variant))
        for record in records
        if record.dataset == prepared.scanned.record and record.data.max_length_tokens == lengths
    }
    for variant in prepared.study.models:
        if variant.name in works and json.dumps(_of_tokenizer(variant)) in known:
            yield works[variant.name].tokenizer


def _of_tokenizer(variant: object) -> object:
    return variant.model_dump(  # type: ignore[attr-defined]
        mode="json", include={"model", "revision", "init", "architecture"}
    )

"""From a trial's record, and the files beside it, to what a tracker gets."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from agnews_ray.compare.bootstrap import NUM_DRAWS, count, draw_counts
from agnews_ray.compare.variants import accuracy_interval, macro_f1_of, score_interval
from agnews_ray.errors import RecordError
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.plan.names import slug
from agnews_ray.record.cost import CostRecord, load_costs
from agnews_ray.record.json_text import to_json
from agnews_ray.record.outputs import (
    load_curve,
    load_learning_rates,
    load_loss_parts,
    load_predictions,
)
from agnews_ray.record.schema import TrialRecord
from agnews_ray.spec.shares import in_percent
from agnews_ray.track.tracked_trial import Curve, TrackedTrial, Value

ALPHA = 0.05
"""1 - confidence of the intervals."""
DRAWS_SEED = 0
"""The seed of the bootstrap, so that a second pass gives the same intervals."""

MEASURED = (
    "latency_p50_ms",
    "latency_p95_ms",
    "latency_p99_ms",
    "rows_per_second",
    "load_seconds",
    "peak_memory_bytes",
    "flops_per_row",
)
"""The numbers of a measured cost."""


def tracked_trial(
    record: TrialRecord,
    folder: Path,
    study: str,
    artifact: str | None,
    tell: Callable[[str], None],
) -> TrackedTrial:
    """Collect what a tracker gets of a trial; the same files always give the same.

    Args:
        record: the trial's record.
        folder: the trial's folder.
        study: the name of the study's folder, by which runs are grouped.
        artifact: the path or URI of the trained model; None if there is none.
        tell: called with a line about each file that cannot be read and is left out.

    Returns:
        The parameters, tags, scores and curves.
    """
    costs = _read(lambda: load_costs(folder), tell) or ()
    ended_at = _unix(record.created_at)
    took = record.training.train_seconds + record.training.scoring_seconds
    return TrackedTrial(
        trial_id=record.trial_id,
        study=study,
        name=_name(record),
        variant=record.variant.name,
        seed=record.seed,
        parameters=_parameters(record),
        tags=_tags(record, study, artifact),
        scores=_finite(
            {
                **_test_scores(record, folder, tell),
                **_train_facts(record),
                **_pretrained(record),
                **_costs(costs),
            }
        ),
        curves=_curves(record, folder, tell),
        started_at=ended_at - took,
        ended_at=ended_at,
        changed_at=max([ended_at, *(_unix(cost.measured_at) for cost in costs)]),
        diverged=record.diverged,
    )


def _name(record: TrialRecord) -> str:
    parts = [record.variant.name]
    if record.work == "pretraining":
        parts.append("pre-training")
    if record.train_share < 1:
        parts.append(f"{in_percent(record.train_share)} of the rows")
    parts.append(f"seed {record.seed}")
    if record.search is not None:
        parts.append(f"setting {record.search.number}")
    return " · ".join(parts)


def _parameters(record: TrialRecord) -> dict[str, Value]:
    dataset, model = record.dataset, record.model
    facts: dict[str, Any] = {
        "variant": record.variant.model_dump(exclude={"recipe"}),
        "seed": record.seed,
        "recipe": record.recipe.model_dump(),
        "data": record.data.model_dump(exclude_none=True),
        "scaling": record.scaling.model_dump(),
        "device": record.device,
        "precision": record.precision,
        "model": model.model_dump(include={"model_id", "revision", "head"})
        | {"parameters": model.parameters, "size_bytes": model.size_bytes},
        "dataset": {
            "fingerprint": dataset.fingerprint,
            "num_train": dataset.num_train,
            "num_test": dataset.test.num_selected,
            "num_classes": len(dataset.class_names),
            "class_names": dataset.class_names,
        },
        "training": {
            "num_steps": record.training.num_steps,
            "best_epoch": record.training.best_epoch,
            "stopped_after_epoch": record.training.stopped_after_epoch,
            "engine": record.training.engine or record.variant.engine,
        },
    }
    if record.train_share < 1:
        facts["train_share"] = record.train_share
    if record.teaching is not None:
        facts["teaching"] = record.teaching.model_dump(exclude_none=True)
    if record.pretraining is not None:
        facts["pretraining"] = record.pretraining.model_dump(
            exclude={"final_parts"}, exclude_none=True
        )
    if record.search is not None:
        facts["search"] = record.search.model_dump(include={"variant", "number", "settings"})
    return dict(_flat(facts))


def _flat(facts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Value]]:
    """Yield dotted names with plain values; None is left out, lists become JSON."""
    for name, value in facts.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{name}.")
        elif isinstance(value, str | bool | int | float):
            yield f"{above}{name}", value
        elif value is not None:
            yield f"{above}{name}", to_json(value, indent=None)


def _tags(record: TrialRecord, study: str, artifact: str | None) -> dict[str, str]:
    machine = record.environment.gpu or record.environment.cpu
    tags = {
        "trial_id": record.trial_id,
        "study": study,
        "variant": record.variant.name,
        "seed": str(record.seed),
        "command": record.command,
        "machine": machine,
        "commit": record.environment.commit,
        "artifact": artifact,
        "diverged": record.diverged,
    }
    if record.search is not None:
        tags["search"] = "stopped early" if record.search.is_stopped else "trained to its end"
    return {name: text for name, text in tags.items() if text}


def _test_scores(
    record: TrialRecord, folder: Path, tell: Callable[[str], None]
) -> dict[str, float | None]:
    test = record.test
    if test.accuracy is None or not record.scores_test:
        return {}
    scores: dict[str, float | None] = {
        "test/accuracy": test.accuracy,
        "test/macro_f1": test.macro_f1,
    }
    found = _read(lambda: load_predictions(folder, record), tell)
    if found is not None:
        predicted, num_classes = found.predicted[None], len(record.dataset.class_names)
        observed = count(found.labels, predicted, num_classes)
        rng = np.random.default_rng(DRAWS_SEED)
        drawn = draw_counts(found.labels, predicted, num_classes, NUM_DRAWS, rng)
        for name, interval in (
            ("accuracy", accuracy_interval(observed, drawn, ALPHA)),
            ("macro_f1", score_interval(macro_f1_of, observed, drawn, ALPHA)),
        ):
            scores |= {f"test/{name}_low": interval.low, f"test/{name}_high": interval.high}
    return scores | {f"test/f1/{one.name}": one.f1 for one in test.per_class}


def _train_facts(record: TrialRecord) -> dict[str, float | None]:
    training = record.training
    return {
        "train/final_loss": training.final_loss,
        "train/seconds": training.train_seconds,
        "train/samples_per_second": training.samples_per_second,
        "train/peak_memory_bytes": training.peak_memory_bytes,
        "train/total_seconds": record.total_seconds,
        "train/seconds_to_first_step": training.seconds_to_first_step,
        "train/padding_share": training.padding_share,
        "model/parameters": record.model.parameters,
        "model/size_bytes": record.model.size_bytes,
    }


def _pretrained(record: TrialRecord) -> dict[str, float | None]:
    """Name the means of a loss's parts at the end of a pre-training."""
    parts = record.pretraining.final_parts if record.pretraining is not None else {}
    return {f"train/final_loss/{name}": value for name, value in parts.items()}


def _costs(costs: tuple[CostRecord, ...]) -> dict[str, float | None]:
    """Name each measured number by its setting, and by its machine if there are several."""
    num_machines = len({cost.machine for cost in costs})
    found: dict[str, float | None] = {}
    for cost in costs:
        above = f"cost/{slug(cost.machine)}" if num_machines > 1 else "cost"
        for name in MEASURED:
            found[f"{above}/{slug(cost.setting)}/{name}"] = getattr(cost, name)
    return found


def _curves(record: TrialRecord, folder: Path, tell: Callable[[str], None]) -> dict[str, Curve]:
    series: dict[str, tuple[Any, Any]] = {}
    if (folder / "curve.parquet").is_file():  # what is not trained step by step has none
        found = _read(lambda: load_curve(folder), tell)
        if found is not None:
            steps = np.arange(1, len(found.loss) + 1)
            series["train/loss"] = steps, found.loss
            parts = _read(lambda: load_loss_parts(folder), tell) or {}
            series |= {f"train/loss/{name}": (steps, part) for name, part in parts.items()}
            rates = _read(lambda: load_learning_rates(folder), tell)
            if rates is not None:
                series["train/learning_rate"] = steps, rates
    batch = record.recipe.global_batch_size
    of_epoch = steps_per_epoch(record.training.num_train_examples, batch)
    at = of_epoch * np.arange(1, len(record.validation) + 1)
    rungs = record.search.rungs if record.search is not None else ()
    for name in ("accuracy", "macro_f1"):
        series[f"validation/{name}"] = at, [getattr(one, name) for one in record.validation]
        series[f"search/{name}"] = (
            [rung.step for rung in rungs],
            [getattr(rung, name) for rung in rungs],
        )
    curves = {name: _finite_curve(steps, values) for name, (steps, values) in series.items()}
    return {name: curve for name, curve in curves.items() if curve.steps.size}


def _finite_curve(steps: Any, values: Any) -> Curve:
    """Leave out what is no number: trackers cannot draw it, and a tag names the divergence."""
    all_values = np.asarray(values, dtype=np.float64)  # None becomes NaN
    is_number = np.isfinite(all_values)
    return Curve(steps=np.asarray(steps, dtype=np.int64)[is_number], values=all_values[is_number])


def _finite(numbers: Mapping[str, float | None]) -> dict[str, float]:
    return {
        name: float(number)
        for name, number in numbers.items()
        if number is not None and np.isfinite(number)
    }


def _read(load: Callable[[], Any], tell: Callable[[str], None]) -> Any:
    """Read a file, or say that it is left out."""
    try:
        return load()
    except RecordError as error:
        tell(f"left out: {error}")
        return None


def _unix(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()

"""Use case: train the same rows with different engines, in turns, and compare their speed."""

import dataclasses
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from agnews_ray.bench.ratios import (
    Bench,
    Contender,
    FailedRow,
    SpeedRow,
    TimedRun,
    mean_others_cores,
    speed_rows,
)
from agnews_ray.data.scan import ScannedDataset, scan_dataset
from agnews_ray.errors import DataError
from agnews_ray.model import zoo
from agnews_ray.model.hub import go_offline_if_unreachable
from agnews_ray.record.environment import describe_environment, num_usable_cpus
from agnews_ray.record.storage import CACHE_FOLDER
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec

Note = Callable[[str], None]
"""A function that is called with one line about what is being timed."""


def bench_engines(study: StudySpec, runs: Path, num_rounds: int, note: Note) -> Bench:
    """Time every engine on every model of a study, without Ray and scoring; no files are kept.

    Each run is a separate process that trains the same rows from the same weights for all
    epochs of the recipe. Contenders take turns, in another order each round, so that a busy
    machine affects all equally; each round has another seed.

    Args:
        study: models, data, recipe, and the first seed; the models' own engine is not used.
        runs: the runs folder, for its cache.
        num_rounds: at least 1.
        note: called with one line about each run.

    Returns:
        A row for each model and contender; a failed one does not affect the others.

    Raises:
        AgnewsError: data, models or device are wrong.
    """
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    go_offline_if_unreachable()
    cache = runs.absolute() / CACHE_FOLDER
    cache.mkdir(parents=True, exist_ok=True)
    scanned = scan_dataset(study.data, cache)

    from agnews_ray.run.device import (
        check_engine,
        device_notes,
        resolve_device,
        resolve_precision,
    )

    device, _ = resolve_device(study.scaling)
    contenders = choose_contenders(resolve_precision(study.recipe, device), device)
    for contender in contenders:
        check_engine(contender.engine, device, contender.precision)
    if scanned.record.num_train < 2 * study.recipe.global_batch_size:
        wanted, found = "at least two batches of train rows", f"{scanned.record.num_train} rows"
        raise DataError(study.data.source, wanted, found, "use more rows")
    for line in device_notes(study.scaling, device):
        note(line)
    note(f"{scanned.record.num_train:,} train rows, {num_rounds} round(s) on {device}")
    rows: list[SpeedRow] = []
    failed: list[FailedRow] = []
    for variant in study.models:
        named = variant.model_copy(update={"engine": "fast"})
        task = prepare_task(named, study, scanned, cache, num_usable_cpus())
        runs_of, causes = _take_turns(task, contenders, num_rounds, note)
        name = zoo.display_name(named)
        rows += speed_rows(name, runs_of, _flops_per_sample(task), contenders[0])
        failed += [
            FailedRow(model=name, engine=one.engine, precision=one.precision, cause=cause)
            for one, cause in causes.items()
        ]
    return Bench(
        rows=tuple(rows),
        failed=tuple(failed),
        environment=describe_environment(),
        device=device,
        num_threads=num_usable_cpus(),
        num_train_rows=scanned.record.num_train,
        others_cores=mean_others_cores(rows),
    )


def choose_contenders(precision: Precision, device: Device) -> tuple[Contender, ...]:
    """Choose the contenders: our engine, then the Trainer at its best, as in the paper, by default.

    Args:
        precision: the study's precision.
        device: on a CPU the Trainer's default of fp32 is timed too, on a GPU the compiled model;
            compiling does not pay on a CPU.

    Returns:
        The contenders, all different.
    """
    found = [
        Contender(engine="fast", precision=precision),
        Contender(engine="reference-best", precision=precision),
        Contender(engine="reference", precision=precision),
    ]
    if device == "cpu" and precision != "fp32":
        found.append(Contender(engine="reference", precision="fp32"))
    if device == "cuda":
        found.insert(2, Contender(engine="reference-compiled", precision=precision))
    return tuple(found)


def prepare_task(
    variant: VariantSpec, study: StudySpec, scanned: ScannedDataset, cache: Path, num_threads: int
) -> Any:
    """Tokenise the train split in this process, and describe the training to time.

    Args:
        variant: the variant, for tokenizer and weights.
        study: data, recipe, device, seed.
        scanned: the study's dataset.
        cache: the cache below the runs folder, for trained tokenizers.
        num_threads: the number of CPU threads of a run.

    Returns:
        A ``bench.timing.TimingTask``.
    """
    from agnews_ray.bench.timing import TimingTask
    from agnews_ray.data.encode import encode_split
    from agnews_ray.model.tokenizer import encoder_json
    from agnews_ray.run.device import resolve_device
    from agnews_ray.run.inputs import InputCache

    zoo.check_model(variant)
    tokenizers = InputCache(scanned, study.data, cache, lambda *_: None)
    tokenizer = tokenizers.tokenizer(variant)
    return TimingTask(
        variant=variant,
        class_names=scanned.record.class_names,
        tokenizer=tokenizer,
        rows=encode_split(scanned.train, encoder_json(tokenizer, study.data.max_length_tokens)),
        recipe=study.recipe,
        device=resolve_device(study.scaling)[0],
        num_threads=num_threads,
        seed=study.seeds[0],
    )


def _flops_per_sample(task: Any) -> float:
    from agnews_ray.model.build import build_classifier
    from agnews_ray.model.flops import training_flops_per_row

    model = build_classifier(task.variant, task.class_names, task.seed, task.tokenizer)
    return training_flops_per_row(model, task.rows.lengths.tolist())


def _take_turns(
    task: Any, contenders: tuple[Contender, ...], num_rounds: int, note: Note
) -> tuple[dict[Contender, list[TimedRun]], dict[Contender, str]]:
    """Time each contender once per round; one that fails is left out, with all its runs."""
    from agnews_ray.bench.timing import time_alone

    failed: dict[Contender, str] = {}
    found: dict[Contender, list[TimedRun]] = {contender: [] for contender in contenders}
    for number in range(num_rounds):
        seeded = dataclasses.replace(task, seed=task.seed + number)
        for turn in range(len(contenders)):
            contender = contenders[(number + turn) % len(contenders)]
            if contender in failed:
                continue
            try:
                run = time_alone(seeded, contender)
            except Exception as error:  # noqa: BLE001  # such as a compiler that is not there
                cause = f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]
                failed[contender] = cause
                note(f"round {number + 1} of {num_rounds}: {contender} failed: {cause}")
                continue
            found[contender].append(run)
            note(
                f"round {number + 1} of {num_rounds}: {contender}: "
                f"{run.samples_per_second:.1f} samples/s"
            )
    return {one: runs for one, runs in found.items() if one not in failed}, failed

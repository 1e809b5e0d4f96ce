"""The flags of ``submit`` that say what to run, each named by its dotted path in a study."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from agnews_ray.spec.engines import ENGINES

DESCRIPTION_OF_SOURCE = (
    "hub id; folder, archive or file of CSV, JSON, Parquet or Arrow; or "
    "synthetic:train=4000,test=1000,seed=7  [default: ag_news]"
)


def _read(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:  # noqa: ARG001
    """Cut a comma-separated flag; read numbers and booleans as those of a job file are read."""
    path = str(parameter.name).replace("__", ".")
    if value is None:
        return None
    read = _plain if path in NO_TEXTS else str
    if path in LISTS:
        return [read(part.strip()) for part in value.split(",") if part.strip()]
    if path == "recipe.class_weights" and not value.isalpha():  # neither none nor balanced
        return [_plain(part.strip()) for part in value.split(",")]
    return read(value)


def _plain(word: str) -> Any:
    from agnews_ray.spec.yaml_text import plain_value

    try:
        return word if not word else plain_value(word)
    except ValueError:
        return word  # which is refused with all else that is wrong


def study_options(command: Callable[..., None]) -> Callable[..., None]:
    """Attach the flags that override a job file; each is named by its dotted path in the study."""
    flags = [
        _flag("--models", "models", "comma-separated: distilbert, minilm, bert, hub id or folder"),
        _flag(
            "--init", "init", "random: fresh weights, no download", choices=("pretrained", "random")
        ),
        _flag(
            "--engine",
            "engine",
            "fast: ours; reference: the Hugging Face Trainer as in the paper; -best: with batches "
            "of like length and its fused optimiser; -compiled: compiled too  [default: fast]",
            choices=tuple(ENGINES),
        ),
        _flag("--dataset", "data.source", DESCRIPTION_OF_SOURCE),
        _flag("--test-dataset", "data.test_source", "test file, where --dataset has none"),
        _flag("--validation", "data.validation_source", "validation file; none leaves one out"),
        _flag("--test-fraction", "data.test_fraction", "share of a lone file cut off  [0.2]"),
        _flag("--config", "data.config", "of a dataset that has several"),
        _flag("--delimiter", "data.delimiter", "of a CSV: a character, or tab, semicolon, pipe"),
        _flag("--quote", "data.quote", "around fields of a CSV", choices=('"', "'", "none")),
        _flag("--encoding", "data.encoding", "of CSV and JSON  [default: as found]"),
        _flag("--header", "data.has_header", "whether a CSV has one", choices=("true", "false")),
        _flag("--text-column", "data.text_columns", "comma-separated, joined by a space"),
        _flag("--label-column", "data.label_column", "column of the labels"),
        _flag("--label-base", "data.label_base", "lowest integer label", choices=("0", "1")),
        _flag("--class-names", "data.class_names", "comma-separated, in label order"),
        _flag("--max-length", "data.max_length_tokens", "tokens kept of a text  [default: 128]"),
        _flag("--limit-train", "data.limit_train", "use a stratified sample of N train rows"),
        _flag("--limit-test", "data.limit_test", "use a stratified sample of N test rows"),
        _flag("--validation-fraction", "data.validation_fraction", "share cut from train"),
        _flag("--seeds", "seeds", "comma-separated, one trial each  [default: 42]"),
        _flag("--epochs", "recipe.num_epochs", "passes over train  [default: 2]"),
        _flag("--learning-rate", "recipe.learning_rate", "peak rate  [default: 2e-5]"),
        _flag("--global-batch-size", "recipe.global_batch_size", "rows per update  [default: 16]"),
        _flag("--label-smoothing", "recipe.label_smoothing", "share spread over classes  [0]"),
        _flag(
            "--class-weights",
            "recipe.class_weights",
            "balanced: rare classes count more; or comma-separated, in label order  [none]",
        ),
        _flag(
            "--precision",
            "recipe.precision",
            "auto: fp16 on a GPU, on a CPU bf16 where it is native",
            choices=("auto", "fp32", "bf16", "fp16"),
        ),
        _flag("--num-workers", "scaling.num_workers", "Ray Train workers a trial  [default: 1]"),
        _flag(
            "--device",
            "scaling.device",
            "auto: GPUs where there are",
            choices=("auto", "cpu", "cuda"),
        ),
        _flag("--name", "name", "folder under --runs  [default: from data and recipe]"),
    ]
    for flag in reversed(flags):
        command = flag(command)
    return command


METAVARS = {
    "models": "A,B",
    "data.source": "SOURCE",
    "data.test_source": "FILE",
    "data.validation_source": "FILE",
    "data.test_fraction": "FRACTION",
    "data.config": "NAME",
    "data.delimiter": "CHAR",
    "data.encoding": "NAME",
    "data.text_columns": "A,B",
    "data.label_column": "NAME",
    "data.class_names": "A,B",
    "data.validation_fraction": "FRACTION",
    "recipe.learning_rate": "RATE",
    "recipe.label_smoothing": "SHARE",
    "recipe.class_weights": "WORD|X,X",
    "seeds": "N,N",
    "name": "NAME",
}
"""How a flag's value is written in the help; a number where nothing stands here."""

LISTS = {"models", "seeds", "data.text_columns", "data.class_names"}

NO_TEXTS = {
    "seeds",
    "data.has_header",
    "data.label_base",
    "data.max_length_tokens",
    "data.limit_train",
    "data.limit_test",
    "data.test_fraction",
    "data.validation_fraction",
    "recipe.num_epochs",
    "recipe.learning_rate",
    "recipe.global_batch_size",
    "recipe.label_smoothing",
    "scaling.num_workers",
}
"""Whose values are numbers or booleans; of all others ``2024`` is text."""


def _flag(
    name: str, path: str, description: str, choices: tuple[str, ...] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        name,
        path.replace(".", "__"),
        help=description,
        type=click.Choice(choices) if choices else str,
        callback=_read,
        metavar=None if choices else METAVARS.get(path, "N"),
    )


def overrides(job: Path | None, flags: dict[str, Any]) -> dict[str, Any]:
    """Turn click's parameters back into dotted paths; some go into every model."""
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    of_models = {name: dotted.pop(name) for name in ("init", "engine")}
    of_models = {name: value for name, value in of_models.items() if value is not None}
    if not of_models:
        return dotted
    models: Any = dotted["models"]
    if models is None and job is not None:
        from agnews_ray.spec.loader import read_job_file

        models = read_job_file(job).get("models")
    if models is None:
        models = ["distilbert", "minilm"]
    if isinstance(models, list):  # what is wrong with anything else is told with the rest
        as_mappings = [{"model": m} if isinstance(m, str) else m for m in models]
        models = [{**m, **of_models} if isinstance(m, dict) else m for m in as_mappings]
    return dotted | {"models": models}

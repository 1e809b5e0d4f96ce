"""The flags of ``submit`` that describe a study, each with its dotted path in the study."""

from collections.abc import Callable
from pathlib import Path

import click

from agnews_ray.spec import DEFAULT_MODELS
from agnews_ray.spec.engines import ENGINES
from agnews_ray.spec.linear_models import is_linear

DESCRIPTION_OF_SOURCE = (
    "hub id; folder, archive or file of CSV, JSON, Parquet or Arrow; or "
    "synthetic:train=4000,test=1000,seed=7  [default: ag_news]"
)


def _read(context: click.Context, parameter: click.Parameter, value: str | None) -> object:  # noqa: ARG001
    """Split a comma-separated flag; numbers and booleans are read as in a job file."""
    path = str(parameter.name).replace("__", ".")
    if value is None:
        return None
    read = _plain if path in NO_TEXTS else str
    if path in LISTS:
        return [read(part.strip()) for part in value.split(",") if part.strip()]
    if path == "recipe.class_weights" and not value.isalpha():  # neither none nor balanced
        return [_plain(part.strip()) for part in value.split(",")]
    return read(value)


def _plain(word: str) -> object:
    from agnews_ray.spec.yaml_text import plain_value

    try:
        return word if not word else plain_value(word)
    except ValueError:
        return word  # the study's checks refuse it, together with all other faults


def study_options(command: Callable[..., None]) -> Callable[..., None]:
    """Attach the flags that override a job file; each has its dotted path in the study."""
    flags: list[Callable[[Callable[..., None]], Callable[..., None]]] = [
        _flag(
            "--models",
            "models",
            "comma-separated: aliases (distilbert, minilm, ...), hub ids, folders; or linear "
            "models, fitted in seconds: tfidf-svm, tfidf-logreg, embed-logreg[:ENCODER]",
        ),
        _flag(
            "--init", "init", "random: fresh weights, no download", choices=("pretrained", "random")
        ),
        _flag(
            "--engine",
            "engine",
            "fast: ours; reference: the Hugging Face Trainer as in the paper; -best: with batches "
            "of similar length and its fused optimiser; -compiled: also compiled  [default: fast]",
            choices=tuple(ENGINES),
        ),
        _flag(
            "--teacher",
            "teacher",
            "comma-separated: also train each of the other models towards the predictions of this "
            "one (of --models, or an alias), or of a trained classifier (folder, hub id)",
        ),
        _flag("--temperature", "temperature", "with --teacher: softens predictions  [4]"),
        _flag(
            "--soft-weight",
            "soft_weight",
            "with --teacher: what its predictions weigh; labels weigh the rest  [0.9]",
        ),
        _flag(
            "--transfer",
            "transfer",
            "with --teacher: texts without labels, which it labels (a source, as --dataset)",
        ),
        _flag("--dataset", "data.source", DESCRIPTION_OF_SOURCE),
        _flag("--test-dataset", "data.test_source", "test file, if --dataset has none"),
        _flag(
            "--validation", "data.validation_source", "validation file; none: no validation split"
        ),
        _flag(
            "--test-fraction",
            "data.test_fraction",
            "share of a lone train file used as test  [0.2]",
        ),
        _flag("--config", "data.config", "configuration of a dataset that has several"),
        _flag(
            "--delimiter",
            "data.delimiter",
            "delimiter of a CSV: a character, or tab, semicolon, pipe",
        ),
        _flag("--quote", "data.quote", "quote character of a CSV", choices=('"', "'", "none")),
        _flag("--encoding", "data.encoding", "encoding of CSV and JSON  [default: as found]"),
        _flag(
            "--header",
            "data.has_header",
            "whether a CSV has a header row",
            choices=("true", "false"),
        ),
        _flag("--text-column", "data.text_columns", "comma-separated columns, joined by a space"),
        _flag("--label-column", "data.label_column", "column of the labels"),
        _flag("--label-base", "data.label_base", "lowest integer label", choices=("0", "1")),
        _flag("--class-names", "data.class_names", "comma-separated, in label order"),
        _flag("--max-length", "data.max_length_tokens", "longest text, in tokens  [default: 128]"),
        _flag("--limit-train", "data.limit_train", "use a stratified sample of N train rows"),
        _flag("--limit-test", "data.limit_test", "use a stratified sample of N test rows"),
        _flag(
            "--validation-fraction",
            "data.validation_fraction",
            "share of train used to validate",
        ),
        _flag("--seeds", "seeds", "comma-separated, one trial each  [default: 42]"),
        _flag(
            "--curve",
            "curve",
            "comma-separated shares of the train rows, such as 1%,3%,10%,30%,100%: also train with "
            "each of them, to see what more rows bring",
        ),
        _flag("--epochs", "recipe.num_epochs", "passes over the train rows  [default: 2]"),
        _flag(
            "--patience",
            "recipe.stop.patience",
            "end training after N epochs without a better validation accuracy, and keep the best "
            "epoch; needs a validation split, such as --validation-fraction 0.1  [off]",
        ),
        _flag(
            "--min-delta",
            "recipe.stop.min_delta",
            "with --patience: the gain in accuracy that counts as better, such as 0.002  [0]",
        ),
        _flag("--learning-rate", "recipe.learning_rate", "peak learning rate  [default: 2e-5]"),
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
            "auto: fp16 on a GPU, on a CPU bf16 if it is native",
            choices=("auto", "fp32", "bf16", "fp16"),
        ),
        _flag("--num-workers", "scaling.num_workers", "Ray Train workers a trial  [default: 1]"),
        _flag(
            "--device",
            "scaling.device",
            "auto: GPUs if there are any",
            choices=("auto", "cpu", "cuda"),
        ),
        _flag(
            "--budget",
            "budget.limit",
            "the most that one submit may take: time (90s, 30m, 2h), or money (5usd); what cannot "
            "end in time is not started",
        ),
        _flag(
            "--price-per-hour",
            "budget.price_per_hour",
            "price of one hour of a machine that trains, for money",
        ),
        click.option(
            "--what-fits",
            "budget__runs_what_fits",
            is_flag=True,
            default=None,
            help="With --budget: run the trials that fit and leave the others out; ask nothing.",
        ),
        _flag(
            "--checkpoint-every",
            "recovery.checkpoint_every",
            "time of training (90s, 5m) or '200 steps' between two checkpoints; off  [auto: so "
            "often that they cost less than 2 % of it]",
        ),
        _flag(
            "--max-failures",
            "recovery.max_failures",
            "how often a trial may lose a worker or its node and go on  [3]",
        ),
        _flag("--name", "name", "folder under --runs  [default: from data and recipe]"),
    ]
    for flag in reversed(flags):
        command = flag(command)
    return command


METAVARS = {
    "models": "A,B",
    "teacher": "A,B",
    "temperature": "T",
    "soft_weight": "SHARE",
    "transfer": "SOURCE",
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
    "recipe.stop.min_delta": "SHARE",
    "recipe.label_smoothing": "SHARE",
    "recipe.class_weights": "WORD|X,X",
    "budget.limit": "TIME|MONEY",
    "budget.price_per_hour": "PRICE",
    "recovery.checkpoint_every": "TIME|STEPS",
    "seeds": "N,N",
    "curve": "X%,X%",
    "name": "NAME",
}
"""The form of a flag's value in the help; a flag without an entry takes a number."""

LISTS = {"models", "teacher", "seeds", "curve", "data.text_columns", "data.class_names"}

NO_TEXTS = {
    "temperature",
    "soft_weight",
    "seeds",
    "curve",
    "data.has_header",
    "data.label_base",
    "data.max_length_tokens",
    "data.limit_train",
    "data.limit_test",
    "data.test_fraction",
    "data.validation_fraction",
    "recipe.num_epochs",
    "recipe.stop.patience",
    "recipe.stop.min_delta",
    "recipe.learning_rate",
    "recipe.global_batch_size",
    "recipe.label_smoothing",
    "scaling.num_workers",
    "budget.price_per_hour",
    "recovery.max_failures",
}
"""The flags whose values are numbers or booleans; for all others ``2024`` is text."""


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


def overrides(job: Path | None, flags: dict[str, object]) -> dict[str, object]:
    """Turn click's parameters into dotted paths; some are set for every fine-tuned model."""
    dotted = {name.replace("__", "."): value for name, value in flags.items()}
    of_models = _taken(dotted, ("init", "engine"))
    teaching = _taken(dotted, ("teacher", "temperature", "soft_weight", "transfer"))
    if not of_models and not teaching:
        return dotted
    models = dotted["models"]
    if models is None and job is not None:
        from agnews_ray.spec.loader import read_job_file

        models = read_job_file(job).get("models")
    if models is None:
        models = list(DEFAULT_MODELS)
    if isinstance(models, list):  # other wrong types are reported with the other problems
        as_mappings = [{"model": m} if isinstance(m, str) else m for m in models]
        models = [
            {**m, **of_models} if isinstance(m, dict) and not is_linear(str(m.get("model"))) else m
            for m in as_mappings
        ]
        if teaching:
            from agnews_ray.cli.taught_models import with_taught

            models = with_taught(models, teaching)
    return dotted | {"models": models}


def _taken(dotted: dict[str, object], names: tuple[str, ...]) -> dict[str, object]:
    """Take flags that are no paths in a study, if they were given."""
    taken = {name: dotted.pop(name, None) for name in names}
    return {name: value for name, value in taken.items() if value is not None}

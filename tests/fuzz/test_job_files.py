"""Job files and flags: a study, or a line for each problem."""

import math
import tempfile
from pathlib import Path
from typing import Any

import click
import yaml
from hypothesis import given
from hypothesis import strategies as st

from agnews_ray.cli.flags import overrides, study_options
from agnews_ray.errors import SpecError
from agnews_ray.spec.loader import build_study, override, read_job_file, to_yaml
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.yaml_text import plain_value, write_yaml
from tests.fuzz.properties import read_or_refused
from tests.fuzz.strategies import changed, damaged, texts, values

JOBS = sorted((Path(__file__).parents[2] / "jobs").glob("*.yaml"))
FILES = [path.read_bytes() for path in JOBS if path.stem != "rayjob"]
FULL = build_study(
    {
        "name": "full",
        "question": "Which?",
        "models": [
            {"model": "minilm", "name": "a", "recipe": {"learning_rate": 3e-5}},
            {"model": "bert-tiny", "init": "random", "architecture": {"num_layers": 2}},
        ],
        "seeds": [1, 2],
        "curve": ["10%", 0.5],
        "data": {"source": "x.csv", "text_columns": ["a", "b"], "class_names": ["x", "y"]},
        "recipe": {"class_weights": [1, 2.5], "stop": {"patience": 2}},
        "scaling": {"num_workers": 2},
        "budget": {"limit": "30m", "price_per_hour": 1.5},
        "search": {"space": {"recipe.learning_rate": {"low": 1e-5, "high": 1e-4, "log": True}}},
    },
    "here",
)
CONTENTS = [*(yaml.safe_load(one) for one in FILES), FULL.model_dump(mode="json")]


@click.command()
@study_options
def command(**flags: object) -> dict[str, object]:
    """Take the flags of a study."""
    return flags


FLAGS = [option.opts[0] for option in command.params if not getattr(option, "is_flag", False)]
PATHS = (
    "name",
    "models",
    "data.source",
    "recipe.stop.patience",
    "curve",
    "seeds",
    "recipe",
    "search",
)
WORDS = (
    texts() | st.integers().map(str) | st.floats().map(str) | st.sampled_from(("a,b", ",", "1,2"))
)


def written(content: bytes) -> Any:
    """Read a file's content as a job file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "job.yaml")
        path.write_bytes(content)
        return read_job_file(path)


def need_repeatable(study: StudySpec) -> None:
    """What is kept beside the results is read back as the same study."""
    kept = written(to_yaml(study).encode())
    assert build_study(kept, "kept") == study


@given(st.sampled_from([*FILES, to_yaml(FULL).encode()]).flatmap(damaged))
def test_a_damaged_job_file(content):
    study = read_or_refused("job file, damaged", lambda: build_study(written(content), "job.yaml"))
    if study is not None:
        need_repeatable(study)


@given(st.sampled_from(CONTENTS).flatmap(changed))
def test_a_job_file_with_other_values(content):
    if not isinstance(content, dict):
        return
    study = read_or_refused("job file, other values", lambda: build_study(content, "job.yaml"))
    if study is not None:
        need_repeatable(study)


@given(st.sampled_from(CONTENTS), st.dictionaries(st.sampled_from(FLAGS), WORDS, max_size=4))
def test_flags_over_a_job_file(content, flags):
    arguments = [f"{name}={value}" for name, value in flags.items()]

    def read() -> StudySpec:
        try:
            taken = command.main(arguments, standalone_mode=False)
        except click.UsageError as error:  # shown by click itself, in one line
            raise SpecError("flags", [error.format_message()]) from error
        return build_study(override(content, overrides(None, taken)), "flags")

    study = read_or_refused("flags", read)
    if study is not None:
        need_repeatable(study)


@given(st.sampled_from(CONTENTS), st.dictionaries(st.sampled_from(PATHS), values(4), max_size=3))
def test_dotted_paths_over_a_job_file(content, flags):
    study = read_or_refused("flags, any value", lambda: build_study(override(content, flags), "f"))
    if study is not None:
        need_repeatable(study)


@given(values().map(lambda value: {"content": value}))
def test_what_is_written_as_yaml_is_read_back(content):
    def read() -> Any:
        return written(write_yaml(content).encode("utf-8", "surrogatepass"))

    found = read_or_refused("YAML, written and read", read)
    if found is not None:
        assert _same(found, content)
        assert _same(yaml.safe_load(write_yaml(content)), content)


@given(texts(min_size=1))
def test_a_plain_word_means_what_other_readers_take_it_for(word):
    def read() -> Any:
        try:
            return (plain_value(word),)
        except ValueError as error:
            raise SpecError("word", [str(error)]) from error

    found = read_or_refused("YAML, one word", read)
    if found is not None and isinstance(found[0], str):
        assert found[0] == word


def _same(a: Any, b: Any) -> bool:
    """Whether two values are equal, also in type; NaN is NaN."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(map(_same, a.values(), b.values()))
    if isinstance(a, float) and isinstance(b, float) and math.isnan(a):
        return math.isnan(b)
    return type(a) is type(b) and a == b

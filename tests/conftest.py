"""Fixtures shared by all tests: an isolated environment, small files, small studies."""

import os
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from agnews_ray.errors import AgnewsError, SpecError

# Read when torch is loaded: test processes share the cores, and threads that spin would block them.
os.environ.setdefault("GOMP_SPINCOUNT", "0")
# Read when huggingface_hub is imported, which may be before the first test.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

# `tests/fuzz` draws the same few inputs each time; `benchmarks/fuzz.py` is the long form.
settings.register_profile(
    "short",
    max_examples=20,
    derandomize=True,
    deadline=None,  # tests/fuzz/properties.py ends what hangs
    database=None,
    suppress_health_check=list(HealthCheck),
)
settings.load_profile("short")

PLAIN = re.compile(r"[^\w .,:;=/+*-]+")
"""What is left out of a test's name: with a line break in it no tool finds the test again."""

REAL_DATA = Path(__file__).parents[1].parent / "shared" / "data" / "agnews"


def pytest_make_parametrize_id(val):
    """Name a case of text by its first words; pytest names the others."""
    if not isinstance(val, str | bytes):
        return None
    text = val.decode("latin-1") if isinstance(val, bytes) else val
    return PLAIN.sub("_", text[:40].encode("ascii", "replace").decode()).strip() or "_"


@pytest.fixture(autouse=True)
def _own_environment(tmp_path_factory, monkeypatch):
    """No test may read the user's caches or settings, nor what another test left."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith(("RAY_", "HF_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path_factory.getbasetemp() / "hf"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    yield
    monkeypatch.undo()
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(autouse=True)
def _every_error_says_all(monkeypatch):
    """Whatever error a test meets: where, what was wanted, what was found, what to do."""
    incomplete = []

    def watch(kind):
        make = kind.__init__

        def checked(self, *parts):
            listed = [*parts[:1], *parts[1]] if kind is SpecError else parts
            if not all(
                isinstance(text, str) and text.strip() not in ("", "None") for text in listed
            ):
                incomplete.append(parts)
            make(self, *parts)

        monkeypatch.setattr(kind, "__init__", checked)

    watch(AgnewsError)
    watch(SpecError)
    yield
    assert not incomplete


@pytest.fixture
def real_data() -> Path:
    """The folder with real AG News rows, where this machine has it."""
    if not (REAL_DATA / "train.parquet").is_file():
        pytest.skip(f"real AG News rows are not at {REAL_DATA}")
    return REAL_DATA


@pytest.fixture
def news_folder(tmp_path) -> Path:
    """Published AG News layout: headerless CSV, classes from 1, title and description."""
    folder = tmp_path / "news"
    folder.mkdir()
    rows = [
        '"3","Oil up","Prices rose, again"',
        '"1","Vote held","Result ""close"", say officials"',
        '"2","Cup final","Home side wins"',
        '"4","Chip shown","It is\nfast"',
    ]
    (folder / "train.csv").write_text("\n".join(rows * 10) + "\n")
    (folder / "test.csv").write_text("\n".join(rows) + "\n")
    return folder

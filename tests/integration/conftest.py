"""Real runs of the command, each made once and looked at by many tests."""

import os
import pickle
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from filelock import FileLock

ROOT = Path(__file__).parents[2]

TINY = {
    "num_layers": 1,
    "hidden_size": 32,
    "num_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 1000,
}


def a_job(**changes):
    """A study of two tiny models on made-up rows; seconds of training."""
    job = {
        "name": "tiny",
        "models": [
            {"name": "first", "model": "distilbert", "init": "random", "architecture": TINY},
            {"name": "second", "model": "minilm", "init": "random", "architecture": TINY},
        ],
        "seeds": [1],
        "data": {"source": "synthetic:train=330,test=101,seed=3"},
        "recipe": {"num_epochs": 2, "learning_rate": 5e-3, "precision": "fp32"},
    }
    for section, values in changes.items():
        job[section] = (
            job[section] | values if isinstance(values, dict) and section in job else values
        )
    return job


@dataclass
class Workplace:
    """A folder of its own, with a home and a temporary folder of its own."""

    folder: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def home(self):
        return self.folder / "home"

    def environment(self):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "HF_"))}
        own = {"HOME": str(self.home), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
        return kept | own | self.extra

    def write_job(self, job):
        self.home.mkdir(exist_ok=True)
        (self.folder / "job.yaml").write_text(yaml.safe_dump(job))

    def start(self, *words, job=None):
        self.home.mkdir(exist_ok=True)
        if job is not None:
            self.write_job(job)
            words = (words[0], "job.yaml", *words[1:])
        return subprocess.Popen(
            [sys.executable, "-m", "agnews_ray", *words],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words, job=None):
        process = self.start(*words, job=job)
        out, err = process.communicate(timeout=600)
        code = process.returncode
        return SimpleNamespace(pid=process.pid, returncode=code, out=out, err=err)


@pytest.fixture(scope="session")
def workplace(tmp_path_factory):
    def make(name):
        return Workplace(tmp_path_factory.mktemp(name))

    return make


@pytest.fixture(scope="session")
def made_once(tmp_path_factory, worker_id):
    """Calls a function once for all of pytest's processes; its value must be picklable."""
    own = tmp_path_factory.getbasetemp()
    shared = own if worker_id == "master" else own.parent

    def made_once(name, make):
        kept = shared / f"{name}.pickle"
        with FileLock(shared / f"{name}.lock"):
            if not kept.exists():
                kept.write_bytes(pickle.dumps(make()))
            return pickle.loads(kept.read_bytes())

    return made_once


@pytest.fixture(scope="session")
def finished(made_once, workplace):
    """The tiny study after one submit."""

    def make():
        place = workplace("finished")
        place.submitted = place.run("submit", job=a_job())
        assert place.submitted.returncode == 0, place.submitted.err
        return place

    return made_once("finished", make)


@pytest.fixture(scope="session")
def demo(made_once, workplace):
    """A newcomer's first command, followed in the trackers that are installed here.

    It runs in a folder that looks like the checkout.
    """

    def make():
        place = workplace("demo")
        for folder in ("jobs", "notebooks"):
            shutil.copytree(ROOT / folder, place.folder / folder)
        tracked = [("--track", name) for name in ("tensorboard", "mlflow") if find_spec(name)]
        place.submitted = place.run("submit", "jobs/demo.yaml", "--json", *chain(*tracked))
        return place

    return made_once("demo", make)

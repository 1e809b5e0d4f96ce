import json

import pytest

from agnews_ray.app.forecast_study import PROBES_FOLDER
from tests.fakes.command import run

JOB = """
models:
  - name: tiny
    model: minilm
    init: random
    architecture: {num_layers: 1, hidden_size: 32, num_heads: 2, intermediate_size: 32,
                   vocab_size: 200}
data: {source: "synthetic:train=200,test=40,seed=1"}
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """A submit that cannot be done within its budget, where nobody is there to ask."""
    folder = tmp_path_factory.mktemp("budget")
    (folder / "job.yaml").write_text(JOB)
    words = ("submit", folder / "job.yaml", "--name", "x", "--runs", folder / "runs")
    return folder, run(*words, "--budget", "1s", code=2)


def test_a_study_that_does_not_fit_is_refused_in_one_line(refused):
    assert refused[1].stderr.startswith("error: --budget: want at most 1s, found ")
    assert len(refused[1].stderr.splitlines()) == 1


def test_nothing_of_it_was_started(refused):
    assert not (refused[0] / "runs" / "x").exists()


def test_what_was_measured_is_kept_for_the_next_try(refused):
    (kept,) = (refused[0] / "runs" / ".cache" / PROBES_FOLDER).iterdir()
    assert json.loads((kept / "probe.json").read_text())["rows_per_step"] == 16

"""The README's first command, as a newcomer would run it."""

import json
import shutil
from pathlib import Path

import pytest

pytestmark = pytest.mark.integration

JOBS = Path(__file__).parents[2] / "jobs"


def test_the_demos_two_models_learn(workplace):
    place = workplace("demo")
    shutil.copytree(JOBS, place.folder / "jobs")
    done = place.run("submit", "jobs/demo.yaml", "--json")
    assert (done.returncode, done.err) == (0, "")
    rows = json.loads(done.out)["rows"]
    assert [row["model"] for row in rows] == ["distilbert-demo", "minilm-demo"]
    assert all(0.7 < row["accuracy"] < 0.99 for row in rows)  # guessing gives 0.25
    assert all(row["padding_share"] < 0.05 for row in rows)

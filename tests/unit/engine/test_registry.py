"""Engines by name; what they compute is tested beside each."""

import subprocess
import sys

from agnews_ray.engine.registry import BY_TRUST, RUNNERS
from agnews_ray.spec.engines import ENGINES


def test_every_engine_that_can_be_asked_for_or_fallen_back_to_has_a_runner():
    assert set(RUNNERS) == {*ENGINES, *BY_TRUST}


def test_a_worker_of_the_fast_engine_waits_for_no_trainer():
    code = "import sys, agnews_ray.run.worker; print('transformers.trainer' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == "False"

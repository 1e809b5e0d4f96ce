"""A study lives through faults of several kinds, and its results are those without them."""

import pytest

from agnews_ray.chaos.faults import Fault
from agnews_ray.chaos.lives import Life, Scene

FAULTS = [
    Fault(kind="worker", where="worker.step", action="kill", at=12),
    Fault(kind="slow", where="checkpoint.mark", action="sleep", value=1.0, at=2),
    Fault(kind="driver", where="driver.published", action="kill"),
]


@pytest.fixture(scope="module")
def lived(finished, tmp_path_factory):
    flags = ("--checkpoint-every", "5 steps", "--max-failures", "9")
    scene = Scene(
        words=("submit", str(finished.folder / "job.yaml"), *flags),
        study="tiny",
        quiet_s=30.0,
        reference=finished.folder / "runs" / "tiny" / "trials",
        usual=("torchinductor_root",),
    )
    return Life(scene, tmp_path_factory.mktemp("life"), FAULTS).live()


def test_each_fault_has_happened(lived):
    assert {id(fault) for fault in lived.fired} == {id(fault) for fault in FAULTS}
    assert lived.num_submits == 2


def test_each_fault_was_survived(lived):
    assert lived.problems == []
    assert lived.survived == 3


def test_results_are_equal_by_the_byte(lived):
    assert lived.differing == ()


def test_nothing_is_left(lived):
    assert lived.left == ()

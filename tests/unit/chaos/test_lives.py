"""A life ends when the study is finished, and says what went wrong."""

from agnews_ray.chaos.faults import Fault
from agnews_ray.chaos.lives import Life, Scene

FAULT = Fault(kind="worker", where="worker.step", action="kill")


def a_life(tmp_path, *words, runs_flag="--runs"):
    (tmp_path / "reference" / "a").mkdir(parents=True)
    (tmp_path / "reference" / "a" / "record.json").touch()
    (tmp_path / "life").mkdir()
    scene = Scene(
        words=words,
        study="s",
        quiet_s=1.0,
        reference=tmp_path / "reference",
        runs_flag=runs_flag,
    )
    return Life(scene, tmp_path / "life", [FAULT]).live()


def test_a_fault_that_did_not_happen_waits_and_a_missing_result_is_named(tmp_path):
    lived = a_life(tmp_path, "studies", runs_flag="--")
    assert (lived.num_submits, lived.fired, lived.waiting) == (1, [], [FAULT])
    assert lived.differing == ("a is missing",)
    assert not lived.problems
    assert not lived.is_well


def test_an_end_that_no_fault_explains_is_a_problem(tmp_path):
    lived = a_life(tmp_path, "no-such-command")
    assert lived.num_submits == 6
    assert lived.problems[0].startswith("submit 1 ended with code 2: Error: No such command")
    assert lived.problems[-1] == "not finished after 6 submits"

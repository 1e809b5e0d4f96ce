"""A child process is watched with all that it starts."""

import agnews_ray
from agnews_ray.chaos.submits import Submit


def test_what_it_prints_is_its_own_and_nothing_is_left(tmp_path):
    for _ in range(2):
        submit = Submit(["--version"], tmp_path, "", {})
        assert submit.process.wait(60) == 0
        assert submit.printed() == f"agnews-ray, version {agnews_ray.__version__}\n"
    assert submit.wait_for_all(5) == []


def test_it_is_killed_with_its_processes(tmp_path):
    submit = Submit(["--version"], tmp_path, "", {})
    submit.kill_all()
    assert submit.process.returncode in (-9, 0)
    assert submit.processes() == set()

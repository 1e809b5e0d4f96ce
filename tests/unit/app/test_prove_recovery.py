"""A plan is made from the study's own dry run."""

import pytest

from agnews_ray.app.prove_recovery import Wanted, plan_faults
from agnews_ray.errors import TrialError


def wanted(tmp_path, **changes):
    values = {"job": None, "kinds": ("worker", "driver"), "total": 7, "seed": 0}
    return Wanted(**values | {"runs": tmp_path} | changes)


def test_without_a_job_a_small_study_is_planned(tmp_path):
    plan = plan_faults(wanted(tmp_path))
    assert (plan.scale.num_trials, plan.scale.num_steps, len(plan.faults)) == (2, 200, 7)
    assert plan.checkpoint_every == "25 steps"
    assert plan.words[0] == "submit"
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_job_is_refused_by_its_own_line(tmp_path):
    (tmp_path / "job.yaml").write_text("name: x\nseedz: [1]\n")
    with pytest.raises(TrialError, match=r"a study that can be submitted.*seedz"):
        plan_faults(wanted(tmp_path, job=tmp_path / "job.yaml"))

"""How a group of workers is asked of Ray Train; the trainer itself is made up."""

import pytest

from agnews_ray.run import fit
from agnews_ray.run.entry import train_trials
from agnews_ray.run.fit import TrainerFit


@pytest.fixture
def asked(monkeypatch, tmp_path):
    """Runs a group of workers; gives what Ray Train was asked for."""

    def asked(**settings):
        made = []

        class Trainer:
            def __init__(self, loop, **facts):
                made.append({"loop": loop, **facts, "fits": 0})

            def fit(self):
                made[-1]["fits"] += 1

        def light_trainer(trainer, *, has_autoscaler):
            assert has_autoscaler is settings["has_autoscaler"]
            return Trainer

        monkeypatch.setattr(fit, "light_trainer", light_trainer)
        settings.setdefault("has_autoscaler", True)
        TrainerFit(scratch=str(tmp_path), **settings)("workers-1-1")
        (one,) = made
        return one

    return asked


def test_each_rank_has_its_cpus_and_on_a_gpu_one_of_its_own(asked):
    of_cpu = asked(num_workers=2, device="cpu", cpus_per_worker=3)["scaling_config"]
    assert (of_cpu.num_workers, of_cpu.use_gpu) == (2, False)
    assert of_cpu.resources_per_worker == {"CPU": 3}
    of_gpu = asked(num_workers=2, device="cuda")["scaling_config"]
    assert (of_gpu.num_workers, of_gpu.use_gpu) == (2, True)
    assert of_gpu.resources_per_worker == {"CPU": 1, "GPU": 1}


def test_a_group_takes_the_tasks_under_its_name_and_leaves_its_state_in_scratch(asked, tmp_path):
    one = asked(num_workers=1, device="cpu")
    assert (one["loop"], one["train_loop_config"]) == (train_trials, {"group": "workers-1-1"})
    assert (one["run_config"].name, one["run_config"].storage_path) == (
        "workers-1-1",
        str(tmp_path),
    )
    assert one["fits"] == 1


@pytest.mark.parametrize("has_autoscaler", [False, True])
def test_an_autoscaler_is_asked_where_there_is_one(asked, has_autoscaler):
    assert asked(num_workers=1, device="cpu", has_autoscaler=has_autoscaler)["fits"] == 1


def test_ray_train_retries_no_trial_but_waits_for_workers(asked):
    failures = asked(num_workers=1, device="cpu", max_start_failures=5)["run_config"].failure_config
    assert (failures.max_failures, failures.controller_failure_limit) == (0, 5)
    assert failures.max_preemption_failures == 0

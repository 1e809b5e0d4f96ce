"""The times of a row's trials, for each kind of machine and engine."""

import pytest

from agnews_ray.compare.times import spread, times_of
from agnews_ray.spec.scaling import ScalingSpec
from tests.fakes.records import a_record


def a_trial(seed, cpu="CPU", gpu=None, device="cpu", **training):
    """The record of a trial that ran there, and so."""
    record = a_record(f"t{seed}", seed=seed, device=device)
    machine = record.environment.model_copy(update={"cpu": cpu, "gpu": gpu})
    there = record.training.model_copy(update=training)
    return record.model_copy(update={"environment": machine, "training": there})


def test_times_are_averaged_over_seeds_and_the_peak_is_the_largest():
    trials = [
        a_trial(1, train_seconds=60.0, samples_per_second=10.0, peak_memory_bytes=5),
        a_trial(2, train_seconds=80.0, samples_per_second=20.0, peak_memory_bytes=9),
        a_trial(3, train_seconds=100.0, samples_per_second=60.0, peak_memory_bytes=1),
    ]
    (found,) = times_of(trials)
    assert (found.num_seeds, found.train_seconds, found.train_seconds_std) == (3, 80.0, 20.0)
    assert (found.samples_per_second, found.peak_memory_bytes) == (30.0, 9)


def test_a_gpu_is_the_machine_only_of_what_it_trained():
    trials = [
        a_trial(1, gpu="T4", device="cuda"),
        a_trial(2, gpu="T4", device="cuda"),
        a_trial(3, gpu="T4", device="cpu"),
        a_trial(4, gpu=None, device="cuda"),
    ]
    assert [(one.device, one.num_seeds) for one in times_of(trials)] == [
        ("T4", 2),
        ("CPU", 1),
        ("GPU", 1),
    ]


def test_the_machine_of_most_trials_comes_first():
    trials = [a_trial(1, cpu="old"), a_trial(2, cpu="new"), a_trial(3, cpu="new")]
    assert [one.device for one in times_of(trials)] == ["new", "old"]


def test_reasons_are_told_once_and_pauses_add_up():
    changes = {"engine": "fast, unrecorded"}
    trials = [
        a_trial(1, engine_note="no room", paused_seconds=30.0, **changes),
        a_trial(2, engine_note="too old", paused_seconds=None, **changes),
        a_trial(3, engine_note="no room", paused_seconds=1.5, **changes),
    ]
    (found,) = times_of(trials)
    assert (found.engine_note, found.paused_seconds) == ("no room; too old", 31.5)


@pytest.mark.parametrize(
    ("num_workers", "num_machines", "shown"),
    [(1, (None, None), 1), (2, (2, 2), 2), (2, (1, 2), None), (2, (None, None), None)],
)
def test_machines_are_counted_where_all_trials_say_the_same(num_workers, num_machines, shown):
    records = [
        a_record(
            f"t{seed}",
            seed=seed,
            scaling=ScalingSpec(num_workers=num_workers),
            training=a_record().training.model_copy(update={"num_machines": number}),
        )
        for seed, number in enumerate(num_machines)
    ]
    (times,) = times_of(records)
    assert times.num_machines == shown


def test_a_single_value_has_no_spread():
    assert spread([3.0]) is None
    assert spread([1.0, 3.0]) == pytest.approx(2**0.5)

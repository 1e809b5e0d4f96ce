import pytest

from agnews_ray.app import diagnose
from agnews_ray.app.prepare import read_study
from agnews_ray.record.environment import describe_environment

HERE = describe_environment()
STUDY = read_study(None, {"models": ["distilbert", "minilm"]})
T4 = {
    "num_gpus": 1,
    "gpu": "Tesla T4",
    "driver": "570.1",
    "torch": {"num_gpus": 1, "cuda": "12.8", "trouble": "", "hint": ""},
}


def facts(**changes):
    usual = {
        "python": HERE.python,
        "versions": HERE.versions,
        "num_cpus": 4,
        "memory_free": 32 << 30,
        "disk_free": 99 << 30,
        "num_gpus": 0,
        "gpu": None,
        "gpu_memory": 0,
        "driver": None,
        "torch": None,
        "hub": "reachable",
    }
    return usual | changes


def examine(**changes):
    return {one.name: one for one in diagnose._examine(facts(**changes), STUDY, "")}


def test_a_machine_that_will_do():
    assert {one.level for one in examine(**T4).values()} == {"ok"}


@pytest.mark.parametrize(
    ("changes", "name", "level", "text"),
    [
        ({"python": "3.9.1"}, "Python", "error", "3.9.1 there"),
        ({"versions": HERE.versions | {"ray": "2.1"}}, "packages", "error", "ray 2.1 there"),
        ({"versions": HERE.versions | {"torch": "2.1"}}, "packages", "warning", "torch 2.1 there"),
        ({"versions": {"ray": HERE.versions["ray"]}}, "packages", "error", "missing torch"),
        (
            T4 | {"torch": T4["torch"] | {"num_gpus": 0, "trouble": "too old", "hint": "renew"}},
            "GPU",
            "error",
            "too old",
        ),
        (
            T4 | {"num_gpus": 2},
            "GPU",
            "warning",
            "2 by the driver (570.1), 1 by torch",
        ),
        (T4 | {"ray_gpus": 0.0}, "GPU", "warning", "1 by the driver, 0 by Ray"),
        (
            T4 | {"gpu_memory": 3 << 30},
            "GPU memory",
            "warning",
            "3.0 GiB, about 3.7 wanted for batches of 16 x 128 tokens (2.4 with unrecorded steps)",
        ),
        (T4 | {"gpu_memory": 2 << 30}, "GPU memory", "warning", "2.0 GiB, about"),
        ({"memory_free": 1 << 30}, "memory", "warning", "1.0 GiB free, about 3.0 wanted"),
        ({"disk_free": 1 << 29}, "disk", "warning", "0.5 GiB free"),
        ({"hub": "missing bert"}, "hub", "error", "cache is missing bert"),
    ],
)
def test_what_will_fail_or_hurt_is_found(changes, name, level, text):
    one = examine(**changes)[name]
    assert one.level == level
    assert text in one.found
    assert one.hint


@pytest.mark.parametrize(
    ("now", "later", "level"), [(0, 0, "error"), (1, 0, "error"), (2, 0, "ok"), (0, 4, "ok")]
)
def test_a_trial_of_two_workers_wants_two_gpus(now, later, level):
    study = read_study(None, {"scaling.num_workers": 2, "scaling.device": "cuda"})
    cluster = {"storage": "s3://b", "storage_error": None, "nodes": {}, "num_cpus": 8}
    checks = diagnose._examine_cluster(cluster | {"num_gpus": now, "later_gpus": later}, study)
    found = {one.name: one.level for one in checks}
    assert found["GPUs of the cluster"] == level


def test_storage_that_is_not_shared_is_an_error():
    found = diagnose._shared(
        {"storage_error": "/runs: 1 node(s) do not see it", "storage": "/runs"}
    )
    assert found.level == "error"


def test_a_cluster_that_asks_for_no_token():
    assert diagnose._token("http://127.0.0.1:8265", is_asked=True).level == "ok"
    assert diagnose._token("http://127.0.0.1:8265", is_asked=False).level == "warning"
    assert diagnose._token("http://10.0.0.1:8265", is_asked=False).level == "error"


def test_storage_is_tried(tmp_path):
    assert diagnose._writable(str(tmp_path / "new")).level == "ok"
    assert not (tmp_path / "new").exists()
    assert diagnose._writable("/proc/none").level == "error"

"""The cluster that a job runs on: its size, its room for trials, its shared storage.

What Ray says of nodes is made up; folders and stores are real.
"""

import pytest

from agnews_ray.cluster import membership
from agnews_ray.cluster.membership import (
    GPUS_VARIABLE,
    ClusterRoom,
    ClusterSize,
    check_shared,
    gpus_by_node,
    joined_ray,
    see_cluster,
)
from agnews_ray.errors import ClusterError, StoreError


def a_node(number, is_alive=True, **resources):
    return {
        "Alive": is_alive,
        "NodeID": f"id-{number}",
        "NodeManagerAddress": f"10.0.0.{number}",
        "NodeManagerPort": 6000,
        "Resources": {name: float(amount) for name, amount in resources.items()},
    }


@pytest.fixture
def consists_of(monkeypatch):
    """Has the joined cluster consist of these nodes, of which so much is free."""

    def consists_of(*nodes, **free):
        now = {}
        for node in (one for one in nodes if one["Alive"]):
            for name, amount in node["Resources"].items():
                now[name] = now.get(name, 0) + amount
        monkeypatch.setattr(membership.ray, "nodes", lambda: list(nodes))
        monkeypatch.setattr(membership.ray, "cluster_resources", lambda: now)
        monkeypatch.setattr(membership.ray, "available_resources", lambda: now | free)

    return consists_of


def test_a_cluster_is_as_large_as_its_living_nodes(consists_of):
    consists_of(a_node(1), a_node(2, CPU=4, GPU=1), a_node(3, is_alive=False, CPU=99, GPU=8))
    size = see_cluster()
    assert size.now == {"CPU": 4.0, "GPU": 1.0}
    assert size.node_cpus == (4.0,)  # a head without CPUs trains nothing
    assert gpus_by_node() == {"10.0.0.1:6000": 0.0, "10.0.0.2:6000": 1.0}


@pytest.mark.parametrize(("said", "num_gpus"), [(None, 1), ("", 1), ("0", 1), ("8", 8)])
def test_gpus_that_the_autoscaler_may_start_count_too(consists_of, monkeypatch, said, num_gpus):
    consists_of(a_node(1, CPU=4, GPU=1))
    if said is not None:
        monkeypatch.setenv(GPUS_VARIABLE, said)
    assert see_cluster().num_gpus == num_gpus


@pytest.mark.parametrize("said", ["many", "-1", "1.5"])
def test_a_number_of_gpus_that_is_none_is_refused(consists_of, monkeypatch, said):
    consists_of(a_node(1, CPU=4))
    monkeypatch.setenv(GPUS_VARIABLE, said)
    with pytest.raises(ClusterError) as caught:
        see_cluster()
    assert (caught.value.where, caught.value.found) == (GPUS_VARIABLE, repr(said))


@pytest.mark.parametrize(
    ("nodes", "num_workers", "num_at_once"),
    [
        ([a_node(1, CPU=4)], 1, 1),
        ([a_node(1, CPU=4), a_node(2, CPU=4), a_node(3, CPU=4)], 1, 3),
        ([a_node(1, CPU=4), a_node(2, CPU=4), a_node(3, CPU=4)], 2, 1),
        ([a_node(1), a_node(2, CPU=4)], 1, 1),
        ([a_node(1, CPU=4)], 2, 1),  # it waits for a node, but is started
    ],
)
def test_without_gpus_a_worker_has_a_node(consists_of, nodes, num_workers, num_at_once):
    consists_of(*nodes)
    assert ClusterRoom("cpu", num_workers).num_at_once() == num_at_once


@pytest.mark.parametrize(
    ("num_gpus", "later", "num_workers", "num_at_once"),
    [(4, "0", 1, 4), (4, "0", 2, 2), (0, "6", 2, 3), (4, "2", 1, 4), (1, "0", 2, 1)],
)
def test_with_gpus_a_worker_has_one(
    consists_of, monkeypatch, num_gpus, later, num_workers, num_at_once
):
    monkeypatch.setenv(GPUS_VARIABLE, later)
    consists_of(a_node(1, CPU=64, GPU=num_gpus))
    assert ClusterRoom("cuda", num_workers).num_at_once() == num_at_once


@pytest.mark.parametrize(
    ("node_cpus", "reserved"),
    [((1,), 1), ((2,), 2), ((3,), 2), ((4,), 3), ((8,), 6), ((64, 8), 6), ((), 1)],
)
def test_a_worker_has_most_of_the_smallest_node_and_leaves_no_room_for_a_second(
    consists_of, node_cpus, reserved
):
    consists_of(*(a_node(number, CPU=cpus) for number, cpus in enumerate(node_cpus)))
    assert ClusterRoom("cpu", 1).cpus_per_worker == reserved
    assert all(2 * reserved > cpus for cpus in node_cpus[-1:])
    assert ClusterRoom("cuda", 1).cpus_per_worker == 1


def test_what_a_trial_waits_for_is_said(consists_of, monkeypatch):
    consists_of(a_node(1, CPU=4, GPU=1), GPU=0)
    assert ClusterRoom("cuda", 1).missing() == "1 GPU (1 there, 0 free)"
    monkeypatch.setenv(GPUS_VARIABLE, "8")
    assert ClusterRoom("cuda", 2).missing() == (
        "2 GPUs (1 there, 0 free, up to 8 with the autoscaler)"
    )
    assert ClusterRoom("cpu", 2).missing() == "6 CPUs (4 there, 4 free)"
    assert ClusterRoom("cpu", 1).missing() is None


def test_a_cluster_is_not_asked_for_every_trial(consists_of, monkeypatch):
    monkeypatch.setattr(membership, "REFRESH_S", float("inf"))
    consists_of(a_node(1, CPU=4))
    room = ClusterRoom("cpu", 1)
    assert room.num_at_once() == 1
    consists_of(a_node(1, CPU=4), a_node(2, CPU=4))
    assert room.num_at_once() == 1
    monkeypatch.setattr(membership, "REFRESH_S", -1.0)
    assert room.num_at_once() == 2


@pytest.fixture
def look_from(monkeypatch):
    """Has each node look at storage from a folder or URI of its own; gives what they answer."""

    def look_from(**locations):
        def on_every_node(function, location, token):
            return {name: function(own, token) for name, own in locations.items()}

        monkeypatch.setattr(membership, "on_every_node", on_every_node)

    return look_from


@pytest.mark.parametrize("is_uri", [False, True])
def test_storage_that_every_node_sees_is_left_as_it_was(look_from, tmp_path, is_uri):
    location = (tmp_path / "runs").as_uri() if is_uri else str(tmp_path / "runs")
    look_from(one=location, two=location)
    check_shared(location)
    assert [path.name for path in tmp_path.rglob("*")] in ([], ["runs"])


def test_storage_that_a_node_does_not_share_is_refused_with_that_node(look_from, tmp_path):
    (tmp_path / "other").mkdir()
    location = str(tmp_path / "runs")
    look_from(one=location, two=str(tmp_path / "other"), three=str(tmp_path / "none"))
    with pytest.raises(StoreError) as caught:
        check_shared(location)
    assert (caught.value.where, caught.value.wanted) == (location, "storage that all nodes share")
    assert caught.value.found == (
        "2 node(s) cannot see it (first: two: the folder there is a different one)"
    )
    assert list((tmp_path / "runs").iterdir()) == []


def test_storage_that_cannot_be_written_to_is_told_before_any_node_looks(tmp_path):
    (tmp_path / "file").touch()
    location = str(tmp_path / "file" / "runs")
    with pytest.raises(StoreError) as caught:
        check_shared(location)
    assert caught.value.where == location
    assert caught.value.wanted == "a folder to write to"


def test_a_log_that_cannot_be_written_joins_nothing(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(StoreError, match="want a folder to write to"),
        joined_ray(tmp_path / "file" / "logs" / "submit.log"),
    ):
        raise AssertionError("joined")


def test_a_size_is_what_is_there_or_may_come():
    facts = {"free": {}, "node_cpus": ()}
    assert ClusterSize(now={"GPU": 2.0}, later_gpus=1, **facts).num_gpus == 2
    assert ClusterSize(now={}, later_gpus=1, **facts).num_gpus == 1

"""What a machine says of itself before a study is paid for."""

import json
import os
import shutil

import pytest

from agnews_ray.cluster import node_facts as module
from agnews_ray.cluster.node_facts import NodeFacts, node_facts
from agnews_ray.model.hub import OFFLINE_VARIABLES

HUB_IDS = ["owner/model", "other"]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The hub's cache, with one of the two models."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    (tmp_path / "hf" / "hub" / "models--owner--model").mkdir(parents=True)
    return tmp_path / "hf" / "hub"


def hub(hub_ids):
    return node_facts("s3://bucket/runs", hub_ids)["hub"]


def online(monkeypatch):
    for name in OFFLINE_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def test_all_facts_are_there_and_fit_for_json(tmp_path):
    facts = node_facts(str(tmp_path), [])
    assert facts.keys() == NodeFacts.__required_keys__
    assert json.loads(json.dumps(facts)) == facts
    assert 0 < facts["num_cpus"] <= os.cpu_count()
    assert facts["memory_free"] > 0


def test_the_disk_of_a_folder_that_is_not_there_yet_is_that_of_the_one_above(monkeypatch, tmp_path):
    asked = []
    usage = shutil.disk_usage
    monkeypatch.setattr(shutil, "disk_usage", lambda path: asked.append(path) or usage(path))
    node_facts(str(tmp_path / "not" / "yet"), [])
    assert asked == [tmp_path]


@pytest.mark.parametrize(
    ("mode", "has_token"), [("token", True), ("disabled", False), (None, False)]
)
def test_a_cluster_that_asks_for_a_token_says_so(monkeypatch, mode, has_token):
    if mode:
        monkeypatch.setenv("RAY_AUTH_MODE", mode)
    assert node_facts("s3://bucket/runs", [])["has_token"] is has_token


def test_models_come_from_where_they_are(cache):
    assert hub([]) == "not needed"
    assert hub(HUB_IDS) == "missing other"
    (cache / "models--other").mkdir()
    assert hub(HUB_IDS) == "cache"


def test_another_place_of_the_cache_is_looked_at(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "elsewhere"))
    assert hub(HUB_IDS) == "missing owner/model, other"


def test_a_hub_that_answers_has_them(cache, monkeypatch):
    monkeypatch.setattr(module, "go_offline_if_unreachable", lambda: True)
    assert hub(HUB_IDS) == "reachable"


def test_a_wrong_setting_of_the_hub_is_said(cache, monkeypatch):
    online(monkeypatch)
    monkeypatch.setenv("HF_ENDPOINT", "no address")
    assert hub(HUB_IDS).startswith("missing: HF_ENDPOINT: want an address")


def test_looking_leaves_the_machine_online(cache, monkeypatch):
    def go_offline():
        os.environ["HF_HUB_OFFLINE"] = "1"
        return False

    online(monkeypatch)
    monkeypatch.setattr(module, "go_offline_if_unreachable", go_offline)
    hub(HUB_IDS)
    assert "HF_HUB_OFFLINE" not in os.environ

"""``jobs/rayjob.yaml`` against KubeRay's fields, and against the rest of this project."""

import copy
import json
import re
import shlex
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

import agnews_ray
from agnews_ray.app.prepare import read_study
from agnews_ray.cli.main import main
from agnews_ray.cluster.package import JOB_ENVIRONMENT

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "jobs" / "rayjob.yaml").read_text(encoding="utf-8")
JOB, CONFIG_MAP = yaml.safe_load_all(TEXT)
SCHEMA = json.loads((ROOT / "tests" / "data" / "kuberay_rayjob.schema.json").read_text())
CLUSTER = JOB["spec"]["rayClusterSpec"]
HEAD = CLUSTER["headGroupSpec"]
(WORKERS,) = CLUSTER["workerGroupSpecs"]
PODS = [HEAD["template"]["spec"], WORKERS["template"]["spec"]]
GPU = "nvidia.com/gpu"

FREE_NAMES = {"rayStartParams", "requests", "limits", "data"}
"""Objects whose keys are the user's own, as are those of ``spec.metadata``."""


def problems(document, kind):
    schema = SCHEMA | {"$ref": f"#/$defs/{kind}"}
    return [error.message for error in Draft202012Validator(schema).iter_errors(document)]


def objects(node, path=()):
    """Name all objects with fixed fields by their paths."""
    if isinstance(node, dict):
        if path == ("spec", "metadata") or (path and path[-1] in FREE_NAMES):
            return
        yield path
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, dict | list):
            yield from objects(value, (*path, key))


def at(document, path):
    for key in path:
        document = document[key]
    return document


def pinned(package):
    return re.search(rf"^{package}==(\S+)$", (ROOT / "requirements.lock").read_text(), re.M)[1]


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("document", [JOB, CONFIG_MAP], ids=lambda document: document["kind"])
def test_every_field_is_one_that_kuberay_documents(document):
    assert problems(document, document["kind"]) == []


@pytest.mark.parametrize("path", list(objects(JOB)), ids=lambda path: ".".join(map(str, path)))
def test_an_invented_field_is_refused_wherever_it_stands(path):
    job = copy.deepcopy(JOB)
    at(job, path)["inventedField"] = "x"
    (problem,) = problems(job, "RayJob")
    assert "inventedField" in problem


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("spec", "backoffLimit"), "1"),
        (("spec", "rayClusterSpec", "authOptions", "mode"), "password"),
        (("spec", "rayClusterSpec", "headGroupSpec", "rayStartParams", "num-gpus"), 0),
        (("spec", "rayClusterSpec", "workerGroupSpecs", 0, "maxReplicas"), None),
    ],
)
def test_a_value_of_another_type_is_refused(path, value):
    job = copy.deepcopy(JOB)
    at(job, path[:-1])[path[-1]] = value
    assert len(problems(job, "RayJob")) == 1


def test_versions_are_those_of_the_lock_and_of_this_package():
    images = {container["image"] for pod in PODS for container in pod["containers"]}
    assert CLUSTER["rayVersion"] == pinned("ray")
    assert re.findall(r"rayproject/ray:(\S+)", TEXT) == [f"{pinned('ray')}-py311-gpu"]
    assert images == {f"YOUR-REGISTRY/agnews-ray:{agnews_ray.__version__}"}
    assert set(re.findall(r"agnews_ray-(.+?)-py3", TEXT)) == {agnews_ray.__version__}


def test_the_head_has_no_gpu():
    (container,) = PODS[0]["containers"]
    assert HEAD["rayStartParams"]["num-gpus"] == "0"
    assert not any("gpu" in name for amounts in container["resources"].values() for name in amounts)


def test_gpu_workers_come_from_zero_and_go_again():
    (container,) = PODS[1]["containers"]
    assert CLUSTER["enableInTreeAutoscaling"] is True
    assert CLUSTER["autoscalerOptions"]["idleTimeoutSeconds"] > 0
    assert (WORKERS["replicas"], WORKERS["minReplicas"], WORKERS["maxReplicas"]) == (0, 0, 4)
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert container["resources"]["limits"][GPU] == 1
    assert [(t["key"], t["operator"]) for t in PODS[1]["tolerations"]] == [(GPU, "Exists")]


def test_nothing_stays_when_the_study_has_ended():
    spec = JOB["spec"]
    assert spec["shutdownAfterJobFinishes"] is True
    assert 0 < spec["ttlSecondsAfterFinished"] < spec["activeDeadlineSeconds"]


def test_the_token_is_required_and_no_key_stands_in_the_file():
    assert CLUSTER["authOptions"] == {"mode": "token"}
    assert {pod["serviceAccountName"] for pod in PODS} == {"agnews-ray"}
    given = [one for pod in PODS for c in pod["containers"] for one in c.get("env", [])]
    assert given == [{"name": "AGNEWS_RAY_GPUS", "value": str(WORKERS["maxReplicas"])}]


@pytest.mark.parametrize("pod", PODS, ids=["head", "worker"])
def test_every_mount_has_its_volume(pod):
    mounted = [m["name"] for container in pod["containers"] for m in container["volumeMounts"]]
    assert mounted == [volume["name"] for volume in pod["volumes"]]


def test_the_command_is_ours_and_finds_the_study_where_it_is_mounted():
    entrypoint = JOB["spec"]["entrypoint"]
    assert "\n" not in entrypoint  # it becomes part of one line of shell
    words = shlex.split(entrypoint)
    assert words[:4] == ["python", "-m", "agnews_ray", "execute"]
    given = main.commands["execute"].make_context("execute", words[4:]).params
    (mount,) = PODS[0]["containers"][0]["volumeMounts"]
    (volume,) = PODS[0]["volumes"]
    (file_name,) = CONFIG_MAP["data"]
    assert volume["configMap"]["name"] == CONFIG_MAP["metadata"]["name"]
    assert given["job"] == Path(mount["mountPath"]) / file_name
    assert given["storage"] == JOB["spec"]["metadata"]["agnews_ray_storage"]
    assert given["command"] == "kubectl apply -f jobs/rayjob.yaml"


def test_the_study_is_the_papers(tmp_path):
    job_file = tmp_path / "study.yaml"
    job_file.write_text(CONFIG_MAP["data"]["study.yaml"], encoding="utf-8")
    study = read_study(job_file, {})
    paper = read_study(ROOT / "jobs" / "paper.yaml", {})
    same = {"models", "seeds", "data", "recipe", "scaling"}
    assert study.name == JOB["spec"]["metadata"]["agnews_ray_study"] == "paper-k8s"
    assert study.model_dump(include=same) == paper.model_dump(include=same)


def test_the_job_runs_in_the_environment_that_submit_sends():
    assert yaml.safe_load(JOB["spec"]["runtimeEnvYAML"]) == {"env_vars": JOB_ENVIRONMENT}

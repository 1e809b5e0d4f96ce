"""One study in surroundings that would break it, were they let in; all at once, for one Ray."""

import json
import os
import resource
import subprocess
import sys

import pytest

from tests.integration.conftest import a_job

pytestmark = pytest.mark.integration

SHADOWS = ("datasets", "tokenizers", "transformers", "evaluate", "torch", "numpy", "random")
FOLDERS = ("peft", "accelerate", "ray")
HOSTILE = {
    "RAY_ADDRESS": "http://127.0.0.1:9",
    "RAY_TRAIN_V2_ENABLED": "0",
    "RAY_RUNTIME_ENV_HOOK": "no.such.hook",
    "RAY_JOB_CONFIG_JSON_ENV_VAR": '{"runtime_env": {"working_dir": "/nowhere"}}',
    "RAY_NAMESPACE": "theirs",
    "RAY_TMPDIR": "/nowhere",
    "RAY_AUTH_TOKEN": "theirs",
    "RAY_object_store_memory": "1",
    "RANK": "3",
    "LOCAL_RANK": "3",
    "WORLD_SIZE": "8",
    "MASTER_ADDR": "192.0.2.1",
    "MASTER_PORT": "29500",
    "ACCELERATE_MIXED_PRECISION": "fp16",
    "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4",
    "ACCELERATE_USE_DEEPSPEED": "true",
    "WANDB_MODE": "online",
    "OMP_NUM_THREADS": "many",
    "CUDA_VISIBLE_DEVICES": "",
    "PYTHONWARNINGS": "error",
    "PYTHONOPTIMIZE": "1",
    "PYTHONSTARTUP": "/nowhere",
    "PYTHONIOENCODING": "ascii",
    "PYTHONUTF8": "0",
    "PYTHONCOERCECLOCALE": "0",
    "LC_ALL": "POSIX",
    "COLUMNS": "many",
    "TERM": "none",
    "TZ": "No/Where",
    "TMPDIR": "/nowhere",
    "HTTPS_PROXY": "nonsense",
    "HF_ENDPOINT": "nonsense",
}


def close_stdin_and_allow_few_files():
    os.close(0)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
    os.umask(0o077)


@pytest.fixture(scope="module")
def submitted(workplace):
    place = workplace("hostile")
    for name in SHADOWS:
        (place.folder / f"{name}.py").write_text(f"raise RuntimeError('{name}.py of the user')\n")
    for name in FOLDERS:
        (place.folder / name).mkdir()
    place.home.mkdir()
    job = a_job(data={"source": "synthetic:train=64,test=32,seed=3"}, recipe={"num_epochs": 1})
    job["models"] = [
        job["models"][0] | {"name": "fast é"},
        job["models"][0] | {"name": "trainer", "engine": "reference"},
    ]
    (place.folder / "job.json").write_text(json.dumps(job))  # JSON is YAML
    place.submitted = subprocess.run(
        [sys.executable, "-m", "agnews_ray", "submit", "job.json", "--address", "local"],
        cwd=place.folder,
        env=place.environment() | HOSTILE,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=600,
        preexec_fn=close_stdin_and_allow_few_files,
    )
    return place


def test_a_study_runs_to_its_end_whatever_is_around_it(submitted):
    done = submitted.submitted
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stderr == ""
    assert "fast" in done.stdout.splitlines()[-3]


def test_the_trainer_trained_by_the_recipe_alone(submitted):
    (record,) = [
        json.loads(path.read_text())
        for path in submitted.folder.glob("runs/tiny/trials/trainer*/record.json")
    ]
    assert record["precision"] == "fp32"
    assert record["training"]["num_steps"] == 4  # of 64 rows, 16 at a time, none accumulated

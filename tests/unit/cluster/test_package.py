"""What is sent to a cluster: the package and the study, and no secret."""

import pytest
import yaml

from agnews_ray.app.prepare import read_study
from agnews_ray.cluster.package import (
    CODE_SUFFIXES,
    HANDED_ON,
    STUDY_FILE,
    pack,
    runtime_environment,
)


def test_the_package_and_the_study_are_sent_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret.env").write_text("x")
    folder = tmp_path / "sent"
    folder.mkdir()
    study = read_study(None, {"models": ["bert"]})
    size = pack(study, folder)
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert {STUDY_FILE, "agnews_ray/cli/main.py", "agnews_ray/report/templates/report.css"} <= names
    assert all(name == STUDY_FILE or name.startswith("agnews_ray/") for name in names)
    assert not any("__pycache__" in name or name.endswith(".pyc") for name in names)
    assert read_study(folder / STUDY_FILE, {}) == study
    assert size < 3_000_000


def test_the_same_is_sent_twice(tmp_path):
    def content(name):
        (tmp_path / name).mkdir()
        pack(read_study(None, {}), tmp_path / name)
        files = sorted(p for p in (tmp_path / name).rglob("*") if p.is_file())
        return [(p.relative_to(tmp_path / name), p.read_bytes()) for p in files]

    assert content("a") == content("b")


def test_no_secret_of_this_machine_goes_with_it(monkeypatch):
    for name in ("HF_TOKEN", "AWS_SECRET_ACCESS_KEY", "RAY_AUTH_TOKEN"):
        monkeypatch.setenv(name, "s3cret")
    assert "s3cret" not in yaml.safe_dump(runtime_environment(None))


def test_the_switch_of_recorded_steps_goes_with_a_job(monkeypatch):
    monkeypatch.delenv("AGNEWS_RAY_CUDA_GRAPHS", raising=False)
    assert "AGNEWS_RAY_CUDA_GRAPHS" not in runtime_environment(None)["env_vars"]
    monkeypatch.setenv("AGNEWS_RAY_CUDA_GRAPHS", "0")
    assert runtime_environment(None)["env_vars"]["AGNEWS_RAY_CUDA_GRAPHS"] == "0"


@pytest.mark.parametrize("name", HANDED_ON)
def test_what_is_handed_on_is_so_as_it_is_set_here(monkeypatch, name):
    monkeypatch.setenv(name, "as here")
    assert runtime_environment(None)["env_vars"][name] == "as here"


def test_only_what_was_packed_is_a_jobs_working_folder(tmp_path):
    assert runtime_environment(tmp_path)["working_dir"] == str(tmp_path)
    assert "working_dir" not in runtime_environment(None)


def test_what_is_sent_is_counted(tmp_path):
    size = pack(read_study(None, {}), tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert size == sum(len(path.read_bytes()) for path in files)
    assert {path.suffix for path in files} - {".yaml"} <= set(CODE_SUFFIXES)

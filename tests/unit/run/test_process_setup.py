"""What of the user's surroundings reaches our processes; the rows of the table in CONTRIBUTING.md.

``tests/integration/test_surroundings.py`` trains in all of them at once.
"""

import inspect
import io
import os
import subprocess
import sys
import warnings
from importlib.resources import files
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from agnews_ray.app.prepare import read_study
from agnews_ray.cli.main import main
from agnews_ray.errors import HubError, ResourceError, SpecError
from agnews_ray.model.hub import go_offline_if_unreachable
from agnews_ray.run.process_setup import (
    OF_RAY_HANDED_ON,
    only_for_own_ray,
    own_environment,
    own_job_config,
    without_trackers,
)
from agnews_ray.run.ray_watch import RayWatch
from agnews_ray.run.session import QUIET_ENVIRONMENT, RaySession


@pytest.mark.parametrize(
    "name",
    [
        *["RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "NODE_RANK", "GROUP_RANK"],
        *["MASTER_ADDR", "MASTER_PORT", "TORCHELASTIC_RUN_ID", "PMI_SIZE"],
        *["OMPI_COMM_WORLD_SIZE", "MV2_COMM_WORLD_SIZE", "ACCELERATE_MIXED_PRECISION"],
        *["ACCELERATE_USE_DEEPSPEED", "FSDP_OFFLOAD_PARAMS", "PARALLELISM_CONFIG_SP_SEQ_LENGTH"],
        *["OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"],
        "OMP_WAIT_POLICY",
        *["PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONIOENCODING"],
    ],
)
def test_what_was_meant_for_other_programs_is_kept_out(monkeypatch, name):
    monkeypatch.setenv(name, "1")
    with own_environment():
        assert name not in os.environ
    assert os.environ[name] == "1"  # a caller's environment is his own again


@pytest.mark.parametrize(
    "name",
    [
        *["PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH", "PYTHONPATH", "TZ", "COLUMNS", "NO_COLOR"],
        *["HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "AWS_PROFILE", "XDG_CACHE_HOME"],
        *["HF_HOME", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"],
        *["CUDA_VISIBLE_DEVICES", "CUDA_LAUNCH_BLOCKING", "NCCL_DEBUG", "PYTORCH_ALLOC_CONF"],
        *["RAY_ADDRESS", "RAY_AUTH_TOKEN_PATH", "AGNEWS_RAY_STORAGE"],
        *["GOMP_SPINCOUNT", "KMP_BLOCKTIME"],
        *["MLFLOW_TRACKING_URI", "WANDB_API_KEY", "TRACKIO_DIR"],
    ],
)
def test_what_says_where_things_are_is_handed_on(monkeypatch, name):
    monkeypatch.setenv(name, "theirs")
    with own_environment():
        assert os.environ[name] == "theirs"


@pytest.mark.parametrize(
    "name",
    [
        *["RAY_ADDRESS", "RAY_NAMESPACE", "RAY_TMPDIR", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"],
        *["RAY_RUNTIME_ENV_HOOK", "RAY_JOB_CONFIG_JSON_ENV_VAR", "RAY_object_store_memory"],
        *["RAY_BACKEND_LOG_LEVEL", "RAY_API_SERVER_ADDRESS", "RAY_SCHEDULER_EVENTS"],
    ],
)
def test_a_ray_of_our_own_hears_nothing_of_others(monkeypatch, name):
    monkeypatch.setenv(name, "theirs")
    only_for_own_ray(QUIET_ENVIRONMENT)
    assert os.environ.get(name) != "theirs"


@pytest.mark.parametrize("name", ["MLFLOW_TRACKING_TOKEN", "WANDB_API_KEY", "TRACKIO_DIR"])
def test_what_trackers_are_told_stays_with_the_driver(monkeypatch, name):
    monkeypatch.setenv(name, "theirs")
    with without_trackers():
        seen = python("-c", f"import os; print(os.environ.get({name!r}))", cwd=None).stdout
    assert seen == "None\n"
    assert os.environ[name] == "theirs"


def test_but_how_full_memory_may_become_is_the_users_to_say(monkeypatch):
    monkeypatch.setenv(OF_RAY_HANDED_ON[0], "0.8")
    monkeypatch.setenv("RAY_TRAIN_V2_ENABLED", "0")
    only_for_own_ray(QUIET_ENVIRONMENT)
    assert os.environ[OF_RAY_HANDED_ON[0]] == "0.8"
    assert os.environ["RAY_TRAIN_V2_ENABLED"] == "1"


def test_torch_is_not_loaded_before_it_can_read_how_to_wait():
    look = "import sys, agnews_ray.cli.main; print('torch' in sys.modules)"
    assert python("-c", look, cwd=None).stdout == "False\n"


def test_rays_workers_are_sent_this_package_and_not_the_working_folder(tmp_path):
    config = own_job_config(tmp_path)
    (sent,) = config._py_driver_sys_path
    assert [path.name for path in (tmp_path / "packages").iterdir()] == ["agnews_ray"]
    assert (tmp_path / "packages" / "agnews_ray" / "run" / "entry.py").is_file()
    assert sent == str(tmp_path / "packages")


def test_ray_still_asks_the_method_that_keeps_the_working_folder_out():
    """A private name of Ray's: where it goes, another way has to be found."""
    from ray._private import worker

    asked = inspect.getsource(worker.connect)
    assert "not job_config._runtime_env_has_working_dir()" in asked
    assert asked.count("code_paths.append(") == 2  # behind those two questions


@pytest.fixture
def shadowed(tmp_path):
    """A working folder with files that have libraries' names."""
    for name in ("random", "datasets", "click"):
        (tmp_path / f"{name}.py").write_text(f"raise RuntimeError('{name}.py of the user')\n")
    return tmp_path


def python(*words, cwd, **variables):
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


def test_python_m_does_not_look_into_the_working_folder(shadowed):
    done = python("-m", "agnews_ray", "--version", cwd=shadowed)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_checkout_that_is_not_installed_runs_nevertheless(shadowed, tmp_path_factory):
    (shadowed / "agnews_ray").symlink_to(Path(str(files("agnews_ray"))))
    custom = tmp_path_factory.mktemp("custom")
    uninstall = "import sys; sys.meta_path = [f for f in sys.meta_path if 'ditable' not in str(f)]"
    (custom / "sitecustomize.py").write_text(uninstall)
    done = python("-m", "agnews_ray", "--version", cwd=shadowed, PYTHONPATH=str(custom))
    assert (done.returncode, done.stderr) == (0, "")


def test_children_do_not_look_there_either(shadowed):
    look = "import random, click; print(random.__file__)"
    with own_environment():
        done = python("-c", look, cwd=shadowed)
    assert done.returncode == 0, done.stderr
    assert str(shadowed) not in done.stdout


def test_a_librarys_warning_is_no_error(monkeypatch):
    monkeypatch.setattr(sys, "warnoptions", ["error"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with own_environment():
            warnings.warn("libraries do", DeprecationWarning, stacklevel=1)


def test_python_without_docstrings_is_refused_in_one_line(tmp_path):
    done = python("-m", "agnews_ray", "compare", ".", cwd=tmp_path, PYTHONOPTIMIZE="2")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: PYTHONOPTIMIZE: want docstrings, which Ray needs, found none; "
        "unset PYTHONOPTIMIZE, and start Python without -OO"
    ]


def test_a_working_folder_that_is_gone_is_told(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with (
        pytest.raises(ResourceError, match="working folder: want one that exists"),
        own_environment(),
    ):
        pass


def test_a_user_without_a_home_is_told(monkeypatch):
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("os.path.expanduser", lambda path: path)  # nobody in /etc/passwd either
    with pytest.raises(ResourceError, match="HOME: want a home folder, found none"):
        own_environment().__enter__()


def test_a_ray_that_runs_on_this_machine_is_never_joined(tmp_path, monkeypatch):
    import ray

    asked = {}
    monkeypatch.setattr(ray, "init", lambda **arguments: asked.update(arguments))
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:6379")
    RaySession(folder=tmp_path, num_gpus=0, num_workers=1, watch=RayWatch(tmp_path)).start()
    assert asked["address"] == "local"
    assert asked["job_config"]._runtime_env_has_working_dir()


def test_the_commands_run_in_it(tmp_path):
    seen = {}

    @main.command("look", hidden=True)
    def look():
        seen.update(os.environ)

    try:
        CliRunner(env={"WORLD_SIZE": "8"}).invoke(main, ["look"], catch_exceptions=False)
    finally:
        del main.commands["look"]
    assert "WORLD_SIZE" not in seen
    assert seen["PYTHONSAFEPATH"] == "1"


def test_names_in_any_script_can_be_printed_on_any_terminal(monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    with own_environment():
        Console(file=terminal).print("caf\xe9 \u2713")  # as the live screen prints
    terminal.seek(0)
    assert terminal.read() == "caf? ?\n"


@pytest.mark.parametrize("name", ["stdin", "stdout", "stderr"])
def test_a_stream_that_is_closed_is_left_alone(monkeypatch, name):
    monkeypatch.setattr(sys, name, None)  # what Python makes of <&- and >&-
    with own_environment():
        pass


@pytest.mark.parametrize("endpoint", ["hub.example.org", "ftp://hub", "https://", "http://a b", ""])
def test_an_endpoint_that_is_no_address_is_one_line(monkeypatch, endpoint):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    with pytest.raises(HubError, match=f"HF_ENDPOINT: want an address .*, found '{endpoint}'"):
        go_offline_if_unreachable()


def test_a_home_of_the_hub_that_cannot_be_written_to_is_one_line(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "file" / "home"))
    with pytest.raises(HubError, match=r"HF_HOME: want a folder to write to, found .*/file/home"):
        go_offline_if_unreachable()


@pytest.mark.parametrize("endpoint", ["http://127.0.0.1:port", "http://127.0.0.1:9"])
def test_a_hub_that_cannot_be_asked_leaves_its_cache(monkeypatch, endpoint):
    monkeypatch.setenv("HF_HUB_OFFLINE", "")
    monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert not go_offline_if_unreachable()
    assert os.environ["HF_HUB_OFFLINE"] == "1"


def test_a_token_that_is_none_is_one_line_without_it(monkeypatch):
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_TOKEN", "hf_secr\xe9t")
    with pytest.raises(HubError, match="HF_TOKEN: want letters, digits and _") as caught:
        go_offline_if_unreachable()
    assert "secr" not in str(caught.value)


@pytest.mark.parametrize(
    ("variables", "is_asked"),
    [
        ({"HF_HUB_OFFLINE": "1"}, False),
        ({"TRANSFORMERS_OFFLINE": "yes"}, False),
        ({"HF_HUB_OFFLINE": "0"}, True),
        ({"HF_HUB_OFFLINE": ""}, True),
    ],
    ids=str,
)
def test_offline_is_what_the_hubs_library_takes_for_it(monkeypatch, variables, is_asked):
    for name, value in ({"HF_HUB_OFFLINE": "", "HF_ENDPOINT": "none"} | variables).items():
        monkeypatch.setenv(name, value)
    try:
        go_offline_if_unreachable()
        asked = False
    except HubError:
        asked = True
    assert asked == is_asked


@pytest.mark.parametrize("name", ["~nobody-of-that-name/data", "a" * 5000])
@pytest.mark.parametrize("key", ["data.source", "data.test_source", "models.0.model"])
def test_a_path_that_cannot_be_asked_for_is_one_line(key, name):
    flags = {"models": [name]} if "models" in key else {key: name}
    with pytest.raises(SpecError, match=f"{key}: want a name or a path, found") as caught:
        read_study(None, flags)
    assert len(caught.value.problems) == 1

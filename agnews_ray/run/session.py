"""An embedded Ray: private to this process, quiet, and gone without a trace afterwards."""

import contextlib
import logging
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.run.surroundings import only_for_own_ray, own_job_config

NUM_DATA_CPUS = 2
"""Logical CPUs left over for Ray's data tasks beside the workers, or both wait for ever."""

OBJECT_STORE_BYTES = 512 << 20
LOG_TAIL_BYTES = 256 << 10
"""How much of each Ray log file is kept."""

LOGGERS = ("ray", "agnews_ray", "py.warnings")
"""Whose messages go to the log file."""

RAY_MARKS = (
    ":job_id:",
    ":actor_name:",
    ":task_name:",
    "Failed to query Ray Train Controller",  # needs the dashboard, which is off; harmless
)
"""Starts of lines in Ray's log files that tell nobody anything."""

QUIET_ENVIRONMENT = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_V2_ENABLED": "1",
    "RAY_TRAIN_ENABLE_PRINT_PATCH": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # this machine does not announce its end
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",  # the default adds 2 s to the end of each trial
    "RAY_DATA_LOG_LEVEL": "ERROR",
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_DEDUP_LOGS": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TOKENIZERS_PARALLELISM": "false",
    "RAY_TRAIN_METRICS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    # Ray's own processes wake up seldom: on two cores what they take, training loses.
    "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "0",
    "LOG_NAME_UPDATE_INTERVAL_S": "3600",
    "RAY_num_workers_soft_limit": "0",
    "REPORTER_UPDATE_INTERVAL_MS": "60000",
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_raylet_report_resources_period_milliseconds": "1000",
    "RAY_memory_monitor_refresh_ms": "1000",
    "RAY_kill_idle_workers_interval_ms": "2000",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RaySession:
    """A Ray that can be started in this process."""

    folder: Path
    """Private scratch folder, removed at the end."""
    num_gpus: int
    """GPUs that Ray may hand out."""
    num_workers: int
    """Workers that run at the same time; each takes one logical CPU."""

    def start(self) -> None:
        """Start Ray under an address of its own; ``embedded_ray`` ends it."""
        import ray

        configure_ray_data()
        ray.init(
            address="local",
            num_cpus=max(num_usable_cpus(), self.num_workers + NUM_DATA_CPUS),
            num_gpus=self.num_gpus,
            include_dashboard=False,
            log_to_driver=False,
            logging_level=logging.ERROR,
            object_store_memory=OBJECT_STORE_BYTES,
            _temp_dir=str(self.folder / "ray"),
            job_config=own_job_config(self.folder),
        )


@contextmanager
def embedded_ray(log_path: Path, num_gpus: int, num_workers: int) -> Iterator[RaySession]:
    """Prepare for a Ray in this process, and end it with everything it started.

    It listens under an address and a token of its own, kept in a folder that only this user can
    read. Messages of Ray and its workers are appended to the log file. Import Ray inside: it
    reads its settings from the environment when it is imported.

    Args:
        log_path: what would otherwise go to the terminal.
        num_gpus: GPUs that Ray may hand out.
        num_workers: workers that run at the same time.

    Yields:
        The session, to be started.
    """
    _remove_stale_folders()
    # Short: Ray makes Unix sockets below it, whose paths may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix=f"agnews-ray-{os.getpid()}-", dir=_short_tmp()))
    handler = log_to(log_path)
    before = dict(os.environ)
    is_interrupted = False
    try:
        only_for_own_ray(QUIET_ENVIRONMENT)
        _set_token(folder)
        yield RaySession(folder=folder, num_gpus=num_gpus, num_workers=num_workers)
    except KeyboardInterrupt:
        is_interrupted = True
        _kill_children()
        raise
    finally:
        if "ray" in sys.modules and not is_interrupted:
            sys.modules["ray"].shutdown()
        _keep_logs(folder, log_path)
        stop_logging(handler)
        shutil.rmtree(folder, ignore_errors=True)
        for name in set(os.environ) - set(before):
            del os.environ[name]
        os.environ.update(before)


def _kill_children() -> None:
    """End Ray's processes without asking Ray.

    Trials still wait in threads, and a thread that calls Ray after its shutdown ends this process
    on the spot, with nothing cleaned up.
    """
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            process.kill()


def _set_token(folder: Path) -> None:
    """Require a token of our own; Ray's default would leave one in the home folder."""
    token = folder / "token"
    token.touch(mode=0o600)
    token.write_text(secrets.token_hex(32), encoding="ascii")
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)


def configure_ray_data() -> None:
    """Make Ray Data quiet: no bars, no lines on the terminal."""
    import ray.data

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray", "ray.data", "ray.train"):
        logger = logging.getLogger(name)
        for handler in list(logger.handlers):
            if isinstance(handler, logging.StreamHandler) and not isinstance(
                handler, logging.FileHandler
            ):
                logger.removeHandler(handler)


def log_to(log_path: Path) -> logging.Handler:
    """Send the messages of ``LOGGERS`` to a file, until ``stop_logging``."""
    handler = logging.FileHandler(log_path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    for name in LOGGERS:
        logging.getLogger(name).addHandler(handler)
    logging.getLogger("agnews_ray").setLevel(logging.INFO)
    logging.captureWarnings(capture=True)
    return handler


def stop_logging(handler: logging.Handler) -> None:
    """End what ``log_to`` began."""
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)
    logging.captureWarnings(capture=False)
    handler.close()


def _keep_logs(folder: Path, log_path: Path) -> None:
    """Append what workers printed, before Ray's folder goes away."""
    with log_path.open("a", encoding="utf-8") as log:
        for file in sorted((folder / "ray").glob("session_2*/logs/worker-*")):
            content = file.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace")
            lines = [line for line in content.splitlines() if not line.startswith(RAY_MARKS)]
            if any(lines):
                log.write("\n".join(["", f"==> {file.name} <==", *lines, ""]))


def _remove_stale_folders() -> None:
    """Remove what a killed process of this user left behind."""
    for folder in Path(_short_tmp()).glob("agnews-ray-*-*"):
        pid = folder.name.split("-")[2]
        is_ours = folder.is_dir() and folder.stat().st_uid == os.getuid()
        if is_ours and pid.isdigit() and not _is_alive(int(pid)):
            shutil.rmtree(folder, ignore_errors=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _short_tmp() -> str:
    standard = tempfile.gettempdir()
    return standard if len(standard) <= 24 else "/tmp"  # noqa: S108  # macOS's is too long for Ray

"""An embedded Ray: private to this process, quiet, and completely removed afterwards."""

import logging
import os
import re
import secrets
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agnews_ray.compat.of_ray import only_needed_services, tell_lines_to
from agnews_ray.errors import ResourceError
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.run import cleanup
from agnews_ray.run.process_setup import (
    OF_EVERY_RAY,
    only_for_own_ray,
    own_job_config,
    without_trackers,
)
from agnews_ray.run.ray_watch import RayWatch

NUM_DATA_CPUS = 2
"""The logical CPUs for Ray's data tasks beside the workers; without them both would wait
endlessly."""

OBJECT_STORE_BYTES = 512 << 20
LOG_TAIL_BYTES = 256 << 10
"""The bytes that are kept of each Ray log file."""

LOGGERS = ("ray", "agnews_ray", "py.warnings")
"""The loggers whose messages go to the log file."""

RAY_MARKS = (
    ":job_id:",
    ":actor_name:",
    ":task_name:",
    "Failed to query Ray Train Controller",  # it needs the dashboard, which is off; harmless
)
"""The starts of lines in Ray's log files that have no useful information."""

QUIET_ENVIRONMENT = {
    **OF_EVERY_RAY,
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",  # this machine does not announce its shutdown
    "RAY_SCHEDULER_EVENTS": "0",
    "RAY_DEDUP_LOGS": "0",
    # Ray's own processes wake up rarely: on two cores, training loses the time that they take.
    "RAY_LOG_MONITOR_MANY_FILES_THRESHOLD": "0",
    "LOG_NAME_UPDATE_INTERVAL_S": "3600",
    "RAY_num_workers_soft_limit": "0",
    "REPORTER_UPDATE_INTERVAL_MS": "60000",
    "RAY_enable_metrics_collection": "0",
    "RAY_event_stats": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_raylet_report_resources_period_milliseconds": "1000",
    "RAY_memory_monitor_refresh_ms": "1000",
    "RAY_kill_idle_workers_interval_ms": "10000",
    "RAY_task_oom_retries": "2",  # by default a task killed to free memory is retried endlessly
}

OF_FAILURE = re.compile(
    r"Check failed|\b[EFC] \d|No space|Resource temporarily|Too many|File too large|Cannot|Failed"
)
"""The words in Ray's log lines that say why it did not start."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RaySession:
    """A Ray that can be started in this process."""

    folder: Path
    """The private temporary folder, which is removed at the end."""
    num_gpus: int
    """The number of GPUs that Ray may use."""
    num_workers: int
    """The number of workers that run at the same time; each takes one logical CPU."""
    watch: RayWatch
    """What ends this process with a line if Ray is lost."""

    def load(self) -> None:
        """Import Ray, before a thread imports its libraries: two at once find it half loaded."""
        import ray  # noqa: F401

    def start(self) -> None:
        """Start Ray at its own address; ``embedded_ray`` ends it.

        Raises:
            ResourceError: Ray cannot start on this machine.
        """
        try:
            with only_needed_services(), without_trackers():
                start_ray(
                    address="local",
                    num_cpus=max(num_usable_cpus(), self.num_workers + NUM_DATA_CPUS),
                    num_gpus=self.num_gpus,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                    object_store_memory=OBJECT_STORE_BYTES,
                    _temp_dir=str(self.folder / "r"),
                    job_config=own_job_config(self.folder),
                )
        except Exception as error:
            logger.exception("Ray did not start")
            hint = "check the space in /tmp and /dev/shm, and `ulimit -a`; submit.log has more"
            found = why_not_started(error, self.folder)
            raise ResourceError("Ray", "a Ray that starts here", found, hint) from error
        self.watch.start()


@contextmanager
def embedded_ray(log_path: Path, num_gpus: int, num_workers: int) -> Iterator[RaySession]:
    """Prepare a Ray in this process, and end it with everything that it started.

    It has its own address and token, in a folder that only this user can read. Messages of Ray and
    its workers are appended to the log file. Import Ray inside the block, because it reads its
    settings from the environment at import.

    Args:
        log_path: the file for output that would otherwise go to the terminal.
        num_gpus: the number of GPUs that Ray may use.
        num_workers: the number of workers that run at the same time.

    Yields:
        The session, which is not yet started.
    """
    cleanup.remove_stale()
    with _private_folder() as folder, _stderr_to(log_path):
        handler = log_to(log_path)
        before = dict(os.environ)
        is_interrupted, watch = False, RayWatch(folder)
        try:
            only_for_own_ray(QUIET_ENVIRONMENT)
            os.environ["TMPDIR"] = str(folder / "tmp")  # for Ray's processes
            _set_token(folder)
            yield RaySession(folder=folder, num_gpus=num_gpus, num_workers=num_workers, watch=watch)
        except KeyboardInterrupt:
            is_interrupted = True
            raise
        finally:
            watch.stop()
            _end_ray(folder, is_interrupted)
            _keep_logs(folder, log_path)
            stop_logging(handler)
            for name in set(os.environ) - set(before):
                del os.environ[name]
            os.environ.update(before)


@contextmanager
def _private_folder() -> Iterator[Path]:
    """Make a temporary folder that is removed when this process ends in any way."""
    # Short: the paths of Ray's Unix sockets below it may have 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix=cleanup.name_prefix(), dir=cleanup.short_tmp()))
    watchdog = cleanup.start_watchdog(folder)
    try:
        (folder / "tmp").mkdir()
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        cleanup.remove_stale()  # of its processes, which are dead
        cleanup.stop_watchdog(watchdog)


@contextmanager
def _stderr_to(log_path: Path) -> Iterator[None]:
    """Send the terminal output of Ray's C++ to the log; ``sys.stderr`` may be another stream."""
    before = os.dup(2)
    with log_path.open("ab") as log:
        os.dup2(log.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(before, 2)
        os.close(before)


def _end_ray(folder: Path, is_interrupted: bool) -> None:
    """End Ray and all that it started, for which ``ray.shutdown`` does not wait."""
    if is_interrupted:
        # Without asking Ray: trials still wait in threads, and a thread that calls Ray after its
        # shutdown ends this process at once, without clean-up.
        cleanup.kill_processes(folder)
        return
    known = cleanup.processes_of(folder)
    if "ray" in sys.modules:
        sys.modules["ray"].shutdown()
    cleanup.end_processes(folder, known)


def start_ray(**options: Any) -> None:  # Any: those of ``ray.init``
    """Start or join a Ray, and restore the handler of SIGTERM, which ``ray.init`` replaces."""
    import ray

    tell_lines_to(_log_lines)  # its messages about memory that it freed
    of_sigterm = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**options)
    except SystemExit:  # the result of Ray's own handler of SIGTERM during the start
        if callable(of_sigterm):
            of_sigterm(signal.SIGTERM, None)
        raise
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, of_sigterm)


def _log_lines(data: Any, ignore_prefix: bool) -> None:  # noqa: ARG001  # Ray's
    logger.warning("%s: %s", data.get("pid"), "\n".join(data.get("lines", ())))


def _set_token(folder: Path) -> None:
    """Require our own token; Ray's default would write one to the home folder."""
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


def start_actors() -> None:
    """Start the actors that every dataset needs, by reading a dataset of one row."""
    import ray.data

    ray.data.from_items([0]).take_all()


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
    """Undo ``log_to``."""
    for name in LOGGERS:
        logging.getLogger(name).removeHandler(handler)
    logging.captureWarnings(capture=False)
    handler.close()


def why_not_started(error: BaseException, folder: Path) -> str:
    """Find the cause in one line: the last output of Ray's first processes, else the error.

    Args:
        error: the exception of ``ray.init``.
        folder: the session's folder.
    """
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    for name in ("gcs_server.err", "gcs_server.out", "raylet.err", "raylet.out"):
        for file in sorted((folder / "r").glob(f"session_2*/logs/{name}")):
            lines = file.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace").splitlines()
            causes = [line for line in lines if OF_FAILURE.search(line)]
            if causes:
                return f"{said} ({name}: {' '.join(causes[0].split())[-200:]})"
    return said


def _keep_logs(folder: Path, log_path: Path) -> None:
    """Append the workers' output to the log before Ray's folder is removed."""
    with log_path.open("a", encoding="utf-8") as log:
        for file in sorted((folder / "r").glob("session_2*/logs/worker-*")):
            content = file.read_bytes()[-LOG_TAIL_BYTES:].decode("utf-8", "replace")
            lines = [line for line in content.splitlines() if not line.startswith(RAY_MARKS)]
            if any(lines):
                log.write("\n".join(["", f"==> {file.name} <==", *lines, ""]))

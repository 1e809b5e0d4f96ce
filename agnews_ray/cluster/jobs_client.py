"""The Ray Jobs interface of a cluster: submit, list, show, follow, stop."""

import asyncio
import logging
import os
import re
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from agnews_ray.cluster.event_kinds import Event
from agnews_ray.cluster.events import read_events
from agnews_ray.errors import ClusterError
from agnews_ray.spec.base import NAME_PATTERN

if TYPE_CHECKING:  # Ray takes seconds to import
    from ray.job_submission import JobDetails

ADDRESS_PATTERN = re.compile(
    r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?/?|https?://\[[0-9a-fA-F:]+\](:\d+)?/?"
)
ADDRESS_HINT = "give the dashboard's address, such as --address http://127.0.0.1:8265"
TOKEN_HINT = "set RAY_AUTH_TOKEN_PATH to the file with the cluster's token"  # noqa: S105
JOBS_HINT = "list them: agnews-ray jobs"
SILENCE_S = 45.0
"""The time without data after which a connection counts as broken."""
START_S = 180.0
"""The time that a head node may take to start; minutes, where its cores are busy."""
RETRY_S = (1.0, 2.0, 4.0, 8.0, 15.0, *[30.0] * 20)
"""The pauses before each try to reconnect; ten minutes in total."""

DASHBOARD = "a Ray cluster's dashboard"

TALKATIVE = (
    "dashboard.modules.dashboard_sdk",
    "dashboard.modules.job.sdk",
    "_private.runtime_env.packaging",
)
"""The loggers of Ray whose messages users do not need."""

PROBE_KEY = "agnews_ray_probe"
"""The metadata key that marks a job of ``doctor``, which is not one of the user's."""

ENDED = ("SUCCEEDED", "FAILED", "STOPPED")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as the cluster describes it."""

    job_id: str
    status: str
    """The status: PENDING, RUNNING, or one of ``ENDED``."""
    message: str
    study: str
    storage: str
    started_at: float | None
    """The start, in Unix time."""
    ended_at: float | None

    @property
    def has_ended(self) -> bool:
        """Whether the job has ended."""
        return self.status in ENDED


class JobsClient:
    """The connection to one cluster.

    Args:
        address: the address of its dashboard.

    Raises:
        ClusterError: there is no address, no answer, or the token is missing or wrong.
    """

    def __init__(self, address: str) -> None:
        if not ADDRESS_PATTERN.fullmatch(address):
            raise ClusterError(
                address or "the address", "a dashboard's address", "something else", ADDRESS_HINT
            )
        self.address = address.rstrip("/")
        self._has_token = use_token()
        # Ray would prefer the address in the environment to the one given here.
        os.environ.update(RAY_ADDRESS=self.address, RAY_API_SERVER_ADDRESS=self.address)
        with self._explained():
            from ray.job_submission import JobSubmissionClient

            for name in TALKATIVE:
                logging.getLogger(f"ray.{name}").setLevel(logging.WARNING)
            self._client = JobSubmissionClient(self.address)

    def submit(
        self,
        job_id: str,
        entrypoint: str,
        runtime_environment: Mapping[str, object],
        metadata: dict[str, str],
    ) -> None:
        """Submit a job.

        Args:
            job_id: a new id.
            entrypoint: the shell command.
            runtime_environment: the environment of everything in the job.
            metadata: the facts that ``jobs`` shows again.
        """
        given_up_at = time.monotonic() + START_S
        with self._explained():
            while True:
                try:
                    self._client.submit_job(
                        entrypoint=entrypoint,
                        submission_id=job_id,
                        runtime_env=dict(runtime_environment),
                        metadata=metadata,
                    )
                except RuntimeError as error:
                    # A head node that has just started answers before it can accept jobs.
                    if "No available agent" not in str(error) or time.monotonic() > given_up_at:
                        raise
                    time.sleep(1)
                else:
                    return

    def jobs(self) -> list[Job]:
        """List the studies that this package submitted, the latest first."""
        with self._explained():
            details = self._client.list_jobs()
        ours = [
            _job(one) for one in details if _is_ours(one) and PROBE_KEY not in (one.metadata or {})
        ]
        return sorted(ours, key=lambda job: job.started_at or 0.0, reverse=True)

    def job(self, job_id: str) -> Job:
        """Return one job.

        Raises:
            ClusterError: the cluster does not know it, or another program submitted it.
        """
        check_id(job_id)
        with self._explained(job_id):
            details = self._client.get_job_info(job_id)
        if not _is_ours(details):
            found = "a job of another program"
            raise ClusterError(job_id, "a job of agnews-ray", found, JOBS_HINT)
        return _job(details)

    def events(self, job_id: str) -> Iterator[Event | str]:
        """Read what a job has said so far: events of ``cluster.events``, other lines as text."""
        check_id(job_id)
        return read_events(self._log(job_id))

    def follow(self, job_id: str, on_trouble: Callable[[str], None]) -> Iterator[str]:
        """Read a job's log while it grows, until the job ends.

        Args:
            job_id: the job.
            on_trouble: called with a line when the connection breaks; then it is made again.

        Yields:
            The lines, from the first one; after a reconnection, from the first one again.
        """
        self.job(job_id)
        num_failures = 0
        while True:
            try:
                num_lines = 0
                for line in self._tail(job_id):
                    num_failures = 0
                    num_lines += 1
                    yield line
                if self.job(job_id).has_ended:
                    # Ray's tail may miss what a job wrote just before its end.
                    yield from self._log(job_id)[num_lines:]
                    return
                num_failures = 0
                time.sleep(RETRY_S[0])
            except Exception as error:  # any exception of the network
                if isinstance(error, ClusterError) and error.hint in (TOKEN_HINT, JOBS_HINT):
                    raise  # a deleted job or a wrong token: a retry will not help
                if num_failures == len(RETRY_S):
                    hint = f"once it answers again: agnews-ray logs {job_id} --follow"
                    raise ClusterError(self.address, DASHBOARD, "nobody there", hint) from error
                on_trouble(f"connection lost ({type(error).__name__}), trying again")
                time.sleep(RETRY_S[num_failures])
                num_failures += 1

    def stop(self, job_id: str) -> None:
        """Ask a job to stop; it has a few seconds to exit."""
        check_id(job_id)
        with self._explained(job_id):
            self._client.stop_job(job_id)

    def _log(self, job_id: str) -> list[str]:
        with self._explained(job_id):
            text: str = self._client.get_job_logs(job_id)
        return text.removesuffix("\n").split("\n") if text else []

    def _tail(self, job_id: str) -> Iterator[str]:
        loop = asyncio.new_event_loop()
        chunks = cast("AsyncGenerator[str, None]", self._client.tail_job_logs(job_id))
        waiting: asyncio.Task[str] | None = None
        rest = ""
        try:
            while True:
                waiting = loop.create_task(asyncio.wait_for(anext(chunks), SILENCE_S))
                chunk = loop.run_until_complete(waiting)
                *lines, rest = (rest + chunk).split("\n")
                yield from lines
        except (StopAsyncIteration, TimeoutError):
            pass  # the end, idle, or a broken connection: the next request shows which
        finally:
            if waiting is not None and not waiting.done():  # interrupted while waiting
                waiting.cancel()
                with suppress(asyncio.CancelledError, StopAsyncIteration):
                    loop.run_until_complete(waiting)
            loop.run_until_complete(chunks.aclose())
            loop.close()

    @contextmanager
    def _explained(self, job_id: str | None = None) -> Iterator[None]:
        """Turn Ray's errors into ours."""
        from ray.exceptions import AuthenticationError

        try:
            yield
        except AuthenticationError as error:
            found = "one that the cluster refuses" if self._has_token else "none"
            raise ClusterError(self.address, "the cluster's token", found, TOKEN_HINT) from error
        except (ConnectionError, OSError) as error:
            found = "nobody there"
            hint = "check the address and `ray status`; on a cloud, `ray dashboard cluster.yaml`"
            raise ClusterError(self.address, DASHBOARD, found, hint) from error
        except RuntimeError as error:
            text = " ".join(str(error).split())
            if job_id and ("404" in text or "does not exist" in text):
                wanted = f"a job on {self.address}"
                raise ClusterError(job_id, wanted, "none", JOBS_HINT) from error
            hint = "read the dashboard's log on the head node"
            raise ClusterError(self.address, "an answer", text[:300], hint) from error


def check_id(job_id: str) -> None:
    """Refuse a text that cannot be a job's id, as it becomes part of an address.

    Raises:
        ClusterError: it has characters that a study's name cannot have.
    """
    if not re.fullmatch(NAME_PATTERN, job_id):
        raise ClusterError(repr(job_id), "a job's id", "another text", JOBS_HINT)


def use_token() -> bool:
    """Send this user's token to clusters, if there is one; without this, Ray would make one.

    Returns:
        Whether there is a token.
    """
    kept = Path(os.environ.get("RAY_AUTH_TOKEN_PATH", Path.home() / ".ray" / "auth_token"))
    has_token = bool(os.environ.get("RAY_AUTH_TOKEN")) or kept.expanduser().is_file()
    os.environ.setdefault("RAY_AUTH_MODE", "token" if has_token else "disabled")
    return has_token


def _is_ours(details: "JobDetails") -> bool:
    """Whether a study's name stands in a job's metadata: it becomes a folder's name here."""
    return bool(re.fullmatch(NAME_PATTERN, (details.metadata or {}).get("agnews_ray_study", "")))


def _job(details: "JobDetails") -> Job:
    metadata = details.metadata or {}
    return Job(
        job_id=details.submission_id or "",
        status=str(getattr(details.status, "value", details.status)),
        message=details.message or "",
        study=metadata.get("agnews_ray_study", ""),
        storage=metadata.get("agnews_ray_storage", ""),
        started_at=details.start_time / 1000 if details.start_time else None,
        ended_at=details.end_time / 1000 if details.end_time else None,
    )

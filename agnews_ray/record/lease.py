"""One writer at a time in a study's folder, across all machines that can reach it.

Object stores are used through pyarrow, which has no conditional writes. They do promise that a
listing shows every earlier write. So each writer first writes its own claim and then lists all
claims: a writer that sees another's live claim removes its own and tries again. Of two writers, the
one that lists last sees both claims, so the two never both continue.

A claim is live as long as it is renewed. Its age is the difference of two times given by the store
itself: the claim's, and that of the reader's own claim, written just now. Clocks of two machines
    are never compared. A holder stops trusting its own claim before others do.
"""

import json
import logging
import os
import random
import secrets
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from agnews_ray.errors import StoreError
from agnews_ray.record.json_text import to_json
from agnews_ray.record.storage import Storage, without_secrets

FOLDER = ".lease"

EXPIRY_S = 180.0
"""The time after which a claim that was not renewed belongs to a lost machine."""
OWN_LIMIT_S = 120.0
"""The time after which a holder that could not renew asks again before it writes."""
RENEW_S = 20.0
TRIES = 6
PAUSE_S = 0.3
"""The mean pause between two tries; it is random, so that two writers do not collide again."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The owner of a claim."""

    host: str
    place: str
    """The boot of a machine and the container on it, in which the process number is valid."""
    pid: int
    started: float
    """The start time of the process, because process numbers are reused."""
    since: str
    """The start of the claim, in UTC, ISO 8601."""

    def is_gone(self) -> bool:
        """Whether it was a process of this machine that has ended; of others nothing is known."""
        if self.place != this_place():
            return False
        try:
            process = psutil.Process(self.pid)
            is_other = abs(process.create_time() - self.started) > 1
            return bool(is_other or process.status() == psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return True
        except psutil.Error:
            return False

    def __str__(self) -> str:
        return f"{self.host} (process {self.pid}), since {self.since}"


class Lease:
    """The right to write into a folder, held while its claim is renewed.

    Args:
        storage: the folder.
        session: the part of the claims' names that identifies this writer.
        tell: called with one line when the lease of a lost machine is taken.
    """

    def __init__(self, storage: Storage, session: str, tell: Callable[[str], None]) -> None:
        self._storage = storage
        self._claims = storage.child(FOLDER)
        self._session = session
        self._tell = tell
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._name = ""
        self._renewed = 0.0
        self._lost: StoreError | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Take the lease, renew it in a thread, and release it at the end.

        Raises:
            StoreError: another writer has it; the message names that writer.
        """
        self._take()
        thread = threading.Thread(target=self._renew_until_ended, name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join(timeout=RENEW_S)
            with suppress(StoreError):
                self._claims.remove(self._name)

    def check(self) -> None:
        """Check that this writer still has the lease; called before each change of the folder.

        Raises:
            StoreError: it has not, or the store does not answer.
        """
        with self._lock:
            self._check()

    def living(self) -> set[str]:
        """Return the sessions with live claims, including this writer's."""
        others, _ = self._look()
        return {self._session, *(name.partition("-")[0] for name in others)}

    def renew(self) -> None:
        """Renew the claim of this writer.

        Raises:
            StoreError: another writer has the lease now, or the store does not answer.
        """
        with self._lock:
            self._check()
            began, limit = _clock(), self._renewed + OWN_LIMIT_S
            self._write()
            if _clock() < limit:  # otherwise it may have been too late; the next check asks again
                self._renewed = began

    def _renew_until_ended(self) -> None:
        while not self._ended.wait(RENEW_S) and self._lost is None:
            try:
                self.renew()
            except StoreError as error:  # the network may work again next time
                logger.warning("the study's lease was not renewed: %s", error)

    def _check(self) -> None:
        if self._lost is not None:
            raise self._lost
        is_late = _clock() >= self._renewed + OWN_LIMIT_S
        if not is_late and self._name in self._claims.times():
            return
        self._claims.remove(self._name)
        try:
            self._take()  # a laptop slept, and no other writer came: continue
        except StoreError as error:
            if isinstance(error, _HeldError):
                hint = "submit again once that one has ended: its trials are not run again"
                found = f"another submit took its place: {error.owner}"
                where, wanted = error.where, "to be the only running submit"
                self._lost = StoreError(where, wanted, found, hint)
                raise self._lost from error
            raise

    def _take(self) -> None:
        seen: set[str] = set()
        for attempt in range(TRIES):
            if attempt:
                time.sleep(random.uniform(0.2, 1) * PAUSE_S * attempt)  # noqa: S311  # no secret
            began = _clock()
            self._name = f"{self._session}-{secrets.token_hex(4)}"
            self._write()
            living, gone = self._look()
            is_there = self._name in self._claims.times()
            if not living and is_there and _clock() < began + OWN_LIMIT_S:
                self._renewed = began
                self._bury(gone)
                return
            self._claims.remove(self._name)
            if seen & living.keys():  # each try has another claim
                break
            seen |= living.keys()
        where = without_secrets(self._storage.uri)
        raise _HeldError(where, next(iter(living.values()), None))

    def _write(self) -> None:
        owner = Owner(
            host=socket.gethostname(),
            place=this_place(),
            pid=os.getpid(),
            started=psutil.Process().create_time(),
            since=self._since,
        )
        self._claims.write(self._name, to_json(asdict(owner), indent=None).encode())

    def _look(self) -> tuple[dict[str, Owner | None], dict[str, Owner | None]]:
        """Return the others' claims by name: the live ones, and those of lost writers."""
        times = self._claims.times()
        living: dict[str, Owner | None] = {}
        gone: dict[str, Owner | None] = {}
        now = times.get(self._name)  # None: another writer removed it as dead, or a person did
        for name in times.keys() - {self._name}:
            owner = _owner(self._claims, name)
            is_old = now is not None and now - times[name] >= EXPIRY_S
            is_gone = is_old or (owner is not None and owner.is_gone())
            (gone if is_gone else living)[name] = owner
        return living, gone

    def _bury(self, gone: dict[str, Owner | None]) -> None:
        for name, owner in gone.items():
            self._claims.remove(name)
            self._tell(
                f"the submit of {owner or 'another machine'} ended without releasing the study"
            )


def _owner(claims: Storage, name: str) -> Owner | None:
    """Read a claim's owner; None if the claim was just removed, or is being written."""
    try:
        content: dict[str, Any] = json.loads(claims.read(name))
        return Owner(**content)
    except (StoreError, ValueError, TypeError):
        return None


def has_holder(storage: Storage) -> bool:
    """Whether a writer holds a folder now; only looks, without a claim of its own.

    Without one there is no time of the store's own to compare with, so the age of a claim is by
    this machine's clock.
    """
    claims = storage.child(FOLDER)
    now = time.time()
    for name, written_at in claims.times().items():
        owner = _owner(claims, name)
        if now - written_at < EXPIRY_S and not (owner is not None and owner.is_gone()):
            return True
    return False


class _HeldError(StoreError):
    """Another writer has the lease."""

    def __init__(self, where: str, owner: Owner | None) -> None:
        minutes = f"{EXPIRY_S / 60:g}"
        hint = (
            "wait for it, or give this study another --name; the place of a lost machine "
            f"is free after {minutes} minutes"
        )
        found = f"one is running on {owner or 'another machine'}"
        super().__init__(where, "no other running submit", found, hint)
        self.owner = owner or "another machine"

    def __reduce__(self) -> tuple[Any, ...]:
        return StoreError, (self.where, self.wanted, self.found, self.hint)


def _clock() -> float:
    """Return the seconds of a clock that continues while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if hasattr(time, "CLOCK_MONOTONIC"):
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


def this_place() -> str:
    """Return the boot of this machine and the container, in which process numbers are valid."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot} {Path('/proc/self/ns/pid').stat().st_ino}"
    return f"{socket.gethostname()} {uuid.getnode():x}"

"""The life of one study under faults: it is submitted again until it is finished."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agnews_ray.chaos.faults import AFTER, KINDS, OUTSIDE, Fault
from agnews_ray.chaos.life_results import differing, steps_repeated, temporary, unfinished
from agnews_ray.chaos.outside import (
    DISK_BYTES,
    GONE_S,
    OUTSIDE_ACTIONS,
    RUNS,
    cut_record,
    mount_disk,
    resize,
    unmount_disk,
)
from agnews_ray.chaos.submits import POLL_S, Submit

KILLED, TERMINATED = -9, 143
MIN_LIMIT_S = 180.0
LIMIT_RUNS, LIMIT_PER_FAULT_S = 6, 60.0
"""A submit may take that many times the undisturbed run's seconds and so many more per fault; one
that takes longer hangs."""

TRACEBACK, ERROR = "Traceback (most recent call last)", "error: "
MAX_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What all lives of one kind share."""

    words: tuple[str, ...]
    """The words of `agnews-ray submit`, without the folder."""
    study: str
    quiet_s: float
    """The seconds of the undisturbed run."""
    reference: Path
    """The folder of the undisturbed run's trials."""
    usual: tuple[str, ...] = ()
    """What the undisturbed run, too, has left in its folder for temporary files: libraries' own."""
    runs_flag: str = "--runs"
    extra: Mapping[str, str] = field(default_factory=dict)
    """Further environment variables."""
    actions: Mapping[str, Callable[[Submit, Fault], bool]] = field(
        default_factory=lambda: OUTSIDE_ACTIONS
    )


@dataclass(slots=True, kw_only=True)
class Lived:
    """What came of a life."""

    kind: str
    place: Path
    fired: list[Fault] = field(default_factory=list)
    waiting: list[Fault] = field(default_factory=list)
    """The faults that did not happen before the study was finished."""
    survived: int = 0
    seconds: float = 0.0
    num_submits: int = 0
    steps_repeated: int | None = None
    problems: list[str] = field(default_factory=list)
    """A line for each submit that ended as it should not."""
    differing: tuple[str, ...] = ()
    left: tuple[str, ...] = ()

    @property
    def is_well(self) -> bool:
        """Whether nothing was lost and nothing is left."""
        return not (self.problems or self.differing or self.left)


class Life:
    """One study under faults of one kind.

    Args:
        scene: what the lives share.
        place: an empty folder of its own.
        faults: the faults, mostly of one kind.
    """

    def __init__(self, scene: Scene, place: Path, faults: Sequence[Fault]) -> None:
        self._scene, self._place = scene, place
        self._may_end = any(KINDS[fault.kind].may_end for fault in faults)
        self._at_points = [fault for fault in faults if fault.is_at_point]
        self._outside = sorted(
            (fault for fault in faults if fault.where == OUTSIDE), key=lambda one: one.moment
        )
        self._after = [fault for fault in faults if fault.where == AFTER]
        self._pending: list[Fault] = []
        self._lived = Lived(kind=faults[0].kind, place=place)
        self._is_small = any(fault.action == "fill-disk" for fault in faults)
        self._limit_s = max(MIN_LIMIT_S, LIMIT_RUNS * scene.quiet_s)
        self._limit_s += LIMIT_PER_FAULT_S * len(faults)

    def live(self) -> Lived:
        """Submit the study until it is finished, and look at what is left."""
        lived, runs = self._lived, self._place / RUNS
        runs.mkdir(parents=True, exist_ok=True)
        if self._is_small:
            mount_disk(runs)
        started, patience = time.monotonic(), 4 + 2 * self._num_faults()
        try:
            while lived.num_submits < patience:
                if self._submit() and not self._damage_finished():
                    break
            else:
                lived.problems.append(f"not finished after {lived.num_submits} submits")
            lived.seconds = time.monotonic() - started
            numbers = set(range(len(self._at_points))) - self._fired_numbers()
            lived.waiting = [self._at_points[number] for number in sorted(numbers)]
            lived.waiting += self._outside + self._after
            trials = runs / self._scene.study / "trials"
            lived.differing = differing(self._scene.reference, trials)
            lived.steps_repeated = None if lived.differing else steps_repeated(trials)
            left = set(temporary(self._place / "tmp")) - set(self._scene.usual)
            lived.left += unfinished(runs) + tuple(sorted(left))
            return lived
        finally:
            if self._is_small:
                unmount_disk(runs)

    def _num_faults(self) -> int:
        return len(self._at_points) + len(self._outside) + len(self._after)

    def _submit(self) -> bool:
        """Submit once; return whether the study is finished."""
        lived, scene = self._lived, self._scene
        if self._is_small:
            resize(self._place / RUNS, DISK_BYTES)
        lived.num_submits += 1
        entries = "; ".join(fault.entry for fault in self._at_points)
        place = self._place / RUNS
        words = (*scene.words, scene.runs_flag, str(place))
        before = self._fired_numbers()
        submit = Submit(words, self._place, entries, scene.extra)
        try:
            done = self._pending + self._disturb(submit)
        except BaseException:  # Ctrl-C: nothing of it stays behind
            submit.kill_all()
            raise
        self._pending = []
        problem = self._judge(submit)
        left = submit.wait_for_all(GONE_S)
        if left:
            lived.left += tuple(left)
            submit.kill_all()
        done += [self._at_points[number] for number in self._fired_numbers() - before]
        lived.fired += done
        if problem:
            lived.problems.append(f"submit {lived.num_submits} {problem}")
        else:
            lived.survived += len(done)
        return submit.process.returncode == 0

    def _disturb(self, submit: Submit) -> list[Fault]:
        """Wait for the end of a submit, doing to it what is due; return what was done."""
        done = []
        while submit.process.poll() is None:
            if submit.seconds > self._limit_s:
                break
            if self._happens(submit):
                done.append(self._outside.pop(0))
            else:
                time.sleep(POLL_S)
        return done

    def _happens(self, submit: Submit) -> bool:
        """Let the next fault from outside happen, if it is due and possible."""
        if not self._outside:
            return False
        fault = self._outside[0]
        is_due = submit.seconds >= fault.moment * self._scene.quiet_s
        return is_due and self._scene.actions[fault.action](submit, fault)

    def _judge(self, submit: Submit) -> str:
        """Return what is wrong with the end of a submit; empty: nothing."""
        code = submit.process.poll()
        if code is None:
            submit.kill_all()
            return f"hung: it was still running after {self._limit_s:.0f} s"
        printed = submit.printed()
        if TRACEBACK in printed:
            return f"showed a traceback: {_last_line(printed)}"
        if code == 0 or self._is_expected(code, submit):
            return ""
        if code > 0 and self._may_end and ERROR in printed:
            return ""
        return f"ended with code {code}: {_last_line(printed)}"

    def _is_expected(self, code: int, submit: Submit) -> bool:
        """Whether a fault ends the driver in this way."""
        if submit.is_ended_by_us:
            return code in (KILLED, TERMINATED)
        kills = [one for one in self._at_points if one.action == "kill"]
        return code == KILLED and any(one.where.startswith("driver.") for one in kills)

    def _fired_numbers(self) -> set[int]:
        """Find the faults at fail points that have happened; each leaves a file with its number."""
        files = (self._place / f"fired.log.{n}" for n in range(len(self._at_points)))
        return {number for number, file in enumerate(files) if file.exists()}

    def _damage_finished(self) -> bool:
        """Damage finished trials, each once; return whether another submit is needed."""
        trials, faults = self._place / RUNS / self._scene.study / "trials", self._after
        self._pending = [one for index, one in enumerate(faults) if cut_record(trials, one, index)]
        self._after = []
        return bool(self._pending)


def _last_line(printed: str) -> str:
    lines = [line for line in printed.splitlines() if line.strip()]
    return lines[-1].strip()[:200] if lines else "it printed nothing"

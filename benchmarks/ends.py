"""What does a submit leave behind? Ends of every kind, under load, and what was left of each.

    python benchmarks/ends.py [--count 50] [--at-once 2] [--load 2] [--kinds normal,killed]

Each is a submit of its own of a tiny study, in a folder with a temporary folder of its own, while
busy loops keep the machine's load up. Half a minute after each has ended (sooner where nothing is
left) its processes, folders and shared memory are counted. Prints a Markdown table by kind, and
ends with 1 if anything was left or an exit code was not the one that the README promises.
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

ROOT = Path(__file__).parents[1]

PATIENCE_S = 30.0
"""How long after its end something of a submit may still be there."""

GIVEN_UP_S = 400.0
"""How long a submit may take to end."""

TORCHS = "torchinductor_"
"""Starts the name of a cache that torch keeps for all programs of a user, in the same folder."""

TINY = {
    "num_layers": 1,
    "hidden_size": 32,
    "num_heads": 2,
    "intermediate_size": 32,
    "vocab_size": 200,
}


@dataclass(kw_only=True)
class End:
    """One submit, and what became of it."""

    kind: str
    number: int
    codes: set[int]
    code: int | None = None
    note: str = ""
    left: list[str] = field(default_factory=list)
    seconds: float = 0.0
    """From its end until nothing was left."""

    @property
    def is_clean(self) -> bool:
        """Whether it ended as it should, and left nothing."""
        return not self.left and self.code in self.codes


class Running:
    """A submit that runs, in a session of its own by which its processes are known."""

    def __init__(self, folder: Path, job: dict[str, object]) -> None:
        self.folder = folder
        self.tmp = Path(tempfile.mkdtemp(prefix="", dir="/tmp"))  # short, or it is not taken
        (folder / "home").mkdir()
        (folder / "job.yaml").write_text(yaml.safe_dump(job))
        self.output = folder / "out.txt"
        own = {"TMPDIR": str(self.tmp), "HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1"}
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "HF_"))}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "agnews_ray", "submit", "job.yaml"],
            cwd=folder,
            env=kept | own | {"PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=(folder / "err.txt").open("wb"),
            text=True,
            start_new_session=True,
        )

    def wait_for(self, start: str) -> bool:
        """Read on until a line begins so; False where the output ends before."""
        assert self.process.stdout is not None
        with self.output.open("a") as output:
            for line in self.process.stdout:
                output.write(line)
                if line.startswith(start):
                    return True
        return False

    def processes(self) -> list[psutil.Process]:
        """Everything that belongs to it: by session, by environment, by open files."""
        return [one for one in psutil.process_iter() if self._is_mine(one)]

    def _is_mine(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if os.getsid(process.pid) == self.process.pid:
                return True
            if process.uids().real != os.getuid():
                return False
            mark = str(self.tmp)
            if any(mark in value for value in process.environ().values()):
                return True
            return any(file.path.startswith(mark) for file in process.open_files())
        except (psutil.Error, OSError):
            return False

    def kill_one(self, title: str) -> bool:
        """Kill its first process of a title, as soon as there is one."""
        given_up_at = time.monotonic() + 120
        while self.process.poll() is None and time.monotonic() < given_up_at:
            for one in self.processes():
                if title in " ".join([one.name(), *_words(one)][:2]):
                    time.sleep(random.uniform(0, 3))
                    one.kill()
                    return True
            time.sleep(0.3)
        return False

    def left(self) -> list[str]:
        """Say what is there."""
        found = [f"{' '.join([one.name(), *_words(one)][:3])}" for one in self.processes()]
        names = {path.name for path in self.tmp.iterdir()}
        found += [name for name in names if not name.startswith(TORCHS)]
        shared = {int(one.name.split("-")[2]) for one in Path("/dev/shm").glob("agnews-ray-*-*")}
        return found + [f"shared memory of {pid}" for pid in shared if not psutil.pid_exists(pid)]


def _words(process: psutil.Process) -> list[str]:
    try:
        return [str(word) for word in process.cmdline()]
    except psutil.Error:
        return []


def a_job(num_epochs: int = 2, **changes: object) -> dict[str, object]:
    """Give a study of one tiny model on 64 rows."""
    model = {"name": "first", "model": "distilbert", "init": "random", "architecture": TINY}
    job: dict[str, object] = {
        "name": "tiny",
        "models": [model],
        "seeds": [1],
        "data": {"source": "synthetic:train=64,test=32,seed=3"},
        "recipe": {"num_epochs": num_epochs, "learning_rate": 5e-3, "precision": "fp32"},
    }
    return job | changes


FOREVER = 200_000
"""Epochs that do not end before what is to happen has happened."""


def normal(start: Callable[[dict[str, object]], Running]) -> None:
    """All goes well."""
    start(a_job())


def failed_trial(start: Callable[[dict[str, object]], Running]) -> None:
    """The reference engine on a stream: refused when its turn comes."""
    model = {"name": "first", "model": "distilbert", "init": "random", "architecture": TINY}
    data = {"source": "synthetic:train=64,test=32,seed=3", "max_resident_mb": 0}
    start(a_job(models=[model | {"engine": "reference"}], data=data))


def early_error(start: Callable[[dict[str, object]], Running]) -> None:
    """A model whose weights are broken, found while Ray comes up."""
    running_in = Path(tempfile.mkdtemp(prefix="ends-model-"))
    (running_in / "config.json").write_text('{"model_type": "distilbert"}')
    (running_in / "model.safetensors").write_bytes(b"broken")
    start(a_job(models=[{"name": "first", "model": str(running_in)}]))
    shutil.rmtree(running_in)


def signalled(number: signal.Signals) -> Callable[[Callable[[dict[str, object]], Running]], None]:
    """Send a signal to the driver, in a random phase."""

    def act(start: Callable[[dict[str, object]], Running]) -> None:
        phase = random.choice(["", "study", "model", "start", "tokenised test", "short"])
        running = start(a_job(2 if phase == "short" else FOREVER))
        if phase:
            running.wait_for("tokenised test" if phase == "short" else phase)
        time.sleep(random.uniform(1, 12) if phase != "" else random.uniform(0.5, 6))
        running.process.send_signal(number)

    return act


def closed_pipe(start: Callable[[dict[str, object]], Running]) -> None:
    """Read a line and leave, as ``| head -1`` does."""
    running = start(a_job())
    running.wait_for("study")
    assert running.process.stdout is not None
    running.process.stdout.close()


def killed(title: str) -> Callable[[Callable[[dict[str, object]], Running]], None]:
    """Kill one of Ray's processes while a trial runs."""

    def act(start: Callable[[dict[str, object]], Running]) -> None:
        running = start(a_job(FOREVER))
        # Not before it trains: Ray Train itself replaces a worker that dies while it starts.
        running.wait_for("      first")
        if not running.kill_one(title):
            running.process.kill()  # told by the exit code, which is none of the right ones

    return act


KINDS: dict[str, tuple[Callable[[Callable[[dict[str, object]], Running]], None], set[int]]] = {
    "normal": (normal, {0}),
    "failed trial": (failed_trial, {1}),
    "error before training": (early_error, {2}),
    "Ctrl-C": (signalled(signal.SIGINT), {130, 0, -2}),
    "SIGTERM": (signalled(signal.SIGTERM), {143, 0, -15}),
    "kill -9 of the driver": (signalled(signal.SIGKILL), {-9, 0}),
    "closed pipe": (closed_pipe, {0}),
    "kill -9 of a worker": (killed("ray::RayTrainWorker"), {1}),
    "kill -9 of the raylet": (killed("raylet"), {1}),
}
"""What happens, and the exit codes that are right: 0 where a signal came too late, minus the
signal's number where it came while Python still imported."""


def run(kind: str, number: int) -> End:
    """Run a submit to its end, and see what it leaves."""
    act, codes = KINDS[kind]
    end = End(kind=kind, number=number, codes=codes)
    folder = Path(tempfile.mkdtemp(prefix="e", dir="/tmp"))
    made: list[Running] = []

    def start(job: dict[str, object]) -> Running:
        made.append(Running(folder, job))
        return made[-1]

    act(start)
    running = made[0]
    try:
        if running.process.stdout is not None and not running.process.stdout.closed:
            with running.output.open("a") as output:
                output.writelines(running.process.stdout)
        end.code = running.process.wait(GIVEN_UP_S)
    except subprocess.TimeoutExpired:
        end.note = "did not end"
    ended = time.monotonic()
    end.left = running.left()
    while end.left and time.monotonic() - ended < PATIENCE_S:
        time.sleep(0.5)
        end.left = running.left()
    end.seconds = time.monotonic() - ended
    if "Traceback" in (folder / "err.txt").read_text():
        end.left.append("a traceback")
    for one in running.processes():
        one.kill()
    shutil.rmtree(running.tmp, ignore_errors=True)
    if end.is_clean:
        shutil.rmtree(folder, ignore_errors=True)
    state = "nothing left" if not end.left else f"LEFT {end.left}"
    said = (folder / "err.txt").read_text().strip()[-200:] if folder.exists() else ""
    where = "" if end.is_clean else f" ({folder}: {said})"
    print(
        f"{number:3} {kind:22} exit {end.code} {end.note} after {end.seconds:4.1f} s: "
        f"{state}{where}",
        flush=True,
    )
    return end


def table(ends: list[End]) -> str:
    """Write what was found by kind, as Markdown."""
    lines = [
        "| end | submits | exit codes | processes, folders, memory left | longest wait |",
        "| --- | --- | --- | --- | --- |",
    ]
    by_kind: dict[str, list[End]] = defaultdict(list)
    for end in ends:
        by_kind[end.kind].append(end)
    for kind, of_kind in by_kind.items():
        codes = sorted({str(end.code) for end in of_kind})
        left = [name for end in of_kind for name in end.left]
        wrong = [str(end.number) for end in of_kind if end.code not in end.codes]
        shown = "; ".join(left[:3]) if left else "nothing"
        lines.append(
            f"| {kind} | {len(of_kind)} | {', '.join(codes)}"
            f"{' WRONG in ' + ', '.join(wrong) if wrong else ''} | {shown} | "
            f"{max(end.seconds for end in of_kind):.1f} s |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run all, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--at-once", type=int, default=2)
    parser.add_argument("--load", type=int, default=2, help="busy loops beside the submits")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    flags = parser.parse_args()
    random.seed(flags.seed)
    kinds = flags.kinds.split(",")
    loops = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(flags.load)
    ]
    try:
        with ThreadPoolExecutor(flags.at_once) as pool:
            turns = [(kinds[number % len(kinds)], number) for number in range(flags.count)]
            ends = list(pool.map(lambda turn: run(*turn), turns))
    finally:
        for loop in loops:
            loop.kill()
    print(f"\nload {os.getloadavg()[0]:.1f}, {os.cpu_count()} cores\n\n{table(ends)}\n")
    bad = [end for end in ends if not end.is_clean]
    print(f"{len(ends)} ends, {len(bad)} unclean" if bad else f"{len(ends)} ends, nothing left")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

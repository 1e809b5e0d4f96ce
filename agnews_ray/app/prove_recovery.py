"""Use case: run a study undisturbed and under drawn faults, and compare; starts no Ray itself."""

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from agnews_ray.chaos.chaos_table import Chaos, ChaosRow
from agnews_ray.chaos.faults import KINDS, Fault, Scale, draw_faults, sooner
from agnews_ray.chaos.life_results import temporary
from agnews_ray.chaos.lives import Life, Lived, Scene
from agnews_ray.chaos.node_pair import node_pair
from agnews_ray.chaos.outside import RUNS, may_mount
from agnews_ray.chaos.submits import Submit
from agnews_ray.errors import TrialError
from agnews_ray.record.durable import make_folder
from agnews_ray.run.cleanup import name_prefix

FOLDER = ".chaos"
"""The folder below the runs folder in which all lives have theirs."""

QUIET = "undisturbed"
CHECKPOINTS_PER_TRIAL, MIN_STEPS_BETWEEN = 8, 5
MAX_FAILURES = 1000
MAX_LIVES_WITHOUT = 2
"""The lives that one after another may end before any of their faults happened."""

SMALL_STUDY = """\
name: chaos
models:
  - name: small
    model: distilbert
    init: random
    architecture:
      {num_layers: 2, hidden_size: 64, num_heads: 2, intermediate_size: 128, vocab_size: 1000}
seeds: [1, 2]
data: {source: "synthetic:train=800,test=200,seed=7"}
recipe: {num_epochs: 4, learning_rate: 1.0e-3, global_batch_size: 16}
"""
"""A small study on made-up rows, for which nothing is downloaded."""

MAX_WAIT_S = 30.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be proved, and where."""

    job: Path | None
    kinds: tuple[str, ...]
    total: int
    seed: int
    runs: Path
    keep: bool = False
    """Whether the folders of lives that did not go well stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultPlan:
    """The study, and what will happen to it."""

    words: tuple[str, ...]
    """The words of `agnews-ray submit`, without the folder."""
    study: str
    scale: Scale
    checkpoint_every: str
    faults: tuple[Fault, ...]
    notes: tuple[str, ...] = ()


def plan_faults(wanted: Wanted) -> FaultPlan:
    """Ask `submit --dry-run` for the study's size, and draw the faults.

    Args:
        wanted: what is to be proved.

    Returns:
        The plan; nothing was started.

    Raises:
        TrialError: the study cannot be submitted.
    """
    kinds, notes = list(wanted.kinds), []
    with tempfile.TemporaryDirectory(prefix=name_prefix()) as scratch:
        planned = _dry_run(_job(wanted, Path(scratch)), Path(scratch))
        if "disk" in kinds and not may_mount(Path(scratch, "disk")):
            kinds.remove("disk")
            notes.append("disk: left out; this process may not mount a small disk (root may)")
    steps = max((trial["num_steps"] for trial in planned["trials"]), default=0)
    every = max(MIN_STEPS_BETWEEN, steps // CHECKPOINTS_PER_TRIAL)
    scale = Scale(
        num_trials=len(planned["trials"]),
        num_steps=max(1, steps),
        num_checkpoints=max(1, steps // every),
    )
    job = wanted.job.absolute() if wanted.job else _folder(wanted) / "job.yaml"
    flags = ("--checkpoint-every", f"{every} steps", "--max-failures", str(MAX_FAILURES))
    return FaultPlan(
        words=("submit", str(job), *flags),
        study=planned["study"]["name"],
        scale=scale,
        checkpoint_every=f"{every} steps",
        faults=tuple(draw_faults(kinds, wanted.total, wanted.seed, scale)),
        notes=tuple(notes),
    )


def _folder(wanted: Wanted) -> Path:
    return wanted.runs.absolute() / FOLDER


def _job(wanted: Wanted, folder: Path) -> Path:
    """Return the job file; without one, write that of the small study to a folder."""
    if wanted.job is not None:
        return wanted.job
    job = folder / "job.yaml"
    job.write_text(SMALL_STUDY, encoding="utf-8")
    return job


def _dry_run(job: Path, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "agnews_ray", "submit", str(job), "--dry-run", "--json"]
    done = subprocess.run(  # noqa: S603  # this very program
        [*command, "--runs", str(folder / "dry")], capture_output=True, text=True, check=False
    )
    if done.returncode:
        found = (done.stderr.strip().splitlines() or ["no output"])[-1]
        hint = "run it with `agnews-ray submit --dry-run` and mend what it says"
        raise TrialError(str(job), "a study that can be submitted", found, hint)
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def prove(plan: FaultPlan, wanted: Wanted, tell: Tell) -> Chaos:
    """Run the study undisturbed, then under each kind of fault, and compare.

    Args:
        plan: the result of ``plan_faults``.
        wanted: the same as there.
        tell: called with a line about each life.

    Returns:
        What came of it.

    Raises:
        TrialError: the undisturbed run did not finish.
        StoreError: the folder cannot be written.
    """
    started, folder = time.monotonic(), _folder(wanted)
    make_folder(folder)
    _job(wanted, folder)
    scene = _quiet_scene(plan, folder, tell)
    rows = []
    for kind in dict.fromkeys(fault.kind for fault in plan.faults):
        faults = [fault for fault in plan.faults if fault.kind == kind]
        how = (folder, faults, wanted.keep, tell)
        of_kind, lived = (
            _node_lives(scene, *how) if kind == "node" else (scene, _lives(scene, *how))
        )
        rows.append(_row(kind, len(faults), lived, of_kind, plan.scale.num_trials))
    if all(row.is_well for row in rows) or not wanted.keep:
        shutil.rmtree(folder, ignore_errors=True)
    return Chaos(
        seed=wanted.seed,
        num_trials=plan.scale.num_trials,
        num_steps=plan.scale.num_steps,
        checkpoint_every=plan.checkpoint_every,
        quiet_seconds=scene.quiet_s,
        seconds=time.monotonic() - started,
        rows=tuple(rows),
        notes=plan.notes,
    )


def _quiet_scene(plan: FaultPlan, folder: Path, tell: Tell) -> Scene:
    place = folder / QUIET
    scene = Scene(words=plan.words, study=plan.study, quiet_s=0.0, reference=place)
    return run_quietly(scene, place, tell)  # which sets both


def run_quietly(scene: Scene, place: Path, tell: Tell) -> Scene:
    """Run the study undisturbed, which gives the results to compare with and the time it takes.

    Args:
        scene: what is run.
        place: a folder of its own; an earlier one there is replaced.
        tell: called with a line.

    Returns:
        The scene with what was found.

    Raises:
        TrialError: it did not finish.
        StoreError: the folder cannot be made.
    """
    shutil.rmtree(place, ignore_errors=True)
    make_folder(place / RUNS)
    words = (*scene.words, scene.runs_flag, str(place / RUNS))
    submit = Submit(words, place, "", scene.extra)
    try:
        code = submit.process.wait()
    except BaseException:
        submit.kill_all()
        raise
    quiet_s = submit.seconds
    submit.wait_for_all(MAX_WAIT_S)
    if code:
        found = (submit.printed().strip().splitlines() or ["no output"])[-1]
        hint = "submit it without faults first, and mend what it says"
        raise TrialError(scene.study, "a run without faults that finishes", found, hint)
    tell(f"{place.name}: {quiet_s:.0f} s")
    return replace(
        scene,
        quiet_s=quiet_s,
        usual=temporary(place / "tmp"),
        reference=place / RUNS / scene.study / "trials",
    )


def _node_lives(
    scene: Scene, folder: Path, faults: Sequence[Fault], keep: bool, tell: Tell
) -> tuple[Scene, list[Lived]]:
    """Live on a cluster of two nodes; its undisturbed run is another one."""
    place = folder / "nodes"
    make_folder(place)
    with node_pair(place) as nodes:
        there = replace(
            scene,
            words=(*scene.words, "--address", nodes.address, "--follow"),
            runs_flag="--storage",
            extra=nodes.environment,
            actions={"lose-node": nodes.lose_node},
        )
        there = run_quietly(there, folder / f"{QUIET}-on-two-nodes", tell)
        return there, _lives(there, folder, faults, keep, tell)


def _lives(
    scene: Scene, folder: Path, faults: Sequence[Fault], keep: bool, tell: Tell
) -> list[Lived]:
    """Live until each fault has happened, or no more of them happen."""
    kind, waiting, lives, num_without = faults[0].kind, list(faults), list[Lived](), 0
    limit = KINDS[kind].per_life
    while waiting and num_without < MAX_LIVES_WITHOUT:
        now, later = waiting[:limit], waiting[limit:]
        place = folder / f"{kind}-{len(lives) + 1}"
        shutil.rmtree(place, ignore_errors=True)
        make_folder(place)
        lived = Life(scene, place, now).live()
        lives.append(lived)
        waiting = [*map(sooner, lived.waiting), *later]
        num_without = 0 if lived.fired else num_without + 1
        tell(_line(lived, len(faults) - len(waiting), len(faults)))
        if lived.is_well or not keep:
            shutil.rmtree(place, ignore_errors=True)
        if lived.problems and lived.problems[-1].startswith("not finished"):
            break
    return lives


def _line(lived: Lived, num_fired: int, num_drawn: int) -> str:
    found = "results equal" if not lived.differing else f"results differ: {lived.differing[0]}"
    also = "".join(f"; {line}" for line in (*lived.problems, *lived.left))
    return (
        f"{lived.kind}: {num_fired} of {num_drawn} fault(s), {lived.num_submits} submit(s), "
        f"{lived.seconds:.0f} s, {found}{also}"
    )


def _row(
    kind: str, num_drawn: int, lives: Sequence[Lived], scene: Scene, num_trials: int
) -> ChaosRow:
    repeated = [one.steps_repeated for one in lives if one.steps_repeated is not None]
    num_different = sum(min(len(lived.differing), num_trials) for lived in lives)
    return ChaosRow(
        kind=kind,
        what=KINDS[kind].what,
        num_drawn=num_drawn,
        num_fired=sum(len(lived.fired) for lived in lives),
        num_survived=sum(lived.survived for lived in lives),
        num_lives=len(lives),
        num_submits=sum(lived.num_submits for lived in lives),
        steps_repeated=sum(repeated) if repeated else None,
        seconds_lost=sum(lived.seconds - scene.quiet_s for lived in lives),
        num_results=num_trials * len(lives),
        num_equal=num_trials * len(lives) - num_different,
        problems=tuple(line for lived in lives for line in lived.problems),
        differing=tuple(line for lived in lives for line in lived.differing),
        left=tuple(line for lived in lives for line in lived.left),
    )

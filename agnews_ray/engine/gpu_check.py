"""A test, with stored answers, whether the fast engine matches the reference engine on a GPU.

The engine cannot be tested in advance on every GPU, driver and torch version. So before a first
trial, a small model of the trial's family makes a few steps in the reference engine, in ours
unrecorded, and in ours recorded (``loss_parity``). This runs in its own process: if that process
crashes, this is an answer too. The answer is stored under a key of everything it depends on.
"""

import json
import multiprocessing
import multiprocessing.connection
import os
import time
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch

from agnews_ray.engine.fused.graphs import CudaRecorder
from agnews_ray.engine.loss_parity import Task, answers_of
from agnews_ray.engine.registry import UNRECORDED, Proof
from agnews_ray.plan.names import content_hash
from agnews_ray.record.environment import describe_environment, nvidia_driver
from agnews_ray.record.json_text import to_json

PATIENCE_S = 120.0
"""The time limit for all three; 10 to 20 seconds are usual, most of them for imports."""


def proved(task: Task, device_name: str, gpu: str | None, cache: Path) -> Proof:
    """Find out what may run, from an earlier answer or by a test.

    Args:
        task: the model and the setting to test.
        device_name: the name of the GPU.
        gpu: the GPU's entry in ``CUDA_VISIBLE_DEVICES``, if a process sees several; None means the
            first.
        cache: the folder of earlier answers.

    Returns:
        The answer; it is stored unless another test might give a different one.
    """
    key = _key(task, device_name)
    path = cache / f"{content_hash(key, 24)}.json"
    with suppress(OSError, ValueError, KeyError, TypeError):  # no answer yet, or a damaged file
        return Proof(**json.loads(path.read_text(encoding="utf-8"))["proof"])
    proof = prove_apart(task, gpu)
    if proof.is_kept:
        with suppress(OSError):  # then the next trial tests again
            cache.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".{os.getpid()}")
            partial.write_text(to_json({"proof": asdict(proof), **key}))
            partial.replace(path)
    return proof


def prove_apart(task: Task, gpu: str | None = None, patience_s: float = PATIENCE_S) -> Proof:
    """Test in a separate process, so that a GPU that fails there can be used again afterwards."""
    context = multiprocessing.get_context("spawn")
    answers, told = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(told, task, gpu), daemon=True)
    process.start()
    told.close()
    proof = Proof(engine=UNRECORDED, cause="nothing could be tried", is_kept=False)
    given_up_at = time.monotonic() + patience_s
    try:
        while answers.poll(max(0.0, given_up_at - time.monotonic())):
            proof = answers.recv()
    except EOFError:
        return proof
    finally:
        process.kill()
        process.join()
        answers.close()
    return Proof(
        engine=proof.engine, cause=f"trying it took more than {patience_s:.0f} s", is_kept=False
    )


def _tell(told: multiprocessing.connection.Connection, task: Task, gpu: str | None) -> None:
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = gpu  # read at the first call of CUDA
    make_recorder: Any = CudaRecorder if task.device == "cuda" else None
    for proof in answers_of(task, make_recorder):
        told.send(proof)


def _key(task: Task, device_name: str) -> dict[str, Any]:
    """Collect everything that an answer depends on."""
    engine = sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        engine.update(source.read_bytes())
    return {
        "device": device_name,
        "driver": nvidia_driver(),
        "cuda": torch.version.cuda,
        "versions": describe_environment().versions,
        "engine": engine.hexdigest()[:16],
        "model": json.loads(task.config.to_json_string()),
        "precision": task.precision,
    }

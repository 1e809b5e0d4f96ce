"""A call in a process of its own, which never outlives the one that asked for it."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def call_alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process, and wait for its answer.

    The process ends with the call whatever becomes of this one: an interrupt here kills it, and
    it ends itself where this process is killed. A terminal's Ctrl-C does not reach it.

    Args:
        function: of a module; travels by pickle, like its arguments and its answer.
        arguments: of the call.

    Returns:
        What the function gives.
    """
    context = multiprocessing.get_context("spawn")
    alone = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)
    before = set(multiprocessing.active_children())
    try:
        # What is blocked here stays so in a new process; here it only comes a little later.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            answer = alone.submit(function, *arguments)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        return answer.result()
    except KeyboardInterrupt:
        for child in set(multiprocessing.active_children()) - before:
            child.kill()
        raise
    finally:
        alone.shutdown()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()

    def wait() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()

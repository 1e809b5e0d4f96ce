"""A call in its own process, which never lives longer than the calling process."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any


def call_alone(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process, and wait for its result.

    The process always ends with the call: an interrupt in this process kills it, and it ends itself
    if this process is killed. A terminal's Ctrl-C does not reach it.

    Args:
        function: a module's function; it is pickled, like its arguments and its result.
        arguments: the arguments of the call.

    Returns:
        The result of the function.
    """
    context = multiprocessing.get_context("spawn")
    alone = ProcessPoolExecutor(1, mp_context=context, initializer=_end_with_parent)
    before = set(multiprocessing.active_children())
    try:
        # A signal that is blocked here stays blocked in the new process; here it is only delayed.
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

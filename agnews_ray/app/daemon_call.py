"""A call in a thread that does not hold this process up."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


def call_beside(function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> Future[T]:
    """Call a function in a daemon thread: an interrupt must not wait for a download."""
    future: Future[T] = Future()

    def target() -> None:
        try:
            future.set_result(function(*arguments, **named))
        except BaseException as error:  # noqa: BLE001  # raised again by ``result``
            future.set_exception(error)

    threading.Thread(target=target, daemon=True).start()
    return future

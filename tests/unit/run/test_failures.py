"""Real exception objects of Ray's, as they come out of pickle."""

import pytest
import ray
from ray.core.generated.common_pb2 import ActorDiedErrorContext
from ray.exceptions import ActorDiedError, ObjectLostError, OutOfMemoryError, RayTaskError
from ray.train.v2._internal.exceptions import (
    UserExceptionWithTraceback,
    WorkerGroupStartupFailedError,
    WorkerHealthCheckFailedError,
)
from ray.train.v2.api.exceptions import ControllerError, WorkerGroupError

from agnews_ray.errors import DataError, ResourceError, TrialError
from agnews_ray.run.failures import describe, is_out_of_memory, root_error, was_lost

OURS = DataError("data", "a", "b", "c")


def died(reason):
    context = ActorDiedErrorContext(
        error_message=reason, actor_id=b"0" * 16, class_name="RayTrainWorker", pid=7
    )
    return ActorDiedError(context)


NODE = died("The actor died because its node has died. Node Id: 12. The node was terminated.")
KILLED = died(
    "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker "
    "exit detail: Worker unexpectedly exits with a connection error code 2. End of file. There are "
    "some potential root causes. (1) The process is killed by SIGKILL by OOM killer due to high "
    "memory usage. (2) ray stop --force is called."
)
OF_MEMORY = died(
    "The actor is dead because its worker process has died. Worker exit type: NODE_OUT_OF_MEMORY "
    "Worker exit detail: Task was killed due to the node running low on memory."
)


def raised(error, cause=None):
    try:
        raise error from cause
    except type(error) as caught:
        return caught


def of_task(error):
    """The error of a call of a remote function: its traceback, and the error itself."""
    trace = f'ray::f() (pid=1)\n  File "x.py", line 1, in f\n    g()\n    ^^^\n{error!r}'
    return RayTaskError("f", trace, error).as_instanceof_cause()


def of_workers(*failures):
    return WorkerGroupError("it failed", dict(enumerate(failures)))


def of_controller(error):
    return ray.cloudpickle.loads(ray.cloudpickle.dumps(ControllerError(error)))


GLOO = RuntimeError("[enforce fail at socket.cc:9] connect timed out")


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (of_workers(ValueError("bad")), "ValueError: bad"),
        (of_workers(WorkerHealthCheckFailedError("x", ValueError("bad"))), "ValueError: bad"),
        (of_workers(UserExceptionWithTraceback(ValueError("bad"), "t")), "ValueError: bad"),
        (of_workers(raised(KeyError("x"), ValueError("bad"))), "ValueError: bad"),
        (of_controller(ValueError("bad")), "ValueError: bad"),
        (of_controller(of_task(GLOO)), f"RuntimeError: {GLOO}"),
        (of_controller(WorkerGroupStartupFailedError("at start")), "WorkerGroupStartupFailedErro"),
    ],
)
def test_the_cause_is_named_not_what_wraps_it(error, found):
    shown = root_error("t1", error, "read the log")
    assert type(shown) is TrialError
    assert shown.found.startswith(found)
    assert "^" not in shown.found


@pytest.mark.parametrize(
    "error",
    [
        of_workers(OURS),
        of_workers(of_task(OURS)),
        of_controller(OURS),
        of_controller(of_task(OURS)),
        of_workers(raised(ValueError(), OURS)),
    ],
)
def test_an_error_of_ours_is_given_as_it_was_raised(error):
    assert str(root_error("t1", error, "read the log")) == str(OURS)


def test_an_error_that_does_not_travel_is_named_by_its_last_line():
    trace = 'ray::f()\n  File "x.py", line 1\n    g()\n    ^^^\nnccl.Error: no route to host'
    assert describe(RayTaskError("f", trace, None)) == "RayTaskError: nccl.Error: no route to host"


@pytest.mark.parametrize(
    ("error", "is_lost"),
    [
        (of_workers(NODE), True),
        (of_workers(KILLED), True),
        (of_workers(ValueError("x"), NODE), True),
        (of_workers(WorkerHealthCheckFailedError("x", NODE)), True),
        (of_controller(ObjectLostError("ab", None, "")), True),
        (of_workers(ValueError("x")), False),
        (of_workers(OF_MEMORY), False),
        (of_workers(NODE, OF_MEMORY), False),
        (of_controller(ValueError("x")), False),
    ],
)
def test_a_lost_node_is_told_from_a_worker_that_ray_ended(error, is_lost):
    assert was_lost(error) is is_lost


@pytest.mark.parametrize(
    "error",
    [
        of_workers(OF_MEMORY),
        of_workers(ValueError("x"), OF_MEMORY),
        of_controller(OutOfMemoryError("killed due to memory pressure")),
        of_workers(of_task(OutOfMemoryError("killed due to memory pressure"))),
    ],
)
def test_full_memory_is_said_with_what_to_lower(error):
    shown = root_error("t1", error, "read the log")
    assert type(shown) is ResourceError
    assert "memory full" in shown.found
    assert "--global-batch-size" in shown.hint


def test_a_word_of_the_users_is_no_full_memory():
    assert not is_out_of_memory(of_workers(ValueError("OOM is a class name")))


def test_a_worker_that_somebody_killed_is_no_full_memory():
    """Ray says of each that an OOM killer is a potential cause."""
    assert "pid: 7" in str(root_error("t1", of_workers(KILLED), "read the log"))

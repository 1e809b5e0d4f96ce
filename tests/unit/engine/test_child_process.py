import os
import signal
import subprocess
import sys

import psutil
import pytest

from agnews_ray.engine.child_process import call_alone

WAITING = """
import sys, time
from agnews_ray.engine.child_process import call_alone
if __name__ == "__main__":
    try:
        call_alone(exec, "import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    except KeyboardInterrupt:
        sys.exit(130)
"""


def test_an_answer_and_an_error_come_back():
    assert call_alone(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        call_alone(divmod, 7, 0)


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_the_process_ends_with_the_one_that_asked(tmp_path, number, code):
    (tmp_path / "waiting.py").write_text(WAITING)
    asking = subprocess.Popen(
        [sys.executable, tmp_path / "waiting.py"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    alone = psutil.Process(int(asking.stdout.readline()))
    if number == signal.SIGINT:  # as a terminal sends it: to all of them
        os.killpg(asking.pid, number)
    else:
        asking.send_signal(number)
    assert asking.wait() == code
    said = asking.stderr.read()  # who is killed leaves Python's own resource tracker to complain
    assert said == "" or number == signal.SIGKILL
    assert psutil.wait_procs([alone], timeout=30)[1] == []
    asking.stdout.close()
    asking.stderr.close()

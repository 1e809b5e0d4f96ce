"""A process of Ray that ends during a session is noticed; at the end of the session it is not."""

import os
import shutil
import subprocess
import time

import pytest

from agnews_ray.run.ray_watch import RayWatch


@pytest.fixture
def head(tmp_path):
    """A process that looks like a session's GCS."""
    program = tmp_path / "gcs_server"
    shutil.copy(shutil.which("sleep"), program)
    process = subprocess.Popen([program, "60"], env=os.environ | {"TMPDIR": str(tmp_path / "s")})
    yield process
    process.kill()
    process.wait()


def waited_for(found):
    end = time.monotonic() + 5
    while not found and time.monotonic() < end:
        time.sleep(0.05)
    return found


def test_a_lost_head_is_told_with_what_to_do(head, tmp_path):
    found = []
    RayWatch(tmp_path / "s", found.append).start()
    time.sleep(0.5)
    assert found == []
    head.kill()
    assert "its gcs_server has ended; submit again" in str(waited_for(found)[0])


def test_a_head_that_ends_with_its_session_is_not_lost(head, tmp_path):
    found = []
    watch = RayWatch(tmp_path / "s", found.append)
    watch.start()
    watch.stop()
    head.kill()
    time.sleep(0.5)
    assert found == []

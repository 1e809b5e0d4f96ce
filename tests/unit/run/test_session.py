import os
import stat
from pathlib import Path

import pytest

from agnews_ray.run.session import embedded_ray, why_not_started


def test_a_token_of_its_own_that_only_this_user_can_read(tmp_path):
    with embedded_ray(tmp_path / "log", 0, 1) as session:
        token = Path(os.environ["RAY_AUTH_TOKEN_PATH"])
        assert os.environ["RAY_AUTH_MODE"] == "token"
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert stat.S_IMODE(session.folder.stat().st_mode) == 0o700
        assert len(token.read_text()) == 64


def test_nothing_stays_behind_even_after_an_error(tmp_path):
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), embedded_ray(tmp_path / "log", 0, 1) as session:
        raise ZeroDivisionError
    assert not session.folder.exists()
    assert dict(os.environ) == before


def test_what_c_code_writes_on_the_terminal_goes_to_the_log(tmp_path, capfd):
    with embedded_ray(tmp_path / "log", 0, 1):
        os.write(2, b"of a library\n")
    os.write(2, b"of ours\n")
    assert "of a library" in (tmp_path / "log").read_text()
    assert capfd.readouterr().err == "of ours\n"


def test_why_ray_did_not_start_is_said_by_its_own_logs(tmp_path):
    logs = tmp_path / "r" / "session_2026-01-01" / "logs"
    logs.mkdir(parents=True)
    (logs / "raylet.err").write_text("[..] E 1 2 main.cc:1: No space left on device\nlater\n")
    found = why_not_started(RuntimeError("it\nfailed"), tmp_path)
    assert found.startswith("RuntimeError: it failed (raylet.err: ")
    assert "No space left on device" in found

import os
import stat
from pathlib import Path

import pytest

from agnews_ray.run.session import embedded_ray


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


def test_what_a_killed_process_left_is_removed(tmp_path, monkeypatch):
    monkeypatch.setattr("agnews_ray.run.session._short_tmp", lambda: str(tmp_path))
    dead, alive = tmp_path / "agnews-ray-4194999-x", tmp_path / f"agnews-ray-{os.getpid()}-x"
    dead.mkdir()
    alive.mkdir()
    with embedded_ray(tmp_path / "log", 0, 1):
        pass
    assert (dead.exists(), alive.exists()) == (False, True)

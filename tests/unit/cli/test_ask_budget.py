import io
import json
import sys
from dataclasses import replace

import pytest

from agnews_ray.app.forecast_study import PROBES_FOLDER
from agnews_ray.cli.ask_budget import ask_or_refuse
from agnews_ray.errors import ResourceError
from tests.fakes.command import run
from tests.unit.cli.test_cost_text import OVER

JOB = """
models:
  - name: tiny
    model: minilm
    init: random
    architecture: {num_layers: 1, hidden_size: 32, num_heads: 2, intermediate_size: 32,
                   vocab_size: 200}
data: {source: "synthetic:train=200,test=40,seed=1"}
"""


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    """A submit that cannot be done within its budget, where nobody is there to ask."""
    folder = tmp_path_factory.mktemp("budget")
    (folder / "job.yaml").write_text(JOB)
    words = ("submit", folder / "job.yaml", "--name", "x", "--runs", folder / "runs")
    return folder, run(*words, "--budget", "1s", code=2)


def test_a_study_that_does_not_fit_is_refused_in_one_line(refused):
    assert refused[1].stderr.startswith("error: --budget: want at most 1s, found ")
    assert len(refused[1].stderr.splitlines()) == 1


def test_nothing_of_it_was_started(refused):
    assert not (refused[0] / "runs" / "x").exists()


def test_what_was_measured_is_kept_for_the_next_try(refused):
    (kept,) = (refused[0] / "runs" / ".cache" / PROBES_FOLDER).iterdir()
    assert json.loads((kept / "probe.json").read_text())["rows_per_step"] == 16


class Terminal(io.StringIO):
    """A stream at which a person sits."""

    def isatty(self):
        return True


def ask(monkeypatch, typed, answer=OVER, is_silent=False):
    shown = Terminal()
    monkeypatch.setattr(sys, "stdin", Terminal(typed))
    monkeypatch.setattr(sys, "stdout", shown)
    try:
        ask_or_refuse(answer, lambda line: shown.write(f"{line}\n"), is_silent=is_silent)
    finally:
        monkeypatch.undo()
    return shown.getvalue()


def test_at_a_terminal_the_options_are_shown_and_the_user_asked(monkeypatch):
    shown = ask(monkeypatch, "y\n")
    assert "--seeds 1 " in shown
    assert "run the 3 trial(s) that fit, and leave 1 out? [y/N]" in shown


@pytest.mark.parametrize("typed", ["n\n", "\n"])
def test_who_does_not_agree_has_started_nothing(monkeypatch, capsys, typed):
    with pytest.raises(SystemExit) as left:
        ask(monkeypatch, typed)
    assert left.value.code == 2
    assert "nothing was started" in capsys.readouterr().err


def test_if_nothing_fits_nobody_is_asked(monkeypatch):
    with pytest.raises(SystemExit):
        ask(monkeypatch, "y\n", replace(OVER, kept=()))


def test_a_silent_submit_asks_nobody_even_at_a_terminal(monkeypatch):
    with pytest.raises(ResourceError):
        ask(monkeypatch, "y\n", is_silent=True)

"""What a person sees, on a real pseudo-terminal: names are text, whatever is in them."""

import inspect
import os
from types import SimpleNamespace as Facts

import pytest

from agnews_ray.cli import screen
from agnews_ray.cli.screen import LiveScreen, PlainScreen, describe_failure
from agnews_ray.errors import TrialError
from agnews_ray.run.told import TrialFacts, TrialProgress
from tests.fakes.terminal import on_terminal

HOSTILE = ["bert [/b]", "bert[large]", "[red]x", "ends with a \\", "[link=http://a]", "名前"]


def show_a_study(names):
    """Runs in a process of its own, on the terminal: the first fails, the last is still running."""
    with LiveScreen() as screen:
        screen.note("data  [b]x[/b] \x1b[31mred\x1b[0m\nsecond")
        screen.tokenised(names[0], "train", 10, 20)
        screen.tokenised(names[0], "train", 20, 20)
        for name in names:
            facts = {"variant": Facts(name=name), "seed": 1, "num_steps": 20, "train_share": 1.0}
            facts |= {"work": "fine-tuning", "num_rows": 80}
            trial = Facts(trial_id=f"id-{name}", **facts)
            screen.started(trial)
            screen.waiting(trial, "[/]2 GPUs")
            step = {"step": 5, "num_steps": 20, "epoch": 0.5, "loss": 1.2, "seconds_left": 12.0}
            rate = {"samples_per_second": 120.0, "phase": "training"}
            screen.progress(Facts(trial_id=trial.trial_id, **step, **rate))
            epochs = {"best_epoch": 3, "stopped_after_epoch": 5}
            training = Facts(train_seconds=3.0, samples_per_second=20.0, **epochs)
            scores, work = Facts(accuracy=0.9, macro_f1=0.8), {"work": "fine-tuning"}
            if name == names[0]:
                screen.failed(trial, ValueError("bad [/b] name"))
            elif name != names[-1]:
                screen.finished(trial, Facts(diverged=None, training=training, test=scores, **work))


def shown(columns, names=HOSTILE):
    imports = (
        "from types import SimpleNamespace as Facts\nfrom agnews_ray.cli.screen import LiveScreen\n"
    )
    code = f"{imports}{inspect.getsource(show_a_study)}\nshow_a_study({names!r})"
    environment = dict(os.environ) | {"PYTHONUTF8": "1"}
    code_and_lines = on_terminal(["-c", code], ".", environment, columns)
    assert code_and_lines[0] == 0, code_and_lines[1]
    return code_and_lines[1]


@pytest.fixture(scope="module")
def wide():
    return shown(columns=140)


@pytest.mark.parametrize("name", HOSTILE[1:-1])
def test_a_name_on_a_terminal_is_text(wide, name):
    result = "accuracy 0.9000  macro-F1 0.8000  0:03 at 20 samples/s"
    assert f"✓ {name} · seed 1  {result}  best epoch 3, stopped after 5" in wide


def test_a_failure_is_told_once_and_stays(wide):
    assert [line for line in wide if "bad" in line] == ["✗ id-bert [/b]: bad [/b] name"]


def test_a_note_neither_colours_nor_breaks(wide):
    assert wide[0] == r"data  [b]x[/b] \x1b[31mred\x1b[0m\nsecond"


def test_what_has_ended_leaves_its_bar(wide):
    assert [line for line in wide if "━" in line] == [wide[-1]]
    assert wide[-1].startswith("名前 · seed 1") or wide[-1].replace(" ", "").startswith(
        "名前·seed1"
    )


def test_a_narrow_terminal_cuts_the_end_of_a_line_not_its_start():
    last = shown(columns=60, names=["first", "plain"])[-1]
    assert last.startswith("plain · seed 1  25 % 0:12 left  loss 1.200")
    assert last.endswith("…")


@pytest.mark.parametrize("where", ["trial id-x", "model folder"])
def test_an_error_names_its_trial_once(where):
    text = describe_failure("id-x", TrialError(where, "a result", "none", "run it again"))
    assert text.count("id-x") == 1


def a_trial(trial_id, **facts):
    """The facts about a trial, of 20 steps if nothing else is said."""
    usual = {"seed": 1, "num_steps": 20, "precision": "fp32", "device": "cpu"}
    return TrialFacts(trial_id=trial_id, **{"variant": {"name": "one"}, **usual, **facts})


def test_a_plain_screen_says_what_a_fit_does_once(capsys, monkeypatch):
    monkeypatch.setattr(screen, "PLAIN_INTERVAL_S", 0.0)
    shown = screen.PlainScreen()
    trial = a_trial("svm-s1", num_steps=0)
    shown.started(trial)
    for phase in ("loading", "fitting", "fitting"):
        shown.progress(TrialProgress(trial_id="svm-s1", phase=phase))
    shown.progress(TrialProgress(trial_id="bert-s1", phase="loading", num_steps=10))
    assert capsys.readouterr().out.splitlines() == [
        "start svm-s1: a fit without steps, fp32",
        "      svm-s1: loading",
        "      svm-s1: fitting",
    ]


def test_a_trial_with_a_share_of_the_rows_says_so(capsys):
    for share in (0.03, 1.0):
        PlainScreen().started(a_trial("t", train_share=share))
    assert capsys.readouterr().out.splitlines() == [
        "start t: 3% of the rows, 20 steps, fp32",
        "start t: 20 steps, fp32",
    ]


@pytest.mark.parametrize(
    ("work", "num_steps", "told"),
    [
        ("labelling", 0, "labels 1,300 rows for its students"),
        ("pretraining", 20, "pre-training, 20 steps"),
    ],
)
def test_what_is_done_for_students_is_told(capsys, work, num_steps, told):
    PlainScreen().started(a_trial("t", work=work, num_steps=num_steps, num_rows=1300))
    assert capsys.readouterr().out.splitlines() == [f"start t: {told}, fp32"]

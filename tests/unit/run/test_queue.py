import threading
from dataclasses import replace

import pytest

from agnews_ray.cli.screen import SilentScreen
from agnews_ray.errors import DataError, ModelError, TrialError
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.run.queue import OwnRoom, run_trials
from agnews_ray.run.trial_source import PlannedTrials
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_record


class FakeRunner:
    """Counts how many trials run side by side; each waits until so many do."""

    def __init__(self, errors=None, num_together=1):
        self.errors = errors or {}
        self._all_here = threading.Barrier(num_together, timeout=60)
        self.starts = []
        self.idle_stopped_after = []
        self.kept_for = []
        self.most_at_once = 0
        self._running = 0
        self._lock = threading.Lock()

    def progress(self, trial_ids):
        return []

    def stop_idle(self, num_trials):
        with self._lock:
            self.idle_stopped_after.append(len(self.starts))
            self.kept_for.append(num_trials)

    def run(self, trial, data, started_at):
        with self._lock:
            self._running += 1
            self.starts.append((trial.trial_id, started_at))
            self.most_at_once = max(self.most_at_once, self._running)
        self._all_here.wait()
        with self._lock:
            self._running -= 1
        if trial.trial_id in self.errors:
            raise self.errors[trial.trial_id]
        return a_record(trial_id=trial.trial_id)


def some_trials(count=4):
    return [
        PlannedTrial(
            trial_id=f"t{i}",
            variant=VariantSpec(model="bert", name="bert"),
            seed=i,
            device="cpu",
            precision="fp32",
            recipe=RecipeSpec(),
            num_steps=1,
        )
        for i in range(count)
    ]


def run(runner, num_at_once=1, load_data=lambda trial: None):
    room = OwnRoom(count=num_at_once)
    return run_trials(PlannedTrials(some_trials()), runner, load_data, room, 0.0, SilentScreen())


def test_what_several_trials_say_is_told_once():
    class FallenBack(FakeRunner):
        def run(self, trial, data, started_at):
            record = super().run(trial, data, started_at)
            why = "steps are not recorded (RuntimeError)"
            training = record.training.model_copy(update={"engine_note": why})
            return record.model_copy(update={"training": training})

    screen, notes = SilentScreen(), []
    screen.note = notes.append
    run_trials(
        PlannedTrials(some_trials()),
        FallenBack(),
        lambda trial: None,
        OwnRoom(count=2),
        0.0,
        screen,
    )
    assert notes == ["note  steps are not recorded (RuntimeError)"]


@pytest.mark.parametrize("num_at_once", [1, 2])
def test_as_many_trials_run_side_by_side_as_there_is_room(num_at_once):
    runner = FakeRunner(num_together=num_at_once)
    outcome = run(runner, num_at_once)
    assert runner.most_at_once == num_at_once
    assert sorted(record.trial_id for record in outcome.finished) == ["t0", "t1", "t2", "t3"]


@pytest.mark.parametrize(
    ("error", "kind"),
    [(ModelError("m", "a", "b", "c"), ModelError), (ZeroDivisionError(), TrialError)],
)
def test_a_failure_stops_no_other_trial(error, kind):
    outcome = run(FakeRunner({"t1": error}))
    assert [record.trial_id for record in outcome.finished] == ["t0", "t2", "t3"]
    assert isinstance(outcome.failed["t1"], kind)


def test_data_that_cannot_be_loaded_fails_its_trial_alone():
    def load_data(trial):
        if trial.trial_id == "t0":
            raise DataError("d", "a", "b", "c")

    outcome = run(FakeRunner(), load_data=load_data)
    assert list(outcome.failed) == ["t0"]
    assert len(outcome.finished) == 3


def test_the_first_trial_counts_its_start_from_submit():
    runner = FakeRunner()
    run(runner)
    assert runner.starts[0] == ("t0", 0.0)
    assert all(started_at > 0 for _, started_at in runner.starts[1:])


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_a_trials_thread_that_ends_in_anything_has_ended(error):
    outcome = run(FakeRunner({"t1": error}))
    assert len(outcome.finished) == 3
    assert type(error).__name__ in outcome.failed["t1"].found


def test_a_library_that_exits_while_data_are_loaded_fails_that_trial_alone():
    def load_data(trial):
        if trial.trial_id == "t0":
            raise SystemExit

    outcome = run(FakeRunner(), load_data=load_data)
    assert list(outcome.failed) == ["t0"]


def test_idle_workers_exit_once_no_trial_waits():
    runner = FakeRunner()
    run(runner)
    assert set(runner.idle_stopped_after) <= {3, 4}  # the last trial may be about to start
    assert set(runner.kept_for) == {1}


class BrokenScreen(SilentScreen):
    """Fails whenever it is told anything, and counts."""

    def __init__(self):
        self.calls = 0

    def started(self, trial):
        self.calls += 1
        raise BrokenPipeError

    finished = failed = started


def test_a_watchers_error_is_no_trials_and_is_not_repeated():
    screen = BrokenScreen()
    source, room = PlannedTrials(some_trials()), OwnRoom(count=1)
    outcome = run_trials(source, FakeRunner(), lambda trial: None, room, 0.0, screen)
    assert len(outcome.finished) == 4
    assert screen.calls == 1


def a_chain(*edges):
    """Four trials; each edge says who waits for whom."""
    waits = {}
    for one, other in edges:
        waits.setdefault(one, []).append(other)
    return [replace(t, waits_for=tuple(waits.get(t.trial_id, ()))) for t in some_trials()]


def run_chain(trials, runner, num_at_once=4):
    room = OwnRoom(count=num_at_once)
    return run_trials(PlannedTrials(trials), runner, lambda trial: None, room, 0.0, SilentScreen())


def test_a_trial_starts_when_those_that_it_waits_for_have_finished():
    runner = FakeRunner()
    outcome = run_chain(a_chain(("t0", "t3"), ("t3", "t2"), ("t2", "t1")), runner)
    assert [trial_id for trial_id, _ in runner.starts] == ["t1", "t2", "t3", "t0"]
    assert runner.most_at_once == 1
    assert len(outcome.finished) == 4


def test_a_trial_whose_predecessor_failed_fails_in_a_line_that_names_it():
    runner = FakeRunner({"t1": ModelError("m", "a", "b", "c")})
    outcome = run_chain(a_chain(("t2", "t1"), ("t3", "t2")), runner)
    assert [record.trial_id for record in outcome.finished] == ["t0"]
    assert str(outcome.failed["t2"]) == (
        "trial t2: want trial t1 finished first, found that it failed; fix its cause and submit "
        "again"
    )
    assert "want trial t2 finished first" in str(outcome.failed["t3"])


def test_only_what_can_start_takes_room():
    runner = FakeRunner(num_together=2)
    run_chain(a_chain(("t2", "t0"), ("t3", "t1")), runner)
    assert runner.most_at_once == 2


class Closed:
    """A gate that leaves some trials out."""

    def __init__(self, *closed):
        self.closed, self.seen = closed, []

    def reason_to_leave_out(self, trial):
        return "too long" if trial.trial_id in self.closed else None

    def ended(self, record):
        self.seen.append(record.trial_id)


def run_through(gate, trials=None):
    room, screen = OwnRoom(count=1, gate=gate), SilentScreen()
    source = PlannedTrials(trials or some_trials())
    return run_trials(source, FakeRunner(), lambda trial: None, room, 0.0, screen)


def test_a_trial_that_the_gate_leaves_out_is_not_started_and_later_ones_are():
    gate = Closed("t1", "t2")
    outcome = run_through(gate)
    assert [record.trial_id for record in outcome.finished] == ["t0", "t3"]
    assert outcome.left_out == {"t1": "too long", "t2": "too long"}
    assert outcome.failed == {}
    assert gate.seen == ["t0", "t3"]


def test_what_waits_for_a_trial_that_was_left_out_is_left_out_too():
    first, second, *_ = some_trials()
    trials = [first, replace(second, waits_for=("t0",))]
    outcome = run_through(Closed("t0"), trials)
    assert outcome.left_out["t1"] == "it waits for t0, which was left out"
    assert (outcome.finished, outcome.failed) == ((), {})

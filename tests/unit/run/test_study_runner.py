"""Which trials go where; tests/integration/test_linear.py runs linear ones in Ray tasks."""

from types import SimpleNamespace

from agnews_ray.run.inputs import TrialInputs
from agnews_ray.run.study_runner import StudyRunner
from tests.fakes.records import a_record


class FakeTrainer:
    """Stands for workers that fine-tune."""

    def __init__(self):
        self.stopped_for = []

    def run(self, trial, inputs, started_at):
        return a_record(trial_id=trial.trial_id)

    def progress(self, trial_ids):
        return [f"of {trial_id}" for trial_id in trial_ids]

    def stop_idle(self, num_trials):
        self.stopped_for.append(num_trials)


def test_what_is_tokenised_is_fine_tuned_by_workers():
    trainer = FakeTrainer()
    runner = StudyRunner(trainer=trainer)
    inputs = TrialInputs(tokenizer=None, splits={})
    assert runner.run(SimpleNamespace(trial_id="t"), inputs, 0.0).trial_id == "t"
    assert runner.progress(["a", "b"]) == ["of a", "of b"]
    runner.stop_idle(2)
    assert trainer.stopped_for == [2]

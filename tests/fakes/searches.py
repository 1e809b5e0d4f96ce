"""A search without training: a made-up truth says how good settings are, epoch by epoch."""

from pathlib import Path

from agnews_ray.app.tune_study import prepare_search
from agnews_ray.errors import TrialError
from agnews_ray.record.schema import RungScore
from agnews_ray.run.queue import Outcome
from agnews_ray.spec.loader import build_study
from tests.fakes.records import a_record, some_scores

SPACE = {
    "recipe.learning_rate": {"low": 1.0e-5, "high": 1.0e-2, "log": True},
    "recipe.num_epochs": [1, 2, 3],
}


def a_search_study(variants=("minilm",), seeds=(42, 43), recipe=None, **search):
    models = [{"model": "minilm", "name": name, "init": "random"} for name in variants]
    content = {
        "name": "toy",
        "models": models,
        "seeds": list(seeds),
        "data": {"source": "synthetic:train=320,test=40,seed=7", "validation_fraction": 0.2},
        "recipe": recipe or {},
        "search": {"space": SPACE, "num_trials": 12} | search,
    }
    return build_study(content, "test")


def prepared_search(runs, study=None):
    return prepare_search(study or a_search_study(), str(runs))


class Training:
    """Stands for Ray and its workers: trials end with the scores of a made-up truth.

    Args:
        truth: the accuracy of a trial after so many epochs.
        num_ends: the trials after which the user interrupts; None: never.
        num_at_once: trials side by side; the one that started last ends first.
        broken: the ids' starts of trials that fail.
        seconds: the time that each trial says it took.
    """

    def __init__(self, truth, num_ends=None, num_at_once=1, broken=(), seconds=None):
        self.truth, self.num_ends, self.num_at_once = truth, num_ends, num_at_once
        self.broken, self.seconds = broken, seconds
        self.started, self.records = [], []
        self.lines = []

    def __call__(self, prepared, command, started_at, watcher, work):
        source = work.source(prepared, self.lines.append)
        done, failed, running = {}, {}, {}
        while True:
            ready = source.ready(done, failed, self.num_at_once)
            waiting = [one for one in ready.startable if one.trial_id not in running]
            if not waiting and not running:
                return prepared, Outcome(finished=tuple(done.values()), failed=failed)
            if waiting and len(running) < self.num_at_once:
                running[waiting[0].trial_id] = waiting[0]
                self.started.append(waiting[0])
                continue
            trial_id, trial = running.popitem()
            if self.num_ends is not None and len(self.records) == self.num_ends:
                raise KeyboardInterrupt
            if trial_id.startswith(self.broken or "\0"):
                failed[trial_id] = TrialError(trial_id, "a", "b", "c")
                continue
            done[trial_id] = self._ended(prepared, source, trial)

    def _ended(self, prepared, source, trial):
        per_epoch = trial.num_steps // trial.recipe.num_epochs
        rungs, is_stopped = [], False
        for step in trial.rungs:
            accuracy = self.truth(trial, step / per_epoch)
            score = RungScore(
                step=step, epochs=step / per_epoch, accuracy=accuracy, macro_f1=accuracy
            )
            rungs.append(score)
            is_stopped = not source.goes_on(trial, score)
            if is_stopped:
                break
        found = some_scores(self.truth(trial, trial.recipe.num_epochs))
        search = trial.search and trial.search.model_copy(
            update={"rungs": tuple(rungs), "is_stopped": is_stopped}
        )
        record = a_record(
            trial.trial_id,
            variant=trial.variant,
            seed=trial.seed,
            recipe=trial.recipe,
            scores_test=trial.scores_test,
            search=search,
            validation=() if is_stopped else (found,),
            dataset=prepared.scanned.record,
            total_seconds=self.seconds,
        )
        staged = prepared.store.staging_folder(record.trial_id)
        for name in ("predictions.parquet", "curve.parquet"):
            (Path(staged) / name).touch()
        prepared.store.publish(record, staged)
        self.records.append(record)
        return record


def without_test_rows(monkeypatch):
    """A study whose test rows are not kept, for tests of other things."""
    from agnews_ray.app import launch

    monkeypatch.setattr(launch, "_keep_test_rows", lambda prepared: ())

"""Trials as trackers get them, and a tracker that keeps what it is told."""

import numpy as np

from agnews_ray.errors import TrackerError
from agnews_ray.track.tracked_trial import Curve, TrackedTrial
from agnews_ray.track.tracker import Tracker


def a_curve(values=(1.0, 0.5, 0.25)):
    return Curve(steps=np.arange(1, len(values) + 1), values=np.array(values))


def a_tracked_trial(trial_id="one-s1", seed=1, **changes):
    facts = {
        "trial_id": trial_id,
        "study": "news",
        "name": f"one · seed {seed}",
        "variant": "one",
        "seed": seed,
        "parameters": {"recipe.learning_rate": 2e-5, "seed": seed, "variant.name": "one"},
        "tags": {"trial_id": trial_id, "artifact": "/runs/news/trials/one-s1/artifact"},
        "scores": {"test/accuracy": 0.9, "test/accuracy_low": 0.8, "test/accuracy_high": 0.95},
        "curves": {"train/loss": a_curve(), "validation/accuracy": a_curve((0.7,))},
        "started_at": 1_000_000_000.0,
        "ended_at": 1_000_000_060.0,
        "changed_at": 1_000_000_060.0,
        "diverged": None,
    }
    return TrackedTrial(**facts | changes)


def measured_later(trial):
    """The same trial after `agnews-ray measure`."""
    changes = {
        "scores": {**trial.scores, "cost/cpu/latency_p50_ms": 12.5},
        "changed_at": trial.changed_at + 3600,
    }
    return TrackedTrial(**{name: getattr(trial, name) for name in FIELDS} | changes)


FIELDS = tuple(TrackedTrial.__dataclass_fields__)


class KeptTracker(Tracker):
    """Keeps what it is told, in order; from the call with a given name on it fails."""

    def __init__(self, fails_at=None):
        self.destination = "a list"
        self.told = []
        self._fails_at = fails_at

    def _keep(self, *facts):
        if facts[0] == self._fails_at:
            raise TrackerError("tracker kept", "a list", "none", "make one")
        self.told.append(facts)

    def export(self, trial):
        self._keep("export", trial.trial_id, trial)
        return "new"

    def describe(self, study):
        self._keep("describe", study.name, study)

    def how_to_look(self, study):
        return f"print {study}"

    def live_start(self, study, trial_id, name):
        self._keep("live_start", trial_id, study, name)

    def live_point(self, trial_id, step, values):
        self._keep("live_point", trial_id, step, values)

    def live_end(self, trial_id, how):
        self._keep("live_end", trial_id, how)

"""The log of a job, made by hand."""

import io

from agnews_ray.cluster.events import EventWriter
from agnews_ray.record.schema import Scores
from agnews_ray.run.told import RecordFacts, TrialFacts, TrialProgress, TrialRetry
from tests.fakes.records import a_record

TRIALS = [
    TrialFacts(
        trial_id=f"t{seed}",
        variant={"name": "bert"},
        seed=seed,
        device="cpu",
        precision="fp32",
        num_steps=10,
    )
    for seed in (1, 2)
]


A_RETRY = TrialRetry(
    trial_id="t1",
    cause="lost worker",
    attempt=2,
    step=3,
    text="trial t1 lost a worker or its node, starts again",
)


def progress(trial, phase="training", step=3):
    return TrialProgress(trial_id=trial.trial_id, phase=phase, step=step, num_steps=10, loss=0.5)


def a_log(write):
    stream = io.StringIO()
    write(EventWriter(stream))
    return stream.getvalue().splitlines()


def a_run(events):
    events.study("demo", "s3://b/demo", TRIALS, set())
    events.tokenised("bert", "train", 100, 100)
    events.started(TRIALS[0])
    events.progress(progress(TRIALS[0]))
    events.retried(A_RETRY)
    events.finished(TRIALS[0], RecordFacts.of(a_record(trial_id="t1")))
    events.started(TRIALS[1])
    events.waiting(TRIALS[1], "1 GPU (0 there)")


WHY = "loss is not a number from step 3 of 10 on"


def a_diverged_run(events):
    record = a_record(trial_id="t1", diverged=WHY, test=Scores.none_of(10))
    events.study("demo", "s3://b/demo", TRIALS, set())
    events.finished(TRIALS[0], RecordFacts.of(record))

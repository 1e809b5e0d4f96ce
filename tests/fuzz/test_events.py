"""Events of a job's log: read as they were written, whatever else stands in the log."""

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from agnews_ray.cluster import event_kinds as kinds
from agnews_ray.cluster.events import PREFIX, EventWriter, read_events, show_event
from agnews_ray.cluster.job_state import fold, state_of
from agnews_ray.cluster.jobs_client import Job
from agnews_ray.run.told import TrialProgress
from agnews_ray.run.watcher import StudyWatcher
from tests.fakes.events import TRIALS, a_log, a_run
from tests.fuzz.properties import read_or_refused
from tests.fuzz.strategies import changed, damaged, texts

LOG = a_log(a_run)
EVENTS = [json.loads(line.removeprefix(PREFIX)) for line in LOG]
JOB = Job(
    job_id="demo-1",
    study="demo",
    status="FAILED",
    message="",
    started_at=1,
    ended_at=2,
    storage="s3://b",
)


class Screen(StudyWatcher):
    """A screen that shows nothing."""


def state_after(lines: list[str]) -> object:
    """Read a log, show it, and make the job's state of it."""
    events = list(read_events(lines))
    for event in events:
        if not isinstance(event, str):
            show_event(event, Screen())
    return fold(state_of(JOB), events).model_dump_json()


@given(damaged("\n".join(LOG).encode()))
def test_a_damaged_log(content):
    lines = io.StringIO(content.decode("utf-8", "replace")).readlines()
    assert read_or_refused("events, damaged", lambda: state_after(lines)) is not None


@given(st.lists(st.sampled_from(EVENTS).flatmap(changed), max_size=4), st.permutations(LOG))
def test_events_with_other_values_in_any_order(contents, lines):
    lines += [f"{PREFIX}{json.dumps(one)}" for one in contents]
    assert read_or_refused("events, other values", lambda: state_after(lines)) is not None


@given(st.lists(texts(), max_size=6), st.floats(), st.integers(1, 3))
def test_what_is_said_is_read_back(said, loss, num_times):
    stream = io.StringIO()
    writer = EventWriter(stream)
    for text in said:
        writer.note(text)
        writer.error(ValueError(text))
    about = TRIALS[0].trial_id
    writer.progress(TrialProgress(trial_id=about, phase="training", step=1, num_steps=2, loss=loss))
    lines = stream.getvalue().split("\n")[:-1]
    found = read_or_refused(
        "events, written and read", lambda: list(read_events(lines * num_times))
    )
    assert [e.text for e in found if isinstance(e, kinds.Noted)] == said
    assert [e.error for e in found if isinstance(e, kinds.Errored)] == said
    (progress,) = [e.progress for e in found if isinstance(e, kinds.Progressed)]
    assert progress.loss == loss or not abs(loss) < float("inf")

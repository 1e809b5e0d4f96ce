"""The events of a job's log: what each is about."""

from typing import get_args

import pytest

from agnews_ray.cluster import event_kinds as kinds
from agnews_ray.cluster.event_kinds import Event, trial_of
from agnews_ray.cluster.events import EVENT
from agnews_ray.run.told import RecordFacts
from tests.fakes.events import A_RETRY, TRIALS, progress
from tests.fakes.records import a_record

EVENTS = [
    kinds.StudyPlanned(name="demo", location="/d", trials=()),
    kinds.Noted(text="a note"),
    kinds.Tokenised(variant="bert", split="train", done=1, total=2),
    kinds.Started(trial=TRIALS[0]),
    kinds.Waiting(trial=TRIALS[0], reason="1 GPU"),
    kinds.Progressed(progress=progress(TRIALS[0])),
    kinds.Retried(retry=A_RETRY),
    kinds.Finished(trial=TRIALS[0], record=RecordFacts.of(a_record())),
    kinds.Failed(trial=TRIALS[0], error="no room"),
    kinds.Errored(error="no room"),
    kinds.Probed(facts="{}"),
    kinds.Ended(),
]


def test_every_kind_of_event_is_here_and_has_a_name_of_its_own():
    assert {type(event) for event in EVENTS} == set(get_args(Event))
    assert len({event.event for event in EVENTS}) == len(EVENTS)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event)
def test_an_event_is_about_the_trial_that_it_names_or_about_the_study(event):
    names_one = {"trial", "progress", "retry"} & type(event).model_fields.keys()
    assert trial_of(event) == ("t1" if names_one else None)


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.event)
def test_an_event_is_read_as_the_kind_that_was_written(event):
    again = EVENT.validate_json(event.model_dump_json())
    assert (type(again), trial_of(again)) == (type(event), trial_of(event))

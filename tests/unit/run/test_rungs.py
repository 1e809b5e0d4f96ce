"""Questions and answers at rungs; Ray's key-value store is a dictionary here."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from agnews_ray.record.schema import RungScore
from agnews_ray.run.rungs import answer, ask, forget_questions, open_questions


def a_score(step, accuracy=0.5):
    return RungScore(step=step, epochs=step / 4, accuracy=accuracy, macro_f1=accuracy)


def await_questions(trial_ids):
    while not (found := open_questions(trial_ids)):
        pass
    return found


@pytest.fixture
def in_thread():
    with ThreadPoolExecutor() as threads:
        yield threads.submit


def test_a_trial_waits_for_the_answer_to_each_of_its_questions(questions, in_thread):
    for step, goes_on in ((2, True), (6, False)):
        waiting = in_thread(ask, "t1", a_score(step))
        (question,) = await_questions(["t0", "t1"])
        assert (question.trial_id, question.score) == ("t1", a_score(step))
        answer("t1", step, goes_on)
        assert waiting.result() == goes_on
    assert questions == {}


def test_an_answered_question_is_no_longer_open(questions, in_thread):
    waiting = in_thread(ask, "t1", a_score(2))
    await_questions(["t1"])
    answer("t1", 2, goes_on=True)
    waiting.result()
    assert open_questions(["t1"]) == []


def test_an_answer_to_an_earlier_rung_is_none_to_this_one(questions, in_thread):
    answer("t1", 2, goes_on=False)
    waiting = in_thread(ask, "t1", a_score(4))
    await_questions(["t1"])
    answer("t1", 4, goes_on=True)
    assert waiting.result()


def test_a_model_without_scores_asks_too(questions, in_thread):
    waiting = in_thread(ask, "t1", a_score(2, accuracy=None))
    (question,) = await_questions(["t1"])
    assert question.score.accuracy is None
    answer("t1", 2, goes_on=False)
    assert not waiting.result()


def test_a_trial_that_starts_again_finds_nothing_of_its_last_attempt(questions, in_thread):
    waiting = in_thread(ask, "t1", a_score(2))
    await_questions(["t1"])
    answer("t1", 4, goes_on=True)
    answer("t2", 4, goes_on=True)
    of_other_trials = {key: held for key, held in questions.items() if ":t2:" in key}
    forget_questions("t1", (2, 4))
    assert questions == of_other_trials
    answer("t1", 2, goes_on=True)  # the attempt that still waits ends
    waiting.result()

"""Messages between the driver and its workers; Ray's key-value store is a dictionary here."""

import pytest

from agnews_ray.run import mailbox
from agnews_ray.run.mailbox import (
    Task,
    forget_task,
    next_task,
    post_result,
    post_task,
    take_result,
)

FIRST, SECOND = (Task(config=name, datasets={}) for name in ("first", "second"))


def test_every_rank_reads_each_task_under_its_number(letters):
    post_task("g", 1, FIRST)
    post_task("g", 2, SECOND)
    for _ in range(2):
        assert (next_task("g", 1), next_task("g", 2)) == (FIRST, SECOND)


def test_no_task_is_the_order_to_exit(letters):
    post_task("g", 1, None)
    assert next_task("g", 1) is None


def test_a_worker_asks_until_its_task_is_there(letters, monkeypatch):
    monkeypatch.setattr(mailbox, "POLL_S", 0)
    asked = []

    def kv_get(key):
        asked.append(key)
        if len(asked) == 3:
            post_task("g", 1, FIRST)
        return letters.get(key)

    monkeypatch.setattr(mailbox, "kv_get", kv_get)
    assert next_task("g", 1) == FIRST
    assert len(asked) == 3


def test_a_result_is_taken_once_and_leaves_nothing(letters):
    post_task("g", 1, FIRST)
    assert take_result("g", 1) is None
    assert next_task("g", 1) == FIRST  # to ask for a result loses no task
    post_result("g", 1, "its summary")
    assert take_result("g", 1) == "its summary"
    assert letters == {}
    assert take_result("g", 1) is None


def test_to_forget_one_task_leaves_the_others(letters):
    for number in (1, 2):
        post_task("g", number, FIRST)
        post_result("g", number, number)
    forget_task("g", 1)
    assert take_result("g", 1) is None
    assert take_result("g", 2) == 2


def test_groups_and_studies_of_one_cluster_have_mailboxes_of_their_own(letters, monkeypatch):
    post_result("g", 1, "ours")
    assert take_result("h", 1) is None
    context = mailbox.ray.get_runtime_context()
    with monkeypatch.context() as another_job:
        another_job.setattr(context, "get_job_id", lambda: "another")
        assert take_result("g", 1) is None
    assert take_result("g", 1) == "ours"


@pytest.mark.parametrize("number", [1, 11])
def test_numbers_that_begin_alike_are_not_mixed_up(letters, number):
    post_result("g", number, number)
    assert take_result("g", 12 - number) is None
    assert take_result("g", number) == number

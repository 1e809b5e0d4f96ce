import threading

import pytest

from agnews_ray.app.daemon_call import call_beside


def test_a_call_is_made_beside_and_its_result_waited_for():
    go_on = threading.Event()
    answer = call_beside(lambda word: go_on.wait(60) and word, "done")
    assert not answer.done()
    go_on.set()
    assert answer.result(60) == "done"


def test_what_it_raises_is_raised_where_it_is_waited_for():
    def fails():
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        call_beside(fails).result(60)

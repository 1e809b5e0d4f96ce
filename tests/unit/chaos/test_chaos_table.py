"""The table has a row for each kind, their sum, and a line for each thing that went wrong."""

import json

from agnews_ray.chaos.chaos_table import FORMATS, Chaos, ChaosRow


def a_row(**changes):
    values = {
        "kind": "worker",
        "what": "a worker is killed",
        "num_drawn": 3,
        "num_fired": 3,
        "num_survived": 3,
        "num_lives": 1,
        "num_submits": 1,
        "steps_repeated": 12,
        "seconds_lost": 30.4,
        "num_results": 2,
        "num_equal": 2,
    }
    return ChaosRow(**values | changes)


def a_chaos(*rows):
    return Chaos(
        seed=0,
        num_trials=2,
        num_steps=200,
        checkpoint_every="25 steps",
        quiet_seconds=20,
        seconds=90,
        rows=rows,
    )


def test_rows_are_added_up():
    shown = FORMATS["table"](a_chaos(a_row(), a_row(kind="head", steps_repeated=None)))
    assert shown.splitlines()[-1].split() == "all 6 6 6 12 61 4 of 4 nothing".split()


def test_what_went_wrong_has_a_line_and_is_not_well():
    chaos = a_chaos(a_row(num_fired=2, left=("process 7",), problems=("submit 1 hung",)))
    assert FORMATS["markdown"](chaos).endswith(
        "worker: submit 1 hung\n\nworker: left behind: process 7\n\n"
        "worker: 1 fault(s) did not happen"
    )
    assert not chaos.is_well
    assert a_chaos(a_row()).is_well


def test_json_has_everything():
    assert json.loads(FORMATS["json"](a_chaos(a_row())))["rows"][0]["seconds_lost"] == 30.4

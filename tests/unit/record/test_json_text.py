import json

import pytest

from agnews_ray.record.json_text import to_json
from tests.fakes.records import a_record


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_what_is_not_a_number_is_null_at_any_depth(number):
    content = {"a": [1.5, (number,)], "b": {"c": number, "d": "text"}}
    assert json.loads(to_json(content)) == {"a": [1.5, [None]], "b": {"c": None, "d": "text"}}


def test_a_model_is_written_by_its_fields():
    record = a_record()
    assert json.loads(to_json([record]))[0]["trial_id"] == record.trial_id


def test_lines_and_order_are_as_asked():
    content = {"b": 1, "a": [2]}
    assert to_json(content, indent=None) == '{"b": 1, "a": [2]}'
    assert to_json(content, sort_keys=True) == '{\n  "a": [\n    2\n  ],\n  "b": 1\n}'

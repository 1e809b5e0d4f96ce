"""Names and hashes become part of paths and ids."""

import hashlib

import pytest

from agnews_ray.plan.names import content_hash, slug


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("microsoft/MiniLM-L12", "minilm-l12"),
        ("models/of mine/", "of-mine"),
        ("models/XX", "xx"),
        ("../..", "model"),
        ("", "model"),
        ("a b;rm -rf", "a-b-rm-rf"),
        ("x" * 39 + "yz", "x" * 39 + "y"),
    ],
)
def test_a_slug_is_safe_in_a_path(name, expected):
    assert slug(name) == expected


def test_a_hash_is_that_of_the_shortest_json_with_sorted_keys():
    expected = hashlib.sha256(b'{"a":[1,2.5,null],"b":"\\u00e9"}').hexdigest()
    assert content_hash({"b": "é", "a": (1, 2.5, None)}, 10) == expected[:10]


def test_the_order_of_keys_is_no_content_and_that_of_a_list_is():
    assert content_hash({"a": {"x": 1, "y": 2}}, 64) == content_hash({"a": {"y": 2, "x": 1}}, 64)
    assert content_hash([1, 2], 64) != content_hash([2, 1], 64)

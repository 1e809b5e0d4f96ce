"""A model's table of positions says how many tokens it takes."""

import pytest

from agnews_ray.model.limits import bare_model, counts_from_padding, position_limit
from tests.data.model_families import FAMILIES


def bare(family):
    return bare_model(FAMILIES[family].config())


@pytest.mark.parametrize(
    ("family", "limit"),
    [
        ("bert", 66),
        ("roberta", 64),
        ("ibert", 64),
        ("mpnet", 64),
        ("longformer", 64),
        ("nystromformer", 66),
        ("opt", 66),
        ("bart", 66),
        ("gpt2", 66),
        ("llama", 66),
        ("deberta", None),
        ("xlnet", None),
        ("t5", None),
        ("bloom", None),
    ],
)
def test_the_limit_is_how_many_tokens_have_a_position(family, limit):
    assert position_limit(bare(family)) == limit


@pytest.mark.parametrize(("stated", "limit"), [(40, 40), (900, 66), (-1, 66)])
def test_a_config_may_state_less_than_its_table_holds_and_no_more(stated, limit):
    model = bare("bert")
    model.config.max_position_embeddings = stated
    assert position_limit(model) == limit


@pytest.mark.parametrize(
    ("family", "expected"),
    [("roberta", True), ("mpnet", True), ("bert", False), ("opt", False), ("t5", False)],
)
def test_robertas_like_count_positions_from_padding(family, expected):
    assert counts_from_padding(bare(family)) is expected


def test_a_bare_model_takes_no_memory():
    assert all(parameter.is_meta for parameter in bare("bert").parameters())

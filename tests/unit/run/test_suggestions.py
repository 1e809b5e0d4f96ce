"""Settings are chosen by what is known, the same each time."""

import math

import pytest

from agnews_ray.run.suggestions import suggest
from agnews_ray.spec.search import SearchSpec

SPACE = {
    "recipe.learning_rate": {"low": 1e-5, "high": 1e-2, "log": True},
    "recipe.warmup_fraction": {"low": 0.0, "high": 0.3, "step": 0.1},
    "recipe.num_epochs": {"low": 1, "high": 3},
    "recipe.class_weights": ["none", "balanced"],
}


def a_search(**changes):
    return SearchSpec.model_validate({"space": SPACE} | changes)


def truth(settings):
    return 1 - 0.1 * abs(math.log10(settings["recipe.learning_rate"]) + 3)


def tried_by(search, count):
    tried = []
    for number in range(count):
        settings = suggest(search, tried, number)
        tried.append((settings, truth(settings)))
    return tried


@pytest.mark.parametrize("searcher", ["tpe", "random"])
def test_every_value_is_in_the_space_and_of_its_fields_kind(searcher):
    for settings, _ in tried_by(a_search(searcher=searcher), 15):
        assert list(settings) == list(SPACE)
        assert 1e-5 <= settings["recipe.learning_rate"] <= 1e-2
        assert settings["recipe.warmup_fraction"] in (0.0, 0.1, 0.2, 0.3)
        assert repr(settings["recipe.num_epochs"]) in ("1", "2", "3")
        assert settings["recipe.class_weights"] in ("none", "balanced")


def test_the_same_knowledge_gives_the_same_choice():
    tried = tried_by(a_search(), 12)
    assert suggest(a_search(), tried, 12) == suggest(a_search(), tried, 12)


def test_another_seed_gives_another_choice():
    assert suggest(a_search(), [], 0) != suggest(a_search(seed=1), [], 0)


def test_numbers_are_short_enough_to_read():
    rates = [settings["recipe.learning_rate"] for settings, _ in tried_by(a_search(), 5)]
    assert all(float(f"{rate:.4g}") == rate for rate in rates)


def test_the_estimator_learns_where_scores_are_high():
    tried = tried_by(a_search(), 40)
    first, last = [[score for _, score in part] for part in (tried[:10], tried[-10:])]
    assert sum(last) > sum(first)

"""A variant refuses settings that exclude each other, and knows its whole recipe."""

import pytest
from pydantic import ValidationError

from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec


def test_sizes_without_fresh_weights_are_refused():
    sizes = ArchitectureSpec(num_layers=2)
    with pytest.raises(ValidationError, match="init: random"):
        VariantSpec(model="bert", architecture=sizes)
    assert VariantSpec(model="bert", architecture=sizes, init="random").architecture == sizes


def test_fresh_weights_have_no_head_to_keep():
    with pytest.raises(ValidationError, match="keep_head: want init: pretrained beside it"):
        VariantSpec(model="bert", init="random", keep_head=True)


@pytest.mark.parametrize("name", ["x" * 101, "a\nb", "\x1b[31m", "a\tb"])
def test_a_name_that_no_table_can_show_is_refused(name):
    with pytest.raises(ValidationError, match="want at most 100 printable characters"):
        VariantSpec(model="bert", name=name)


@pytest.mark.parametrize("name", ["", "x" * 100, "é 新 (2)"])
def test_any_other_name_is_kept(name):
    assert VariantSpec(model="bert", name=name).name == name


def test_a_variant_is_trained_by_the_studys_recipe_but_for_its_own_part():
    study, own = RecipeSpec(num_epochs=7), RecipeChanges(learning_rate=1e-5)
    assert VariantSpec(model="bert").recipe_in(study) is study
    expected = RecipeSpec(num_epochs=7, learning_rate=1e-5)
    assert VariantSpec(model="bert", recipe=own).recipe_in(study) == expected

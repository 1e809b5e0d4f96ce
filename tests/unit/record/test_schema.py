"""A record is read as it was written, and older ones as they were meant."""

import math

import pytest
from pydantic import ValidationError

from agnews_ray.record.schema import TrialRecord, without_scores
from agnews_ray.spec.recipe import RecipeChanges
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_dataset, a_record, a_split


def content_of(record):
    return record.model_dump(mode="json")


def test_a_record_is_read_as_it_was_written():
    variant = VariantSpec(model="minilm", recipe=RecipeChanges(num_epochs=2))
    record = a_record(variant=variant)
    again = TrialRecord.model_validate_json(record.model_dump_json())
    assert again == record
    assert again.variant.recipe.stated() == {"num_epochs": 2}


def test_a_key_that_no_version_knows_is_refused():
    content = content_of(a_record())
    content["training"]["zzz"] = 1
    with pytest.raises(ValidationError, match=r"training\.zzz"):
        TrialRecord.model_validate(content)


def test_a_datasets_fingerprint_is_that_of_all_its_splits():
    dataset = a_dataset("a" * 32)
    assert dataset.fingerprint == f"{'a' * 16}-{'b' * 16}"
    own = dataset.model_copy(update={"validation": a_split("c" * 32)})
    assert own.fingerprint == f"{'a' * 16}-{'b' * 16}-{'c' * 16}"


def test_train_rows_are_the_selected_ones_that_do_not_validate():
    train = a_split(num_rows=100).model_copy(update={"num_selected": 60})
    dataset = a_dataset().model_copy(update={"train": train, "num_validation": 12})
    assert dataset.num_train == 48


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_an_older_record_whose_loss_is_no_number_has_diverged(loss):
    content = content_of(a_record())
    content["training"]["final_loss"] = loss
    record = TrialRecord.model_validate(content)
    assert record.diverged == "loss is not a number"
    assert record.training.final_loss is None
    assert (record.test.accuracy, record.test.num_examples, record.test.confusion) == (None, 10, ())
    assert content["test"]["accuracy"] == 0.9


@pytest.mark.parametrize("loss", [0.5, 0, None])
def test_any_other_loss_says_nothing_about_divergence(loss):
    content = content_of(a_record())
    content["training"]["final_loss"] = loss
    record = TrialRecord.model_validate(content)
    assert (record.diverged, record.training.final_loss) == (None, loss)
    assert record.test.accuracy == 0.9


def test_a_diverged_trials_content_keeps_all_but_its_scores():
    content = content_of(a_record())
    found = without_scores(content, "logits of 3 rows are not numbers")
    record = TrialRecord.model_validate(found)
    assert record.diverged == "logits of 3 rows are not numbers"
    assert (record.test.macro_f1, record.test.num_examples, record.test.per_class) == (None, 10, ())
    assert {name for name in content if found[name] != content[name]} == {"diverged", "test"}

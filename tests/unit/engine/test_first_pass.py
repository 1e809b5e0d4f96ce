"""The checks of a pass over two rows."""

import numpy as np
import pytest

from agnews_ray.engine.first_pass import MAX_TOKENS, FirstPass, two_rows
from agnews_ray.errors import ModelError
from agnews_ray.spec.variant import VariantSpec
from tests.data.model_families import CLASS_NAMES
from tests.unit.engine.test_preflight import a_setting


def choice(failures, **setting):
    """What is chosen where a pass fails in the precisions named, each with its own words."""

    class Failing(FirstPass):
        def _failure(self, rows, precision):
            return failures.get(precision)

    run = Failing(VariantSpec(model="owner/name"), None, None, a_setting(**setting))
    return run.choose_precision(None)


NOT_HERE = "RuntimeError: \"add\" not implemented for 'Half'"


@pytest.mark.parametrize(
    ("failures", "setting", "precision", "notes"),
    [
        ({}, {"precision": "fp16"}, "fp16", []),
        (
            {"bf16": "a loss that is not a number"},
            {"precision": "bf16"},
            "fp32",
            ["it cannot be trained in bf16 (a loss that is not a number); trained in fp32"],
        ),
        ({"fp16": NOT_HERE}, {"precision": "fp16", "trains_on": "cuda"}, "fp16", []),
        (
            {"fp16": NOT_HERE},
            {"precision": "fp16"},
            "fp32",
            [f"it cannot be trained in fp16 ({NOT_HERE}); trained in fp32"],
        ),
    ],
)
def test_a_failure_in_low_precision_is_answered_by_fp32(failures, setting, precision, notes):
    assert choice(failures, **setting) == (precision, notes)


@pytest.mark.parametrize(
    ("failures", "precision"),
    [({"fp32": "first"}, "fp32"), ({"bf16": "first", "fp32": "second"}, "bf16")],
)
def test_a_model_that_fails_in_fp32_too_is_refused_for_its_first_failure(failures, precision):
    with pytest.raises(ModelError) as caught:
        choice(failures, precision=precision)
    assert caught.value.wanted == "a model that computes a forward and backward pass"
    assert caught.value.found == "first"


@pytest.mark.parametrize("texts", [["text", "a text a text"], ["", " "], []])
@pytest.mark.parametrize(("max_length", "longest"), [(60, 60), (5000, MAX_TOKENS)])
def test_two_rows_are_as_long_as_may_be_and_as_short_as_there_is(
    tokenizer, texts, max_length, longest
):
    rows = two_rows(tokenizer, texts, a_setting(max_length_tokens=max_length))
    assert rows.lengths.tolist() == [longest, len(tokenizer("text")["input_ids"])]
    assert np.array_equal(rows.labels, [0, len(CLASS_NAMES) - 1])

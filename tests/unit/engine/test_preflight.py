"""A first pass finds what no config shows; ``tests/unit/model`` runs it on many folders."""

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from agnews_ray.engine.preflight import MAX_TOKENS, Setting, _TrialRun, _two_rows, check, look_at
from agnews_ray.errors import ModelError
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.tokenizer import LoadedTokenizer
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.data import model_damage as damage
from tests.data.model_families import CLASS_NAMES, FAMILIES, TEXTS

pytestmark = pytest.mark.usefixtures("one_thread")

FRESH = VariantSpec(
    model="minilm",
    init="random",
    architecture=ArchitectureSpec(
        num_layers=1, hidden_size=16, num_heads=2, intermediate_size=16, vocab_size=100
    ),
)


def a_setting(**changes):
    settings = {"class_names": CLASS_NAMES, "max_length_tokens": 60, "precision": "fp32"}
    return Setting(**settings | {"device": "cpu", "trains_on": "cpu"} | changes)


def checked(folder, family, precision):
    FAMILIES[family].save(folder)
    variant = VariantSpec(model=str(folder))
    return variant, check(variant, CLASS_NAMES, TEXTS, 60, precision)


def test_a_model_that_can_be_trained_is_counted_and_kept_in_its_precision(tmp_path):
    variant, found = checked(tmp_path, "bert", "bf16")
    assert (found.head, found.precision, found.unknown_share) == ("fresh", "bf16", 0)
    assert found.num_parameters == num_parameters(build_classifier(variant, CLASS_NAMES, 0))


def test_a_model_that_cannot_be_trained_in_bf16_is_trained_in_fp32_and_says_so(tmp_path):
    _, found = checked(tmp_path, "deberta", "bf16")
    assert found.precision == "fp32"
    assert any("cannot be trained in bf16 (" in note for note in found.notes)


def test_a_weight_that_is_no_number_is_named(tmp_path):
    damage.changed(damage.weights(damage.nan))(tmp_path)
    with pytest.raises(ModelError, match=r"NaN or infinite ones in \S*layer\.0\.output\.dense\.w"):
        check(VariantSpec(model=str(tmp_path)), CLASS_NAMES, TEXTS, 60, "fp32")


def with_unknown(share):
    """Make a tokenizer, and 20 words of which that share is unknown to it."""
    backend = Tokenizer(models.WordLevel({"?": 0, "known": 1}, unk_token="?"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="?")
    num_unknown = round(20 * share)
    words = ["strange"] * num_unknown + ["known"] * (20 - num_unknown)
    return LoadedTokenizer(tokenizer=tokenizer, notes=("first",)), [" ".join(words)]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.1, 0.5])
def test_a_share_of_unknown_pieces_is_told_above_a_twentieth(share):
    ready, texts = with_unknown(share)
    found = look_at(FRESH, ready, texts, a_setting())
    said = [f"{share:.1%} of the rows' pieces are not in its vocabulary"] if share > 0.05 else []
    assert found.unknown_share == share
    assert list(found.notes) == ["first", *said]


def test_a_vocabulary_that_lacks_more_than_half_of_the_pieces_is_refused():
    ready, texts = with_unknown(0.55)
    with pytest.raises(ModelError) as caught:
        look_at(FRESH, ready, texts, a_setting())
    assert caught.value.wanted == "pieces that are in its vocabulary"
    assert caught.value.found == "55.0% unknown in a sample of 1 rows"


def choice(failures, **setting):
    """Choose a precision where a pass fails in the named ones, each with its own words."""

    class Failing(_TrialRun):
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
    rows = _two_rows(tokenizer, texts, a_setting(max_length_tokens=max_length))
    assert rows.lengths.tolist() == [longest, len(tokenizer("text")["input_ids"])]
    assert np.array_equal(rows.labels, [0, len(CLASS_NAMES) - 1])

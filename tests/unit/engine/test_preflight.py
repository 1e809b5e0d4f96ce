"""A first pass finds what no config shows; ``tests/unit/model`` runs it on many folders."""

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from agnews_ray.engine.first_pass import Setting
from agnews_ray.engine.preflight import check, look_at
from agnews_ray.errors import ModelError
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.tokenizer import LoadedTokenizer
from agnews_ray.spec.distillation import StudentSpec
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


def test_what_is_looked_at_is_the_student_not_the_model_that_it_is_made_of(tmp_path):
    whole, _ = checked(tmp_path, "bert", "fp32")
    student = StudentSpec(layers=(0,), form="distilbert")
    variant = whole.model_copy(update={"student": student})
    found = check(variant, CLASS_NAMES, TEXTS, 60, "fp32")
    assert found.num_parameters == num_parameters(build_classifier(variant, CLASS_NAMES, 0))
    assert found.notes[-1].startswith("layers 0 of 1, as a DistilBERT; ")


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

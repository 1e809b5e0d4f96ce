import pytest
from tokenizers import normalizers
from transformers import PreTrainedTokenizerFast

from agnews_ray.errors import ModelError
from agnews_ray.model.tokenizer_match import check_same_tokenizer
from tests.fakes.artifacts import a_tokenizer


def other_normaliser(tokenizer):
    tokenizer.backend_tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)


def other_vocabulary(tokenizer):
    tokenizer.add_tokens(["brandnew"])


def other_side(tokenizer):
    tokenizer.truncation_side = "left"


def other_frame(tokenizer):
    tokenizer.mask_token = "[UNK]"


def test_a_tokenizer_that_was_saved_is_still_the_same(tmp_path):
    tokenizer = a_tokenizer()
    tokenizer(["a text"], truncation=True, max_length=4, padding="max_length")
    tokenizer.save_pretrained(tmp_path)
    check_same_tokenizer(PreTrainedTokenizerFast.from_pretrained(tmp_path), a_tokenizer())


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (other_normaliser, "another normaliser"),
        (other_vocabulary, "another list of added tokens"),
        (other_side, "another side of truncation"),
        (other_frame, "another set of special tokens"),
    ],
)
def test_a_difference_that_changes_ids_is_refused(change, found):
    teacher = a_tokenizer()
    change(teacher)
    with pytest.raises(ModelError, match=found):
        check_same_tokenizer(a_tokenizer(), teacher)

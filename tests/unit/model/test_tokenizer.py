from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from agnews_ray.model.tokenizer import load_tokenizer, unknown_share
from agnews_ray.spec.variant import VariantSpec
from tests.data.model_families import FAMILIES, TEXTS


def by_words(*words, unknown=None):
    vocabulary = {word: index for index, word in enumerate(words)}
    settings = {"unk_token": unknown} if unknown else {}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[], **settings))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    return PreTrainedTokenizerFast(tokenizer_object=backend)


def test_unknown_pieces_are_counted_whether_or_not_there_is_a_piece_for_them():
    assert unknown_share(by_words("a", "b", "?", unknown="?"), ["a b", "x a"]) == 1 / 4
    assert unknown_share(by_words("a", "b"), ["a b", "x a"]) == 1 / 4
    assert unknown_share(FAMILIES["gpt2"].tokenizer(), ["新聞 от мира", ""]) == 0
    assert unknown_share(FAMILIES["bert"].tokenizer(), TEXTS) == 0
    assert unknown_share(FAMILIES["bert"].tokenizer(), ["新聞", ""]) == 1
    assert unknown_share(FAMILIES["xlm-roberta"].tokenizer(), ["新聞"]) > 0.4
    assert unknown_share(FAMILIES["bert"].tokenizer(), ["", " "]) == 0


def test_a_roberta_without_a_pad_token_takes_its_configs(tmp_path):
    FAMILIES["roberta"].save(tmp_path)
    tokenizer = load_tokenizer(VariantSpec(model=str(tmp_path)))
    tokenizer.pad_token = None
    tokenizer.save_pretrained(tmp_path)
    assert load_tokenizer(VariantSpec(model=str(tmp_path))).pad_token_id == 1

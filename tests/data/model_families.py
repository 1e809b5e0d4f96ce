"""Tiny models of every family, with real transformers classes and tokenizers trained here.

Hidden sizes of 16 to 32, one layer, a vocabulary of a few hundred: weights are random, all else is
as a pretrained model's folder has it.
"""

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

WORDS = {
    "World": "minister election border treaty embassy council protest troops vote ceasefire",
    "Sports": "coach striker season goal league injury final record stadium champion",
    "Business": "shares profit bank merger oil prices quarter investors market revenue",
    "Sci/Tech": "software chip researchers satellite browser patent virus network launch lab",
}
CLASS_NAMES = tuple(WORDS)


def _text(index: int) -> str:
    words = WORDS[CLASS_NAMES[index % 4]].split()
    chosen = [words[(index * step + step) % 10] for step in range(1, 3 + index % 17)]
    return f"{chosen[0].capitalize()} {' and the '.join(chosen)}, says the {chosen[-1]} of 2026."


TEXTS = tuple(_text(index) for index in range(64))
"""Texts of 4 to 60 words; row i has class i modulo 4."""


@functools.cache
def wordpiece(*special: str) -> dict[str, int]:
    """A lower-cased WordPiece vocabulary; one of the special tokens must be [UNK] or <unk>."""
    unknown = next(token for token in special if "unk" in token.lower())
    tokenizer = Tokenizer(models.WordPiece(unk_token=unknown))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=300, special_tokens=list(special), show_progress=False,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz0123456789.,"),
    )  # fmt: skip
    tokenizer.train_from_iterator(TEXTS, trainer)
    return dict(sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1]))


@functools.cache
def byte_pairs(*special: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-level BPE vocabulary and its merges; every text can be written in it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=350, special_tokens=list(special), show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(TEXTS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


@functools.cache
def unigram(*special: str) -> list[tuple[str, float]]:
    """A Unigram vocabulary, as SentencePiece has it; ``<unk>`` must be among the special ones."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    unknown = next(token for token in special if "unk" in token.lower())
    trainer = trainers.UnigramTrainer(
        vocab_size=300, special_tokens=list(special), unk_token=unknown, show_progress=False
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    return [(piece, score) for piece, score in json.loads(tokenizer.to_str())["model"]["vocab"]]


def _bert(name: str = "BertTokenizer", **settings: Any) -> Any:
    vocab = wordpiece("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    return getattr(transformers, name)(vocab=vocab, model_max_length=64, **settings)


def _roberta(name: str = "RobertaTokenizer", **settings: Any) -> Any:
    vocab, merges = byte_pairs("<s>", "<pad>", "</s>", "<unk>", "<mask>")
    return getattr(transformers, name)(vocab=vocab, merges=merges, model_max_length=64, **settings)


def _deberta() -> Any:
    vocab, merges = byte_pairs("[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]")
    return transformers.DebertaTokenizer(vocab=vocab, merges=merges, model_max_length=64)


def _gpt(name: str = "GPT2Tokenizer", *special: str, **settings: Any) -> Any:
    vocab, merges = byte_pairs("<|endoftext|>", *special)
    return getattr(transformers, name)(vocab=vocab, merges=merges, **settings)


def _pieces(name: str, *special: str, **settings: Any) -> Any:
    return getattr(transformers, name)(vocab=unigram(*special), **settings)


def _funnel() -> Any:
    vocab = wordpiece("<pad>", "<unk>", "<cls>", "<sep>", "<mask>", "<s>", "</s>")
    return transformers.FunnelTokenizer(vocab=vocab)


def _mpnet() -> Any:
    vocab = wordpiece("<s>", "<pad>", "</s>", "[UNK]", "<mask>")
    return transformers.MPNetTokenizer(vocab=vocab, model_max_length=64)


def _llama(**settings: Any) -> Any:
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    special = ["<unk>", "<s>", "</s>"]
    trainer = trainers.BpeTrainer(vocab_size=350, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(TEXTS, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    merges = [tuple(pair) for pair in model["merges"]]
    return transformers.LlamaTokenizer(vocab=model["vocab"], merges=merges, **settings)


def generic_tokenizer(**settings: Any) -> Any:
    """A tokenizer that is nothing but its tokenizer.json, as many newer models have it."""
    own = {
        "tokenizer_object": _bert().backend_tokenizer,
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
        "model_max_length": 64,
    }
    return transformers.PreTrainedTokenizerFast(**own | settings)


@dataclass(frozen=True, kw_only=True)
class Family:
    """How one family's base model and tokenizer are built."""

    model_type: str
    tokenizer: Callable[[], Any]
    sizes: dict[str, Any] = field(default_factory=dict)
    """Settings of the config, beside those that all have."""

    def config(self, **changes: Any) -> Any:
        vocab_size = len(self.tokenizer())
        common = {
            "vocab_size": vocab_size,
            "hidden_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "intermediate_size": 32,
            "max_position_embeddings": 66,
        }
        if self.model_type in ("funnel", "xlnet", "t5", "bloom"):  # which name them otherwise
            common = {"vocab_size": vocab_size}
        return transformers.AutoConfig.for_model(self.model_type, **common | self.sizes | changes)

    def save(self, folder: Path, **changes: Any) -> None:
        """Write what a base model's author uploads: encoder, config and tokenizer, no head."""
        torch.manual_seed(0)
        whole = transformers.AutoModelForSequenceClassification.from_config(self.config(**changes))
        model = whole.base_model
        with torch.no_grad():  # a trained model's weights are larger than fresh ones
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn(parameter.shape))
        model.save_pretrained(folder)
        self.tokenizer().save_pretrained(folder)


_ROBERTA = {"pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1}
_XLM = {"emb_dim": 16, "n_layers": 1, "n_heads": 2, "pad_index": 0, "pad_token_id": 0}
_LLAMA = {"num_key_value_heads": 1, "head_dim": 8}
_XLM_R = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_ALBERT = ("<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]")


def _families() -> dict[str, Family]:
    def one(model_type: str, tokenizer: Callable[[], Any] = _bert, **sizes: Any) -> Family:
        return Family(model_type=model_type, tokenizer=tokenizer, sizes=sizes)

    def qwen() -> Any:
        return _gpt("Qwen2Tokenizer", "<|im_start|>")

    return {
        "bert": one("bert"),
        "distilbert": one(
            "distilbert", dim=16, hidden_dim=32, n_layers=1, n_heads=2
        ),
        "electra": one("electra", embedding_size=16),
        "mobilebert": one(
            "mobilebert", intra_bottleneck_size=16, embedding_size=16, hidden_size=32
        ),
        "squeezebert": one("squeezebert", embedding_size=16, q_groups=2, k_groups=2, v_groups=2,
                           post_attention_groups=2, intermediate_groups=2, output_groups=2),
        "convbert": one("convbert", embedding_size=16, pad_token_id=0),
        "megatron-bert": one("megatron-bert"),
        "ernie": one("ernie"),
        "nystromformer": one("nystromformer", pad_token_id=0),
        "roformer": one("roformer", embedding_size=16, rotary_value=False),
        "nomic_bert": one("nomic_bert"),
        "mpnet": one("mpnet", _mpnet, pad_token_id=1),
        "funnel": one("funnel", _funnel, d_model=16, n_head=2, d_head=8, d_inner=32,
                      block_sizes=[1, 1], num_decoder_layers=1),
        "roberta": one("roberta", _roberta, **_ROBERTA),
        "longformer": one("longformer", _roberta, attention_window=8, **_ROBERTA),
        "data2vec-text": one("data2vec-text", _roberta, **_ROBERTA),
        "roberta-prelayernorm": one("roberta-prelayernorm", _roberta, **_ROBERTA),
        "ibert": one("ibert", _roberta, **_ROBERTA),
        "xlm-roberta": one(
            "xlm-roberta", lambda: _pieces("XLMRobertaTokenizer", *_XLM_R, model_max_length=64),
            **_ROBERTA,
        ),
        "camembert": one(
            "camembert", lambda: _pieces("CamembertTokenizer", *_XLM_R, model_max_length=64),
            **_ROBERTA,
        ),
        "albert": one("albert", lambda: _pieces("AlbertTokenizer", *_ALBERT), embedding_size=16,
                      pad_token_id=0),
        "fnet": one("fnet", lambda: _pieces("FNetTokenizer", *_ALBERT)),
        "rembert": one("rembert", lambda: _pieces("RemBertTokenizer", *_ALBERT),
                       input_embedding_size=16, output_embedding_size=16),
        "big_bird": one("big_bird", lambda: _pieces(
            "BigBirdTokenizer", "<pad>", "</s>", "<s>", "<unk>", "[CLS]", "[SEP]", "[MASK]")),
        "deberta": one("deberta", _deberta, relative_attention=True, type_vocab_size=0,
                       pos_att_type=["c2p", "p2c"], position_biased_input=False),
        "deberta-v2": one("deberta-v2", lambda: _pieces(
            "DebertaV2Tokenizer", "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
            relative_attention=True, type_vocab_size=0, pos_att_type=["c2p", "p2c"]),
        "xlnet": one("xlnet", lambda: _pieces(
            "XLNetTokenizer", "<unk>", "<s>", "</s>", "<cls>", "<sep>", "<pad>", "<mask>"),
            d_model=16, n_layer=1, n_head=2, d_inner=32, pad_token_id=5),
        "modernbert": one(
            "modernbert", _bert, global_attn_every_n_layers=1,
            pad_token_id=0, cls_token_id=2, sep_token_id=3, bos_token_id=2, eos_token_id=3,
        ),
        "xlm": one("xlm", generic_tokenizer, **_XLM),
        "flaubert": one("flaubert", generic_tokenizer, **_XLM),
        "gpt2": one("gpt2", _gpt, n_embd=16, n_layer=1, n_head=2, n_positions=66,
                    bos_token_id=0, eos_token_id=0),
        "gpt_neo": one("gpt_neo", _gpt, num_layers=1, attention_types=[[["global"], 1]],
                       num_heads=2, bos_token_id=0, eos_token_id=0),
        "gpt_neox": one("gpt_neox", lambda: _gpt("GPTNeoXTokenizer", "<|padding|>"),
                        bos_token_id=0, eos_token_id=0),
        "opt": one("opt", lambda: _gpt(
            "GPT2Tokenizer", "<pad>", "</s>", pad_token="<pad>", bos_token="</s>",
            eos_token="</s>"), ffn_dim=32, word_embed_proj_dim=16, pad_token_id=1,
            bos_token_id=2, eos_token_id=2),
        "bloom": one("bloom", generic_tokenizer, hidden_size=16, n_layer=1, n_head=2,
                     pad_token_id=0),
        "llama": one("llama", _llama, bos_token_id=1, eos_token_id=2, **_LLAMA),
        "mistral": one("mistral", _llama, bos_token_id=1, eos_token_id=2, **_LLAMA),
        "qwen2": one("qwen2", qwen, bos_token_id=0, eos_token_id=0, **_LLAMA),
        "qwen3": one("qwen3", qwen, bos_token_id=0, eos_token_id=0, **_LLAMA),
        "gemma2": one("gemma2", _llama, bos_token_id=1, eos_token_id=2, pad_token_id=0, **_LLAMA),
        "bart": one("bart", _roberta, d_model=16, encoder_layers=1, decoder_layers=1,
                    encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=32,
                    decoder_ffn_dim=32, pad_token_id=1, bos_token_id=0, eos_token_id=2,
                    decoder_start_token_id=2),
        "t5": one("t5", lambda: _pieces("T5Tokenizer", "<pad>", "</s>", "<unk>", extra_ids=0),
                  d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2, pad_token_id=0,
                  eos_token_id=1, decoder_start_token_id=0),
    }  # fmt: skip


FAMILIES = _families()

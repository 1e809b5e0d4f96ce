"""What happens to model folders on their way to a person: cut, renamed, saved by another tool."""

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers

from tests.data.model_families import FAMILIES, generic_tokenizer

POINTER = (
    "version https://git-lfs.github.com/spec/v1\n"
    "oid sha256:4bb2a1c3f0e5d6978899aabbccddeeff00112233445566778899aabbccddeeff\n"
    "size 267832558\n"
)


def family(name: str) -> Callable[[Path], None]:
    return FAMILIES[name].save


def classifier(folder: Path, names: tuple[str, ...], **config: Any) -> None:
    """BERT with a head, as a person fine-tuned it and saved it."""
    family = FAMILIES["bert"]
    torch.manual_seed(1)
    labels = {"id2label": dict(enumerate(names)), "label2id": {n: i for i, n in enumerate(names)}}
    settings = family.config(num_labels=len(names), **labels | config)
    model = transformers.AutoModelForSequenceClassification.from_config(settings)
    model.save_pretrained(folder)
    family.tokenizer().save_pretrained(folder)


def changed(change: Callable[[Path], None], family: str = "bert") -> Callable[[Path], None]:
    """A family's folder to which something happened."""

    def make(folder: Path) -> None:
        FAMILIES[family].save(folder)
        change(folder)

    return make


def written(name: str, content: str | bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return change


def cut(name: str, share: float) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return change


def edited(name: str, **settings: Any) -> Callable[[Path], None]:
    """Settings of a JSON file changed; None takes one out."""

    def change(folder: Path) -> None:
        content = json.loads((folder / name).read_text()) | settings
        kept = {key: value for key, value in content.items() if value is not None}
        (folder / name).write_text(json.dumps(kept))

    return change


def without(*patterns: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for pattern in patterns:
            for file in folder.glob(pattern):
                file.unlink()

    return change


def in_place_of_weights(name: str, content: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        without("*.safetensors")(folder)
        written(name, content)(folder)

    return change


def other_tokenizer(**settings: Any) -> Callable[[Path], None]:
    """Another tokenizer in place of the folder's own."""

    def change(folder: Path) -> None:
        without("token*", "vocab*")(folder)
        generic_tokenizer(**settings).save_pretrained(folder)

    return change


def weights(change: Callable[[dict[str, torch.Tensor]], Any]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        path = folder / "model.safetensors"
        weights = load_file(path)
        weights = change(weights) or weights
        save_file(weights, path, metadata={"format": "pt"})

    return rewrite


def stored_as(dtype: torch.dtype) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        model = transformers.AutoModel.from_pretrained(folder, dtype=dtype)
        model.save_pretrained(folder)

    return change


def nan(weights: dict[str, torch.Tensor]) -> None:
    weights["encoder.layer.0.output.dense.weight"][0, 0] = float("nan")


def pickled(folder: Path) -> None:
    path = folder / "model.safetensors"
    torch.save(load_file(path), folder / "pytorch_model.bin")
    path.unlink()


def sharded(folder: Path) -> None:
    model = transformers.AutoModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="12KB")
    assert len(list(folder.glob("model-*.safetensors"))) > 1


def shard_missing(folder: Path) -> None:
    sharded(folder)
    next(iter(sorted(folder.glob("model-*-of-*.safetensors")))).unlink()


def sharded_index_missing(folder: Path) -> None:
    sharded(folder)
    (folder / "model.safetensors.index.json").unlink()


def larger_tokenizer(folder: Path) -> None:
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<zebra>", "<yak>", "<newt>"])
    tokenizer.save_pretrained(folder)


def cut_and_padded(folder: Path) -> None:
    """Truncation and padding inside tokenizer.json, as sentence-transformers leaves them."""
    cutting = {"direction": "Left", "max_length": 20, "strategy": "LongestFirst", "stride": 0}
    padding = {"strategy": {"Fixed": 32}, "direction": "Left", "pad_to_multiple_of": None}
    padding |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    edited("tokenizer.json", truncation=cutting, padding=padding)(folder)


def other_language(folder: Path) -> None:
    words = "правительство выборы граница матч гол тренер акции банк нефть чип спутник сеть"
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words.split(), ",", "."]
    model = models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]")
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    other_tokenizer(tokenizer_object=backend)(folder)


def without_unknown(folder: Path) -> None:
    """A WordPiece whose vocabulary lacks the token for what it does not know."""
    tokens = ["[PAD]", "[CLS]", "[SEP]", *"abcdefghijklmnopq", *(f"##{c}" for c in "abcdefghijkl")]
    model = models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]")
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    without("token*", "vocab*")(folder)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)


def files_of_old(folder: Path) -> None:
    """A WordPiece tokenizer as libraries of 2019 saved it: vocab.txt alone."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    without("token*", "special*")(folder)
    words = sorted(tokenizer.get_vocab().items(), key=lambda entry: entry[1])
    (folder / "vocab.txt").write_text("\n".join(word for word, _ in words) + "\n")


def files_of_gpt(folder: Path) -> None:
    """vocab.json and merges.txt, as GPT-2 and RoBERTa came at first."""
    model = json.loads((folder / "tokenizer.json").read_text())["model"]
    without("token*", "special*")(folder)
    (folder / "vocab.json").write_text(json.dumps(model["vocab"]))
    merges = [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")


def adapter(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    config = {"peft_type": "LORA", "base_model_name_or_path": "bert-base-uncased", "r": 8}
    (folder / "adapter_config.json").write_text(json.dumps(config | {"task_type": "SEQ_CLS"}))
    save_file({"lora_A.weight": torch.zeros(8, 16)}, folder / "adapter_model.safetensors")


def adapter_with_tokenizer(folder: Path) -> None:
    adapter(folder)
    FAMILIES["bert"].tokenizer().save_pretrained(folder)


def checkpoints(folder: Path) -> None:
    for step in (500, 1000, 90):
        FAMILIES["bert"].save(folder / f"checkpoint-{step}")


def finished_with_checkpoints(folder: Path) -> None:
    checkpoints(folder)
    FAMILIES["bert"].save(folder)


def old_sentence_transformer(folder: Path) -> None:
    FAMILIES["bert"].save(folder / "0_Transformer")
    modules(folder, "0_Transformer")


def new_sentence_transformer(folder: Path) -> None:
    FAMILIES["mpnet"].save(folder)
    modules(folder, "")


def modules(folder: Path, path: str) -> None:
    kinds = [("Transformer", path), ("Pooling", "1_Pooling")]
    modules = [
        {"idx": i, "name": str(i), "path": at, "type": f"sentence_transformers.models.{kind}"}
        for i, (kind, at) in enumerate(kinds)
    ]
    written("modules.json", json.dumps(modules))(folder)
    written("1_Pooling/config.json", '{"word_embedding_dimension": 16}')(folder)
    written("config_sentence_transformers.json", "{}")(folder)


def hub_cache(folder: Path) -> None:
    FAMILIES["bert"].save(folder / "snapshots" / "86b5e0934494bd15c9632b12f734a8a67f723594")
    written("refs/main", "86b5e0934494bd15c9632b12f734a8a67f723594")(folder)


def dangling(folder: Path) -> None:
    """A folder of the hub's cache whose weights were cleaned away."""
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").symlink_to("../../blobs/7b2f1a")


def other_task(model: Callable[[], Any], *files: tuple[str, str]) -> Callable[[Path], None]:
    def make(folder: Path) -> None:
        model().save_pretrained(folder)
        for name, content in files:
            (folder / name).write_text(content)

    return make


def vision() -> Any:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = transformers.ViTConfig(**sizes, intermediate_size=16, image_size=8, patch_size=4)
    return transformers.ViTForImageClassification(config)


def clip() -> Any:
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    text = sizes | {"intermediate_size": 16, "vocab_size": 50}
    vision = sizes | {"intermediate_size": 16, "image_size": 8, "patch_size": 4}
    config = transformers.CLIPConfig(text_config=text, vision_config=vision, projection_dim=8)
    return transformers.CLIPModel(config)


def audio() -> Any:
    config = transformers.Wav2Vec2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        conv_dim=(8,), conv_stride=(5,), conv_kernel=(10,), num_conv_pos_embeddings=4,
        num_conv_pos_embedding_groups=2, num_feat_extract_layers=1,
    )  # fmt: skip
    return transformers.Wav2Vec2ForSequenceClassification(config)


def encoder_decoder(folder: Path) -> None:
    config = FAMILIES["bert"].config()
    decoder = FAMILIES["bert"].config(is_decoder=True, add_cross_attention=True)
    both = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(config, decoder)
    transformers.EncoderDecoderModel(both).save_pretrained(folder)
    FAMILIES["bert"].tokenizer().save_pretrained(folder)


def slow(folder: Path) -> None:
    """Characters: CANINE's tokenizer is Python."""
    config = transformers.CanineConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        num_hash_buckets=64, max_position_embeddings=128, local_transformer_stride=16,
    )  # fmt: skip
    transformers.CanineModel(config).save_pretrained(folder)
    transformers.CanineTokenizer().save_pretrained(folder)


def remote_code(folder: Path) -> None:
    mapped = {"AutoConfig": "modeling_own.OwnConfig", "AutoModel": "modeling_own.OwnModel"}
    edited("config.json", model_type="own", auto_map=mapped, architectures=["OwnModel"])(folder)
    written("modeling_own.py", "raise SystemExit('this must never run')\n")(folder)


def quantised(**method: Any) -> Callable[[Path], None]:
    return edited("config.json", quantization_config=method)


def one_side_left(side: str) -> Callable[[Path], None]:
    return other_tokenizer(**{side: "left"})


def empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)


def swap(folder: Path, family: str) -> None:
    with tempfile.TemporaryDirectory() as other:
        FAMILIES[family].save(Path(other))
        shutil.copy(Path(other) / "model.safetensors", folder)


def no_limit_said(family: str) -> Callable[[Path], None]:
    """The tokenizer does not say how long a row may be, as many do not."""
    return changed(edited("tokenizer_config.json", model_max_length=None), family)

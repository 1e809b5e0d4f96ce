"""Model folders as people really have them, tiny, and what is to be said of each.

``python tests/data/model_folders.py FOLDER`` writes them all; ``--table`` tries each and prints how
many of a kind work and which line refuses the others, as a Markdown table.
"""

import dataclasses
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path[:0] = [] if __package__ else [str(Path(__file__).parents[2])]

import torch  # noqa: E402

from tests.data import model_damage as damage  # noqa: E402
from tests.data import model_tokenizers as tokenizers  # noqa: E402
from tests.data.model_families import CLASS_NAMES, FAMILIES, TEXTS  # noqa: E402


@dataclass(frozen=True, kw_only=True)
class Case:
    """One folder, and what must come of it."""

    name: str
    kind: str
    make: Callable[[Path], None]
    refused: str = ""
    """Pattern that the one line of the refusal must hold; empty where the folder works."""
    notes: str = ""
    """Pattern that the notes of a folder that works must hold."""
    max_length: int = 60
    precision: str = "fp32"
    keep_head: bool = False
    inside: str = ""
    """What is asked for, below the folder."""


def _families() -> Iterator[Case]:
    refused = {
        "nystromformer": r"padding",
        "fnet": r"padding|attention_mask|mask",
    }
    notes = {"xlnet": r"left", "gpt2": r"pad", "gpt_neo": r"pad", "llama": r"pad", "mistral": "pad"}
    for name in FAMILIES:
        yield Case(
            name=name,
            kind="family",
            make=damage.family(name),
            refused=refused.get(name, ""),
            notes=notes.get(name, ""),
        )


def _heads() -> Iterator[Case]:
    other_order = tuple(reversed(CLASS_NAMES))
    others = ("joy", "anger", "fear", "love")
    one = Case(name="head", kind="head", make=lambda folder: damage.classifier(folder, CLASS_NAMES))

    def case(name: str, names: tuple[str, ...], settings: dict[str, Any], **said: Any) -> Case:
        make = lambda folder: damage.classifier(folder, names, **settings)  # noqa: E731
        return dataclasses.replace(one, name=name, make=make, **said)

    yield case("head-same-classes", CLASS_NAMES, {}, notes="head")
    yield case("head-in-other-order", other_order, {}, notes="head")
    yield case("head-on-other-classes", others, {}, notes="head")
    yield case("head-on-more-classes", (*others, "calm"), {}, notes="head")
    yield case("head-kept", CLASS_NAMES, {}, notes="head", keep_head=True)
    yield case("head-kept-in-other-order", other_order, {}, notes="head", keep_head=True)
    yield case("head-kept-on-other-classes", others, {}, refused="keep_head|head", keep_head=True)
    numbered = ("LABEL_0", "LABEL_1", "LABEL_2", "LABEL_3")
    yield case("head-kept-without-names", numbered, {}, refused="keep_head|head", keep_head=True)
    several = {"problem_type": "multi_label_classification"}
    yield case("head-for-several-labels", CLASS_NAMES, several, notes="head|label")
    yield case("head-for-regression", ("LABEL_0",), {"problem_type": "regression"}, notes="head")
    yield dataclasses.replace(
        one,
        name="no-head-kept",
        make=damage.family("bert"),
        keep_head=True,
        refused="keep_head|head",
    )


def _tokenizers() -> Iterator[Case]:
    def case(name: str, make: Callable[[Path], None], **said: Any) -> Case:
        return Case(name=name, kind="tokenizer", make=make, **said)

    yield case(
        "tokenizer-larger-than-table",
        damage.changed(damage.larger_tokenizer),
        notes="resized|table",
    )
    yield case("table-larger-than-tokenizer", lambda f: FAMILIES["bert"].save(f, vocab_size=256))
    yield case(
        "no-tokenizer-files",
        damage.changed(damage.without("token*", "vocab*")),
        refused="tokenizer",
    )
    yield case(
        "no-tokenizer-files-bpe",
        damage.changed(damage.without("token*", "vocab*", "merges*"), "roberta"),
        refused="tokenizer",
    )
    yield case(
        "tokenizer-config-only",
        damage.changed(damage.without("tokenizer.json")),
        refused="tokenizer",
    )
    yield case("vocab-txt-only", damage.changed(damage.files_of_old))
    yield case("vocab-and-merges-only", damage.changed(damage.files_of_gpt, "roberta"))
    yield case(
        "tokenizer-truncated",
        damage.changed(damage.cut("tokenizer.json", 0.5)),
        refused="tokenizer",
    )
    yield case(
        "tokenizer-lfs-pointer",
        damage.changed(damage.written("tokenizer.json", damage.POINTER)),
        refused="(?i)lfs|pointer",
    )
    yield case("tokenizer-truncates-left", damage.changed(damage.one_side_left("truncation_side")))
    yield case(
        "tokenizer-pads-left", damage.changed(damage.one_side_left("padding_side")), notes="right"
    )
    yield case("tokenizer-cuts-and-pads-by-itself", damage.changed(damage.cut_and_padded))
    yield case("tokenizer-generic-class", damage.changed(damage.other_tokenizer()))
    yield case(
        "tokenizer-of-other-language", damage.changed(damage.other_language), refused="unknown"
    )
    yield case("tokenizer-without-unk", damage.changed(damage.without_unknown), refused="(?i)unk")
    slow = "want a fast tokenizer, found a slow one"
    yield case("tokenizer-slow-only", damage.slow, refused=slow)
    yield case("tokenizer-of-phobert", tokenizers.phobert, refused=slow)
    yield case("tokenizer-of-xlm", tokenizers.xlm, refused=slow)
    yield case("tokenizer-of-bert-japanese", tokenizers.japanese, refused=slow)
    yield case("tokenizer-sentencepiece", tokenizers.sentencepiece_only, refused="tokenizer.json")
    yield case("tokenizer-without-padding", tokenizers.without_padding, notes="no pad token")
    yield case(
        "tokenizer-without-padding-and-end",
        tokenizers.without_padding_and_end,
        refused="want a pad token or an end token, found neither; set pad_token",
    )


def _weight_files() -> Iterator[Case]:
    def case(name: str, change: Callable[[Path], None], **said: Any) -> Case:
        return Case(name=name, kind="weights", make=damage.changed(change), **said)

    yield case(
        "weights-lfs-pointer",
        damage.written("model.safetensors", damage.POINTER),
        refused="(?i)lfs",
    )
    yield case(
        "weights-truncated", damage.cut("model.safetensors", 0.6), refused="(?i)cut|truncat|byte"
    )
    yield case("weights-empty", damage.written("model.safetensors", b""), refused="safetensors")
    yield case(
        "weights-html",
        damage.written("model.safetensors", "<!doctype html><p>404"),
        refused="safetensors",
    )
    yield case("weights-sharded", damage.sharded)
    yield case("weights-shard-missing", damage.shard_missing, refused="model-00001-of")
    yield case("weights-index-missing", damage.sharded_index_missing, refused="index")
    yield case("weights-pickled-only", damage.pickled, refused="safetensors.*save_pretrained")
    yield case(
        "weights-onnx-only",
        damage.in_place_of_weights("onnx/model.onnx", b"x"),
        refused="safetensors",
    )
    yield case(
        "weights-gguf-only",
        damage.in_place_of_weights("model-q4.gguf", b"GGUF"),
        refused="safetensors",
    )
    yield case(
        "weights-tensorflow-only",
        damage.in_place_of_weights("tf_model.h5", b"x"),
        refused="safetensors",
    )
    yield case("weights-missing", damage.without("*.safetensors"), refused="safetensors")
    yield case("weights-in-fp16", damage.stored_as(torch.float16))
    yield case("weights-in-bf16", damage.stored_as(torch.bfloat16))
    yield case(
        "weights-with-nan", damage.weights(damage.nan), refused="(?i)nan|not a number|finite"
    )
    yield case(
        "weights-of-other-size",
        damage.edited("config.json", hidden_size=32, intermediate_size=64),
        refused="(?i)shape|size|fit|belong",
    )
    yield case("weights-of-other-model", lambda f: damage.swap(f, "gpt2"), refused="(?i)weights")
    yield case("weights-dangling-link", damage.dangling, refused="safetensors|link")
    yield case(
        "weights-quantised-bitsandbytes",
        damage.quantised(quant_method="bitsandbytes", load_in_4bit=True, load_in_8bit=False),
        refused="(?i)quanti",
    )
    yield case(
        "weights-quantised-gptq",
        damage.quantised(quant_method="gptq", bits=4, group_size=128),
        refused="(?i)quanti",
    )


def _layouts() -> Iterator[Case]:
    def case(name: str, make: Callable[[Path], None], **said: Any) -> Case:
        return Case(name=name, kind="layout", make=make, **said)

    yield case("adapter", damage.adapter, refused="(?i)adapter")
    yield case("adapter-with-tokenizer", damage.adapter_with_tokenizer, refused="(?i)adapter")
    yield case("trainer-checkpoints", damage.checkpoints, refused="checkpoint-1000")
    yield case("trainer-output-finished", damage.finished_with_checkpoints)
    yield case(
        "sentence-transformers-old", damage.old_sentence_transformer, refused="0_Transformer"
    )
    yield case("sentence-transformers-new", damage.new_sentence_transformer)
    yield case("hub-cache", damage.hub_cache, refused="snapshots")
    yield case(
        "path-of-a-file", damage.family("bert"), inside="model.safetensors", refused="folder"
    )
    yield case("empty-folder", damage.empty, refused="config.json")
    yield case(
        "config-damaged", damage.changed(damage.cut("config.json", 0.5)), refused="config.json"
    )
    yield case(
        "config-empty", damage.changed(damage.written("config.json", "{}")), refused="model_type"
    )
    yield case(
        "config-of-unknown-type",
        damage.changed(damage.edited("config.json", model_type="tinybert9")),
        refused="tinybert9",
    )
    yield case(
        "config-without-type",
        damage.changed(damage.edited("config.json", model_type=None)),
        refused="model_type",
    )
    yield case("remote-code", damage.changed(damage.remote_code), refused="(?i)code")


def _tasks() -> Iterator[Case]:
    def case(name: str, make: Callable[[Path], None], **said: Any) -> Case:
        return Case(name=name, kind="other task", make=make, **said)

    words = "(?i)text|classif"
    yield case(
        "vision",
        damage.other_task(damage.vision, ("preprocessor_config.json", "{}")),
        refused=words,
    )
    yield case("vision-and-text", damage.other_task(damage.clip), refused=words)
    yield case(
        "audio", damage.other_task(damage.audio, ("preprocessor_config.json", "{}")), refused=words
    )
    yield case("encoder-decoder", damage.encoder_decoder, refused=words)


def _limits() -> Iterator[Case]:
    def case(name: str, family: str, max_length: int, **said: Any) -> Case:
        return Case(
            name=name,
            kind="limit",
            make=damage.no_limit_said(family),
            max_length=max_length,
            **said,
        )

    yield case("limit-of-bert", "bert", 66)
    yield case("beyond-bert", "bert", 67, refused="--max-length 66")
    yield case("limit-of-roberta", "roberta", 64)
    yield case("beyond-roberta", "roberta", 65, refused="--max-length 64")
    yield case("beyond-xlm-roberta", "xlm-roberta", 66, refused="--max-length 64")
    yield case("beyond-mpnet", "mpnet", 66, refused="--max-length 64")
    yield case("beyond-gpt2", "gpt2", 67, refused="--max-length 66")
    yield case("limit-of-opt", "opt", 66)
    yield case("xlnet-has-none", "xlnet", 300)
    yield case("t5-has-none", "t5", 300)
    yield Case(
        name="deberta-in-bf16", kind="limit", make=damage.family("deberta"), precision="bf16"
    )
    yield Case(name="bert-in-bf16", kind="limit", make=damage.family("bert"), precision="bf16")


CASES = (
    *_families(),
    *_heads(),
    *_tokenizers(),
    *_weight_files(),
    *_layouts(),
    *_tasks(),
    *_limits(),
)


def asked(case: Case, folder: Path) -> Any:
    """The variant that asks for a case's folder."""
    from agnews_ray.spec.variant import VariantSpec

    kept = {"keep_head": True} if case.keep_head else {}
    return VariantSpec(model=str(folder / case.inside), **kept)


def try_case(case: Case, folder: Path) -> tuple[str, tuple[str, ...]]:
    """Make a folder and check it as ``submit`` does before anything is started.

    Returns:
        The refusal, empty where the folder works; and what was said of one that works.
    """
    from agnews_ray.engine import preflight
    from agnews_ray.errors import AgnewsError
    from agnews_ray.model import zoo

    case.make(folder)
    variant = asked(case, folder)
    try:
        zoo.check_model(variant)
        found = preflight.check(variant, CLASS_NAMES, TEXTS, case.max_length, case.precision)
    except AgnewsError as error:
        return str(error), ()
    return "", tuple(found.notes)


def print_table() -> None:
    """Print how many folders of each kind were tried, work, and are refused with which line."""
    with tempfile.TemporaryDirectory() as place:
        tried = [(case, *try_case(case, Path(place) / case.name)) for case in CASES]
    rows = ["| Kind | Tried | Work | Refused |", "| --- | --: | --: | --: |"]
    for kind in dict.fromkeys(case.kind for case in CASES):
        refusals = [refusal for case, refusal, _ in tried if case.kind == kind]
        num_refused = sum(1 for refusal in refusals if refusal)
        rows.append(f"| {kind} | {len(refusals)} | {len(refusals) - num_refused} | {num_refused} |")
    num_refused = sum(1 for _, refusal, _ in tried if refusal)
    rows.append(f"| all | {len(tried)} | {len(tried) - num_refused} | {num_refused} |")
    rows += ["", "| Refused folder | The line |", "| --- | --- |"]
    for case, refusal, _ in tried:
        if refusal:
            rows.append(f"| {case.name} | {_cell(refusal)} |")
    sys.stdout.write("\n".join(rows) + "\n")


def _cell(refusal: str) -> str:
    """Without the folder's place, which is another each time."""
    _, _, said = refusal.partition(": ")
    return said.replace(tempfile.gettempdir(), "").replace("|", "\\|")


if __name__ == "__main__":
    if "--table" in sys.argv:
        print_table()
    elif len(sys.argv) == 2:
        for one in CASES:
            one.make(Path(sys.argv[1]) / one.name)
    else:
        sys.exit("usage: model_folders.py --table | FOLDER")

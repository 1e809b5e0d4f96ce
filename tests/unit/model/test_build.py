import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from agnews_ray.errors import ModelError
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.tokenizer import (
    check_max_length,
    encoder_json,
    load_tokenizer,
    train_tokenizer,
)
from agnews_ray.report.table_formats import MIB
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec

NAMES = ("World", "Sports", "Business", "Sci/Tech")
TEXTS = ["oil prices rose", "home side wins 3-2", "the chip &lt;b&gt; is FAST", "été"] * 5
TINY = ArchitectureSpec(
    num_layers=1, hidden_size=16, num_heads=2, intermediate_size=16, vocab_size=200
)


def tiny(**changes):
    return VariantSpec(model="minilm", init="random", architecture=TINY, **changes)


def a_tokenizer():
    return train_tokenizer(lambda: TEXTS, tiny())


@pytest.fixture
def saved(tmp_path):
    """A folder as save_pretrained leaves it."""
    folder = tmp_path / "saved"
    build_classifier(tiny(), NAMES, 0).save_pretrained(folder)
    a_tokenizer().save_pretrained(folder)
    return folder


@pytest.mark.parametrize(
    ("model", "millions", "mib"), [("distilbert", 66.96, 255.4), ("minilm", 33.36, 127.3)]
)
def test_published_sizes_give_the_papers_columns(tmp_path, model, millions, mib):
    built = build_classifier(VariantSpec(model=model, init="random"), NAMES, 0)
    built.save_pretrained(tmp_path)
    assert round(num_parameters(built) / 1e6, 2) == millions
    assert round((tmp_path / "model.safetensors").stat().st_size / MIB, 1) == mib


def test_the_seed_draws_the_weights():
    def head(seed):
        return build_classifier(tiny(), NAMES, seed).classifier.weight

    assert torch.equal(head(1), head(1))
    assert not torch.equal(head(1), head(2))


def test_a_saved_model_is_loaded_with_its_weights_and_a_fresh_head(saved):
    loaded = build_classifier(VariantSpec(model=str(saved)), ("a", "b"), 0)
    stored = load_file(saved / "model.safetensors")
    name = "bert.embeddings.word_embeddings.weight"
    assert torch.equal(dict(loaded.named_parameters())[name], stored[name])
    assert loaded.config.id2label == {0: "a", 1: "b"}


def test_damaged_weights_are_explained(saved):
    (saved / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(ModelError, match="save the model again"):
        build_classifier(VariantSpec(model=str(saved)), NAMES, 0)


def test_remote_code_never_runs(saved):
    (saved / "config.json").write_text(
        '{"model_type": "evil", "auto_map": {"AutoConfig": "evil.Config"}}'
    )
    (saved / "evil.py").write_text(f"open({str(saved / 'ran')!r}, 'w')")
    with pytest.raises(ModelError):
        load_tokenizer(VariantSpec(model=str(saved)))
    assert not (saved / "ran").exists()


def test_the_encoder_encodes_as_the_tokenizer_does(saved):
    tokenizer = load_tokenizer(VariantSpec(model=str(saved)))
    encoder = Tokenizer.from_str(encoder_json(tokenizer, 6))
    for text in [*TEXTS, "", "a " * 50]:
        expected = tokenizer(text, truncation=True, max_length=6)["input_ids"]
        assert encoder.encode(text).ids == expected


def test_rows_longer_than_the_models_positions_are_refused(saved):
    variant = VariantSpec(model=str(saved))
    check_max_length(variant, load_tokenizer(variant), 512)
    with pytest.raises(ModelError, match="use --max-length 512"):
        check_max_length(variant, load_tokenizer(variant), 513)


def test_the_same_texts_train_the_same_tokenizer_in_every_process():
    code = (
        "from tests.unit.model.test_build import a_tokenizer;"
        "print(a_tokenizer().backend_tokenizer.to_str())"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert len(outputs) == 1
    assert outputs.pop().strip() == a_tokenizer().backend_tokenizer.to_str()

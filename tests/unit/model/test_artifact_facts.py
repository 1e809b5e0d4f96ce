"""An artifact says itself how it is to be used."""

import pytest
import torch

from agnews_ray.errors import StoreError
from agnews_ray.model.artifact import Classifier
from agnews_ray.model.artifact_facts import FILE_NAME, ArtifactFacts
from agnews_ray.model.build import build_classifier
from agnews_ray.model.saving import save_artifact
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec

NAMES = ("économie", "sport")
FACTS = ArtifactFacts(
    class_names=NAMES,
    max_length_tokens=8,
    text_columns=("title", "text"),
    label_kind="names",
)


@pytest.fixture
def artifact(tmp_path):
    sizes = ArchitectureSpec(
        num_layers=1, hidden_size=32, num_heads=2, intermediate_size=32, vocab_size=200
    )
    variant = VariantSpec(model="minilm", init="random", architecture=sizes)
    tokenizer = train_tokenizer(lambda: ["one text and more words"] * 4, variant)
    model = build_classifier(variant, NAMES, 0, tokenizer)
    save_artifact(tmp_path, model, tokenizer, FACTS)
    return tmp_path


def test_what_is_written_is_read(artifact):
    assert ArtifactFacts.read(artifact) == FACTS


@pytest.mark.parametrize("is_old", [False, True])
def test_a_classifier_needs_nothing_but_the_folder(artifact, is_old):
    if is_old:
        (artifact / FILE_NAME).unlink()
    classifier = Classifier(artifact, None, "cpu", "fp32")
    texts = ["one text " * 20]
    assert classifier.num_tokens(texts) == [8]
    assert classifier.class_names == NAMES
    assert torch.equal(classifier(texts), Classifier(artifact, 8, "cpu", "fp32")(texts))


@pytest.mark.parametrize("content", ["", "[]", '{"class_names": 3}'])
def test_a_damaged_file_is_explained(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StoreError, match="want the facts about the artifact"):
        ArtifactFacts.read(tmp_path)

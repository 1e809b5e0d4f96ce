"""Embeddings: means of a frozen encoder's token vectors."""

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from agnews_ray.model import embedding
from agnews_ray.model.embedding import ENCODER_FOLDER, EmbeddingFeatures
from agnews_ray.spec.variant import VariantSpec
from tests.data.model_families import FAMILIES
from tests.fakes.artifacts import FACTS, HIDDEN, TEXTS

LONG = [*TEXTS, "oil prices rise " * 20, ""]


@pytest.fixture(scope="module")
def features(artifact):
    return EmbeddingFeatures.of_pretrained(VariantSpec(model=str(artifact)), 8)


def test_an_embedding_is_the_mean_over_a_texts_tokens(artifact, features):
    tokenizer, encoder = (
        AutoTokenizer.from_pretrained(artifact),
        AutoModel.from_pretrained(artifact),
    )
    for text, found in zip(LONG, features(LONG), strict=True):
        alone = tokenizer([text], truncation=True, max_length=8, return_tensors="pt")
        with torch.no_grad():
            expected = encoder.eval()(**alone).last_hidden_state[0].mean(0)
        np.testing.assert_allclose(found, expected.numpy(), atol=1e-5)


def test_rows_do_not_depend_on_their_batch(features, monkeypatch):
    done = []
    together = features(LONG, done.append)
    monkeypatch.setattr(embedding, "WINDOW_ROWS", 4)
    monkeypatch.setattr(embedding, "BATCH_ROWS", 2)
    np.testing.assert_allclose(features(LONG, done.append), together, atol=1e-5)
    assert together.shape == (len(LONG), HIDDEN)
    assert done == [6, 2, 4, 6]


def test_a_folder_gives_the_same_embeddings(features, tmp_path):
    FACTS.write(tmp_path)
    size = features.save(tmp_path)
    loaded = EmbeddingFeatures.load(tmp_path, None, "cpu", torch.float32)
    np.testing.assert_allclose(loaded(LONG), features(LONG), atol=1e-6)
    assert loaded.sizes(LONG) == features.sizes(LONG)
    assert max(loaded.sizes(LONG)) == 8
    assert size == (tmp_path / ENCODER_FOLDER / "model.safetensors").stat().st_size


def test_an_empty_text_to_a_decoder_has_an_embedding(tmp_path):
    FAMILIES["qwen2"].save(tmp_path, num_labels=3, pad_token_id=0)
    features = EmbeddingFeatures.of_pretrained(VariantSpec(model=str(tmp_path)), 16)
    assert np.isfinite(features(["", "oil"])).all()

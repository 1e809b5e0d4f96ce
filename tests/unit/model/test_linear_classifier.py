"""Linear classifiers and their artifacts, as users load them."""

import json

import numpy as np
import pytest
import torch

from agnews_ray.errors import StoreError
from agnews_ray.model.artifact import Classifier, can_run_on, is_artifact, probe
from agnews_ray.model.embedding import EmbeddingFeatures
from agnews_ray.model.flops import flops_per_row
from agnews_ray.model.linear_classifier import LinearClassifier
from agnews_ray.model.tfidf import TfidfFeatures
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.artifacts import FACTS, HIDDEN, NAMES, TEXTS
from tests.unit.model.test_flops import by_hand

ROWS = [*TEXTS, *TEXTS, ""]
CLASSES = len(NAMES)


def a_classifier(features, num_features):
    rng = np.random.default_rng(0)
    return LinearClassifier(
        features=features,
        coefficients=rng.normal(size=(CLASSES, num_features)).astype(np.float32),
        intercepts=rng.normal(size=CLASSES).astype(np.float32),
    )


@pytest.fixture(scope="module", params=["tfidf", "embedding"])
def saved(request, artifact, tmp_path_factory):
    """A classifier and its folder."""
    if request.param == "tfidf":
        features, matrix = TfidfFeatures.fit(ROWS)
        classifier = a_classifier(features, matrix.shape[1])
    else:
        encoder = VariantSpec(model=str(artifact))
        classifier = a_classifier(EmbeddingFeatures.of_pretrained(encoder, 8), HIDDEN)
    folder = tmp_path_factory.mktemp("linear") / "artifact"
    size = classifier.save(folder, FACTS)
    return classifier, folder, size


def test_a_folder_is_enough_to_classify(saved):
    classifier, folder, _ = saved
    loaded = Classifier(folder, None, "cpu", "fp32")
    expected = torch.from_numpy(classifier.logits(ROWS)).softmax(-1)
    assert torch.allclose(loaded(ROWS), expected, atol=1e-6)
    assert (loaded.class_names, loaded.facts) == (NAMES, FACTS)
    assert loaded.num_tokens(ROWS) == classifier.features.sizes(ROWS)
    assert torch.allclose(torch.cat([loaded([text]) for text in ROWS]), expected, atol=1e-5)


def test_a_folder_holds_what_its_size_says_and_nothing_to_unpickle(saved):
    _, folder, size = saved
    files = {file.name: file.stat().st_size for file in folder.rglob("*") if file.is_file()}
    assert all(name.endswith((".json", ".txt", ".safetensors", ".jinja")) for name in files)
    weights = ("linear.safetensors", "vocabulary.txt", "model.safetensors")
    assert size == sum(files.get(name, 0) for name in weights)
    assert is_artifact(folder)


def test_its_cost_can_be_measured(saved):
    _, folder, _ = saved
    seconds, peak = probe(folder, ROWS, 8, "cpu", "fp32", 1)
    assert seconds > 0
    assert peak > 0


def test_operations_are_those_of_the_encoder_and_the_classes(saved):
    classifier, folder, _ = saved
    head = 2 * HIDDEN * CLASSES
    is_tfidf = isinstance(classifier.features, TfidfFeatures)
    pooler = 2 * HIDDEN**2
    expected = 2 * CLASSES * 10 if is_tfidf else by_hand(10)
    assert by_hand(10) > head + pooler
    assert flops_per_row(folder, [10]) == expected


def test_tfidf_is_computed_on_the_cpu_in_fp32_whatever_is_asked(saved):
    classifier, folder, _ = saved
    is_tfidf = isinstance(classifier.features, TfidfFeatures)
    loaded = Classifier(folder, None, "cpu", "bf16")
    assert loaded.precision == ("fp32" if is_tfidf else "bf16")
    assert can_run_on(folder, "cuda") is not is_tfidf


@pytest.mark.parametrize("content", ["{", json.dumps({"version": 2, "features": "tfidf"})])
def test_what_cannot_be_read_is_said_in_one_line(saved, tmp_path, content):
    (tmp_path / "linear.json").write_text(content)
    with pytest.raises(StoreError, match="the files of a linear model"):
        LinearClassifier.load(tmp_path)

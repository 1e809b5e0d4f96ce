"""A finished model is used as its user has it: from texts to probabilities."""

import shutil

import pytest
import torch

from agnews_ray.model.artifact import Classifier, probe
from agnews_ray.model.artifact_facts import FILE_NAME
from tests.data.model_families import FAMILIES
from tests.fakes.artifacts import NAMES, TEXTS


@pytest.mark.parametrize("is_old", [False, True])
def test_a_classifier_needs_nothing_but_the_folder(artifact, tmp_path, is_old):
    folder = shutil.copytree(artifact, tmp_path / "copy")
    if is_old:
        (folder / FILE_NAME).unlink()
    classifier = Classifier(folder, None, "cpu", "fp32")
    texts = ["the capital " * 20]
    assert classifier.num_tokens(texts) == [8]
    assert classifier.class_names == NAMES
    assert torch.equal(classifier(texts), Classifier(folder, 8, "cpu", "fp32")(texts))


def test_a_batch_gives_what_its_rows_give_alone(artifact):
    classifier = Classifier(artifact, 16, "cpu", "fp32")
    together = classifier(TEXTS)
    assert together.shape == (4, len(NAMES))
    assert together.sum(dim=1) == pytest.approx(1)
    alone = torch.cat([classifier([text]) for text in TEXTS])
    assert torch.allclose(together, alone, atol=1e-5)


def test_an_empty_text_to_a_decoder_has_probabilities_too(tmp_path):
    FAMILIES["qwen2"].save(tmp_path, num_labels=3, pad_token_id=0)
    classifier = Classifier(tmp_path, 16, "cpu", "fp32")
    assert classifier([""]).isfinite().all()


def test_texts_are_truncated_as_in_training(artifact):
    classifier = Classifier(artifact, 8, "cpu", "fp32")
    assert max(classifier.num_tokens([*TEXTS, "oil " * 100])) == 8


def test_low_precision_computes_otherwise_and_answers_alike(artifact):
    full, low = (Classifier(artifact, 8, "cpu", precision)(TEXTS) for precision in ("fp32", "bf16"))
    assert low.dtype == torch.float32
    assert not torch.equal(low, full)
    assert torch.allclose(low, full, atol=0.02)


def test_a_probe_tells_load_time_and_peak_memory(artifact):
    seconds, peak = probe(artifact, TEXTS, 16, "cpu", "fp32", 1)
    assert seconds > 0
    assert peak > 50e6

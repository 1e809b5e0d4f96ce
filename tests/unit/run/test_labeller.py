"""A teacher's labels, by a lone rank without Ray."""

import dataclasses

import numpy as np
import pytest
import torch

from agnews_ray.data.batches import FIRST_TRANSFER_ROW, NO_LABEL
from agnews_ray.errors import ModelError
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.build import build_classifier
from agnews_ray.model.saving import save_artifact
from agnews_ray.record.soft_labels import FILE_NAME, load_soft_labels
from agnews_ray.run.labeller import Labeller
from tests.fakes.token_rows import some_rows
from tests.unit.model.test_build import NAMES, a_tokenizer, tiny

NUM_ROWS = 48
FACTS = ArtifactFacts(
    class_names=NAMES, max_length_tokens=20, text_columns=("text",), label_kind="names"
)


def some_texts():
    """Rows without label, which were read in another order than that of their numbers."""
    rows = some_rows(NUM_ROWS, first=FIRST_TRANSFER_ROW)
    return dataclasses.replace(
        rows, rows=rows.rows[::-1].copy(), labels=np.full(NUM_ROWS, NO_LABEL)
    )


@pytest.fixture
def label(lone_rank, tmp_path):
    """Labels rows by a teacher that predicts each class about as often; gives summary and file."""
    tokenizer = a_tokenizer()
    teacher = build_classifier(tiny(), NAMES, 0, tokenizer)
    save_artifact(tmp_path / "teacher", teacher, tokenizer, FACTS)

    def label(name, rows, test=None, **settings):
        splits = {"train-0": rows} | ({} if test is None else {"test": test})
        setup = lone_rank(
            name,
            splits,
            work="labelling",
            starts_from=str(tmp_path / "teacher"),
            scores_test=test is not None,
            **settings,
        )
        summary = Labeller(setup).run()
        setup.close()
        return summary, load_soft_labels(tmp_path / name / FILE_NAME)

    found = label("first", some_texts())[1].logits
    with torch.no_grad():
        teacher.classifier.bias -= torch.from_numpy(np.median(found, axis=0))
    save_artifact(tmp_path / "teacher", teacher, tokenizer, FACTS)
    return label


def test_each_text_has_its_logits_by_its_number(label):
    texts = some_texts()
    summary, labels = label("texts", texts)
    assert labels.rows.tolist() == sorted(texts.rows)
    assert labels.logits.shape == (NUM_ROWS, len(NAMES))
    again = label("again", texts.take(np.arange(NUM_ROWS)[::-1]))[1]
    assert again.logits == pytest.approx(labels.logits, abs=1e-5)
    assert (summary.labelling.num_labelled, summary.labelling.num_transfer) == (0, NUM_ROWS)
    assert (summary.labelling.accuracy, summary.test) == (None, None)


def test_a_teacher_that_is_right_is_described_and_scored_on_test(label):
    texts = some_texts()
    logits = label("texts", texts)[1].logits[::-1]
    rows = dataclasses.replace(texts, labels=logits.argmax(axis=1))
    summary, _ = label("right", rows, test=rows)
    assert (summary.labelling.accuracy, summary.labelling.num_labelled) == (1.0, NUM_ROWS)
    assert np.array_equal(summary.test.labels, summary.test.predicted)


def test_a_teacher_whose_classes_mean_something_else_is_refused(label):
    texts = some_texts()
    logits = label("texts", texts)[1].logits[::-1]
    rows = dataclasses.replace(texts, labels=(logits.argmax(axis=1) + 1) % len(NAMES))
    with pytest.raises(ModelError, match="teacher one: want an accuracy clearly above"):
        label("wrong", rows)

"""The fit of linear classifiers, against scikit-learn's own."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from agnews_ray.engine import linear_fit
from agnews_ray.engine.linear_fit import FitJob, fit
from agnews_ray.model.embedding import EmbeddingFeatures
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.artifacts import an_artifact

WORDS = ("oil", "bank", "cup", "goal", "chip", "disk", "vote", "poll")


def rows(num_classes, num_rows=120, seed=0):
    """Texts of five words each, most of them of their class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(num_rows) % num_classes
    texts = []
    for label in labels:
        own = WORDS[2 * label : 2 * label + 2]
        texts.append(" ".join(rng.choice([*own, *own, *WORDS], size=5)))
    return texts, labels


def a_job(kind="tfidf-svm", num_classes=3, **changes):
    texts, labels = rows(num_classes)
    given = {
        "kind": kind,
        "texts": texts,
        "labels": labels,
        "num_classes": num_classes,
        "seed": 1,
        "class_weights": None,
    }
    return FitJob(**(given | changes))


def fitted(job, encoder=None):
    return fit(job, encoder, lambda phase: None)


@pytest.mark.parametrize("num_classes", [2, 3])
@pytest.mark.parametrize("weights", [None, (1.0, 5.0, 0.5)])
@pytest.mark.parametrize("kind", ["tfidf-svm", "tfidf-logreg"])
def test_decisions_are_those_of_scikit_learn(kind, num_classes, weights):
    job = a_job(kind, num_classes, class_weights=weights)
    found = fitted(job).classifier.logits(job.texts)
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    matrix = vectorizer.fit_transform(job.texts)
    of_class = dict(enumerate(weights[:num_classes])) if weights else None
    if kind == "tfidf-svm":
        theirs = LinearSVC(C=0.5, class_weight=of_class, random_state=1)
        expected = theirs.fit(matrix, job.labels).decision_function(matrix)
    else:
        theirs = LogisticRegression(C=10, class_weight=of_class, solver="newton-cg")
        expected = theirs.fit(matrix, job.labels).decision_function(matrix)
    if num_classes == 2:
        found = found[:, 1] - found[:, 0]
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_probabilities_of_a_logistic_regression_are_its_own():
    job = a_job("tfidf-logreg", 2)
    logits = fitted(job).classifier.logits(job.texts)
    found = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    vectorizer = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    matrix = vectorizer.fit_transform(job.texts)
    theirs = LogisticRegression(C=10, tol=1e-8, max_iter=10_000).fit(matrix, job.labels)
    np.testing.assert_allclose(found, theirs.predict_proba(matrix), atol=0.01)


@pytest.mark.parametrize("kind", ["tfidf-svm", "tfidf-logreg"])
@pytest.mark.parametrize("num_present", [1, 2, 3])
def test_a_class_without_train_rows_is_never_predicted(kind, num_present):
    texts, labels = rows(num_present)
    job = a_job(kind, 5, texts=texts, labels=labels + 1)
    logits = fitted(job).classifier.logits([*texts, "", "unknown"])
    assert logits.shape == (len(texts) + 2, 5)
    assert set(logits.argmax(axis=1)) <= set(range(1, num_present + 1))
    assert np.isfinite(logits).all()


def test_an_encoders_features_are_learned_from(tmp_path):
    encoder = VariantSpec(model=str(an_artifact(tmp_path)))
    texts = ["oil prices rise", "the cup final is tonight"] * 20
    job = a_job("embed-logreg", 2, texts=texts, labels=np.arange(40) % 2)
    features = EmbeddingFeatures.of_pretrained(encoder, 8)
    phases = []
    found = fit(job, features, phases.append)
    assert (found.classifier.logits(texts).argmax(axis=1) == job.labels).all()
    assert phases == ["embedding: 40 of 40 train rows", "fitting"]
    assert any("every seed gives the same model" in note for note in found.notes)


def test_the_seed_changes_next_to_nothing():
    first, second = (fitted(a_job(seed=seed)).classifier for seed in (1, 2))
    np.testing.assert_allclose(first.coefficients, second.coefficients, atol=0.01)


def test_a_solver_that_is_stopped_is_noted(monkeypatch):
    monkeypatch.setattr(linear_fit, "MAX_ROUNDS", 1)
    assert any("stopped after 1 rounds" in note for note in fitted(a_job()).notes)


def test_only_an_svm_has_a_note_on_probabilities():
    said = {kind: " ".join(fitted(a_job(kind)).notes) for kind in ("tfidf-svm", "tfidf-logreg")}
    assert "no probabilities" in said["tfidf-svm"]
    assert "no probabilities" not in said["tfidf-logreg"]

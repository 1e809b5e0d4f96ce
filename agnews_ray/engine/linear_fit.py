"""The fit of a linear classifier on features of texts, by scikit-learn."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from agnews_ray.model.embedding import EmbeddingFeatures
from agnews_ray.model.linear_classifier import Features, LinearClassifier
from agnews_ray.model.tfidf import TfidfFeatures
from agnews_ray.spec.linear_models import LINEAR

MAX_ROUNDS = 2000
"""The largest number of rounds of a solver; on AG News they need under 100."""

TOLD_ROWS = 512
"""The number of embedded rows between two messages."""

SMALLEST_SCALE = 1e-6
"""A smaller standard deviation is rounding: some encoders have vectors with constant parts."""

NEVER = -20.0
"""The intercept of a class without train rows: a probability of about 1e-9 beside any other."""

SVM_NOTE = (
    "an SVM has no probabilities: its decision values are taken as logits, which ranks classes as "
    "it does; its calibration says little"
)
SEED_NOTE = {
    "tfidf-svm": "the seed orders the rows of the solver and changes next to nothing",
    "tfidf-logreg": "nothing in it is random: every seed gives the same model",
    "embed-logreg": "nothing in it is random: every seed gives the same model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FitJob:
    """What a linear classifier is fitted to."""

    kind: str
    """A key of ``LINEAR``."""
    texts: Sequence[str]
    """The N texts of the train rows."""
    labels: NDArray[np.int64]
    """Shape (N,): their class ids."""
    num_classes: int
    seed: int
    class_weights: tuple[float, ...] | None
    """The weight of a row's loss by class id; None if all rows have the same."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """A fitted classifier, with what there is to say about it."""

    classifier: LinearClassifier
    notes: tuple[str, ...]


def fit(job: FitJob, encoder: EmbeddingFeatures | None, on_phase: Callable[[str], None]) -> Fitted:
    """Fit features and classifier.

    Args:
        job: the rows, and what is fitted to them.
        encoder: the frozen encoder of ``embed-logreg``; None for TF-IDF.
        on_phase: called with what is done now, in a few words.

    Returns:
        The classifier.

    Raises:
        DataError: no word is in two train rows.
    """
    if encoder is None:
        on_phase("finding words")
        features: Features
        features, matrix = TfidfFeatures.fit(job.texts)
        on_phase(f"fitting {matrix.shape[1]:,} features")
        coefficients, intercepts, notes = _fit(job, matrix)
    else:
        features, matrix = encoder, encoder(job.texts, _told(on_phase, len(job.texts)))
        on_phase("fitting")
        # For the penalty all features count alike, and a row has length 1 on average, whatever the
        # encoder's width; the scale then becomes part of the coefficients.
        mean, scale = matrix.mean(axis=0), matrix.std(axis=0)
        scale[scale < SMALLEST_SCALE] = 1.0
        scale *= sqrt(matrix.shape[1])
        scaled, intercepts, notes = _fit(job, (matrix - mean) / scale)
        coefficients = scaled / scale
        intercepts = intercepts - coefficients @ mean
    classifier = LinearClassifier(
        features=features,
        coefficients=coefficients.astype(np.float32),
        intercepts=intercepts.astype(np.float32),
    )
    return Fitted(classifier=classifier, notes=notes)


def _told(on_phase: Callable[[str], None], total: int) -> Callable[[int], None]:
    def tell(done: int) -> None:
        if done % TOLD_ROWS == 0 or done == total:
            on_phase(f"embedding: {done:,} of {total:,} train rows")

    return tell


def _fit(
    job: FitJob, matrix: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64], tuple[str, ...]]:
    """Fit weights with shapes (C, F) and (C,), and say what there is to know about them."""
    notes = [LINEAR[job.kind].summary, SEED_NOTE[job.kind]]
    notes += [SVM_NOTE] if job.kind == "tfidf-svm" else []
    present = np.unique(job.labels)
    coefficients = np.zeros((job.num_classes, matrix.shape[1]))
    intercepts = np.full(job.num_classes, NEVER)
    intercepts[present] = 0.0
    if present.size > 1:
        solver = _solver(job, present)
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always", ConvergenceWarning)
            solver.fit(matrix, job.labels)
        if any(issubclass(one.category, ConvergenceWarning) for one in said):
            notes.append(f"the solver stopped after {MAX_ROUNDS:,} rounds, before its end")
        coefficients[present] = _for_each_class(solver.coef_)
        intercepts[present] = _for_each_class(solver.intercept_)
    return coefficients, intercepts, tuple(notes)


def _solver(job: FitJob, present: NDArray[np.int64]) -> Any:
    weights = job.class_weights
    of_class = None if weights is None else {int(one): weights[one] for one in present}
    settings: dict[str, Any] = {
        "C": LINEAR[job.kind].cost,
        "class_weight": of_class,
        "max_iter": MAX_ROUNDS,
    }
    if job.kind == "tfidf-svm":
        return LinearSVC(dual=True, random_state=job.seed, **settings)
    # On 61,667 rows with 266,655 features newton-cg took 1.6 s, lbfgs 6.8 s, sag 4.5 s, saga 5.4 s.
    return LogisticRegression(solver="newton-cg" if job.kind == "tfidf-logreg" else "lbfgs",
                              **settings)  # fmt: skip


def _for_each_class(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give both of two classes a row of weights, with the same difference; more have one each."""
    return np.concatenate([-weights / 2, weights / 2]) if len(weights) == 1 else weights

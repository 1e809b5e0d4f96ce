"""TF-IDF features of texts: which words and pairs of words occur, rare ones counting more.

The vocabulary is kept as text, a term a line, and the weights as safetensors: nothing is unpickled.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from agnews_ray.errors import DataError

SETTINGS = {
    "lowercase": True,
    "ngram_range": (1, 2),
    "sublinear_tf": True,
    "dtype": np.float32,
}
"""Words of two or more letters and pairs of them; 1 + ln(count) instead of the count; each row has
length 1. The same at fitting and at use."""

MIN_ROWS = 2
"""The number of train rows that a term must occur in to be a feature."""

VOCABULARY_FILE = "vocabulary.txt"


class TfidfFeatures:
    """Turns texts into rows of a sparse matrix.

    Args:
        terms: F words and pairs of words, in the order of the columns.
        weights: shape (F,), the inverse document frequency of each term.
    """

    kind = "tfidf"

    def __init__(self, terms: Sequence[str], weights: NDArray[np.float32]) -> None:
        self._terms = terms
        vocabulary = {term: column for column, term in enumerate(terms)}
        self._vectorizer = TfidfVectorizer(vocabulary=vocabulary, **SETTINGS)
        self._vectorizer.idf_ = weights
        self.weights = weights

    @classmethod
    def fit(cls, texts: Sequence[str]) -> tuple["TfidfFeatures", Any]:
        """Find the terms of some texts, and how rare each is.

        Args:
            texts: the N texts of the train rows.

        Returns:
            The features, and the texts' matrix: sparse, shape (N, F), float32.

        Raises:
            DataError: no word is in two rows.
        """
        vectorizer = TfidfVectorizer(min_df=MIN_ROWS, **SETTINGS)
        try:
            found = vectorizer.fit_transform(texts)
        except ValueError as error:
            wanted, hint = "a word that occurs in two train rows", "use more rows, or another model"
            raise DataError("train split", wanted, "none", hint) from error
        terms = [str(term) for term in vectorizer.get_feature_names_out()]
        return cls(terms, vectorizer.idf_.astype(np.float32)), found

    def __call__(self, texts: Sequence[str]) -> Any:
        """Turn B texts into a sparse matrix of shape (B, F), float32, without unknown words."""
        return self._vectorizer.transform(texts)

    @property
    def num_parameters(self) -> int:
        """The number of fitted numbers: a weight for each term."""
        return len(self._terms)

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """Count each text's different known terms."""
        return [int(count) for count in self(texts).getnnz(axis=1)]

    def save(self, folder: Path) -> int:
        """Write the vocabulary, and return its size in bytes; the weights are the caller's."""
        path = folder / VOCABULARY_FILE
        path.write_text("\n".join(self._terms), encoding="utf-8", newline="\n")
        return path.stat().st_size

    @classmethod
    def load(cls, folder: Path, weights: NDArray[np.float32]) -> "TfidfFeatures":
        """Read the vocabulary; no term contains a line break, since it consists of word letters."""
        return cls((folder / VOCABULARY_FILE).read_text(encoding="utf-8").split("\n"), weights)

"""TF-IDF features: the same from the fit and from a folder."""

import numpy as np
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer

from agnews_ray.errors import DataError
from agnews_ray.model.tfidf import VOCABULARY_FILE, TfidfFeatures

TEXTS = ["Oil prices rise", "oil prices fall", "the cup final", "The cup: naïve über-final", ""]


def test_features_are_scikit_learns():
    features, matrix = TfidfFeatures.fit(TEXTS)
    theirs = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    expected = theirs.fit_transform(TEXTS)
    assert features.num_parameters == len(theirs.vocabulary_) > 5
    np.testing.assert_allclose(matrix.toarray(), expected.toarray(), atol=1e-6)


def test_a_folder_gives_the_same_features(tmp_path):
    features, matrix = TfidfFeatures.fit(TEXTS)
    assert features.save(tmp_path) == (tmp_path / VOCABULARY_FILE).stat().st_size
    loaded = TfidfFeatures.load(tmp_path, features.weights)
    np.testing.assert_allclose(loaded(TEXTS).toarray(), matrix.toarray(), atol=1e-6)
    assert loaded.sizes(["oil prices", "unknown words", ""]) == [3, 0, 0]


@pytest.mark.parametrize("texts", [["one two", "three four"], ["", ""]])
def test_texts_without_a_common_word_are_refused_in_one_line(texts):
    with pytest.raises(DataError, match="occurs in two train rows"):
        TfidfFeatures.fit(texts)

import pyarrow.parquet as pq
import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.svm import LinearSVC

from agnews_ray.data.synthetic import SyntheticSpec, write_synthetic
from agnews_ray.errors import DataError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpus")
    write_synthetic(SyntheticSpec(), folder)
    return [pq.read_table(folder / f"{split}.parquet").to_pydict() for split in ("train", "test")]


def test_a_linear_model_learns_it_but_does_not_solve_it(corpus):
    train, test = corpus
    vectorizer = TfidfVectorizer()
    model = LinearSVC().fit(vectorizer.fit_transform(train["text"]), train["label"])
    accuracy = model.score(vectorizer.transform(test["text"]), test["label"])
    assert 0.7 < accuracy < 0.97


def test_lengths_and_scraps_are_like_ag_news(corpus):
    texts = corpus[0]["text"]
    mean_words = sum(len(text.split()) for text in texts) / len(texts)
    with_scraps = sum(any(c in text for c in "#&;\\(") for text in texts) / len(texts)
    assert 30 < mean_words < 50
    assert 0.3 < with_scraps < 0.45


def test_the_same_seed_writes_the_same_rows_and_another_does_not(tmp_path):
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_synthetic(SyntheticSpec(train=50, test=10, seed=seed), tmp_path / name)
    rows = [pq.read_table(tmp_path / name / "train.parquet").to_pydict() for name in "abc"]
    assert rows[0] == rows[1] != rows[2]


@pytest.mark.parametrize(
    "source", ["synthetic:rows=5", "synthetic:train=x", "synthetic:train=1", "synthetic:noise=2"]
)
def test_settings_that_make_no_corpus_are_refused(source):
    with pytest.raises(DataError, match="fix the source"):
        SyntheticSpec.parse(source)

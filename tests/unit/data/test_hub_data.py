"""A hub's dataset to files: what the library gives, and what its errors become."""

import datasets
import pyarrow.parquet as pq
import pytest

from agnews_ray.data.hub_data import load_hub
from agnews_ray.errors import DataError, HubError
from agnews_ray.spec.data import DataSpec

SPEC = DataSpec(source="ag_news")


@pytest.fixture
def hub(monkeypatch):
    """Have the library answer with splits, or an error; keeps what it was asked."""
    asked = []

    def answer(found):
        def load_dataset(*names):
            asked.append(names)
            if isinstance(found, Exception):
                raise found
            rows = {name: datasets.Dataset.from_dict({"text": [name]}) for name in found}
            return datasets.DatasetDict(rows)

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        return asked

    return answer


def test_splits_become_files_once(hub, tmp_path):
    asked = hub(["train", "test", "unsupervised"])
    found = load_hub(SPEC.model_copy(update={"config": "plain"}), tmp_path)
    assert asked == [("fancyzhx/ag_news", "plain")]
    assert found["validation"] == ()
    for split in ("train", "test"):
        (path,) = found[split]
        assert pq.read_table(path).to_pydict() == {"text": [split]}
    made = {path.name: path.stat().st_mtime_ns for path in found["train"][0].parent.iterdir()}
    assert not any("partial" in name for name in made)
    assert load_hub(SPEC, tmp_path) == found
    kept = {path.name: path.stat().st_mtime_ns for path in found["train"][0].parent.iterdir()}
    assert kept == made


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev", "eval"])
def test_a_validation_split_is_taken_by_any_of_its_names_unless_another_is_named(
    hub, tmp_path, name
):
    hub(["train", name])
    found = load_hub(SPEC, tmp_path)
    assert pq.read_table(found["validation"][0]).to_pydict() == {"text": [name]}
    assert found["test"] == ()
    other = SPEC.model_copy(update={"validation_source": "none"})
    assert load_hub(other, tmp_path)["validation"] == ()


def test_a_dataset_without_train_split_is_refused(hub, tmp_path):
    hub(["test", "dev"])
    with pytest.raises(DataError, match=r"fancyzhx/ag_news: want splits .*found splits test, dev;"):
        load_hub(SPEC, tmp_path)


@pytest.mark.parametrize(
    ("raised", "kind", "said"),
    [
        (
            datasets.exceptions.DatasetNotFoundError("x"),
            HubError,
            "dataset 'fancyzhx/ag_news': want a dataset on the hub, found none; check the name",
        ),
        (datasets.exceptions.DataFilesNotFoundError("x"), DataError, "want data files, found none"),
        (
            ConnectionError("x"),
            HubError,
            r"its cache, found no answer \(ConnectionError\); go onli",
        ),
        (OSError("x"), HubError, r"no answer \(OSError\)"),
        (
            ValueError("Config name is missing. available configs: ['a', 'b']"),
            DataError,
            "want one configuration, found 'a', 'b'; choose one with --config",
        ),
        (RuntimeError("broken\nfile"), DataError, "want a dataset that loads, found broken file;"),
        (RuntimeError("Available ['a']"), DataError, "want a dataset that loads, found Available"),
    ],
)
def test_what_the_library_raises_is_told_in_one_line(hub, tmp_path, raised, kind, said):
    hub(raised)
    with pytest.raises(kind, match=said):
        load_hub(SPEC, tmp_path)
    assert list(tmp_path.iterdir()) == []

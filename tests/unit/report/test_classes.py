import csv
import io

import numpy as np
import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.report import documents
from tests.fakes.studies import a_study, some_predictions

NAMES = tuple(f"class {number:03}" for number in range(43))


def never(num_classes, num_never):
    """A variant that never predicts the last classes, and takes class 0 for class 1."""

    def predict(rng, labels):
        logits = some_predictions(rng, labels, 0.9, num_classes)
        logits[:, num_classes - num_never :] = -20
        logits[labels == 0] = np.eye(num_classes)[1]
        return logits

    return predict


@pytest.fixture(scope="module")
def assessment(tmp_path_factory):
    """43 classes, 9 or 10 test rows each."""
    return assess_study(
        a_study(
            tmp_path_factory.mktemp("runs"),
            variants=(("first", never(43, 21)), ("second", 0.9)),
            seeds=(1,),
            num_rows=43 * 9 + 5,
            class_names=NAMES,
        )
    )


def test_the_largest_confusions_are_a_list(assessment):
    table = documents.to_csv(assessment)["confusions.csv"].decode()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert rows[0] == {
        "Model": "first",
        "Label": "class 000",
        "Predicted": "class 001",
        "Rows": "10",
        "Share of the label": "100.0 %",
    }
    counts = [int(row["Rows"]) for row in rows if row["Model"] == "first"]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) == 10


def test_the_tables_of_classes_mark_what_a_mean_hides(assessment):
    files = documents.to_csv(assessment)
    notes = {
        (row["Model"], row["Class"]): row["Note"]
        for row in csv.DictReader(io.StringIO(files["classes.csv"].decode()))
    }
    assert notes["first", "class 042"] == "never predicted, under 10 test rows"
    assert notes["second", "class 042"] == "under 10 test rows"
    assert notes["first", "class 003"] == ""
    weak = list(csv.DictReader(io.StringIO(files["weak-classes.csv"].decode())))
    assert len(weak) == sum(note != "" for note in notes.values())

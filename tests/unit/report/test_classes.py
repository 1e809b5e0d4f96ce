import csv
import io

import numpy as np
import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.report import documents, sentences
from agnews_ray.report.classes import classes_section
from tests.fakes.studies import a_study, some_predictions

NAMES = tuple(f"class {number:03}" for number in range(150))


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
            class_names=NAMES[:43],
        )
    )


def test_the_verdict_names_classes_never_predicted_and_of_few_rows(assessment):
    said = sentences.conclusion(assessment)
    assert (
        "first never predicts 21 of 43 classes, such as class 022, class 023, class 024. "
        "Accuracy hides this; macro-F1 counts each such class as 0." in said
    )
    few = [line for line in said if line.startswith("Under 10 test rows: 38 of 43 classes")]
    assert len(few) == 1
    assert not any(line.startswith("second never") for line in said)


def test_a_name_does_not_make_a_sentence_long(tmp_path):
    names = tuple(f"{number} {'long ' * 100}" for number in range(12))
    found = assess_study(
        a_study(tmp_path, variants=(("a", never(12, 5)),), seeds=(1,), class_names=names)
    )
    assert max(len(line) for line in sentences.weak_classes(found)) <= 400


@pytest.mark.parametrize(("num_classes", "cell"), [(2, 84), (12, 54), (43, 15), (150, 5)])
def test_the_matrix_has_all_classes_in_one_order_on_both_axes(tmp_path, num_classes, cell):
    names = NAMES[:num_classes]
    variants = (("a", never(num_classes, num_classes // 2)),)
    folder = a_study(tmp_path, variants=variants, seeds=(1,), num_rows=300, class_names=names)
    (figure,) = classes_section(assess_study(folder)).figures
    chart = figure.specification()
    for axis in ("x", "y"):
        assert chart["layer"][0]["encoding"][axis]["scale"]["domain"] == list(names)
    assert chart["width"] == chart["height"] == {"step": cell}
    assert chart["usermeta"] == {"side": num_classes}
    has_numbers = any(layer["mark"]["type"] == "text" for layer in chart["layer"])
    assert has_numbers == (num_classes <= 12)


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

import evaluate
import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from agnews_ray.run.scoring import Accuracy, MacroF1, score


def test_the_metric_classes_are_evaluates_and_equal_sklearns(tmp_path):
    rng = np.random.default_rng(0)
    labels, predicted = rng.integers(0, 3, 50), rng.integers(0, 3, 50)
    accuracy, macro_f1 = Accuracy(3, str(tmp_path)), MacroF1(3, str(tmp_path))
    assert isinstance(accuracy, evaluate.Metric)
    found = accuracy.compute(predictions=predicted, references=labels)["accuracy"]
    assert found == pytest.approx(accuracy_score(labels, predicted))
    found = macro_f1.compute(predictions=predicted, references=labels)["macro_f1"]
    assert found == pytest.approx(f1_score(labels, predicted, average="macro"))


def test_scores_carry_the_confusion_they_follow_from():
    scores = score(np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1]), ("no", "yes"))
    assert scores.confusion == ((1, 1), (0, 2))
    assert scores.accuracy == 0.75
    assert scores.per_class[1].precision == pytest.approx(2 / 3)
    assert [one.num_examples for one in scores.per_class] == [2, 2]

"""What is said of classes that are never predicted, or have few test rows."""

from agnews_ray.report.class_sentences import weak_classes
from tests.fakes.facts import a_class, a_variant, an_assessment


def weak(num_classes, num_never, num_few, name="class {:03}"):
    """Classes of which the last are never predicted, and the last have nine rows."""
    return tuple(
        a_class(
            name.format(number),
            num_examples=9 if number >= num_classes - num_few else 10,
            num_predicted=0.0 if number >= num_classes - num_never else 9.0,
        )
        for number in range(num_classes)
    )


def test_as_many_classes_as_can_be_named_are_all_named():
    found = an_assessment(variants=(a_variant("a", classes=weak(5, 3, 0)),))
    (line,) = weak_classes(found)
    assert line.startswith("a never predicts 3 of 5 classes: class 002, class 003, class 004. ")


def test_a_name_does_not_make_a_sentence_long():
    classes = weak(12, 5, 12, name="{} " + "long " * 100)
    found = an_assessment(variants=(a_variant("a", classes=classes),))
    assert len(weak_classes(found)) == 2
    assert max(len(line) for line in weak_classes(found)) <= 400

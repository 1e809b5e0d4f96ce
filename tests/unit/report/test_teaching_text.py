"""Students and teachers in words."""

import pytest

from agnews_ray.compare.findings import Interval
from agnews_ray.compare.table import compare_records
from agnews_ray.compare.teaching_facts import Beside, TaughtFacts
from agnews_ray.report import teaching_text
from tests.fakes.facts import HALF, a_pair
from tests.fakes.records import a_labelling, a_pretraining, a_record, a_student, a_transfer

BOTH = ("l-s1",)


def a_table(*records):
    return compare_records("study", records, ["plain", "taught", "teacher"])


def some_facts(gap, closed=None):
    sides = {
        name: Beside(name=f"the {name}", accuracy=HALF, macro_f1=HALF, agreement=share)
        for name, share in (("taught", 0.9), ("plain", 0.8), ("teacher", None))
    }
    return TaughtFacts(
        variant="taught",
        seeds=(1, 2),
        teacher_calibration_error=0.03,
        gap=gap,
        gap_closed=closed,
        pair=None,
        **sides,
    )


def an_interval(low, value, high):
    return Interval(value=value, low=low, high=high)


def test_a_line_says_what_a_student_learned_from_what_it_took_and_its_score():
    table = a_table(
        a_record("p-s1", name="plain", accuracy=0.8),
        a_student("s-s1", labelled_by=BOTH),
        a_labelling("l-s1"),
    )
    line, elsewhere = teaching_text.lines(table)
    assert line == (
        "teaching: taught learned from the soft labels of teacher for 100 labelled rows and 200 "
        "texts without labels; teaching took 0.5 min for one student (labels 0.5 min), a part of "
        "its price, not of its train time; accuracy 0.9000 (without teaching, plain: 0.8000)."
    )
    assert elsewhere.startswith("taught was taught by a model from elsewhere (teacher)")


def test_a_pre_training_is_named_by_its_loss():
    table = a_table(a_student("s-s1", starts_from="pre"), a_pretraining("pre", teacher="bert"))
    assert teaching_text.learned(table.taught[0]) == (
        "taught was pre-trained on 300 texts by MiniLM's attention and value relations with bert "
        "as teacher"
    )


def test_texts_of_test_rows_are_a_warning():
    student = a_student("s-s1", labelled_by=BOTH)
    teaching = student.teaching.model_copy(update={"transfer": a_transfer(num_in_test=7)})
    labels = a_labelling("l-s1", of_trial="t-s1")
    table = a_table(
        student.model_copy(update={"teaching": teaching}), labels, a_record("t-s1", name="teacher")
    )
    (warning,) = teaching_text.warnings(table.taught[0])
    assert warning.startswith("Beware: 7 of the 200 texts without labels from which taught learned")


def test_a_price_without_all_its_records_is_said_to_be_too_low():
    (warning,) = teaching_text.warnings(a_table(a_student("s-s1", starts_from="x")).taught[0])
    assert "too low" in warning


@pytest.mark.parametrize(
    ("verdict", "start"),
    [
        ("better", "Teaching helped"),
        ("worse", "Teaching did harm"),
        ("equivalent", "Teaching did not help"),
        ("undecided", "It is undecided whether teaching helped"),
    ],
)
def test_each_verdict_says_whether_teaching_helped(verdict, start):
    assert teaching_text.whether_it_helped(a_pair(verdict=verdict)) == f"{start}: "


def test_without_a_plain_twin_the_user_is_told_to_add_one():
    (student,) = a_table(a_student("s-s1", labelled_by=BOTH), a_labelling("l-s1")).taught
    assert "has no plain twin of taught" in teaching_text.why_no_verdict(student)


def test_the_closed_share_of_the_gap_is_in_percent_with_its_interval():
    facts = some_facts(an_interval(0.02, 0.05, 0.08), an_interval(0.1, 0.5, 1.2))
    assert teaching_text.gap_text(facts, "accuracy", "95 %") == [
        "It closed 50 % [10, 120] of the gap between the plain and the teacher, its teacher, "
        "which is +5.00 [+2.00, +8.00] points of accuracy (95 % interval, 2 seeds)."
    ]


@pytest.mark.parametrize(
    ("gap", "said"),
    [
        (an_interval(-0.02, 0.01, 0.04), "the plain is not known to be worse than this teacher"),
        (an_interval(-0.08, -0.05, -0.02), "the plain is not worse than this teacher"),
    ],
)
def test_a_gap_that_may_be_none_has_no_share(gap, said):
    (text,) = teaching_text.gap_text(some_facts(gap), "accuracy", "95 %")
    assert "not defined" in text
    assert said in text


def test_agreement_is_told_beside_that_of_the_twin():
    assert teaching_text.agreement_text(some_facts(None)) == [
        "It predicts the class that the teacher predicts for 90.0 % of the test rows; the plain "
        "does for 80.0 %."
    ]


def test_labels_without_labelled_rows_have_no_calibration_there():
    (student,) = a_table(a_student("s-s1", labelled_by=BOTH), a_labelling("l-s1")).taught
    labels = student.soft_labels[0].model_copy(update={"accuracy": None})
    assert teaching_text.labels_text(labels, 0.03) == (
        "teacher has mean confidence 0.9500 over all rows; its calibration error is not known, on "
        "test 0.0300."
    )


def test_a_student_without_labels_is_said_to_have_none():
    (student,) = a_table(a_student("s-s1", labelled_by=BOTH), a_labelling("l-s1")).taught
    alone = student.model_copy(update={"uses_labelled_rows": False})
    assert teaching_text.learned(alone).endswith("texts without labels, and from no label")

"""Which rows are taught students, their teachers, and their plain twins."""

from agnews_ray.compare.table import compare_records
from agnews_ray.spec.distillation import PretrainingSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import (
    a_labelling,
    a_pretraining,
    a_record,
    a_student,
    a_transfer,
    with_own_recipe,
)

LABELS = a_labelling("l-s1", of_trial="t-s1")


def a_teacher():
    return a_record("t-s1", variant=VariantSpec(model="bert", name="teacher"))


def table_of(*records):
    return compare_records("study", records, ["plain", "taught", "teacher"])


def taught_in(*records):
    return {one.variant: one for one in table_of(*records).taught}


def distilled(**changes):
    return a_student("s-s1", labelled_by=("l-s1",), **changes)


def test_labels_and_pre_trainings_are_no_rows_and_no_further_seeds():
    table = table_of(a_teacher(), distilled(), LABELS, a_labelling("l-s2", seed=2), a_pretraining())
    assert {row.model: row.seeds for row in table.rows} == {"teacher": (1,), "taught": (1,)}


def test_a_study_without_students_has_none():
    assert table_of(a_teacher(), a_record("p-s1", name="plain")).taught == ()


def test_the_plain_twin_has_the_same_model_and_recipe_and_no_teacher():
    other = with_own_recipe("o-s1", "other", learning_rate=1e-4)
    found = taught_in(other, a_record("p-s1", name="plain"), distilled(), LABELS)
    assert (found["taught"].plain, found["taught"].plain_has) == ("plain", ())
    assert taught_in(other, distilled(), LABELS)["taught"].plain is None


def test_a_twin_with_pre_training_counts_if_there_is_none_without():
    both = a_student("s-s1", labelled_by=("l-s1",), starts_from="pre")
    deep = a_student("d-s1", name="deep", starts_from="pre")
    found = taught_in(both, deep, LABELS, a_pretraining())["taught"]
    assert (found.plain, found.plain_has) == ("deep", ("pretraining",))
    plain = a_record("p-s1", name="plain")
    assert taught_in(both, deep, plain, LABELS, a_pretraining())["taught"].plain == "plain"


def test_the_teacher_of_a_pre_training_is_the_whole_model_fine_tuned():
    own = {"pretraining": PretrainingSpec(objective="minilm")}
    small = VariantSpec(model="minilm", name="small", student={"layers": (0, 3)}, **own)
    student = a_student("s-s1", starts_from="pre", variant=small)
    found = taught_in(a_record("w-s1", name="whole"), student, a_pretraining())["small"]
    assert (found.teachers, found.teacher_row) == (("minilm",), "whole")


def test_soft_labels_are_means_over_the_seeds():
    second = a_labelling("l-s2", seed=2)
    low = second.labelling.model_copy(update={"accuracy": 0.93})
    students = [distilled(), a_student("s-s2", seed=2, labelled_by=("l-s2",))]
    (labels,) = taught_in(*students, LABELS, second.model_copy(update={"labelling": low}))[
        "taught"
    ].soft_labels
    assert round(labels.accuracy, 6) == 0.95
    assert (labels.teacher, labels.num_transfer) == ("teacher", 200)


def test_texts_of_test_rows_are_counted_once():
    teaching = distilled().teaching.model_copy(update={"transfer": a_transfer(num_in_test=7)})
    students = [
        distilled(teaching=teaching),
        a_student("s-s2", seed=2, labelled_by=("l-s1",), teaching=teaching),
    ]
    assert taught_in(*students, LABELS)["taught"].num_in_test == 7


def test_a_teacher_that_trains_only_a_head_is_no_student():
    own = PretrainingSpec(objective="masked-lm", trains="head")
    teacher = VariantSpec(model="bert", name="teacher", pretraining=own)
    table = table_of(a_student("t-s1", starts_from="head", variant=teacher), a_pretraining("head"))
    assert table.taught == ()
    assert table.rows[0].teaching is None

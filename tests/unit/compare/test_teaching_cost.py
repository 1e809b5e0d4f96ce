"""What it took to teach a student."""

from agnews_ray.compare.teaching_cost import serving, teaching_cost
from tests.fakes.records import a_labelling, a_pretraining, a_record, a_student


def by_id(*records):
    return {record.trial_id: record for record in records}


def test_the_price_has_the_teachers_training_and_its_labels():
    known = by_id(a_record("t-s1", name="teacher"), a_labelling("l-s1", of_trial="t-s1"))
    found = teaching_cost([a_student("s-s1", labelled_by=("l-s1",))], known)
    assert (found.teacher_seconds, found.labelling_seconds) == (60.0, 30.0)
    assert found.machine_seconds == {"CPU": 90.0}
    assert found.elsewhere == ()


def test_a_chain_of_pre_trainings_is_paid_for_as_a_whole():
    known = by_id(
        a_pretraining("pre", teacher="assistant", of_trial="first"),
        a_pretraining("first", name="assistant", teacher="bert"),
    )
    found = teaching_cost([a_student("s-s1", starts_from="pre")], known)
    assert found.pretraining_seconds == 120.0
    assert found.elsewhere == ("bert",)


def test_the_model_of_which_a_student_is_made_is_not_from_elsewhere():
    known = by_id(a_pretraining("pre", teacher="minilm"))  # a student of minilm
    assert teaching_cost([a_student("s-s1", starts_from="pre")], known).elsewhere == ()


def test_what_serves_twice_is_paid_for_once_by_a_student():
    teacher = a_student("t-s1", name="teacher", starts_from="pre")
    known = by_id(teacher, a_pretraining("pre"), a_labelling("l-s1", of_trial="t-s1"))
    student = a_student("s-s1", labelled_by=("l-s1",), starts_from="pre")
    assert teaching_cost([student], known).pretraining_seconds == 60.0


def test_the_price_is_that_of_one_student_whatever_the_number_of_seeds():
    students = [a_student(f"s-s{seed}", seed=seed, starts_from="pre") for seed in (1, 2, 3)]
    found = teaching_cost(students, by_id(a_pretraining("pre")))
    assert round(found.pretraining_seconds, 6) == 60.0


def test_a_teacher_from_elsewhere_costs_its_labels_and_is_named():
    found = teaching_cost([a_student("s-s1", labelled_by=("l",))], by_id(a_labelling("l")))
    assert (found.teacher_seconds, found.elsewhere) == (0.0, ("teacher",))


def test_a_trial_without_a_record_is_named():
    served, missing = serving([a_student("s-s1", labelled_by=("gone",))], {})
    assert (served, missing) == ((), ("gone",))

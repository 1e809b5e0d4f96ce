import pytest

from agnews_ray.errors import SpecError
from agnews_ray.plan.graph import TrialGraph, only_needed, without_finished
from agnews_ray.plan.names import short_name
from agnews_ray.plan.planned import Known
from agnews_ray.plan.time_forecast import seeds_first
from agnews_ray.plan.trials import plan_trials
from agnews_ray.record.taught import TransferRecord
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.loader import build_study
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_dataset

TRANSFER = TransferSpec(source="texts")
TEXTS = TransferRecord(source="texts", num_rows=60, num_read=60, num_in_test=0, fingerprint="f")
TEACHER, STUDENT = {"name": "big", "model": "bert"}, {"name": "small", "model": "minilm"}
TAUGHT = {**STUDENT, "distillation": {"teacher": "big"}}
PRETRAINED = {
    **STUDENT,
    "pretraining": {"objective": "minilm", "recipe": {"global_batch_size": 50}},
}


def plan(*models, known=None, seeds=(1,), curve=(), **changes):
    study = build_study({"models": models, "seeds": seeds, "curve": curve, **changes}, "job")
    given = {"big": "bert@main", "small": "minilm@main", "half": "bert@main"}
    known = known or Known(weights=given, transfers={TRANSFER: TEXTS})
    return plan_trials(study, a_dataset(), known, "cpu", "fp32")


def changed(**settings):
    return {**STUDENT, "distillation": {"teacher": "big", **settings}}


def test_a_student_waits_for_the_labels_of_its_teacher_of_the_same_seed():
    trials = plan(TAUGHT, TEACHER, seeds=(1, 2))
    assert [(t.variant.name, t.work, t.seed) for t in trials] == [
        ("big", "fine-tuning", 1),
        ("big", "labelling", 1),
        ("small", "fine-tuning", 1),
        ("big", "fine-tuning", 2),
        ("big", "labelling", 2),
        ("small", "fine-tuning", 2),
    ]
    teacher, labels, student = trials[:3]
    assert labels.waits_for == (teacher.trial_id,) == (labels.starts_from,)
    assert student.waits_for == (labels.trial_id,) == student.labelled_by
    assert labels.num_rows == student.num_rows == 100
    assert not labels.scores_test  # the teacher's own trial does


def test_two_students_of_a_teacher_share_its_labels():
    other = {**TAUGHT, "name": "half", "model": "bert", "student": {"layers": [0]}}
    assert [t.work for t in plan(TEACHER, TAUGHT, other)].count("labelling") == 1


def test_a_teacher_from_elsewhere_labels_once_for_all_seeds():
    folder = VariantSpec(model="/there", name="/there", keep_head=True)
    weights = {"small": "minilm@main", "/there": "sha256:1"}
    known = Known(weights=weights, teachers={"/there": folder})
    trials = plan(changed(teacher="/there"), known=known, seeds=(1, 2))
    assert (trials[0].work, trials[0].waits_for) == ("labelling", ())
    assert [t.work for t in trials].count("labelling") == 1
    assert trials[0].scores_test
    others = Known(weights=weights | {"/there": "sha256:2"}, teachers=known.teachers)
    again = plan(changed(teacher="/there"), known=others, seeds=(1, 2))
    assert not {t.trial_id for t in trials} & {t.trial_id for t in again}


def test_texts_without_labels_are_rows_of_the_student_and_are_labelled():
    _, labels, student = plan(TEACHER, changed(transfer={"source": "texts"}))
    assert (labels.num_rows, student.num_rows, student.num_steps) == (160, 160, 20)
    assert labels.transfer == student.transfer == TRANSFER


def test_texts_alone_replace_the_labelled_rows():
    only = TransferSpec(source="texts", only=True)
    known = Known(weights={"big": "a", "small": "b"}, transfers={only: TEXTS})
    *_, student = plan(TEACHER, changed(transfer={"source": "texts", "only": True}), known=known)
    assert student.num_rows == 60


@pytest.mark.parametrize("settings", [{"temperature": 2}, {"soft_weight": 0.5}], ids=str)
def test_another_way_of_teaching_is_another_trial_with_the_same_labels(settings):
    before, after = plan(TEACHER, TAUGHT), plan(TEACHER, changed(**settings))
    assert [t.trial_id for t in before[:2]] == [t.trial_id for t in after[:2]]
    assert before[2].trial_id != after[2].trial_id


def test_students_of_a_share_learn_from_teachers_of_that_share():
    trials = plan(TEACHER, TAUGHT, curve=("25%", "100%"))
    labels = [t for t in trials if t.work == "labelling"]
    assert [(t.train_share, t.num_rows) for t in labels] == [(0.25, 25), (1.0, 100)]
    teachers = [t for t in trials if t.variant.name == "big" and t.work == "fine-tuning"]
    assert [t.keeps_artifact for t in teachers] == [True, True]
    assert [t.keeps_artifact for t in trials if t.variant.name == "small"] == [False, True]


def test_pretraining_is_one_trial_for_all_seeds():
    first, *tuned = plan(PRETRAINED, seeds=(1, 2))
    assert (first.work, first.seed, first.num_steps, first.scores_test) == (
        "pretraining",
        42,
        6,
        False,
    )
    assert [t.starts_from for t in tuned] == [first.trial_id] * 2
    assert first.teacher_model.model == "minilm"


def test_variants_that_differ_only_in_what_follows_start_from_one_pretraining():
    taught = {**PRETRAINED, "name": "half", "distillation": {"teacher": "big"}}
    known = Known(weights={"big": "bert@main", "small": "minilm@main", "half": "minilm@main"})
    trials = plan(TEACHER, PRETRAINED, taught, known=known)
    pretrained = [t.trial_id for t in trials if t.work == "pretraining"]
    assert [t.starts_from for t in trials if t.variant.pretraining and t.starts_from] == (
        pretrained * 2
    )
    assert len(pretrained) == 1


def test_an_assistant_is_pretrained_first():
    half = {**PRETRAINED, "name": "half", "model": "bert", "student": {"layers": [0]}}
    own = {"objective": "minilm", "teacher": "half", "recipe": {"global_batch_size": 50}}
    trials = plan({**STUDENT, "pretraining": own}, half)
    pretrained = [t for t in trials if t.work == "pretraining"]
    assert [t.variant.name for t in pretrained] == ["half", "small"]
    assert pretrained[1].teacher_trial == pretrained[0].trial_id


def test_labels_and_pretraining_do_not_run_for_finished_students():
    trials = plan(TEACHER, TAUGHT, seeds=(1,))
    assert only_needed(without_finished(trials, {trials[0].trial_id, trials[2].trial_id})) == ()
    left = only_needed(without_finished(trials, {trials[0].trial_id}))
    assert [t.work for t in left] == ["labelling", "fine-tuning"]


@pytest.mark.parametrize(
    ("models", "said"),
    [
        ((changed(teacher="nobody"),), "found 'nobody': neither; the others are none"),
        (
            (changed(teacher="svm"), {"name": "svm", "model": "tfidf-svm"}),
            "found 'svm': a linear model",
        ),
        ((TAUGHT, {**TEACHER, "distillation": {"teacher": "small"}}), "small <- big <- small"),
        (
            ({**STUDENT, "pretraining": {"objective": "minilm"}},),
            "want at least one batch of 256 texts, found 100",
        ),
    ],
)
def test_what_cannot_teach_is_refused(models, said):
    weights = {"small": "a", "big": "b", "svm": "c"}
    with pytest.raises(SpecError) as error:
        plan(*models, known=Known(weights=weights))
    assert said in str(error.value)


def test_labels_depend_on_the_length_of_texts():
    ids = [
        plan(TEACHER, TAUGHT, data=DataSpec(max_length_tokens=n).model_dump(exclude_none=True))
        for n in (64, 128)
    ]
    assert ids[0][1].trial_id != ids[1][1].trial_id


def test_few_labels_and_many_texts_are_enough_for_a_batch():
    models = TEACHER, changed(transfer={"source": "texts"}) | {"recipe": {"global_batch_size": 150}}
    assert plan(*models)[-1].num_steps == 4


def test_a_teacher_far_away_in_the_file_system_is_found_by_its_whole_path():
    path = f"/{'x' * 120}"
    teacher = VariantSpec(model=path, name=short_name(path), keep_head=True)
    weights = {"small": "minilm@main", teacher.name: "sha256:1"}
    known = Known(weights=weights, teachers={path: teacher})
    assert plan(changed(teacher=path), known=known)[0].variant == teacher


def test_a_students_own_model_may_teach_its_pretraining():
    own = {"objective": "minilm", "teacher": "minilm", "recipe": {"global_batch_size": 50}}
    first, _ = plan({**STUDENT, "pretraining": own})
    assert (first.work, first.teacher_model.model, first.teacher_trial) == (
        "pretraining",
        "minilm",
        None,
    )


def test_a_model_of_several_variants_is_no_name_of_a_teacher():
    other = {"name": "big too", "model": "bert", "recipe": {"num_epochs": 1}}
    weights = {"big": "a", "big too": "a", "small": "b"}
    with pytest.raises(SpecError, match="the model of several variants; write one's name"):
        plan(TEACHER, other, changed(teacher="bert"), known=Known(weights=weights))


def test_students_come_seed_by_seed_within_a_budget():
    trials = seeds_first(TrialGraph(plan(TEACHER, TAUGHT, seeds=(1, 2))).trials)
    assert [t.seed for t in trials] == [1, 1, 1, 2, 2, 2]
    assert [t.work for t in trials[:3]] == ["fine-tuning", "labelling", "fine-tuning"]

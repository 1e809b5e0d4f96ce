"""Records made by hand, for tests of what reads them."""

from agnews_ray.record.attempts import AttemptRecord
from agnews_ray.record.schema import (
    ClassScores,
    DatasetRecord,
    EnvironmentRecord,
    ModelRecord,
    Scores,
    SplitRecord,
    TrainingRecord,
    TrialRecord,
)
from agnews_ray.record.taught import (
    LabellingRecord,
    PretrainingRecord,
    TeachingRecord,
    TransferRecord,
)
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.distillation import DistillationSpec, PretrainingSpec
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from agnews_ray.spec.variant import VariantSpec


def a_split(fingerprint="a" * 32, num_rows=100):
    return SplitRecord(
        files=("train.csv",),
        num_rows=num_rows,
        num_selected=num_rows,
        num_empty=0,
        class_counts=(num_rows // 2, num_rows - num_rows // 2),
        fingerprint=fingerprint,
    )


def a_dataset(train_fingerprint="a" * 32, num_rows=100):
    return DatasetRecord(
        source="data",
        kind="csv",
        text_columns=("text",),
        label_column="label",
        label_kind="integers from 0",
        class_names=("no", "yes"),
        train=a_split(train_fingerprint, num_rows),
        test=a_split("b" * 32, 10),
        num_validation=0,
    )


def some_scores(accuracy=0.9, macro_f1=0.89):
    one = ClassScores(name="no", precision=1, recall=1, f1=1, num_examples=5)
    return Scores(
        accuracy=accuracy,
        macro_f1=macro_f1,
        num_examples=10,
        per_class=(one, one.model_copy(update={"name": "yes"})),
        confusion=((5, 0), (1, 4)),
    )


def an_attempt(from_step, last_step, cause="finished", seconds=30.0):
    return AttemptRecord(
        started_at="2026-01-01T00:00:00+00:00",
        seconds=seconds,
        startup_seconds=10.0,
        machine="a",
        from_step=from_step,
        last_step=last_step,
        cause=cause,
        text="",
    )


def a_record(trial_id="one-s1-0000000000", name="one", seed=1, accuracy=0.9, **changes):
    record = TrialRecord(
        study="study",
        trial_id=trial_id,
        created_at="2026-01-01T00:00:00+00:00",
        command="agnews-ray submit",
        variant=VariantSpec(model="minilm", name=name),
        seed=seed,
        recipe=RecipeSpec(),
        data=DataSpec(),
        scaling=ScalingSpec(),
        device="cpu",
        precision="fp32",
        model=ModelRecord(
            model_id="minilm", revision=None, parameters=33_361_540, size_bytes=133_469_456
        ),
        dataset=a_dataset(),
        training=TrainingRecord(
            num_steps=10,
            num_train_examples=100,
            train_seconds=60.0,
            samples_per_second=3.3,
            final_loss=0.5,
            padding_share=0.01,
            num_skipped_steps=0,
            peak_memory_bytes=1 << 30,
            is_streamed=False,
            seconds_to_first_step=9.0,
            scoring_seconds=1.0,
        ),
        test=some_scores(accuracy),
        environment=EnvironmentRecord(
            python="3.11",
            platform="Linux",
            cpu="CPU",
            num_cpus=2,
            memory_bytes=1,
            gpu=None,
            num_gpus=0,
            commit=None,
            versions={},
        ),
    )
    return record.model_copy(update=changes)


def a_linear_record(trial_id="svm-s1", name="svm", seed=1, model="tfidf-svm", **changes):
    """A record of a linear model, as its trial leaves it: no steps, no padding."""
    record = a_record(trial_id, name, seed, variant=VariantSpec(model=model, name=name))
    training = record.training.model_copy(
        update={
            "num_steps": 0,
            "train_seconds": 0.5,
            "final_loss": None,
            "padding_share": None,
            "num_machines": 1,
            "engine": "scikit-learn",
        }
    )
    return record.model_copy(update={"training": training} | changes)


def with_own_recipe(trial_id, name, seed=1, **own):
    """A record of a variant that states these keys of the recipe itself."""
    variant = VariantSpec(model="minilm", name=name, recipe=RecipeChanges(**own))
    return a_record(trial_id, seed=seed, variant=variant, recipe=variant.recipe_in(RecipeSpec()))


def a_transfer(num_rows=200, num_in_test=0, fingerprint="t" * 32):
    return TransferRecord(
        source="texts",
        num_rows=num_rows,
        num_read=num_rows,
        num_in_test=num_in_test,
        fingerprint=fingerprint,
    )


def a_labelling(trial_id="labels-s1", teacher="teacher", seed=1, of_trial=None, **changes):
    """A record of a teacher's labels; its scores on test are the teacher's."""
    facts = LabellingRecord(
        teacher=teacher,
        teacher_trial=of_trial,
        num_labelled=100,
        num_transfer=200,
        accuracy=0.97,
        calibration_error=0.02,
        mean_confidence=0.95,
        seconds=30.0,
    )
    variant = VariantSpec(model="bert", name=teacher)
    record = a_record(trial_id, seed=seed, variant=variant, work="labelling", labelling=facts)
    training = record.training.model_copy(update={"num_steps": 0, "train_seconds": 0.0})
    return record.model_copy(update={"training": training} | changes)


def a_pretraining(trial_id="pre", name="taught", teacher=None, of_trial=None, **changes):
    """A record of a pre-training in MiniLM's way, without scores."""
    facts = PretrainingRecord(
        teacher=teacher,
        teacher_trial=of_trial,
        num_texts=300,
        transfer=None,
        final_parts={"attention": 0.2, "values": 0.1},
    )
    spec = PretrainingSpec(objective="minilm", teacher=teacher)
    variant = VariantSpec(model="minilm", name=name, pretraining=spec)
    record = a_record(trial_id, seed=42, variant=variant, work="pretraining", pretraining=facts)
    unscored = {"scores_test": False, "test": record.test.none_of(10)}
    return record.model_copy(update=unscored | changes)


def a_student(trial_id, name="taught", seed=1, labelled_by=(), starts_from=None, **changes):
    """A record of a student of ``teacher``: distilled, pre-trained, or both."""
    variant = VariantSpec(
        model="minilm",
        name=name,
        distillation=DistillationSpec(teacher="teacher") if labelled_by else None,
        pretraining=PretrainingSpec(objective="minilm") if starts_from else None,
    )
    teaching = TeachingRecord(starts_from=starts_from, labelled_by=labelled_by)
    record = a_record(trial_id, seed=seed, variant=variant, teaching=teaching)
    return record.model_copy(update=changes)

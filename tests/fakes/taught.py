"""A study of a teacher and its students, made by hand: their labels, twins and predictions."""

from pathlib import Path

import numpy as np

from agnews_ray.record.schema import TeachingRecord
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.distillation import DistillationSpec, PretrainingSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_labelling, a_pretraining, a_transfer
from tests.fakes.studies import a_study, scores_of, some_predictions, write_outputs

NUM_ROWS = 400


def a_taught_study(
    runs, plain=0.5, taught=0.75, teacher=0.95, first="plain", elsewhere=False, num_in_test=0
):
    """Write a finished study with these qualities; give its folder.

    The student ``taught`` is distilled, on 200 texts without labels too, and ``deep`` is
    pre-trained. Of a teacher from elsewhere there are only its labels.
    """
    variants = [("plain", plain), ("taught", taught), ("deep", taught)]
    variants += [] if elsewhere else [("teacher", teacher)]
    variants.sort(key=lambda one: one[0] != first)
    names = [name for name, _ in variants]
    folder = a_study(runs, variants=variants, num_rows=NUM_ROWS)
    store, rng = StudyStore.at(folder), np.random.default_rng(2)
    for record in store.records():
        changes = _changes(record, num_in_test)
        if changes:
            path = store.trial_folder(record.trial_id) / "record.json"
            path.write_text(record.model_copy(update=changes).model_dump_json())
    labels = np.arange(NUM_ROWS) % 2
    dataset = store.records()[0].dataset
    for seed in (1, 2, 3):
        logits = some_predictions(rng, labels, teacher, 2)
        labelling = a_labelling(
            f"labels-s{seed}",
            seed=seed,
            of_trial=None if elsewhere else f"v{names.index('teacher')}-s{seed}",
            dataset=dataset,
            test=scores_of(labels, logits.argmax(axis=1), ("no", "yes")),
        )
        _publish(store, labelling, labels, logits)
    pretraining = a_pretraining("pre", teacher="minilm", dataset=dataset)
    _publish(store, pretraining, labels, some_predictions(rng, labels, 0.5, 2))
    return folder


def _changes(record, num_in_test):
    if record.variant.name == "teacher":
        return {"variant": VariantSpec(model="bert", name="teacher")}
    if record.variant.name == "deep":
        own = {"pretraining": PretrainingSpec(objective="minilm")}
        teaching = TeachingRecord(starts_from="pre")
    elif record.variant.name == "taught":
        own = {"distillation": DistillationSpec(teacher="teacher")}
        teaching = TeachingRecord(
            labelled_by=(f"labels-s{record.seed}",), transfer=a_transfer(num_in_test=num_in_test)
        )
    else:
        return {}
    return {"variant": record.variant.model_copy(update=own), "teaching": teaching}


def _publish(store, record, labels, logits):
    staged = store.staging_folder(record.trial_id)
    write_outputs(Path(staged), labels, logits)
    store.publish(record, staged)

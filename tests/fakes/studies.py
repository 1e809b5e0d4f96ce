"""A study folder made by hand: records, predictions, curves and test rows that fit together."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from agnews_ray.engine.divergence import divergence, predicted_classes
from agnews_ray.record.outputs import NO_CLASS, TestRows, save_test_rows
from agnews_ray.record.schema import ClassScores, Scores
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.loader import build_study
from agnews_ray.spec.metrics import accuracy, confusion_matrix, macro_f1, per_class_scores
from tests.fakes.records import a_dataset, a_record


def some_predictions(rng, labels, share_right, num_classes):
    """Logits whose argmax is the label for about so many rows."""
    logits = rng.normal(size=(labels.size, num_classes))
    right = rng.random(labels.size) < share_right
    logits[right, labels[right]] += 5
    return logits


def sure_and_wrong_on_the_first_rows(share_right, num_wrong=9):
    """A variant's quality whose first rows every trial gets wrong with confidence."""

    def predict(rng, labels):
        logits = some_predictions(rng, labels, share_right, labels.max() + 1)
        logits[:num_wrong] = 0
        logits[np.arange(num_wrong), (labels[:num_wrong] + 1) % (labels.max() + 1)] = 9
        return logits

    return predict


def diverges(seeds_in_turn, share_right=0.8):
    """A variant's quality: which of its seeds, in turn, give logits that are not numbers."""
    turns = iter(seeds_in_turn)

    def predict(rng, labels):
        logits = some_predictions(rng, labels, share_right, labels.max() + 1)
        return np.full_like(logits, np.nan) if next(turns) else logits

    return predict


def a_loss(logits):
    loss = 1 / np.arange(1, 101)
    return np.where(np.isnan(logits).any() & (loss < 1 / 60), np.nan, loss)


def scores_of(labels, predicted, class_names):
    if (predicted == NO_CLASS).any():
        return Scores.none_of(labels.size)
    confusion = confusion_matrix(labels, predicted, len(class_names))
    found = per_class_scores(confusion)
    return Scores(
        accuracy=accuracy(confusion),
        macro_f1=macro_f1(confusion),
        num_examples=labels.size,
        per_class=tuple(
            ClassScores(
                name=name,
                precision=found["precision"][i],
                recall=found["recall"][i],
                f1=found["f1"][i],
                num_examples=int((labels == i).sum()),
            )
            for i, name in enumerate(class_names)
        ),
        confusion=tuple(tuple(line) for line in confusion.tolist()),
    )


def a_study(
    runs,
    name="study",
    variants=(("first", 0.9), ("second", 0.8)),
    seeds=(1, 2, 3),
    num_rows=200,
    class_names=("no", "yes"),
    texts=None,
    question="Which one?",
):
    """Write a finished study; give its folder.

    ``variants`` pairs a name with a share of right rows, or with a function of (rng, labels).
    """
    rng = np.random.default_rng(0)
    store = StudyStore(runs, name)
    store.folder.mkdir(parents=True)
    labels = np.arange(num_rows) % len(class_names)
    dataset = a_dataset().model_copy(update={"class_names": tuple(class_names)})
    job = {
        "name": name,
        "question": question,
        "models": [{"model": "minilm", "name": variant} for variant, _ in variants],
        "seeds": list(seeds),
    }
    store.save_study(build_study(yaml.safe_load(yaml.safe_dump(job)), "test"))
    for number, (variant, quality) in enumerate(variants):
        for seed in seeds:
            if callable(quality):
                logits = quality(rng, labels)
            else:
                logits = some_predictions(rng, labels, quality, len(class_names))
            record = a_record(trial_id=f"v{number}-s{seed}", name=variant, seed=seed).model_copy(
                update={
                    "dataset": dataset,
                    "test": scores_of(labels, predicted_classes(logits), class_names),
                    "diverged": divergence(a_loss(logits), [predicted_classes(logits)]),
                }
            )
            staged = store.staging_folder(record.trial_id)
            write_outputs(Path(staged), labels, logits)
            store.publish(record, staged)
    texts = texts or [f"text {row}" for row in range(num_rows)]
    rows = TestRows(
        texts=[texts[row % len(texts)] for row in range(num_rows)],
        twin_in_test=[None] * num_rows,
        twin_in_train=[None] * num_rows,
        is_exact_in_test=[False] * num_rows,
        is_exact_in_train=[False] * num_rows,
    )
    save_test_rows(store.test_rows_path, rows, dataset.fingerprint)
    return store.folder


def write_outputs(folder, labels, logits):
    predicted = predicted_classes(logits)
    table = {
        "row": np.arange(labels.size),
        "label": labels.astype(np.int32),
        "predicted": pa.array(predicted.astype(np.int32), mask=predicted == NO_CLASS),
        "logits": pa.FixedSizeListArray.from_arrays(
            logits.astype(np.float32).ravel(), logits.shape[1]
        ),
    }
    pq.write_table(pa.table(table), folder / "predictions.parquet")
    steps = np.arange(1, 101)
    curve = {
        "samples_seen": 16 * steps,
        "loss": a_loss(logits),
        "learning_rate": 2e-5 * (1 - steps / 100),
        "seconds": steps / 10,
    }
    pq.write_table(pa.table(curve), folder / "curve.parquet")

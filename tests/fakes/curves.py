"""Studies with trials on shares of their train rows, and curves made by hand."""

from pathlib import Path

import numpy as np

from agnews_ray.compare.curve_facts import (
    BandPoint,
    Crossing,
    DataCurve,
    Forecast,
    LawFacts,
    SharePoint,
    VariantCurve,
)
from agnews_ray.compare.findings import Interval
from agnews_ray.engine.divergence import predicted_classes
from agnews_ray.record.store import StudyStore
from tests.fakes.records import a_dataset, a_record
from tests.fakes.studies import a_study, scores_of, some_predictions, write_outputs

SHARES = {0.1: 0.6, 0.3: 0.72, 0.6: 0.8}
"""The share of right rows by share of the train rows; ``some_predictions`` guesses the others."""


def a_curve_study(runs, variants=(("first", 1.0), ("second", 0.9)), seeds=(1, 2), num_rows=400):
    """Write a finished study with a curve; give its folder.

    ``variants`` pairs a name with what its quality is multiplied by.
    """
    folder = a_study(
        runs,
        variants=[(name, 0.85 * quality) for name, quality in variants],
        seeds=seeds,
        num_rows=num_rows,
        class_names=("a", "b", "c", "d"),
    )
    store, rng = StudyStore.at(folder), np.random.default_rng(1)
    labels = np.arange(num_rows) % 4
    dataset = a_dataset().model_copy(update={"class_names": ("a", "b", "c", "d")})
    for number, (name, quality) in enumerate(variants):
        for share, right in SHARES.items():
            for seed in seeds:
                logits = some_predictions(rng, labels, right * quality, 4)
                record = a_share(
                    f"v{number}-p{share:g}-s{seed}".replace(".", "_"), share, name, seed
                )
                record = record.model_copy(
                    update={
                        "dataset": dataset,
                        "test": scores_of(labels, predicted_classes(logits), "abcd"),
                    }
                )
                staged = store.staging_folder(record.trial_id)
                write_outputs(Path(staged), labels, logits)
                store.publish(record, staged)
    return folder


def a_share(trial_id, share, name="one", seed=1, **changes):
    """A record of a trial with a share of 100 train rows."""
    record = a_record(trial_id, name, seed, **changes)
    training = record.training.model_copy(
        update={"num_train_examples": round(100 * share), "train_seconds": 60 * share}
    )
    return record.model_copy(update={"train_share": share, "training": training})


def near(value, width=0.02):
    return Interval(value=value, low=value - width, high=value + width)


def a_point(share, accuracy, **changes):
    facts = {
        "share": share,
        "num_rows": round(4000 * share),
        "num_seeds": 2,
        "accuracy": near(accuracy),
        "macro_f1": near(accuracy - 0.01),
        "train_seconds": 240 * share,
    }
    return SharePoint(**facts | changes)


def a_variant_curve(model="one", **changes):
    """Four points on a law, from 3% of 4,000 rows on, and its forecast."""
    shares = (0.03, 0.1, 0.3, 1.0)
    facts = {
        "model": model,
        "points": tuple(a_point(share, 1 - 0.1 * share**-0.3) for share in shares),
        "law": LawFacts(
            exponent=near(0.3, 0.05), floor=near(0.0, 0.0), error=0.1, first_rows=120, num_points=4
        ),
        "forecast": Forecast(
            num_rows=8000, score=near(0.919), gain=near(0.019, 0.01), train_seconds=480
        ),
        "band": tuple(
            BandPoint(num_rows=n, score=near(1 - 0.1 * (n / 4000) ** -0.3))
            for n in (120.0, 1000.0, 4000.0, 8000.0)
        ),
    }
    return VariantCurve(**facts | changes)


def a_crossing(**changes):
    facts = {
        "variant": "two",
        "baseline": "one",
        "ahead_at_first": "two",
        "ahead_at_last": "one",
        "num_rows": 700.0,
        "low": 300.0,
        "high": 1500.0,
        "is_sure": True,
    }
    return Crossing(**facts | changes)


def a_curve(**changes):
    """The curve of two models."""
    facts = {
        "metric": "accuracy",
        "confidence": 0.95,
        "num_test_rows": 1000,
        "curves": (a_variant_curve(), a_variant_curve("two")),
        "crossings": (a_crossing(),),
    }
    return DataCurve(**facts | changes)

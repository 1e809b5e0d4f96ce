"""Searches of known truth: the learning rate decides the score, the weight decay does not."""

from math import log10

import numpy as np

from agnews_ray.record.schema import RungScore, SearchRecord
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.recipe import RecipeChanges
from tests.fakes.records import a_record, some_scores
from tests.fakes.studies import a_study, some_predictions, write_outputs

BEST_RATE = 3e-4
NUM_EPOCHS = 4


def true_score(rate):
    """The validation accuracy after all epochs, without noise."""
    return 0.9 - 0.08 * (log10(rate) - log10(BEST_RATE)) ** 2


def a_trial(number, settings, score, seed=1, variant="first", stopped_at=None, **changes):
    """A trial of a search; ``stopped_at`` is the epoch of its last rung."""
    rungs = [
        RungScore(step=10 * epoch, epochs=epoch, accuracy=score, macro_f1=score - 0.1)
        for epoch in range(1, NUM_EPOCHS)
        if stopped_at is None or epoch <= stopped_at
    ]
    record = a_record(f"{variant}-n{number}-s{seed}", name=variant, seed=seed)
    recipe = {
        path.removeprefix("recipe."): value
        for path, value in settings.items()
        if path.startswith("recipe.")
    }
    own = RecipeChanges(num_epochs=NUM_EPOCHS, **recipe)
    part = (stopped_at or NUM_EPOCHS) / NUM_EPOCHS
    return record.model_copy(
        update={
            "scores_test": False,
            "test": record.test.none_of(10),
            "variant": record.variant.model_copy(update={"recipe": own}),
            "recipe": own.applied_to(record.recipe),
            "validation": () if stopped_at else (some_scores(score, score - 0.1),),
            "training": record.training.model_copy(update={"train_seconds": 60.0 * part}),
            "search": SearchRecord(
                variant=variant,
                number=number,
                settings=settings,
                rungs=tuple(rungs),
                is_stopped=stopped_at is not None,
            ),
        }
        | changes
    )


def a_search(num_settings=24, seed=0, noise=0.004, variant="first", seeds=(1,)):
    """The records of a random search of which the worse half was stopped after an epoch."""
    rng = np.random.default_rng(seed)
    tried = [
        {
            "recipe.learning_rate": float(10 ** rng.uniform(-5, -2.5)),
            "recipe.weight_decay": float(rng.uniform(0, 0.1)),
            "recipe.global_batch_size": int(rng.choice([8, 16, 32])),
            "recipe.class_weights": str(rng.choice(["none", "balanced"])),
        }
        for _ in range(num_settings)
    ]
    truths = [true_score(one["recipe.learning_rate"]) for one in tried]
    middle = float(np.median(truths))
    return [
        a_trial(
            number,
            settings,
            float(truth - 0.02 * (truth < middle) + noise * rng.normal()),
            seed=one,
            variant=variant,
            stopped_at=1 if truth < middle else None,
        )
        for number, (settings, truth) in enumerate(zip(tried, truths, strict=True))
        for one in seeds
    ]


def a_searched_study(
    runs, trials=None, qualities=(0.86, 0.91), fresh=(0.893, 0.889, 0.891), **kind
):
    """A study folder with a search of the variant ``first``, and its winner on new seeds."""
    trials = a_search() if trials is None else trials
    folder = a_study(
        runs, variants=(("first", qualities[0]), ("first (tuned)", qualities[1])), **kind
    )
    store = StudyStore.at(folder)
    whole = [one for one in trials if not one.search.is_stopped and one.diverged is None]
    best = max(whole, key=lambda one: one.validation[-1].accuracy)
    for record, score in zip(
        [one for one in store.records() if one.variant.name == "first (tuned)"], fresh, strict=True
    ):
        path = store.trial_folder(record.trial_id) / "record.json"
        tuned = record.model_copy(
            update={
                "variant": record.variant.model_copy(update={"recipe": best.variant.recipe}),
                "recipe": best.recipe,
                "validation": (some_scores(score, score - 0.1),),
            }
        )
        path.write_text(tuned.model_dump_json())
    add_trials(folder, trials)
    return folder


def add_trials(folder, trials):
    """Publish the trials of a search in a study's folder."""
    store, rng = StudyStore.at(folder), np.random.default_rng(1)
    for record in trials:
        staged = store.staging_folder(record.trial_id)
        labels = np.arange(10) % 2
        write_outputs(type(folder)(staged), labels, some_predictions(rng, labels, 0.9, 2))
        store.publish(record, staged)

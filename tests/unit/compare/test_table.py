import pytest

from agnews_ray.compare.table import compare_records
from agnews_ray.errors import RecordError
from agnews_ray.record.schema import Scores
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.scaling import ScalingSpec
from tests.fakes.curves import a_share
from tests.fakes.records import a_dataset, a_record, with_own_recipe


def test_seeds_of_a_variant_become_one_row():
    records = [a_record(seed=2, accuracy=0.92), a_record(seed=1, accuracy=0.90)]
    (row,) = compare_records("s", records, ["one"]).rows
    assert (row.num_seeds, row.seeds) == (2, (1, 2))
    assert row.accuracy == pytest.approx(0.91)
    assert row.accuracy_std == pytest.approx(0.02 / 2**0.5)


def test_a_single_seed_has_no_spread():
    (row,) = compare_records("s", [a_record()], []).rows
    assert row.accuracy_std is None


def test_rows_follow_the_studys_order():
    records = [a_record(name=name) for name in ("a", "b", "c")]
    rows = compare_records("s", records, ["c", "a"]).rows
    assert [row.model for row in rows] == ["c", "a", "b"]


def test_precisions_are_not_averaged():
    records = [a_record(), a_record(seed=2, precision="bf16")]
    assert len(compare_records("s", records, []).rows) == 2


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"dataset": a_dataset("f" * 32)}, "dataset fingerprint"),
        ({"recipe": RecipeSpec(num_epochs=9)}, "recipe, but for a variant's own"),
        ({"test": a_record().test.model_copy(update={"num_examples": 9})}, "number of test rows"),
    ],
)
def test_unlike_records_are_refused(changes, named):
    with pytest.raises(RecordError, match=f"want the same {named}"):
        compare_records("s", [a_record(), a_record(trial_id="x", seed=2, **changes)], [])


def test_one_variant_under_two_recipes_is_two_rows():
    records = [
        with_own_recipe("x", "one", learning_rate=5e-5),
        with_own_recipe("y", "one", seed=2, learning_rate=1e-5),
        with_own_recipe("z", "one", seed=3),
    ]
    rows = compare_records("s", records, []).rows
    assert [row.seeds for row in rows] == [(2,), (3,), (1,)]


def test_how_much_of_a_recipe_was_stated_makes_no_row():
    records = [a_record(), with_own_recipe("x", "one", seed=2, learning_rate=2e-5)]
    (row,) = compare_records("s", records, []).rows
    assert (row.seeds, row.recipe_changes) == ((1, 2), ())


def test_what_changes_no_score_may_differ():
    records = [a_record(), a_record("x", seed=2, recipe=RecipeSpec(evaluation_batch_size=8))]
    assert [row.num_seeds for row in compare_records("s", records, []).rows] == [2]


def test_a_trial_that_does_not_score_test_is_in_no_row():
    tried = a_record("x", "tried", scores_test=False, test=Scores.none_of(10))
    assert [row.model for row in compare_records("s", [a_record(), tried], []).rows] == ["one"]
    assert compare_records("s", [tried], []).rows == ()


def test_two_models_of_one_name_are_two_rows():
    other = a_record().model.model_copy(update={"revision": "sha256:other"})
    records = [a_record(), a_record(trial_id="x", seed=2, model=other)]
    assert [row.num_seeds for row in compare_records("s", records, []).rows] == [1, 1]


def on_another_machine(seed, **changes):
    other = a_record().environment.model_copy(update={"cpu": "another CPU"})
    return a_record(trial_id=f"one-s{seed}-1", seed=seed, environment=other, **changes)


def test_scores_are_pooled_over_machines_and_times_are_not():
    slow = a_record().training.model_copy(update={"train_seconds": 90.0})
    records = [
        a_record(accuracy=0.90),
        on_another_machine(2, accuracy=0.92, training=slow),
        on_another_machine(3, accuracy=0.94, training=slow),
    ]
    (row,) = compare_records("s", records, []).rows
    assert (row.model, row.num_seeds, row.accuracy) == ("one", 3, pytest.approx(0.92))
    assert [(t.device, t.num_seeds, t.train_seconds) for t in row.times] == [
        ("another CPU", 2, 90.0),
        ("CPU", 1, 60.0),
    ]


def test_a_model_that_lies_elsewhere_on_another_machine_is_the_same():
    model = a_record().model.model_copy(update={"revision": "sha256:0"})
    there = a_record().variant.model_copy(update={"model": "/elsewhere/minilm"})
    records = [a_record(model=model), on_another_machine(2, model=model, variant=there)]
    assert [row.num_seeds for row in compare_records("s", records, []).rows] == [2]


def fell_back(seed, **changes):
    record = a_record(trial_id=f"t{seed}", seed=seed)
    return record.model_copy(update={"training": record.training.model_copy(update=changes)})


def test_times_of_an_engine_that_fell_back_are_apart_and_scores_together():
    why = "steps are not recorded (OutOfMemoryError)"
    records = [
        fell_back(1, engine="fast", train_seconds=60.0),
        fell_back(2, train_seconds=80.0),  # a record of before, which fell back to nothing
        fell_back(3, engine="fast, unrecorded", engine_note=why, train_seconds=200.0),
    ]
    (row,) = compare_records("study", records, []).rows
    assert row.num_seeds == 3
    assert [(t.engine, t.train_seconds, t.engine_note) for t in row.times] == [
        ("fast", 70.0, None),
        ("fast, unrecorded", 200.0, why),
    ]


def test_the_precision_asked_for_may_differ_where_what_ran_is_the_same():
    records = [a_record(), a_record("x", seed=2, recipe=RecipeSpec(precision="fp32"))]
    (row,) = compare_records("s", records, []).rows
    assert row.num_seeds == 2


def test_without_a_revision_another_model_is_another_row():
    asked = a_record().variant.model_copy(update={"model": "somewhere/else"})
    records = [a_record(), a_record("x", seed=2, variant=asked)]
    assert len(compare_records("s", records, []).rows) == 2


def test_with_the_same_weights_it_does_not_matter_by_which_name_they_were_found():
    asked = a_record().variant.model_copy(update={"model": "somewhere/else"})
    model = a_record().model.model_copy(update={"revision": "abc"})
    records = [a_record(model=model), a_record("x", seed=2, variant=asked, model=model)]
    assert len(compare_records("s", records, []).rows) == 1


def test_the_engine_that_was_asked_for_stands_in_the_row():
    asked = a_record().variant.model_copy(update={"engine": "reference"})
    (row,) = compare_records("s", [a_record(variant=asked)], []).rows
    assert row.engine == "reference"


def test_other_weights_or_another_number_of_workers_is_another_row():
    model = a_record().model
    weights = [model.model_copy(update={"revision": name}) for name in ("abc", "def")]
    records = [a_record(f"t{i}", seed=i, model=one) for i, one in enumerate(weights)]
    assert len(compare_records("s", records, []).rows) == 2
    models = [model.model_copy(update={"model_id": name}) for name in ("here", "there")]
    records = [a_record(f"t{i}", seed=i, model=one) for i, one in enumerate(models)]
    assert len(compare_records("s", records, []).rows) == 2
    scalings = [ScalingSpec(num_workers=number) for number in (1, 2)]
    records = [a_record(f"t{i}", seed=i, scaling=one) for i, one in enumerate(scalings)]
    assert len(compare_records("s", records, []).rows) == 2


def test_seeds_that_diverged_are_counted_in_their_row():
    records = [a_record(), a_record("x", seed=2), a_record("y", seed=3, diverged="loss of nan")]
    table = compare_records("s", records, [])
    assert [(row.num_seeds, row.num_diverged) for row in table.rows] == [(2, 1)]
    assert [one.seed for one in table.diverged] == [3]


def test_trials_with_a_share_of_the_rows_are_in_rows_of_their_own():
    records = [a_share("a", 0.3), a_share("b", 0.1), a_record("c", accuracy=0.95)]
    table = compare_records("s", records, [])
    assert [(row.accuracy, row.train_share, row.num_train_examples) for row in table.rows] == [
        (0.95, 1.0, 100)
    ]
    assert [(row.train_share, row.num_train_examples) for row in table.smaller] == [
        (0.1, 10),
        (0.3, 30),
    ]

import numpy as np
import pytest

from agnews_ray.compare.assessment import Settings
from agnews_ray.compare.data_curve import data_curve
from agnews_ray.compare.prices import Prices, TrainPrice
from agnews_ray.compare.table import compare_records
from agnews_ray.record.outputs import Predictions
from agnews_ray.record.schema import Scores
from tests.fakes.curves import a_share
from tests.fakes.records import a_dataset

NUM_TEST_ROWS = 1000
LABELS = np.arange(NUM_TEST_ROWS) % 4
SHARES = (0.1, 0.2, 0.5, 1.0)


def law(share, exponent=0.5, error=0.1):
    return error * share**-exponent


def trial(name, seed, share, error, rng):
    """A record and its predictions, of which about such a share is wrong."""
    wrong = rng.random(NUM_TEST_ROWS) < error
    predicted = np.where(wrong, (LABELS + 1) % 4, LABELS)
    test = Scores(
        accuracy=float(1 - wrong.mean()),
        macro_f1=float(1 - wrong.mean()),
        num_examples=NUM_TEST_ROWS,
        per_class=(),
        confusion=(),
    )
    dataset = a_dataset().model_copy(update={"class_names": tuple("abcd")})
    record = a_share(f"{name}-{share:g}-s{seed}", share, name, seed, test=test, dataset=dataset)
    rows = np.arange(NUM_TEST_ROWS)
    logits = np.eye(4)[predicted]
    return record, Predictions(rows=rows, labels=LABELS, predicted=predicted, logits=logits)


def curve_of(errors, shares=SHARES, seeds=(1, 2, 3), settings=None, lost=()):
    """The curve of some variants; ``errors`` has a function of the share for each."""
    rng = np.random.default_rng(0)
    trials = [
        trial(name, seed, share, error(share), rng)
        for name, error in errors.items()
        for share in shares
        for seed in seeds
    ]
    records = [record for record, _ in trials]
    predictions = {record.trial_id: found for record, found in trials}
    settings = settings or Settings(num_draws=200)
    both = [*records, *lost]
    return data_curve(compare_records("s", both, [*errors]), both, predictions, [*errors], settings)


def test_a_variant_has_a_point_for_each_share_with_an_interval():
    (one,) = curve_of({"one": law}).curves
    assert [(point.share, point.num_rows, point.num_seeds) for point in one.points] == [
        (0.1, 10, 3),
        (0.2, 20, 3),
        (0.5, 50, 3),
        (1.0, 100, 3),
    ]
    for point in one.points:
        assert point.accuracy.low < 1 - law(point.share) < point.accuracy.high
        assert point.train_seconds == pytest.approx(60 * point.share)


def test_what_twice_the_rows_bring_is_foretold():
    (one,) = curve_of({"one": law}).curves
    gain = law(1.0) - law(2.0)
    assert one.forecast.num_rows == 200
    assert one.forecast.train_seconds == 120
    assert one.forecast.gain.low < gain < one.forecast.gain.high
    assert one.forecast.score.low < 1 - law(2.0) < one.forecast.score.high
    assert one.law.exponent.low < 0.5 < one.law.exponent.high
    assert (one.band[0].num_rows, one.band[-1].num_rows) == pytest.approx((10, 200))


def test_curves_that_cross_are_told_where():
    found = curve_of({"one": law, "two": lambda share: 0.2 * share**-0.15})
    (crossing,) = found.crossings
    assert (crossing.variant, crossing.baseline) == ("two", "one")
    assert (crossing.ahead_at_first, crossing.ahead_at_last) == ("two", "one")
    assert 10 < crossing.num_rows < 40  # 0.1 s^-0.5 = 0.2 s^-0.15 at a share of 0.14


def test_shares_that_only_guess_are_no_part_of_the_law():
    (one,) = curve_of({"one": lambda share: 0.75 if share == 0.1 else law(share)}).curves
    assert (one.law.num_points, one.law.first_rows) == (3, 20)
    assert one.law.floor.value == 0


def test_why_there_is_no_law_is_said():
    (guesses,) = curve_of({"one": lambda share: 0.1 if share == 1 else 0.75}).curves
    assert (guesses.law, guesses.forecast, guesses.band) == (None, None, ())
    assert guesses.why_no_law == (
        "1 share(s) better than guessing (4 measured) are too few: a power law needs 3"
    )
    (two,) = curve_of({"one": law}, shares=(0.5, 1.0)).curves
    assert two.why_no_law == "2 share(s) are too few: a power law needs 3"


def test_one_seed_has_a_law_where_points_are_more_than_parameters():
    (one,) = curve_of({"one": law}, seeds=(1,)).curves
    assert one.law is not None
    (few,) = curve_of({"one": law}, seeds=(1,), shares=(0.1, 0.5, 1.0)).curves
    assert few.law is not None  # three points, two parameters


def test_the_judged_metric_makes_the_law():
    settings = Settings(num_draws=50, metric="macro-f1")
    found = curve_of({"one": law}, settings=settings)
    assert found.metric == "macro-f1"
    last = found.curves[0].points[-1]
    assert found.curves[0].law.error == pytest.approx(1 - last.macro_f1.value, abs=0.02)


def test_money_needs_a_price():
    settings = Settings(num_draws=50, prices=Prices(training=(TrainPrice(per_hour=6.0),)))
    (one,) = curve_of({"one": law}, settings=settings).curves
    assert one.points[-1].money == pytest.approx(0.1)
    assert one.forecast.money == pytest.approx(0.2)
    assert curve_of({"one": law}).curves[0].points[-1].money is None


def test_a_study_without_shares_has_no_curve():
    assert curve_of({"one": law}, shares=(1.0,)) is None


def test_trials_that_diverged_are_named_and_left_out():
    dataset = a_dataset().model_copy(update={"class_names": tuple("abcd")})
    lost = a_share(
        "x", 0.2, seed=9, dataset=dataset, diverged="loss", test=Scores.none_of(NUM_TEST_ROWS)
    )
    found = curve_of({"one": law}, lost=[lost])
    assert found.diverged == ("one with 20% of the rows, seed 9",)
    assert found.curves[0].points[1].num_seeds == 3


def test_the_same_records_give_the_same_curve():
    assert curve_of({"one": law}) == curve_of({"one": law})

"""What a training costs, by the machines that trained it."""

import pytest

from agnews_ray.compare.prices import Prices, TrainPrice, price_trainings
from agnews_ray.compare.searches import SearchCost
from agnews_ray.compare.table import compare_records
from agnews_ray.compare.teaching_cost import TeachingCost
from tests.fakes.records import a_record

T4, A100 = "Tesla T4", "NVIDIA A100-SXM4-40GB"


def a_cost_of_search(machine_seconds):
    return SearchCost(
        num_settings=4,
        num_trials=4,
        train_seconds=3600.0,
        stopped_seconds=0.0,
        machine_seconds=machine_seconds,
    )


def trained(hours=0.5, num_workers=1, num_machines=None, gpu=None):
    """A row of the table: half an hour of training."""
    record = a_record()
    record = record.model_copy(
        update={
            "training": record.training.model_copy(
                update={"train_seconds": 3600 * hours, "num_machines": num_machines}
            ),
            "scaling": record.scaling.model_copy(update={"num_workers": num_workers}),
            "device": "cuda" if gpu else "cpu",
            "environment": record.environment.model_copy(update={"gpu": gpu}),
        }
    )
    (row,) = compare_records("s", [record], []).rows
    return row


@pytest.mark.parametrize(
    ("row", "prices", "money"),
    [
        (trained(), Prices(use_per_hour=0.8), 0.40),  # measured where it was trained
        (trained(gpu=T4), Prices(use_per_hour=0.8), None),  # measured on another machine
        (trained(gpu=T4), Prices(training=[TrainPrice(per_hour=2.0)]), 1.00),
        (trained(gpu=T4), Prices(use_per_hour=9, training=[TrainPrice(per_hour=2.0)]), 1.00),
        (trained(gpu=A100), Prices(training=[TrainPrice(per_hour=4.0, machine="a100")]), 2.00),
        (trained(gpu=T4), Prices(training=[TrainPrice(per_hour=4.0, machine="a100")]), None),
        # Four workers of one machine pay it once, of four machines each.
        (trained(0.5, 4, 1, T4), Prices(training=[TrainPrice(per_hour=2.0)]), 1.00),
        (trained(0.5, 4, 4, T4), Prices(training=[TrainPrice(per_hour=2.0)]), 4.00),
        (trained(0.5, 4, None, T4), Prices(training=[TrainPrice(per_hour=2.0)]), None),
        (trained(), Prices(), None),
    ],
)
def test_a_training_pays_the_machines_that_trained_it(row, prices, money):
    (found,) = price_trainings([row], prices, {"CPU"})
    assert found.money == (None if money is None else pytest.approx(money))
    assert bool(found.why_not) == (money is None and prices != Prices())


def test_a_price_without_a_name_is_not_spread_over_unlike_machines():
    prices = Prices(training=[TrainPrice(per_hour=2.0), TrainPrice(per_hour=4.0, machine="A100")])
    of_t4, of_a100 = price_trainings([trained(gpu=T4), trained(gpu=A100)], prices, ())
    assert of_a100.money == pytest.approx(2.0)
    assert of_t4.money is None
    assert '--train-price-per-hour "Tesla T4=PRICE"' in of_t4.why_not


def test_workers_on_an_unknown_number_of_machines_have_no_price_and_a_reason():
    prices = Prices(training=[TrainPrice(per_hour=2.0)])
    (found,) = price_trainings([trained(0.5, 4, None, T4)], prices, ())
    assert found.why_not == "its records do not say on how many machines its 4 workers ran"


def test_the_winner_of_a_search_pays_for_the_search_too():
    row = trained(gpu=T4).model_copy(update={"search": a_cost_of_search({T4: 7200.0})})
    (found,) = price_trainings([row], Prices(training=[TrainPrice(per_hour=2.0)]), ())
    assert found.money == pytest.approx(1.0 + 4.0)


def test_a_search_on_another_machine_pays_for_that_one():
    row = trained(gpu=T4).model_copy(update={"search": a_cost_of_search({A100: 3600.0})})
    known = [TrainPrice(per_hour=2.0, machine="T4"), TrainPrice(per_hour=4.0, machine="A100")]
    (both,) = price_trainings([row], Prices(training=known), ())
    assert both.money == pytest.approx(1.0 + 4.0)
    (without,) = price_trainings([row], Prices(training=known[:1]), ())
    assert without.money is None
    assert f'"{A100}=PRICE"' in without.why_not


def test_a_search_on_an_unknown_number_of_machines_has_no_price():
    row = trained(gpu=T4).model_copy(update={"search": a_cost_of_search({T4: None})})
    (found,) = price_trainings([row], Prices(training=[TrainPrice(per_hour=2.0)]), ())
    assert found.money is None
    assert "do not say on how many machines" in found.why_not


def a_cost_of_teaching(**changes):
    facts = {
        "pretraining_seconds": 3600.0,
        "teacher_seconds": 0.0,
        "labelling_seconds": 0.0,
        "elsewhere": (),
        "missing": (),
        "machine_seconds": {T4: 3600.0},
    }
    return TeachingCost(**facts | changes)


def test_a_taught_student_pays_for_what_taught_it():
    row = trained(gpu=T4).model_copy(update={"teaching": a_cost_of_teaching()})
    (found,) = price_trainings([row], Prices(training=[TrainPrice(per_hour=2.0)]), ())
    assert found.money == pytest.approx(1.0 + 2.0)


def test_a_student_of_a_trial_without_a_record_has_no_price():
    row = trained(gpu=T4).model_copy(update={"teaching": a_cost_of_teaching(missing=("pre",))})
    (found,) = price_trainings([row], Prices(training=[TrainPrice(per_hour=2.0)]), ())
    assert (found.money, found.why_not) == (
        None,
        "trials that taught it have no record any more: pre",
    )

import pytest

from agnews_ray.compare.cost_front import (
    cost_axes,
    cost_facts,
    pareto_front,
    price_of_predictions,
)
from agnews_ray.compare.prices import Prices, TrainPrice, price_trainings
from agnews_ray.compare.table import compare_records
from agnews_ray.record.cost import CostRecord
from tests.fakes.records import a_record

PRICED = Prices(use_per_hour=1.0)


def a_cost(**changes):
    cost = CostRecord(
        measured_at="2026-01-01T00:00:00+00:00",
        command="agnews-ray measure",
        machine="CPU",
        device="cpu",
        num_threads=1,
        precision="fp32",
        num_rows=64,
        latency_p50_ms=10.0,
        latency_p95_ms=20.0,
        latency_p99_ms=30.0,
        rows_per_second=100.0,
        load_seconds=1.0,
        peak_memory_bytes=1 << 29,
        flops_per_row=1e9,
        versions={},
    )
    return cost.model_copy(update=changes)


@pytest.mark.parametrize(
    ("points", "front"),
    [
        ([(1, 0.9), (2, 0.95), (3, 0.94)], (True, True, False)),
        ([(1, 0.9), (1, 0.9)], (True, True)),
        ([(1, 0.9), (1, 0.8)], (True, False)),
        ([(1, 0.9), (2, 0.9)], (True, False)),
    ],
)
def test_the_front_is_what_nothing_dominates(points, front):
    costs, gains = zip(*points, strict=True)
    assert pareto_front(costs, gains) == front


def test_money_is_price_times_time():
    assert price_of_predictions(1000.0, 3.6) == pytest.approx(1.0)  # 1,000 s at 0.001 a second
    assert price_of_predictions(1000.0, None) is None


def test_a_cost_known_of_all_variants_is_an_axis():
    rows = compare_records("s", [a_record(), a_record(trial_id="x", name="two")], []).rows
    both = [(row, [a_cost()]) for row in rows]
    axes = cost_axes(rows, cost_facts(both, PRICED), PRICED)
    where = "CPU, 1 thread, fp32"
    assert [(axis.name, axis.unit) for axis in axes] == [
        ("Parameters", "M"),
        ("Model size", "MB"),
        ("Train time", "min"),
        ("Price per training", "money"),  # both were trained on the machine that was measured
        (f"Latency p50, {where}", "ms"),
        (f"Time per 1,000 rows, {where}", "s"),
        ("Computation", "GFLOP per row"),
        (f"Price per million rows, {where}", "money"),
    ]
    one = cost_facts(both[:1], Prices())
    assert [axis.name for axis in cost_axes(rows, one, Prices())] == [
        "Parameters",
        "Model size",
        "Train time",
    ]


def test_train_times_of_different_devices_are_no_axis():
    records = [a_record(), a_record(trial_id="x", name="two", precision="bf16")]
    names = [axis.name for axis in cost_axes(compare_records("s", records, []).rows, (), Prices())]
    assert names == ["Parameters", "Model size"]


def test_what_was_timed_in_turns_stands_together():
    rows = compare_records("s", [a_record(), a_record(trial_id="x", name="two")], []).rows
    threads = [a_cost(num_threads=n) for n in (1, 2)]
    facts = cost_facts([(row, threads) for row in rows], Prices())
    assert [(fact.variant, fact.setting[:6]) for fact in facts] == [
        ("one", "CPU, 1"),
        ("two", "CPU, 1"),
        ("one", "CPU, 2"),
        ("two", "CPU, 2"),
    ]


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


T4, A100 = "Tesla T4", "NVIDIA A100-SXM4-40GB"


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

import pytest

from agnews_ray.compare.cost_front import (
    cost_axes,
    cost_facts,
    pareto_front,
    price_of_predictions,
)
from agnews_ray.compare.prices import Prices
from agnews_ray.compare.table import compare_records
from agnews_ray.record.cost import CostRecord
from tests.fakes.records import a_linear_record, a_pretraining, a_record, a_student
from tests.fakes.searched import a_trial

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


def test_a_searched_study_has_its_train_times_with_and_without_the_search():
    trial = a_trial(0, {"recipe.learning_rate": 1e-4}, 0.9, variant="one")
    records = [a_record(), a_record(trial_id="x", name="one (tuned)"), trial]
    rows = compare_records("s", records, ["one"]).rows
    axes = {axis.name: axis.costs for axis in cost_axes(rows, (), Prices())}
    assert axes["Train time"] == (1.0, 1.0)
    assert axes["Train time, search included"] == (1.0, 2.0)


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


def test_a_linear_models_precision_hides_no_train_time():
    records = [a_record(precision="bf16"), a_linear_record(name="svm")]
    rows = compare_records("s", records, ["one", "svm"]).rows
    (axis,) = [axis for axis in cost_axes(rows, [], Prices()) if axis.name == "Train time"]
    assert axis.costs == (1.0, 0.5 / 60)


def test_a_taught_study_has_its_train_times_with_and_without_teaching():
    student = a_student("s-s1", starts_from="pre")
    rows = compare_records("s", [a_record(), student, a_pretraining("pre")], ["one"]).rows
    axes = {axis.name: axis.costs for axis in cost_axes(rows, (), Prices())}
    assert axes["Train time"] == (1.0, 1.0)
    assert axes["Train time, teaching included"] == (1.0, 2.0)


def test_teaching_of_unknown_length_is_no_axis():
    rows = compare_records("s", [a_record(), a_student("s-s1", starts_from="gone")], ["one"]).rows
    names = [axis.name for axis in cost_axes(rows, (), Prices())]
    assert "Train time, teaching included" not in names

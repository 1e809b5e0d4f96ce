"""The table of a bench: what was run, how much faster, and what disturbed it."""

import json
import re

import pytest

from agnews_ray.bench import speed_table
from agnews_ray.bench.ratios import Bench, FailedRow, mean_others_cores, speed_rows
from tests.fakes.records import a_record
from tests.unit.bench.test_ratios import OURS, a_run, some_rows

VERSIONS = {"torch": "2.13.0", "transformers": "5.23.0"}


def a_bench(**changes):
    """The result of a bench of two contenders in three rounds on a CPU; changes are other facts."""
    facts = {
        "rows": some_rows(),
        "environment": a_record().environment.model_copy(update={"versions": VERSIONS}),
        "device": "cpu",
        "num_threads": 2,
        "num_train_rows": 1600,
    }
    return Bench(**facts | changes)


def test_the_table_says_what_was_run_and_how_much_faster():
    bench = a_bench()
    plain = speed_table.to_plain(bench)
    assert "CPU, 2 thread(s); torch 2.13.0, transformers 5.23.0; 1,600 train rows" in plain
    assert "4.00 (2.00-6.00) x" in plain
    assert "| minilm  | reference, fp32 |" in speed_table.to_markdown(bench)
    assert json.loads(speed_table.to_json(bench))["rows"][1]["ratio"] == 4.0


def test_a_contender_that_failed_has_a_row_and_a_cause():
    failed = FailedRow(
        model="minilm", engine="reference-compiled", precision="fp16", cause="no C compiler"
    )
    for rows in (some_rows(), ()):
        bench = a_bench(rows=rows, failed=(failed,))
        plain = speed_table.to_plain(bench)
        assert re.search(r"minilm +reference-compiled, fp16 +failed +- ", plain)
        assert "minilm, reference-compiled, fp16 failed: no C compiler" in plain
    assert json.loads(speed_table.to_json(bench))["failed"][0]["cause"] == "no C compiler"


@pytest.mark.parametrize(
    ("others", "said"),
    [
        ((0.02, 0.0, 0.05), None),
        ((None, None, None), None),
        ((0.0, 2.4, 0.3), "other programs used 0.9 of 2 cores while these were measured"),
        ((None, 0.5, None), "other programs used 0.5 of 2 cores while these were measured"),
    ],
)
def test_a_machine_that_was_busy_meanwhile_is_told(others, said):
    runs = {OURS: [a_run(100.0, cores) for cores in others]}
    rows = speed_rows("minilm", runs, flops_per_sample=3e9, first=OURS)
    bench = a_bench(rows=rows, others_cores=mean_others_cores(rows))
    for text in (speed_table.to_plain(bench), speed_table.to_markdown(bench)):
        assert (f"note: {said}; run it again on a quiet machine" in text) == bool(said)
        assert ("note: " in text) == bool(said)
    found = json.loads(speed_table.to_json(bench))
    assert found["others_cores"] == found["rows"][0]["others_cores"] == rows[0].others_cores


def row_of(plain, engine):
    (line,) = (line for line in plain.splitlines() if f" {engine}, " in line)
    return re.split(r" {2,}", line.strip())


def test_our_own_row_has_no_ratio():
    ours, theirs = (row_of(speed_table.to_plain(a_bench()), one) for one in ("fast", "reference"))
    assert (ours[2], ours[3]) == ("120.0 (100.0-200.0)", "-")
    assert (theirs[2], theirs[3]) == ("25.0 (20.0-100.0)", "4.00 (2.00-6.00) x")
    assert ours[4:] == ["1.0 %", "1024", "36 %", "0.500"]


def test_without_our_engine_no_ratio_is_made_up():
    rows = [one for one in some_rows() if one.engine != "fast"]
    unknown = {"ratio": None, "lowest_ratio": None, "highest_ratio": None}
    bench = a_bench(rows=[one.model_copy(update=unknown) for one in rows])
    assert row_of(speed_table.to_plain(bench), "reference")[3] == "-"


def test_a_loss_that_is_no_number_is_said():
    ours, theirs = some_rows()
    bench = a_bench(rows=(ours, theirs.model_copy(update={"final_loss": None})))
    assert row_of(speed_table.to_plain(bench), "reference")[-1] == "not a number"


@pytest.mark.parametrize(("gpu", "machine"), [("Tesla T4", "Tesla T4; "), (None, "GPU; ")])
def test_a_gpu_is_named_instead_of_the_threads(gpu, machine):
    environment = a_bench().environment.model_copy(update={"gpu": gpu})
    caption = speed_table.to_plain(a_bench(environment=environment, device="cuda")).splitlines()[0]
    assert caption.startswith(machine)
    assert "3 round(s)" in caption

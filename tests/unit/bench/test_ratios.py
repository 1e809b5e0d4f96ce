import json
import re

import pytest

from agnews_ray.bench import speed_table
from agnews_ray.bench.ratios import (
    Bench,
    Contender,
    FailedRow,
    TimedRun,
    mean_others_cores,
    speed_rows,
)
from tests.fakes.records import a_record

OURS = Contender(engine="fast", precision="bf16")
THEIRS = Contender(engine="reference", precision="fp32")


def a_run(samples_per_second, others_cores=None):
    return TimedRun(
        samples_per_second=samples_per_second,
        padding_share=0.01,
        peak_memory_bytes=1 << 30,
        product_flops_per_second=1e12,
        final_loss=0.5,
        others_cores=others_cores,
    )


def some_rows():
    runs = {
        OURS: [a_run(speed) for speed in (100.0, 200.0, 120.0)],
        THEIRS: [a_run(speed) for speed in (25.0, 100.0, 20.0)],
    }
    return speed_rows("minilm", runs, flops_per_sample=3e9, first=next(iter(runs)))


def test_ratios_are_paired_round_by_round():
    ours, theirs = some_rows()
    assert (ours.ratio, theirs.ratio) == (1.0, 4.0)  # not 120 / 25
    assert (theirs.lowest_ratio, theirs.highest_ratio) == (2.0, 6.0)
    assert (theirs.samples_per_second, theirs.num_rounds) == (25.0, 3)


def test_the_share_of_the_roofline_is_work_over_what_the_machine_can():
    assert some_rows()[0].roofline_share == pytest.approx(120 * 3e9 / 1e12)


def test_the_table_says_what_was_run_and_how_much_faster():
    environment = a_record().environment.model_copy(
        update={"versions": {"torch": "2.13.0", "transformers": "5.23.0"}}
    )
    bench = Bench(
        rows=some_rows(), environment=environment, device="cpu", num_threads=2, num_train_rows=1600
    )
    plain = speed_table.to_plain(bench)
    assert "CPU, 2 thread(s); torch 2.13.0, transformers 5.23.0; 1,600 train rows" in plain
    assert "4.00 (2.00-6.00) x" in plain
    assert "| minilm  | reference, fp32 |" in speed_table.to_markdown(bench)
    assert json.loads(speed_table.to_json(bench))["rows"][1]["ratio"] == 4.0


def test_a_contender_that_failed_has_a_row_and_a_cause():
    failed = FailedRow(
        model="minilm", engine="reference-compiled", precision="fp16", cause="no C compiler"
    )
    environment = a_record().environment.model_copy(
        update={"versions": {"torch": "2.13.0", "transformers": "5.23.0"}}
    )
    for rows in (some_rows(), ()):
        bench = Bench(
            rows=rows,
            failed=(failed,),
            environment=environment,
            device="cpu",
            num_threads=2,
            num_train_rows=1600,
        )
        plain = speed_table.to_plain(bench)
        assert re.search(r"minilm +reference-compiled, fp16 +failed +- ", plain)
        assert "minilm, reference-compiled, fp16 failed: no C compiler" in plain
    assert json.loads(speed_table.to_json(bench))["failed"][0]["cause"] == "no C compiler"


def test_without_the_first_contender_there_are_speeds_and_no_ratios():
    ours = Contender(engine="fast", precision="fp32")
    theirs = Contender(engine="reference", precision="fp32")
    (row,) = speed_rows("minilm", {theirs: [a_run(2.0)]}, flops_per_sample=3e9, first=ours)
    assert (row.samples_per_second, row.ratio) == (2.0, None)


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
    versions = {"torch": "2.13.0", "transformers": "5.23.0"}
    environment = a_record().environment.model_copy(update={"versions": versions, "num_cpus": 2})
    bench = Bench(
        rows=rows,
        environment=environment,
        device="cpu",
        num_threads=2,
        num_train_rows=1600,
        others_cores=mean_others_cores(rows),
    )
    for text in (speed_table.to_plain(bench), speed_table.to_markdown(bench)):
        assert (f"note: {said}; run it again on a quiet machine" in text) == bool(said)
        assert ("note: " in text) == bool(said)
    found = json.loads(speed_table.to_json(bench))
    assert found["others_cores"] == found["rows"][0]["others_cores"] == rows[0].others_cores


def test_runs_from_before_others_were_counted_can_still_be_read():
    known = a_run(2.0).model_dump(exclude={"others_cores"})
    assert TimedRun.model_validate(known).others_cores is None

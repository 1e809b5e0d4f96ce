import pytest

from agnews_ray.bench.ratios import Contender, TimedRun, speed_rows

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


def test_without_the_first_contender_there_are_speeds_and_no_ratios():
    ours = Contender(engine="fast", precision="fp32")
    theirs = Contender(engine="reference", precision="fp32")
    (row,) = speed_rows("minilm", {theirs: [a_run(2.0)]}, flops_per_sample=3e9, first=ours)
    assert (row.samples_per_second, row.ratio) == (2.0, None)


def test_runs_from_before_others_were_counted_can_still_be_read():
    known = a_run(2.0).model_dump(exclude={"others_cores"})
    assert TimedRun.model_validate(known).others_cores is None

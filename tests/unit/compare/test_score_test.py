import numpy as np
import pytest
from scipy import stats

from agnews_ray.compare.score_test import PairedRows, ResampledRows
from tests.fakes.simulated import (
    differences,
    one_sided_equivalences,
    said_to_be_equivalent,
    single_seed,
)

MARGIN = 0.005


def test_one_seeds_interval_is_tangos():
    # Fagerland, Lydersen and Laake 2014, BMC Medical Research Methodology 14, table 4:
    # 7 and 1 discordant of 21.
    low, high = single_seed(21, 7, 1).interval()
    assert (low, high) == pytest.approx((0.026, 0.517), abs=5e-4)


def test_without_a_difference_the_variance_is_mcnemars():
    assert differences(400, 9, 4).at(0.0) == pytest.approx((9 + 4) / 400**2)


def test_a_mean_that_no_row_seen_can_give_takes_rows_from_the_end():
    # No discordant row: under a difference of d the likeliest rows are a binomial's.
    assert differences(330, 0, 0).at(MARGIN) == pytest.approx(MARGIN * (1 - MARGIN) / 330)


def test_seeds_that_agree_are_as_one_and_seeds_that_differ_vary_less():
    rng = np.random.default_rng(0)
    first, second = rng.random((1, 500)) < 0.9, rng.random((1, 500)) < 0.88
    alone = PairedRows.of(first, second, 0.0)
    same = PairedRows.of(np.repeat(first, 3, 0), np.repeat(second, 3, 0), 0.0)
    apart = PairedRows.of(rng.random((3, 500)) < 0.9, rng.random((3, 500)) < 0.88, 0.0)
    assert same.at(0.01) == pytest.approx(alone.at(0.01))
    assert apart.at(0.01) < alone.at(0.01)


def test_a_score_of_steps_varies_at_least_as_a_count_of_them():
    rows = ResampledRows(variance=1e-9, largest_step=1 / 400)
    assert (rows.at(0.0), rows.at(-0.01)) == (1e-9, 0.01 / 400)


@pytest.mark.parametrize("num_rows", [330, 400, 1000, 7600])
def test_equivalence_at_the_margin_is_said_in_at_most_five_of_a_hundred(num_rows):
    """One seed, all samples enumerated; without discordance both ways, where it was worst."""
    for share_both_ways in (0.0, 0.002, 0.01):
        rate = said_to_be_equivalent(num_rows, MARGIN, share_both_ways)
        assert rate <= 0.0502  # Tango's test is asymptotic: 0.0501 at the worst over a finer grid


def test_the_enumeration_is_that_of_a_known_case():
    # All of 100 rows alike, none discordant both ways: fewer than 2 of 100 at 1 %.
    rate = one_sided_equivalences(100, 0.01, 0.0, lambda first, second: first < 2)
    assert rate == pytest.approx(stats.binom.cdf(1, 100, 0.01))

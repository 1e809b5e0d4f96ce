import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import DescrStatsW

from agnews_ray.compare.bootstrap import Estimate, estimate
from agnews_ray.compare.inference import (
    correct_together,
    equivalence_p_value,
    exact_mcnemar,
    seeds_to_tell,
    twice_the_median,
    wilson_interval,
)
from agnews_ray.compare.score_test import ResampledRows


def test_wilsons_interval_of_the_papers_accuracy_is_half_a_point_wide():
    num_right = round(0.9467 * 7600)
    interval = stats.binomtest(num_right, 7600).proportion_ci(method="wilson")
    assert wilson_interval(num_right, 7600, 0.05) == pytest.approx((interval.low, interval.high))
    assert interval.high - interval.low == pytest.approx(0.0101, abs=1e-4)


@pytest.mark.parametrize(("only_first", "only_second"), [(12, 5), (60, 40), (0, 0), (0, 7)])
def test_mcnemar_is_the_binomial_test_on_discordant_rows(only_first, only_second):
    first = np.array([True] * (only_first + 50) + [False] * (only_second + 9))
    second = np.array([False] * only_first + [True] * (50 + only_second) + [False] * 9)
    found = exact_mcnemar(first, second)
    assert (found.num_only_first, found.num_only_second) == (only_first, only_second)
    num_discordant = only_first + only_second
    expected = stats.binomtest(only_first, num_discordant).pvalue if num_discordant else 1.0
    assert found.p_value == pytest.approx(expected)


def test_the_papers_gap_of_20_rows_decides_nothing_whatever_the_discordant_rows():
    for num_discordant in (200, 300):
        half = (num_discordant - 20) // 2
        first = np.arange(num_discordant) < half + 20
        assert exact_mcnemar(first, ~first).p_value > 0.15


def test_of_a_pairs_two_statements_only_one_can_be_wrong():
    one = correct_together([0.03], [0.9], alpha=0.05)
    assert (one.difference, one.equivalence, one.divisor) == ((0.03,), (0.9,), 1)


def test_all_pairs_share_one_alpha_and_a_settled_pair_gives_its_share_back():
    # Sorted: equivalence of the first, difference of the first, then two of the second pair.
    found = correct_together([0.004, 0.03], [0.001, 0.9], alpha=0.05)
    assert found.equivalence[0] == pytest.approx(2 * 0.001)
    assert found.difference == pytest.approx((2 * 0.004, 1 * 0.03))  # nothing is open of the first
    assert found.divisor == 1
    assert correct_together([0.03, 0.04], [0.9, 0.8], alpha=0.05).divisor == 2
    assert correct_together([], [], alpha=0.05).difference == ()


def test_dependent_p_values_are_combined_by_twice_the_median():
    assert twice_the_median([0.3]) == 0.3
    assert twice_the_median([0.01, 0.02, 0.9]) == pytest.approx(0.04)
    assert twice_the_median([0.8, 0.9, 0.7]) == 1.0


def test_equivalence_is_two_one_sided_t_tests():
    seeds = np.array([0.001, -0.002, 0.003, 0.0015])
    found = estimate(seeds, np.tile(seeds, (100, 1)), 10**9)  # rows change nothing
    expected = DescrStatsW(seeds).ttost_mean(-0.005, 0.005)[0]
    assert equivalence_p_value(found, 0.005) == pytest.approx(expected)


def a_difference(value, seed_variance, common_variance=0.0):
    return Estimate(
        value=value,
        num_seeds=3,
        rows=ResampledRows(variance=common_variance),
        own_variance=0.0,
        seed_variance=seed_variance,
    )


def test_the_number_of_seeds_is_that_of_statsmodels_where_only_seeds_vary():
    difference = a_difference(0.01, 0.01**2)
    wanted = TTestPower().solve_power(effect_size=1.0, alpha=0.05, power=0.8)
    assert seeds_to_tell(difference, margin=0.0001, alpha=0.05) == int(np.ceil(wanted))


def test_equal_models_need_as_many_seeds_as_show_their_equivalence():
    few = seeds_to_tell(a_difference(0.0, 0.004**2), margin=0.005, alpha=0.05)
    many = seeds_to_tell(a_difference(0.0, 0.008**2), margin=0.005, alpha=0.05)
    assert 3 < few < many


def test_no_number_of_seeds_tells_where_the_rows_are_too_few():
    difference = a_difference(0.004, 0.001**2, 0.01**2)
    assert seeds_to_tell(difference, margin=0.0045, alpha=0.05) is None

import numpy as np
import pytest

from agnews_ray.compare.power_law import fit_power_laws, num_parameters

ROWS = np.array([40.0, 120.0, 400.0, 1200.0, 4000.0])


def law(scale, exponent, floor, num_rows=ROWS):
    return scale * (num_rows / 4000) ** -exponent + floor


def fit(errors, num_rows=ROWS, **options):
    errors = np.atleast_2d(errors)
    return fit_power_laws(num_rows, errors, 1 / errors.mean(axis=0) ** 2, **options)


@pytest.mark.parametrize(("exponent", "floor"), [(0.3, 0.03), (0.15, 0.0), (0.8, 0.1)])
def test_the_law_of_exact_points_is_found(exponent, floor):
    found = fit(law(0.06, exponent, floor))
    assert found.exponent[0] == pytest.approx(exponent, rel=0.03)
    assert found.floor[0] == pytest.approx(floor, abs=0.003)
    assert found.at(np.array([8000.0]))[0] == pytest.approx(
        law(0.06, exponent, floor, np.array([8000.0])), rel=0.01
    )


def test_each_line_has_its_own_law():
    found = fit(np.stack([law(0.06, 0.3, 0.03), law(0.1, 0.2, 0.0)]))
    assert found.exponent == pytest.approx([0.3, 0.2], rel=0.03)
    assert found.at(ROWS).shape == (2, 5)


def test_few_points_have_no_floor():
    found = fit(law(0.06, 0.3, 0.03, ROWS[2:]), ROWS[2:])
    assert found.floor[0] == 0
    assert [num_parameters(count) for count in (3, 4)] == [2, 3]


def test_errors_that_rise_with_rows_have_a_flat_law():
    found = fit(np.array([0.1, 0.11, 0.12, 0.13, 0.14]))
    ends = found.at(np.array([4000.0, 8000.0]))[0]
    assert ends[0] == ends[1] == pytest.approx(0.12, abs=0.01)


def test_a_floor_is_never_negative_unless_it_is_asked_for():
    falling = 0.5 - 0.1 * np.log10(ROWS)  # faster than any power law with a floor
    assert fit(falling).floor[0] == 0
    assert fit(falling, is_bounded=False).floor[0] < 0

import pytest

from agnews_ray.errors import SpecError
from agnews_ray.spec.loader import build_study


def budget(**parts):
    return build_study({"budget": parts}, "job").budget


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("1.5 h", 5400), ("20min", 1200), ("1D", 86400)],
)
def test_time_is_read_in_seconds(text, seconds):
    assert budget(limit=text).seconds == seconds


@pytest.mark.parametrize("text", ["5usd", "5$", "$5", "5 EUR"])
def test_money_is_time_of_a_machine_by_its_price(text):
    found = budget(limit=text, price_per_hour=2.5)
    assert (found.money, found.seconds, found.machine_seconds) == (5, None, 7200)


@pytest.mark.parametrize("text", ["30", "soon", "0m", "-5m", "5 apples", ""])
def test_what_is_neither_time_nor_money_is_refused(text):
    with pytest.raises(SpecError, match=r"budget.limit: want time \(90s, 30m, 2h\) or money"):
        budget(limit=text)


def test_money_without_a_price_says_what_to_add():
    with pytest.raises(SpecError) as refused:
        budget(limit="5usd")
    assert str(refused.value) == (
        "job: budget: limit: want the price of an hour beside 5usd, found none; "
        "add --price-per-hour PRICE"
    )


def test_what_fits_needs_a_limit():
    with pytest.raises(SpecError, match="add --budget 30m"):
        budget(runs_what_fits=True)


def test_a_price_alone_is_no_limit():
    found = budget(price_per_hour=0.5)
    assert (found.seconds, found.money, found.machine_seconds) == (None, None, None)


def test_a_study_has_no_budget_by_default():
    assert build_study({}, "job").budget is None

"""The flags of money: how their words become prices."""

import click
import pytest
from click.testing import CliRunner

from agnews_ray.cli.price_flags import price_options, prices_of
from agnews_ray.compare.prices import Prices, TrainPrice


def given(*words):
    """What a command with these flags is called with, and how it ended."""
    found = {}

    @click.command()
    @price_options
    def command(**flags):
        found.update(flags)

    return found, CliRunner().invoke(command, words)


def prices(*words):
    found, done = given(*words)
    assert done.exit_code == 0, done.output
    return prices_of(found["price_per_hour"], found["train_prices"])


def of_training(*words):
    flags = [part for word in words for part in ("--train-price-per-hour", word)]
    return [(one.machine, one.per_hour) for one in prices(*flags).training]


def test_without_flags_no_price_is_known():
    assert prices() == Prices()


def test_the_price_of_use_is_not_one_of_training():
    assert prices("--price-per-hour", "0.35") == Prices(use_per_hour=0.35)
    assert prices("--train-price-per-hour", "2") == Prices(training=(TrainPrice(per_hour=2.0),))


@pytest.mark.parametrize(
    ("word", "price"),
    [
        ("0.35", (None, 0.35)),
        ("T4=0.35", ("T4", 0.35)),
        (" Tesla T4 = 2", ("Tesla T4", 2.0)),
        ("EPYC (SEV=on)=1", ("EPYC (SEV=on)", 1.0)),
        ("=0.5", (None, 0.5)),
    ],
)
def test_a_price_may_have_its_machines_name(word, price):
    assert of_training(word) == [price]


def test_prices_keep_their_order_as_the_first_that_fits_counts():
    assert of_training("A100-80GB=4", "A100=3", "1") == [("A100-80GB", 4), ("A100", 3), (None, 1)]


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("T4", "'T4': want a price, or MACHINE=PRICE"),
        ("T4=", "'T4=': want a price, or MACHINE=PRICE"),
        ("T4=0", "'T4=0': want a price above 0"),
        ("-1", "'-1': want a price above 0"),
        ("nan", "'nan': want a price above 0"),
        ("inf", "'inf': want a price above 0"),
    ],
)
def test_what_is_no_price_is_refused(word, told):
    found, done = given(f"--train-price-per-hour={word}")
    assert (found, done.exit_code) == ({}, 2)
    assert told in done.stderr


def test_use_is_not_free():
    assert given("--price-per-hour", "0")[1].exit_code == 2

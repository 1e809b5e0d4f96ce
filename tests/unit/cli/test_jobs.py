"""The address of a command: --address, RAY_ADDRESS, and options that exclude them."""

import pytest

from tests.fakes.command import error

CLUSTER = "http://127.0.0.1:9"
"""An address where nobody answers."""

SUBMIT = ("submit", "--dataset", "synthetic:", "--init", "random")

VERBS = [
    SUBMIT,
    ("jobs",),
    ("status",),
    ("logs",),
    ("stop", "a-b"),
    ("fetch",),
    ("doctor",),
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize("address", ["auto", "ray://10.0.0.1:10001", "10.0.0.1:6379", "x y"])
def test_what_is_no_dashboards_address_is_one_line_that_names_the_variable(verb, address):
    assert error(*verb, RAY_ADDRESS=address) == (
        "error: RAY_ADDRESS: want a dashboard's address, such as http://127.0.0.1:8265, "
        f"found {address!r}; give that, or --address local for this machine"
    )


def test_or_the_flag():
    assert error("jobs", "--address", "auto").startswith("error: --address: want a dashboard's")


@pytest.mark.parametrize("verb", VERBS[1:-1], ids=lambda verb: verb[0])
@pytest.mark.parametrize("variables", [{"RAY_ADDRESS": "local"}, {"RAY_ADDRESS": ""}, {}])
def test_without_an_address_verbs_about_clusters_ask_for_one(verb, variables):
    variables |= {"RAY_API_SERVER_ADDRESS": CLUSTER}  # which is Ray's own, and not looked at
    assert error(*verb, **variables).startswith("error: --address: want the address")


@pytest.mark.parametrize(
    "variables",
    [
        {"RAY_AUTH_MODE": "nonsense"},
        {"RAY_AUTH_TOKEN": "a\nb"},
        {"RAY_AUTH_TOKEN_PATH": "/nowhere"},
        {"RAY_API_SERVER_ADDRESS": "nonsense"},
        {"RAY_JOB_HEADERS": "nonsense"},
        {"HTTP_PROXY": "nonsense"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_other_variables_change_nothing_about_where_it_goes(variables):
    assert "127.0.0.1:9" in error("jobs", "--address", CLUSTER, **variables)

"""``agnews-ray verify``: what it prints, and its exit codes."""

import json

import pytest
from click.testing import CliRunner

from agnews_ray.cli.main import main
from tests.fakes.studies import a_study, sure_and_wrong_on_the_first_rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    variants = (
        ("<b>one</b>", sure_and_wrong_on_the_first_rows(0.85)),
        ("two|2", sure_and_wrong_on_the_first_rows(0.8)),
    )
    return a_study(tmp_path_factory.mktemp("runs"), variants=variants)


def test_verify_exits_with_1_where_something_disagrees(folder, tmp_path):
    agrees = CliRunner().invoke(main, ["verify", str(folder), "--against", str(folder)])
    assert (agrees.exit_code, agrees.stdout.splitlines()[-1]) == (0, "0 of 8 disagree")
    worse = a_study(tmp_path, variants=(("two|2", 0.3),))
    against = ["verify", str(folder), "--against", str(worse), "--json"]
    disagrees = CliRunner().invoke(main, against)
    assert disagrees.exit_code == 1
    document = json.loads(disagrees.stdout)
    wrong = [row["quantity"] for row in document["rows"] if row["agrees"] is False]
    assert wrong == ["Accuracy", "Macro-F1"]
    assert document["num_disagreements"] == 2


def test_what_could_not_be_compared_exits_with_2(folder, tmp_path):
    other = a_study(tmp_path, variants=(("another", 0.8),))
    done = CliRunner().invoke(main, ["verify", str(folder), "--against", str(other)])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "name another study with --against" in done.stderr


def test_without_a_number_to_hold_it_against_it_is_refused(folder):
    done = CliRunner().invoke(main, ["verify", str(folder)])
    assert done.exit_code == 2
    assert "Missing option '--against'" in done.stderr

"""``agnews-ray studies``: its lines, and its JSON."""

import json

import pytest
from click.testing import CliRunner

from agnews_ray.cli.main import main
from agnews_ray.cli.studies import size_text
from tests.fakes.records import an_attempt
from tests.fakes.searched import a_searched_study
from tests.fakes.studies import a_study


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    a_study(runs, "pair", variants=(("large", 0.9), ("small", 0.6)))
    return runs


def test_a_study_is_a_line_of_facts_and_its_verdict(runs):
    done = CliRunner().invoke(main, ["studies", str(runs)])
    assert done.exit_code == 0, done.output
    facts, *said = done.stdout.splitlines()
    assert facts.startswith("pair  finished  ")
    assert facts.endswith("  large, small")
    assert any(line.startswith("    large has the highest mean accuracy") for line in said)


def test_trials_of_a_search_are_counted_apart(tmp_path):
    a_searched_study(tmp_path)
    done = CliRunner().invoke(main, ["studies", str(tmp_path)])
    assert "  6 of 6 trials  24 searched  " in done.stdout


def test_interrupted_trials_are_counted(tmp_path):
    record_path = next((a_study(tmp_path) / "trials").glob("*/record.json"))
    attempts = [an_attempt(0, 40, "lost worker"), an_attempt(30, 80)]
    record = json.loads(record_path.read_text())
    record["attempts"] = [one.model_dump() for one in attempts]
    record_path.write_text(json.dumps(record))
    done = CliRunner().invoke(main, ["studies", str(tmp_path)])
    assert "  1 interrupted  " in done.stdout


def test_json_has_a_document_for_each(runs):
    (found,) = json.loads(CliRunner().invoke(main, ["studies", str(runs), "--json"]).stdout)
    assert (found["name"], found["state"], found["models"]) == (
        "pair",
        "finished",
        ["large", "small"],
    )
    assert found["size_bytes"] > 0


def test_an_empty_folder_says_how_to_start(tmp_path):
    done = CliRunner().invoke(main, ["studies", str(tmp_path)])
    assert (done.exit_code, done.stdout) == (
        0,
        f"no studies in {tmp_path}; start one: agnews-ray submit jobs/demo.yaml\n",
    )


def test_no_folder_is_an_error(tmp_path):
    done = CliRunner().invoke(main, ["studies", str(tmp_path / "nowhere")])
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.parametrize(
    ("num_bytes", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1234, "1.23 kB"),
        (12345, "12.3 kB"),
        (123456, "123 kB"),
        (999_600, "1 MB"),
        (2_500_000_000, "2.5 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes_have_three_digits(num_bytes, text):
    assert size_text(num_bytes) == text

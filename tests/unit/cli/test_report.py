"""``agnews-ray report``: what it prints, and where it leaves a report."""

import json

import pytest
from click.testing import CliRunner

from agnews_ray.cli.main import main
from tests.fakes.studies import a_study, sure_and_wrong_on_the_first_rows


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A study of two variants, whose names are markup elsewhere."""
    variants = (
        ("<b>one</b>", sure_and_wrong_on_the_first_rows(0.85)),
        ("two|2", sure_and_wrong_on_the_first_rows(0.8)),
    )
    return a_study(tmp_path_factory.mktemp("runs"), variants=variants)


@pytest.mark.parametrize("report_format", ["html", "markdown", "latex", "csv"])
def test_report_writes_each_format_and_says_the_verdict(folder, tmp_path, report_format):
    target = tmp_path / "out"
    words = ["report", str(folder), "--format", report_format, "--output", str(target)]
    for _ in range(2):  # a report replaces the one before
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
    assert "<b>one</b> has the highest mean accuracy" in done.stdout
    assert target.exists()


def test_json_is_all_of_it(folder):
    done = CliRunner().invoke(main, ["report", str(folder), "--format", "json", "--margin", "0.1"])
    document = json.loads(done.stdout)
    assert document["settings"]["margin"] == 0.1
    assert [pair["verdict"] for pair in document["pairs"]] == ["equivalent"]


def test_without_a_place_the_report_is_left_in_the_studys_folder(folder):
    done = CliRunner().invoke(main, ["report", str(folder), "--format", "csv"])
    first = folder / "report-csv" / "pairs.csv"
    assert done.stdout.splitlines()[-1] == f"report in {first}"
    assert first.is_file()


def test_json_goes_to_a_file_that_was_named(folder, tmp_path):
    target = tmp_path / "report.json"
    words = ["report", str(folder), "--format", "json", "--output", str(target)]
    done = CliRunner().invoke(main, words)
    assert json.loads(target.read_text())["table"]["study"] == "study"
    assert done.stdout.splitlines()[-1] == f"report in {target}"


def test_what_is_left_out_is_said_on_standard_error(tmp_path):
    folder = a_study(tmp_path)
    (folder / "trials" / "v1-s3" / "predictions.parquet").write_bytes(b"torn")
    done = CliRunner().invoke(main, ["report", str(folder), "--format", "json"])
    assert done.stderr.startswith("note: left out: ")
    assert json.loads(done.stdout)["table"]["rows"][1]["seeds"] == [1, 2]


@pytest.mark.parametrize(
    "words",
    [("--margin", "0"), ("--margin", "1"), ("--alpha", "0"), ("--metric", "recall")],
    ids=" ".join,
)
def test_a_setting_out_of_its_range_is_refused(folder, words):
    done = CliRunner().invoke(main, ["report", str(folder), *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"Invalid value for '{words[0]}'" in done.stderr

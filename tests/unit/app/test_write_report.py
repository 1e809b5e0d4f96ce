"""A report at the user's place: written whole, and nothing of the user's is replaced."""

from pathlib import Path

import pytest

from agnews_ray.app import write_report as module
from agnews_ray.app.analyse import assess_study
from agnews_ray.app.write_report import MARKER, default_output, write_report
from agnews_ray.compare.assessment import Settings
from agnews_ray.errors import StoreError
from tests.fakes.studies import a_study


@pytest.fixture(scope="module")
def assessment(tmp_path_factory):
    folder = a_study(tmp_path_factory.mktemp("runs"), seeds=(1,))
    return assess_study(folder, Settings(num_draws=50))


def content_of(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_file_is_made_with_its_folders_and_replaces_the_one_before(assessment, tmp_path):
    output = tmp_path / "new" / "folder" / "report.json"
    assert write_report(assessment, "json", output) == output
    whole = output.read_text()
    output.write_text("an earlier one")
    write_report(assessment, "json", output)
    assert output.read_text() == whole
    assert whole.endswith("}\n")
    assert [path.name for path in output.parent.iterdir()] == ["report.json"]


def test_a_folder_of_an_earlier_report_is_replaced_as_a_whole(assessment, tmp_path):
    output = tmp_path / "report"
    first = write_report(assessment, "csv", output)
    whole = content_of(output)
    assert (first.parent, first.suffix) == (output, ".csv")
    assert whole.keys() > {MARKER, "comparison.csv"}
    (output / "of-another-study.csv").write_text("old")
    write_report(assessment, "csv", output)
    assert content_of(output) == whole
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_an_empty_folder_may_be_written_to(assessment, tmp_path):
    (tmp_path / "report").mkdir()
    write_report(assessment, "csv", tmp_path / "report")
    assert (tmp_path / "report" / MARKER).is_file()


def test_a_folder_of_other_things_is_not_replaced(assessment, tmp_path):
    (tmp_path / "thesis.docx").touch()
    with pytest.raises(StoreError) as caught:
        write_report(assessment, "csv", tmp_path)
    assert (caught.value.where, caught.value.found) == (str(tmp_path), "other files")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.docx"]


def test_a_file_in_the_way_stays(assessment, tmp_path):
    mine = tmp_path / "results.csv"
    mine.write_text("mine")
    for report_format, output in (("csv", mine), ("html", tmp_path)):
        with pytest.raises(StoreError, match="choose another --output"):
            write_report(assessment, report_format, output)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("report_format", ["csv", "json"])
def test_a_place_below_a_file_is_told_with_its_reason(assessment, tmp_path, report_format):
    (tmp_path / "file").touch()
    output = tmp_path / "file" / "below"
    with pytest.raises(StoreError) as caught:
        write_report(assessment, report_format, output)
    assert caught.value.where == str(output)
    assert caught.value.found in ("File exists", "Not a directory")
    assert "--output" in caught.value.hint


def test_a_report_that_breaks_off_leaves_the_earlier_one(assessment, tmp_path, monkeypatch):
    output = tmp_path / "report"
    write_report(assessment, "csv", output)
    before = content_of(output)
    broken = {"one.csv": b"new", "no/such/folder.csv": b""}
    monkeypatch.setitem(module.FOLDERS, "csv", lambda assessment: broken)
    with pytest.raises(StoreError, match="want a place to write the report"):
        write_report(assessment, "csv", output)
    assert content_of(output) == before
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


@pytest.mark.parametrize(
    ("report_format", "name"),
    [("html", "report.html"), ("json", "report.json"), ("latex", "report-latex")],
)
def test_a_report_is_left_in_its_studys_folder(report_format, name):
    assert default_output(Path("runs/demo"), report_format) == Path("runs/demo") / name

"""``agnews-ray compare``: the table in every format, and what is said beside it."""

import pytest

from agnews_ray.app.analyse import compare_study
from agnews_ray.report import table_formats
from tests.fakes.command import error, run
from tests.fakes.studies import a_study


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return a_study(tmp_path_factory.mktemp("runs"), seeds=(1, 2))


@pytest.mark.parametrize("name", ["table", "markdown", "csv", "json", "latex"])
def test_each_format_is_all_that_is_printed(folder, name):
    done = run("compare", folder, "--format", name)
    assert done.stdout == table_formats.FORMATS[name](compare_study(folder)) + "\n"
    assert done.stderr == ""


def test_what_is_left_out_is_said_on_standard_error(tmp_path):
    folder = a_study(tmp_path)
    (folder / "trials" / "v1-s3" / "record.json").write_text("torn")
    done = run("compare", folder, "--format", "csv")
    assert done.stderr.startswith("note: left out: ")
    assert "v1-s3" in done.stderr
    assert done.stdout.splitlines()[2].startswith("second,2,1 2,")


def test_a_folder_that_is_no_study_is_one_line(tmp_path):
    text = error("compare", tmp_path)
    assert text.startswith(f"error: {tmp_path}: want the folder of a study, found no study.yaml")

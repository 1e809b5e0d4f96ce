"""What the report says about students and teachers."""

import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.compare.assessment import Settings
from agnews_ray.report.documents import to_csv, to_latex, to_markdown
from agnews_ray.report.page import to_html
from agnews_ray.report.sections import all_sections
from agnews_ray.report.sentences import conclusion
from agnews_ray.report.teaching_section import teaching_section
from tests.fakes.facts import an_assessment
from tests.fakes.taught import a_taught_study


@pytest.fixture(scope="module")
def assessment(tmp_path_factory):
    folder = a_taught_study(tmp_path_factory.mktemp("runs"), num_in_test=12)
    return assess_study(folder, Settings(num_draws=50))


@pytest.fixture(scope="module")
def section(assessment):
    return teaching_section(assessment)


def texts(section, name):
    grid = next(one for one in section.grids if one.name == name)
    return [[cell.text for cell in row] for row in grid.rows]


def test_a_study_without_students_has_no_such_section():
    assert teaching_section(an_assessment()) is None


def test_the_section_comes_after_the_front(assessment):
    assert [one.name for one in all_sections(assessment)][:4] == [
        "verdict",
        "comparison",
        "front",
        "teaching",
    ]


def test_it_says_of_a_student_what_taught_it_what_that_brought_and_what_it_took(section):
    starts = [
        "taught learned from the soft labels of teacher",
        "Teaching helped: taught is better than plain",
        "It closed 61 % [",
        "It predicts the class that teacher predicts for",
        "On the 100 labelled train rows, with which it was trained, teacher has accuracy 0.9700",
        "Teaching took 1.5 min for one student",
        "Beware: 12 of the 200 texts",
        "deep was pre-trained on 300 texts",
    ]
    for start, paragraph in zip(starts, section.paragraphs, strict=False):
        assert paragraph.startswith(start)


def test_plain_taught_and_teacher_are_below_each_other(section):
    rows = texts(section, "teaching")
    assert [row[:3] for row in rows] == [
        ["taught", "plain", "plain"],
        ["taught", "taught", "taught"],
        ["taught", "teacher", "teacher"],
        ["deep", "plain", "plain"],
        ["deep", "taught", "deep"],
    ]
    assert [row[-1] for row in rows] == ["1.00", "2.50", "1.00", "1.00", "2.00"]


def test_minutes_add_up(section):
    assert texts(section, "teaching-costs") == [
        ["taught", "0.00", "1.00", "0.50", "1.00", "2.50"],
        ["deep", "1.00", "0.00", "0.00", "1.00", "2.00"],
    ]


def test_only_soft_labels_are_in_the_table_of_labels(section):
    assert [row[:4] for row in texts(section, "teaching-labels")] == [
        ["taught", "teacher", "100", "200"]
    ]


def test_the_verdict_of_the_report_says_whether_teaching_helped(assessment):
    assert any(line.startswith("Teaching helped: deep") for line in conclusion(assessment))


def test_every_format_has_it(assessment):
    assert 'id="teaching"' in to_html(assessment)
    markdown = to_markdown(assessment)
    assert "## Students and teachers" in markdown["report.md"].decode()
    assert {"teaching.png", "pretraining-0.png"} <= markdown.keys()
    assert "Students and teachers" in to_latex(assessment)["report.tex"].decode()
    assert to_csv(assessment)["teaching.csv"].decode().startswith("Student,Role,Model,Accuracy")

"""What each figure of students and teachers shows."""

import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.compare.assessment import Settings
from agnews_ray.report.teaching_figures import teaching_figures
from tests.fakes.facts import an_assessment, chart_rows
from tests.fakes.taught import a_taught_study


@pytest.fixture(scope="module")
def assessment(tmp_path_factory):
    return assess_study(a_taught_study(tmp_path_factory.mktemp("runs")), Settings(num_draws=50))


@pytest.fixture(scope="module")
def figures(assessment):
    return {figure.name: figure for figure in teaching_figures(assessment)}


def test_each_student_lies_between_its_twin_and_its_teacher(figures, assessment):
    rows = chart_rows(figures["teaching"].specification())
    assert [(row["student"], row["role"]) for row in rows] == [
        ("taught", "plain"),
        ("taught", "taught"),
        ("taught", "teacher"),
        ("deep", "plain"),
        ("deep", "taught"),
    ]
    teacher = assessment.taught[0].teacher.accuracy
    assert (rows[2]["score"], rows[2]["low"], rows[2]["high"]) == (
        teacher.value,
        teacher.low,
        teacher.high,
    )


def test_the_metric_is_that_of_the_verdicts(assessment):
    settings = assessment.settings.model_copy(update={"metric": "macro-f1"})
    figure, _ = teaching_figures(assessment.model_copy(update={"settings": settings}))
    rows = chart_rows(figure.specification())
    assert rows[0]["score"] == assessment.taught[0].plain.macro_f1.value


def test_a_pre_training_has_a_line_for_the_loss_and_for_each_part(figures):
    chart = figures["pretraining-0"].specification()
    assert {row["part"] for row in chart_rows(chart)} == {"loss", "attention", "values"}
    assert chart["encoding"]["y"]["scale"]["type"] == "log"


def test_a_study_without_students_has_no_figures():
    assert teaching_figures(an_assessment()) == ()


def test_a_picture_is_drawn_of_each(figures):
    assert all(figure.png().startswith(b"\x89PNG") for figure in figures.values())

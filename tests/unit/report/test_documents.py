import csv
import io
import re

import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.report.documents import to_csv, to_latex, to_markdown
from tests.fakes.studies import a_study, sure_and_wrong_on_the_first_rows

HOSTILE = [
    "<script>document.title='owned'</script>",
    "a | b *c* [d](e) `f` # g",
    "100% & $5_x^2 \\input{/etc/passwd} ~ {}",
    "שלום \u202e txet desrever",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    runs = tmp_path_factory.mktemp("runs")
    variants = (
        ("<b>one</b>", sure_and_wrong_on_the_first_rows(0.85)),
        ("two|2", sure_and_wrong_on_the_first_rows(0.8)),
    )
    return a_study(runs, variants=variants, texts=HOSTILE, question="Is <i>one</i> better?")


@pytest.fixture(scope="module")
def assessment(folder):
    return assess_study(folder)


def test_markdown_has_its_figures_and_its_texts_stay_texts(assessment):
    files = to_markdown(assessment)
    text = files["report.md"].decode()
    shown = set(re.findall(r"\]\(([\w-]+\.png)\)", text))
    assert shown == set(files) - {"report.md"}
    assert all(files[name].startswith(b"\x89PNG") for name in shown)
    assert "<script>" not in text
    assert "<b>" not in text
    rows = [line for line in text.splitlines() if "etc/passwd" in line]
    assert rows
    assert all(r"100% &amp; $5\_x^2" in row for row in rows)


def test_every_table_row_in_markdown_has_as_many_cells_as_its_header(assessment):
    lines = to_markdown(assessment)["report.md"].decode().splitlines()
    tables = "\n".join(line if line.startswith("|") else "" for line in lines).split("\n\n")
    for table in filter(None, (table.strip("\n") for table in tables)):
        widths = {len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}
        assert len(widths) == 1, table


def test_latex_escapes_what_tex_would_run(assessment):
    text = to_latex(assessment)["report.tex"].decode()
    assert r"\input{" not in text
    assert r"\textbackslash{}input" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") > 5


def test_csv_has_unrounded_numbers_and_interval_ends(assessment):
    rows = list(csv.DictReader(io.StringIO(to_csv(assessment)["comparison.csv"].decode())))
    first = assessment.variants[0].accuracy
    assert [float(rows[0][name]) for name in ("Accuracy", "Accuracy, low", "Accuracy, high")] == [
        first.value,
        first.low,
        first.high,
    ]


def test_csv_keeps_texts_as_they_are(assessment):
    rows = list(csv.DictReader(io.StringIO(to_csv(assessment)["hard-rows.csv"].decode())))
    assert {row["Text"] for row in rows} == set(HOSTILE)

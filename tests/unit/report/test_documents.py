import csv
import io
import json
import re

import pytest
from click.testing import CliRunner

from agnews_ray.app.analyse import assess_study
from agnews_ray.cli.main import main
from agnews_ray.report.documents import to_csv, to_latex, to_markdown
from agnews_ray.report.page import to_html
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


def test_the_page_refers_to_nothing_outside_and_is_small(assessment):
    page = to_html(assessment)
    assert len(page.encode()) < 6_000_000
    own = page[: page.index('<script type="module">')]
    assert not re.search(r"""(src|href)=["'](?!#)""", own)
    assert "<script>document.title" not in page
    assert page.count("</script") == 4


@pytest.mark.parametrize("report_format", ["html", "markdown", "latex", "csv"])
def test_report_writes_each_format_and_says_the_verdict(folder, tmp_path, report_format):
    target = tmp_path / "out"
    words = ["report", str(folder), "--format", report_format, "--output", str(target)]
    for _ in range(2):  # a report replaces the one before
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 0, done.output
    assert "<b>one</b> has the highest mean accuracy" in done.stdout
    assert target.exists()


def test_a_folder_of_other_things_is_not_replaced(folder, tmp_path):
    (tmp_path / "thesis.docx").touch()
    words = ["report", str(folder), "--format", "markdown", "--output", str(tmp_path)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 2
    assert "found other files" in done.stderr
    assert (tmp_path / "thesis.docx").exists()


def test_a_file_in_the_way_stays(folder, tmp_path):
    mine = tmp_path / "results.csv"
    mine.write_text("mine")
    for words in (("csv", str(mine)), ("html", str(tmp_path))):
        done = CliRunner().invoke(
            main, ["report", str(folder), "--format", words[0], "--output", words[1]]
        )
        assert done.exit_code == 2
        assert "choose another --output" in done.stderr
    assert mine.read_text() == "mine"


def test_json_is_all_of_it(folder):
    done = CliRunner().invoke(main, ["report", str(folder), "--format", "json", "--margin", "0.1"])
    document = json.loads(done.stdout)
    assert document["settings"]["margin"] == 0.1
    assert [pair["verdict"] for pair in document["pairs"]] == ["equivalent"]


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

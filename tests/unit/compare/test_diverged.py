"""A study in which a seed of one variant diverged, and every seed of another."""

import io
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import agnews_ray
from agnews_ray.app.analyse import assess_study, compare_study
from agnews_ray.cli.main import main
from agnews_ray.cluster.events import PREFIX, EventWriter
from agnews_ray.record.cost import save_costs
from agnews_ray.record.json_text import to_json
from agnews_ray.report import documents, figures, page, sentences
from tests.fakes.studies import a_study, diverges
from tests.unit.compare.test_cost_front import a_cost

WHY = "loss is not a number from step 61 of 100 on, logits of 200 of 200 rows are not numbers"
ONE = f"second seed 2 diverged ({WHY}) and is left out of every mean."
ALL = f"third diverged in every seed (1, 2, 3; {WHY}) and has no scores."


def strictly(text):
    def refuse(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=refuse)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    variants = (("first", 0.9), ("second", diverges([0, 1, 0])), ("third", diverges([1, 1, 1])))
    return a_study(tmp_path_factory.mktemp("runs"), variants=variants)


@pytest.fixture(scope="module")
def assessment(folder):
    return assess_study(folder)


def run(*words, code=0):
    done = CliRunner().invoke(main, [str(word) for word in words])
    assert done.exit_code == code, done.output
    return done


def test_it_is_in_no_mean_and_said(folder, assessment):
    rows = compare_study(folder).rows
    assert [(row.model, row.seeds, row.num_diverged) for row in rows] == [
        ("first", (1, 2, 3), 0),
        ("second", (1, 3), 1),
    ]
    assert [(pair.variant, pair.num_seeds) for pair in assessment.pairs] == [("second", 2)]
    assert rows[1].accuracy == pytest.approx(assessment.variants[1].accuracy.value)
    assert 0.7 < rows[1].accuracy < 0.95
    assert {ONE, ALL} <= set(sentences.conclusion(assessment))


@pytest.mark.parametrize("style", ["table", "markdown", "latex", "csv", "json"])
def test_every_format_of_the_table_names_it(folder, style):
    text = run("compare", folder, "--format", style).stdout
    assert "third" in text
    if style == "csv":
        assert re.search(r"^third,0,,,,", text, re.MULTILINE)
    elif style == "json":
        found = [(one["model"], one["seed"]) for one in strictly(text)["diverged"]]
        assert found == [("second", 2), ("third", 1), ("third", 2), ("third", 3)]
    else:
        assert "2 (+1 diverged)" in text
        assert ONE in text
        assert ALL in text


def test_every_format_of_the_report_names_it(assessment):
    written = {
        "html": page.to_html(assessment),
        "markdown": documents.to_markdown(assessment)["report.md"].decode(),
        "latex": documents.to_latex(assessment)["report.tex"].decode(),
    }
    for text in written.values():
        assert "second seed 2 diverged" in text
        assert "third diverged in every seed" in text
    trials = documents.to_csv(assessment)["trials.csv"].decode()
    assert len(re.findall(r"^v[12]-s\d,\d,diverged,", trials, re.MULTILINE)) == 4


def test_verify_names_it(folder):
    lines = strictly(run("verify", folder, "--against", folder, "--json").stdout)["rows"]
    named = [(one["model"], one["found"]) for one in lines if one["quantity"] == "Diverged"]
    assert named.count(("second", "seed 2, left out")) == 1
    assert len(named) == 8  # of both sides


def test_every_json_is_json(folder, assessment):
    for words_given in (["report", "--format", "json"], ["compare", "--format", "json"]):
        strictly(run(words_given[0], folder, *words_given[1:]).stdout)
    for record in folder.glob("trials/*/record.json"):
        strictly(record.read_text())
    html = page.to_html(assessment)
    (charts,) = re.findall(r'<script type="application/json" id="charts">(.*?)</script>', html)
    strictly(charts)
    strictly(json.dumps(figures.curve_figure(assessment).specification()))


def test_measured_costs_and_events_are_json(tmp_path):
    nan = float("nan")
    save_costs(tmp_path, [a_cost(load_seconds=nan)])
    strictly((tmp_path / "cost.json").read_text())
    stream = io.StringIO()
    EventWriter(stream).probe({"free": nan})
    line = strictly(stream.getvalue().removeprefix(PREFIX))
    assert strictly(line["facts"]) == {"free": None}


def test_json_is_written_in_one_place():
    package = Path(agnews_ray.__file__).parent
    # The place; what is hashed, a user's own rows in the cache, words in quotes, and what pydantic
    # reads again at once.
    others = {"record/json_text.py", "plan/names.py", "data/sources.py", "data/label_checks.py"}
    others |= {"spec/loader.py", "spec/search.py"}
    others |= {"engine/state_file.py"}  # a checkpoint's header, whose numbers may be NaN
    others |= {"run/variant_search.py", "app/forecast_study.py"}  # what is compared
    found = {
        str(path.relative_to(package))
        for path in package.rglob("*.py")
        if re.search(r"json\.dumps?\(|model_dump_json\(indent", path.read_text())
    }
    assert found == others


def test_what_is_no_number_is_null():
    nan, inf = float("nan"), float("inf")
    assert strictly(to_json({"a": (nan, [1.5, -inf])}, indent=None)) == {"a": [None, [1.5, None]]}


def test_a_study_of_which_nothing_is_left_is_one_line(tmp_path):
    folder = a_study(tmp_path, variants=(("only", diverges([1, 1, 1])),))
    assert "only diverged in every seed" in run("compare", folder).stdout
    for verb in (["report", folder], ["verify", folder, "--against", "paper"]):
        line = run(*verb, code=2).stderr.strip()
        assert "want a trial that did not diverge, found all 3 diverged" in line
        assert len(line) <= 400
        assert "\n" not in line


def test_a_baseline_that_diverged_is_said(tmp_path):
    variants = (("first", diverges([1, 1, 1])), ("second", 0.8), ("third", 0.7))
    found = assess_study(a_study(tmp_path, variants=variants))
    assert [pair.baseline for pair in found.pairs] == ["second"]
    said = " ".join(sentences.conclusion(found))
    assert "It was the baseline; second takes its place." in said

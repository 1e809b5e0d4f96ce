"""The report as one page that opens offline."""

import json
import re

import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.compare.assessment import Settings
from agnews_ray.report.page import to_html
from agnews_ray.report.sections import all_sections
from tests.fakes.facts import an_assessment
from tests.fakes.studies import a_study, sure_and_wrong_on_the_first_rows

HOSTILE = ["<script>document.title='owned'</script>", "</details></main> &amp; \"'"]


@pytest.fixture(scope="module")
def assessment(tmp_path_factory):
    variants = (
        ("<b>one</b>", sure_and_wrong_on_the_first_rows(0.85)),
        ("two|2", sure_and_wrong_on_the_first_rows(0.8)),
    )
    question = "Is <i>one</i> better?"
    runs = tmp_path_factory.mktemp("runs")
    folder = a_study(runs, variants=variants, texts=HOSTILE, question=question)
    return assess_study(folder, Settings(num_draws=50))


@pytest.fixture(scope="module")
def page(assessment):
    return to_html(assessment)


@pytest.fixture(scope="module")
def body(page):
    """The part that is shown, without its charts and scripts."""
    return page[page.index("<body>") : page.index('<script type="application/json"')]


def embedded(page, name):
    """A JSON document of the page."""
    (text,) = re.findall(rf'<script type="application/json" id="{name}">(.*?)</script>', page)
    return json.loads(text)


def test_the_page_refers_to_nothing_outside_and_is_small(page):
    assert len(page.encode()) < 6_000_000
    own = page[: page.index('<script type="module">')]
    assert not re.search(r"""(src|href)=["'](?!#)""", own)
    assert "<script>document.title" not in page
    assert page.count("</script") == 4


def test_names_questions_and_texts_stay_text(body):
    assert "<bdi>Is &lt;i&gt;one&lt;/i&gt; better?</bdi>" in body
    assert "&lt;/details&gt;&lt;/main&gt; &amp;amp; &#34;&#39;" in body
    for markup in ("<b>", "<i>", "</details></main>", "document.title='owned'"):
        assert markup not in body


def test_every_figure_of_every_section_has_its_place_and_its_chart(page, body, assessment):
    figures = [one.name for section in all_sections(assessment) for one in section.figures]
    assert len(figures) > 4
    assert re.findall(r'data-chart="([\w-]+)"', body) == figures
    assert embedded(page, "charts").keys() == set(figures)
    assert embedded(page, "themes").keys() == {"light", "dark"}


def test_every_link_at_the_top_leads_to_a_section(body, assessment):
    names = [section.name for section in all_sections(assessment)]
    assert re.findall(r'<a href="#([\w-]+)">', body) == names
    assert re.findall(r'<section id="([\w-]+)"', body) == names


def test_without_a_question_there_is_no_empty_line_of_it():
    page = to_html(an_assessment(question=""))
    assert 'class="question"' not in page

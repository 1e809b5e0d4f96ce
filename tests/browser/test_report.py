"""The report in a real browser, with the network off."""

import shutil

import pytest

from agnews_ray.app.analyse import assess_study
from agnews_ray.record.cost import save_costs
from agnews_ray.report.page import to_html
from tests.fakes.studies import a_study, sure_and_wrong_on_the_first_rows
from tests.unit.compare.test_cost_front import a_cost

pytestmark = pytest.mark.browser

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chrome")
HOSTILE = [
    "<script>document.title='owned'</script>",
    "\"quoted\" 'text' <img src=x onerror=\"document.title='owned'\">",
    "\u202eright to left\u202c שלום",
]


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = a_study(
        tmp_path_factory.mktemp("runs"),
        variants=(
            ("<b>one</b>", sure_and_wrong_on_the_first_rows(0.85)),
            ("two", sure_and_wrong_on_the_first_rows(0.8)),
        ),
        texts=HOSTILE,
        question="Is <i>one</i> better?",
    )
    for trial in (folder / "trials").iterdir():
        save_costs(trial, [a_cost()])
    path = folder / "report.html"
    path.write_text(to_html(assess_study(folder)), encoding="utf-8")
    return path


@pytest.fixture
def open_page(browser, report):
    opened = []

    def make(**options):
        options = {"viewport": {"width": 1100, "height": 900}, "offline": True} | options
        context = browser.new_context(**options)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda request: page.problems.append(request.url))
        page.goto(report.as_uri())
        page.wait_for_selector("html[data-drawn]")
        opened.append(context)
        return page

    yield make
    for context in opened:
        context.close()


def test_it_draws_itself_offline_without_a_word_on_the_console(open_page, report):
    page = open_page()
    assert page.problems == [report.as_uri()]
    visible = page.locator("figure:visible")
    assert visible.count() >= 4
    for index in range(visible.count()):
        assert visible.nth(index).locator("svg").count() == 1


def test_hover_shows_values(open_page):
    page = open_page()
    page.locator('[data-chart="differences"] .mark-symbol path').first.hover(force=True)
    tooltip = page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert "Difference" in tooltip.inner_text()


def test_tables_sort_by_click_and_by_keyboard(open_page):
    page = open_page()
    column = page.locator("#table-classes tbody td:nth-child(5)")
    values = [float(text.split()[0]) for text in column.all_inner_texts()]
    header = page.locator("#table-classes th:nth-child(5)")
    header.locator("button").click()
    descending = [float(text.split()[0]) for text in column.all_inner_texts()]
    assert descending == sorted(values, reverse=True)
    assert header.get_attribute("aria-sort") == "descending"
    header.locator("button").press("Enter")
    ascending = [float(text.split()[0]) for text in column.all_inner_texts()]
    assert ascending == sorted(values)


def test_the_theme_follows_the_system_and_the_button(open_page):
    page = open_page(color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.locator("#theme").click()
    page.wait_for_selector('html[data-drawn="light"]')
    assert (dark, page.evaluate(background)) == ("rgb(22, 24, 28)", "rgb(255, 255, 255)")


def test_the_cost_axis_is_chosen(open_page):
    page = open_page()
    select = page.locator('select[data-figures="front"]')
    select.select_option(label="Latency p50, CPU, 1 thread, fp32 (ms)")
    chart = page.locator('figure[data-group="front"]:visible')
    assert chart.count() == 1
    chart.locator("svg").wait_for()
    assert "Latency p50" in chart.inner_text()


def test_it_is_readable_at_the_width_of_a_phone(open_page):
    page = open_page(viewport={"width": 360, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    widest = page.evaluate(
        "Math.max(...[...document.querySelectorAll('.chart svg')].map(e => e.clientWidth))"
    )
    assert 200 < widest <= 360


def test_it_can_be_walked_by_keyboard(open_page):
    page = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#verdict"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "theme"
    for summary in page.locator("summary").all():
        summary.press("Enter")
    assert page.locator("details:not([open])").count() == 0


def test_hostile_texts_stay_texts(open_page):
    page = open_page()
    page.evaluate("for (const part of document.querySelectorAll('details')) part.open = true")
    assert page.title() == "study: agnews-ray report"
    assert page.locator("td img, td script, td b").count() == 0
    shown = set(page.locator("#table-hard-rows td:first-child").all_inner_texts())
    assert shown == set(HOSTILE)
    assert "Is <i>one</i> better?" in page.locator("header").inner_text()


def test_it_prints_all_of_it_in_light(open_page):
    page = open_page(color_scheme="dark")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert not page.locator("nav").is_visible()
    ink = "getComputedStyle(document.querySelector('.role-axis text')).fill"
    background = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(f"[{ink}, {background}]") == ["rgb(34, 34, 34)", "rgb(255, 255, 255)"]
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 0
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


@pytest.mark.parametrize("width", [360, 1100])
@pytest.mark.parametrize("num_classes", [12, 43])
def test_a_confusion_matrix_has_square_cells_and_fits(browser, tmp_path, num_classes, width):
    names = tuple(f"some class {number}" for number in range(num_classes))
    folder = a_study(tmp_path, seeds=(1,), num_rows=500, class_names=names)
    path = tmp_path / "report.html"
    path.write_text(to_html(assess_study(folder)), encoding="utf-8")
    page = browser.new_page(viewport={"width": width, "height": 700})
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-drawn]")
    chart = page.locator('[data-chart="confusion-0"]')
    cells = chart.locator(".mark-rect").first.locator("path").all()
    boxes = [cell.bounding_box() for cell in cells[:20]]
    assert all(box["width"] == pytest.approx(box["height"], abs=0.5) for box in boxes)
    overflow = chart.evaluate("chart => chart.scrollWidth - chart.clientWidth")
    assert overflow <= 0
    page.close()

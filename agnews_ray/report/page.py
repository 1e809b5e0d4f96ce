"""The report as one HTML file that opens offline: Jinja2 escapes, Vega draws."""

import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files

import vl_convert
from jinja2 import Environment, PackageLoader, StrictUndefined

import agnews_ray
from agnews_ray.compare.assessment import Assessment
from agnews_ray.report.drawing import VEGA_LITE_VERSION, config
from agnews_ray.report.sections import all_sections


def to_html(assessment: Assessment) -> str:
    """Write the whole report.

    Args:
        assessment: the study's assessment.

    Returns:
        A page that refers to nothing outside it; every text is escaped.
    """
    environment = Environment(
        loader=PackageLoader("agnews_ray.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    sections = all_sections(assessment)
    charts = {
        figure.name: figure.specification() for section in sections for figure in section.figures
    }
    return environment.get_template("report.html").render(
        study=assessment.table.study,
        question=assessment.question,
        sections=sections,
        charts=charts,
        themes={"light": config(is_dark=False), "dark": config(is_dark=True)},
        style=_asset("report.css"),
        script=_asset("report.js"),
        vega=_vega(),
        version=agnews_ray.__version__,
        written_at=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
    )


def _asset(name: str) -> str:
    return files("agnews_ray.report").joinpath("templates", name).read_text(encoding="utf-8")


@cache
def _vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script that can be part of a page."""
    bundle = vl_convert.javascript_bundle(vl_version=VEGA_LITE_VERSION)  # type: ignore[call-arg]  # the stub is wrong
    return re.sub(r"</(?=script)|<!--", lambda found: found[0].replace("<", "\\x3c"), bundle)

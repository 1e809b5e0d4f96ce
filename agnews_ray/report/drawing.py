"""How a figure is drawn: colours, themes, Vega-Lite for the page and PNG for documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from agnews_ray.record.json_text import as_json

# Okabe and Ito 2008: colour-blind readers can tell these apart, on white and on black.
PALETTE = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#b8a800")
DARK_PALETTE = (
    "#4aa8e8",
    "#f0894a",
    "#2fc89b",
    "#e39ac6",
    "#f2bd45",
    "#8fd0f5",
    "#b0b0b0",
    "#dcd048",
)
VEGA_LITE_VERSION = alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
PNG_WIDTH = 640

Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A picture with its title and description."""

    name: str
    """The part of ids and file names: letters, digits and hyphens."""
    title: str
    description: str
    """The text for readers who cannot see the figure."""
    chart: Any
    """The Altair chart, without a width."""
    choice: str = ""
    """The name of this figure, if a section has several and shows one at a time."""
    side: int = 0
    """The number of cells on each side of a matrix; the page fits the matrix to its width."""

    def specification(self) -> dict[str, Any]:
        """The Vega-Lite description, as wide as its container."""
        width = {} if self.side else {"width": "container"}
        chart = self.chart.properties(
            description=self.description, usermeta={"side": self.side}, **width
        )
        specification: dict[str, Any] = as_json(chart.to_dict())
        return specification

    def _repr_png_(self) -> bytes:
        """Return the PNG that a notebook shows."""
        return self.png()

    def png(self) -> bytes:
        """Draw the figure on white, at twice the usual density."""
        width = {} if self.side else {"width": PNG_WIDTH}
        chart = self.chart.properties(title=self.title, **width)
        png: bytes = vl_convert.vegalite_to_png(
            as_json(chart.to_dict()),
            vl_version=VEGA_LITE_VERSION,
            scale=2,
            config=config(is_dark=False),
        )
        return png


def config(*, is_dark: bool) -> dict[str, Any]:
    """Return the colours and fonts of all figures as Vega-Lite's configuration."""
    ink, faint = ("#e8e8e8", "#4a4d52") if is_dark else ("#222222", "#d9d9d9")
    axis = {
        "labelColor": ink,
        "titleColor": ink,
        "gridColor": faint,
        "domainColor": faint,
        "tickColor": faint,
        "labelFontSize": 12,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
        "labelLimit": 220,
    }
    palette = DARK_PALETTE if is_dark else PALETTE
    return {
        "background": None if is_dark else "white",
        "font": "system-ui, 'Segoe UI', Helvetica, Arial, sans-serif",
        "axis": axis,
        "legend": {
            "labelColor": ink,
            "symbolBaseFillColor": ink,
            "symbolBaseStrokeColor": ink,
            "labelFontSize": 12,
            "orient": "top",
        },
        "mark": {"color": palette[0]},
        "rule": {"color": palette[0]},
        "title": {"color": ink, "anchor": "start", "fontSize": 15},
        "text": {"color": ink, "fontSize": 12},
        "view": {"stroke": None},
        "range": {"category": list(palette)},
    }


def variant_colour(names: Sequence[str]) -> alt.Color:
    """Return a variant's colour, the same in every figure; colours repeat after the last one."""
    return alt.Color(
        "variant:N",
        title=None,
        scale=alt.Scale(domain=list(names)),
        sort=None,
        legend=alt.Legend(symbolOpacity=1),
    )


def data_of(rows: Rows) -> alt.Data:
    """Pass rows to Altair unchanged."""
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]

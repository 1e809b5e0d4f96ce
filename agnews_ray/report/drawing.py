"""How a figure is drawn: colours, themes, Vega-Lite for the page and PNG for documents."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import vl_convert

from agnews_ray.record.json_text import as_json

# Okabe and Ito 2008: told apart by colour-blind readers, on white and on black.
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
    """A picture and what to say of it."""

    name: str
    """Part of ids and file names: letters, digits and hyphens."""
    title: str
    description: str
    """For those who cannot see it."""
    chart: Any
    """An Altair chart, of no width yet."""
    choice: str = ""
    """Where a section has several of which one is shown: what this one is called."""
    side: int = 0
    """Cells on each side of a matrix, whose size is in the chart; the page fits it to its width."""

    def specification(self) -> dict[str, Any]:
        """The Vega-Lite description, as wide as its container."""
        width = {} if self.side else {"width": "container"}
        chart = self.chart.properties(
            description=self.description, usermeta={"side": self.side}, **width
        )
        specification: dict[str, Any] = as_json(chart.to_dict())
        return specification

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return self.png()

    def png(self) -> bytes:
        """Draw it on white, at twice the usual density."""
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
    """Colours and fonts of all figures, in Vega-Lite's words."""
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
    """One colour a variant, the same in every figure; past the palette they repeat."""
    return alt.Color(
        "variant:N",
        title=None,
        scale=alt.Scale(domain=list(names)),
        sort=None,
        legend=alt.Legend(symbolOpacity=1),
    )


def data_of(rows: Rows) -> alt.Data:
    """Hand rows to Altair as they are."""
    return alt.Data(values=rows)  # type: ignore[no-untyped-call]

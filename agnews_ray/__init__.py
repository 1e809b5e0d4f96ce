"""Fine-tune compact text classifiers under one recipe on Ray, and compare them honestly.

For notebooks and scripts: ``assess_study`` derives all facts from a study's records, and
``conclusion``, ``all_sections`` and ``figures`` present them. None of them imports Ray or torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_PUBLIC = {
    "Settings": "agnews_ray.compare.assessment",
    "all_sections": "agnews_ray.report.sections",
    "assess_study": "agnews_ray.app.analyse",
    "compare_study": "agnews_ray.app.analyse",
    "conclusion": "agnews_ray.report.sentences",
    "teaching_figures": "agnews_ray.report.teaching_figures",
    "to_markdown": "agnews_ray.report.table_formats",
}

__all__ = ["__version__", "figures", *_PUBLIC]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: ``--help`` needs none of them."""
    if name == "figures":
        return import_module("agnews_ray.report.figures")
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PUBLIC[name]), name)

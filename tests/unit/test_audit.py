"""An audit that looked nothing up must not read like one that found nothing."""

import importlib.util
import json
from pathlib import Path

import pytest

PATH = Path(__file__).parents[2] / ".ci" / "audit.py"


@pytest.fixture
def audit():
    spec = importlib.util.spec_from_file_location("audit", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FINE = {"name": "numpy", "version": "2.0", "vulns": []}
WEAK = {
    "name": "ray",
    "version": "1.0",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"], "description": "x"}],
}
UNKNOWN = {"name": "torch", "skip_reason": "Dependency not found on PyPI"}


@pytest.mark.parametrize(
    ("entries", "code", "said"),
    [
        ([FINE], 0, "1 of 1 looked up, 0 known"),
        ([FINE, WEAK], 1, "ray 1.0: PYSEC-1, mended in 1.1"),
        ([FINE, UNKNOWN], 0, "not looked up: torch"),
        ([UNKNOWN, UNKNOWN], 0, "SKIPPED"),
    ],
)
def test_what_an_audit_says(audit, capsys, entries, code, said):
    assert audit.judge(json.dumps({"dependencies": entries})) == code
    assert said in capsys.readouterr().out


def test_without_an_answer_it_skips_with_a_line(audit, capsys):
    assert audit.judge("") == 0
    assert capsys.readouterr().out.startswith("audit: SKIPPED")

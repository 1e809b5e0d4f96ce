"""``tests/unit`` mirrors the package; its modules have different names and a limited length."""

from collections import defaultdict
from pathlib import Path

import pytest

import agnews_ray

PACKAGE = Path(agnews_ray.__file__).parent
UNIT = Path(__file__).parent
MODULES = {
    path.relative_to(PACKAGE).with_suffix("").as_posix()
    for path in PACKAGE.rglob("*.py")
    if not path.stem.startswith("__")
}
TESTS = {path.relative_to(UNIT).with_suffix("").as_posix() for path in UNIT.rglob("test_*.py")}

OF_SEVERAL_MODULES = {
    "compat/test_names": "every name in `compat`, and that no other module uses such names",
    "data/test_data_folders": "the corpus of data folders, read by the whole package `data`",
    "data/test_source_caches": "the caches of `sources`, `hub_data` and `synthetic`",
    "engine/test_devices": "the path of the GPU, checked on torch's meta device",
    "model/test_model_folders": "the corpus of model folders, read by the whole package `model`",
    "model/test_safe_loads": "all loads of a folder, of which none may run its code",
    "record/test_full_disk": "all writes, on a full disk",
    "record/test_unsupported_records": "all reads, of damaged and newer files",
    "spec/test_messages": "the messages of all parts of a study",
    "test_audit": "`.ci/audit.py`",
    "test_layout": "this file",
    "test_rayjob": "`jobs/rayjob.yaml`",
    "test_readme": "the documents",
    "test_security": "the whole package: what SECURITY.md promises of its code",
}
"""Test files without a module of their own, and what each of them tests."""

WITHOUT_TESTS = {
    "app/execute_job": "runs in a job on a cluster: tests/integration/test_cluster.py",
    "compare/curve_facts": "shapes only",
    "bench/probe_request": "shapes only",
    "compare/findings": "shapes only",
    "record/predicted": "shapes only",
    "record/shape": "shapes only",
    "run/entry": "one call",
    "run/worker_config": "shapes only",
    "spec/base": "types only",
    "spec/scaling": "two fields; `spec/test_study` has their rules",
}
"""Modules without a test file of their own, and why; `compat` has one for all of it."""

MAX_LINES = 300


def test_every_test_file_has_a_module_of_the_same_name():
    of_modules = {f"{Path(m).parent / f'test_{Path(m).name}'}".removeprefix("./") for m in MODULES}
    assert sorted(TESTS - of_modules - OF_SEVERAL_MODULES.keys()) == []


def test_every_module_has_a_test_file_of_the_same_name():
    of_tests = {str(Path(test).parent / Path(test).name.removeprefix("test_")) for test in TESTS}
    of_compat = {module for module in MODULES if module.startswith("compat/")}
    assert sorted(MODULES - of_tests - of_compat - WITHOUT_TESTS.keys()) == []


def test_every_exception_exists():
    assert sorted(OF_SEVERAL_MODULES.keys() - TESTS) == []
    assert sorted(WITHOUT_TESTS.keys() - MODULES) == []


def test_every_module_has_a_name_of_its_own():
    by_name = defaultdict(list)
    for module in MODULES:
        by_name[Path(module).name].append(module)
    several = {name: sorted(found) for name, found in by_name.items() if len(found) > 1}
    assert several == {}


@pytest.mark.parametrize("module", sorted(MODULES))
def test_no_module_is_too_long(module):
    assert len((PACKAGE / f"{module}.py").read_text().splitlines()) <= MAX_LINES

"""Would the unit tests notice a fault? Mutants by mutmut, a random sample of each package.

    python benchmarks/mutation.py [--seed 1] [--each 200] [--all-of PATTERN ...] [--processes 2]

Copies the package and its tests to build/mutation, installs mutmut there, has it write every
mutant, runs a sample against the unit tests of the five packages, and prints a Markdown table.
Ask for a mutant's change with `--show NAME`. An hour and more on two cores; files once made are
used again (`--fresh` makes them anew, as it must after a change of code or tests).

Not counted, whatever becomes of them, because a test that saw them would be a bad one:

- sentences: a string with a blank in it that is changed, dropped or made None;
- `zip(strict=...)`, which guards against faults of our own;
- the encoding given to a file of our own, where the platform's is the same.

mutmut makes no mutants of module constants and of decorated functions (properties, validators).
"""

import argparse
import ast
import json
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "mutation"
TOOL = "mutmut==3.8.1"
PACKAGES = ("spec", "plan", "record", "compare", "data")
SETTINGS = f"""
[tool.mutmut]
source_paths = ["agnews_ray"]
only_mutate = {[f"agnews_ray/{package}/*" for package in PACKAGES]}
pytest_add_cli_args_test_selection = {[f"tests/unit/{package}" for package in PACKAGES]}
pytest_add_cli_args = ["-p", "no:cacheprovider"]
also_copy = ["jobs"]
process_isolation = "forkserver"
timeout_multiplier = 10
timeout_constant = 10
"""
OUTCOMES = {0: "survived", 1: "killed", 3: "killed", 33: "no test", 5: "no test"}
"""By mutmut's exit codes; everything else was ended for its time."""
OUTCOME_NAMES = ("killed", "timeout", "survived", "no test")
"""Only what a test failed on counts: a timeout may be a busy machine's."""

Change = tuple[ast.AST | None, list[ast.AST]]
"""What a mutant changed, and what that stands in, innermost last."""


def main() -> None:
    """Prepare, run, print."""
    options = read_options()
    if options.fresh and WORK.exists():
        shutil.rmtree(WORK)
    if options.show:
        mutmut("show", options.show)
        return
    prepare()
    counted, not_counted = mutants()
    chosen = sample(counted, options.each, options.seed)
    for pattern in options.all_of:
        chosen += [name for name in counted if pattern in name and name not in chosen]
    todo = [name for name in chosen if exit_codes()[name] is None]
    if todo:
        mutmut("run", "--max-children", str(options.processes), *todo)
    show(counted, not_counted, chosen)


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=200, help="mutants of each package")
    parser.add_argument("--all-of", nargs="*", default=[], help="and all whose name holds this")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--show", help="print one mutant's change, and end")
    return parser.parse_args()


def prepare() -> None:
    """Copy, install, and write every mutant, unless that was done."""
    if (WORK / "mutants" / "mutmut-stats.json").is_file():
        return
    WORK.mkdir(parents=True, exist_ok=True)
    for folder in ("agnews_ray", "tests", "jobs"):
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, WORK / folder, dirs_exist_ok=True, ignore=ignore)
    (WORK / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + SETTINGS)
    if not (WORK / "lib").exists():
        target = ["--target", str(WORK / "lib"), TOOL]
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *target], check=True)
    # Mutants are written, and which test comes by which function is found out, on the way to a run.
    mutmut("run", "agnews_ray.plan.budget.*")


def mutmut(*arguments: str) -> None:
    """Run mutmut, this environment's libraries first, its own after them.

    Tests that start a Python of their own find it by a variable: mutated code imports mutmut.
    """
    code = (
        "import os, site; site.addsitedir('lib');"
        "os.environ['PYTHONPATH'] = os.path.abspath('lib');"
        "from mutmut.__main__ import cli; cli()"
    )
    subprocess.run([sys.executable, "-c", code, *arguments], cwd=WORK, check=True)


def exit_codes() -> dict[str, int | None]:
    """Read what became of each mutant; None: not run."""
    found = {}
    for path in sorted((WORK / "mutants").rglob("*.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def package_of(name: str) -> str:
    """Which of the five."""
    return name.split(".")[1]


def sample(counted: list[str], each: int, seed: int) -> list[str]:
    """Draw so many of each package."""
    chosen = []
    for package in PACKAGES:
        names = sorted(name for name in counted if package_of(name) == package)
        chosen += random.Random(seed).sample(names, min(each, len(names)))
    return chosen


def show(counted: list[str], not_counted: list[str], chosen: list[str]) -> None:
    """Print the table, then who survived."""
    codes = exit_codes()
    outcome = {name: OUTCOMES.get(codes[name], "timeout") for name in chosen}
    print(
        "| package | mutants | not counted | run | killed | timeout | survived | no test | score |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for package in (*PACKAGES, "all"):
        whole = [name for name in counted if package in (package_of(name), "all")]
        left_out = [name for name in not_counted if package in (package_of(name), "all")]
        found = Counter(outcome[name] for name in chosen if package in (package_of(name), "all"))
        cells = [package, len(whole) + len(left_out), len(left_out), found.total()]
        cells += [found[kind] for kind in OUTCOME_NAMES]
        print(
            "|",
            *(f"{cell} |" for cell in cells),
            f"{found['killed'] / max(1, found.total()):.1%} |",
        )
    for name in chosen:
        if outcome[name] not in ("killed", "timeout"):
            print(f"{outcome[name]}: {name}")


def mutants() -> tuple[list[str], list[str]]:
    """All mutants by name: those that count, and those that do not."""
    counted, not_counted = [], []
    names = defaultdict(list)
    for name in exit_codes():
        names[name.rpartition(".")[0]].append(name)
    for module, its_names in names.items():
        path = WORK / "mutants" / Path(*module.split(".")).with_suffix(".py")
        functions = {
            node.name: node
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.FunctionDef)
        }
        for name in its_names:
            short = name.rpartition(".")[2]
            original = functions[short.rpartition("__mutmut_")[0] + "__mutmut_orig"]
            does_count = counts(*changed(original, functions[short], []))
            (counted if does_count else not_counted).append(name)
    return counted, not_counted


def changed(before: ast.AST, after: ast.AST, around: list[ast.AST]) -> Change:
    """Find the smallest part that differs."""
    if type(before) is not type(after):
        return before, around
    inner = []
    for field, value in ast.iter_fields(before):
        if field in ("name", "ctx", "kind"):
            continue
        old, new = _as_list(value), _as_list(getattr(after, field))
        differing = [
            (one, other) for one, other in zip(old, new, strict=False) if _text(one) != _text(other)
        ]
        if len(old) > len(new):  # dropped: the first that is not there
            kept = [_text(item) for item in new]
            gone = next((item for item in old if _text(item) not in kept), old[-1])
            return (gone if isinstance(gone, ast.AST) else before), [*around, before]
        inner += differing
    if len(inner) == 1 and isinstance(inner[0][0], ast.AST) and isinstance(inner[0][1], ast.AST):
        return changed(*inner[0], [*around, before])
    return before, around


def counts(node: ast.AST | None, around: list[ast.AST]) -> bool:
    """Whether a test should have seen it; see above."""
    keywords = [part.arg for part in [*around[-1:], node] if isinstance(part, ast.keyword)]
    if "strict" in keywords or "encoding" in keywords:
        return False
    value = node.value if isinstance(node, ast.keyword) else node
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    return not any(" " in text for text in _strings(parts))


def _strings(parts: list[ast.AST | None]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _as_list(value: object) -> list:
    return value if isinstance(value, list) else [value]


def _text(value: object) -> str:
    return ast.dump(value) if isinstance(value, ast.AST) else repr(value)


if __name__ == "__main__":
    main()

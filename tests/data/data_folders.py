"""Data folders as people have them: make each, try it, and say in a table what came of it.

Run ``python tests/data/data_folders.py --table`` for the table in benchmarks/README.md.
"""

import argparse
import os
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pydantic

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]  # so that it runs as a script, too

from tests.data import (  # noqa: E402
    folders_ambiguous,
    folders_columns,
    folders_compressed,
    folders_dialects,
    folders_encodings,
    folders_exports,
    folders_headerless,
    folders_json,
    folders_json_tools,
    folders_label_faults,
    folders_labels,
    folders_layouts,
    folders_misc,
    folders_papers,
    folders_published,
    folders_shards,
    folders_splits,
    folders_strays,
    folders_texts,
    folders_trap_files,
    folders_trap_labels,
    folders_traps,
    folders_versions,
)
from tests.data.corpus import Case, Row, Works  # noqa: E402

MAX_MESSAGE = 400
MODULES = (
    folders_layouts,
    folders_shards,
    folders_strays,
    folders_ambiguous,
    folders_versions,
    folders_dialects,
    folders_encodings,
    folders_labels,
    folders_label_faults,
    folders_columns,
    folders_headerless,
    folders_texts,
    folders_json,
    folders_json_tools,
    folders_compressed,
    folders_splits,
    folders_misc,
    folders_published,
    folders_papers,
    folders_exports,
    folders_traps,
    folders_trap_labels,
    folders_trap_files,
)
CASES: tuple[Case, ...] = tuple(case for module in MODULES for case in module.CORPUS.cases)


def make(case: Case, folder: Path) -> Path:
    """Write a case's folder below another; its path."""
    made = folder / re.sub(r"\W", "-", case.kind) / case.id
    made.mkdir(parents=True)
    case.build(made)
    return made


def scan(case: Case, made: Path, cache: Path) -> Any:
    """Read the folder as ``submit`` does before it starts anything."""
    from agnews_ray.data.scan import scan_dataset
    from agnews_ray.spec.data import DataSpec

    local = {
        key: str(made / value[2:]) if isinstance(value, str) and value.startswith("./") else value
        for key, value in case.spec.items()
    }
    return scan_dataset(DataSpec(source=str(made / case.source), **local), cache)


def outcome(case: Case, made: Path, cache: Path) -> tuple[str, str]:
    """Try a folder.

    Returns:
        The line that refused it, empty where it was read; and what is wrong about either, empty
        where nothing is.
    """
    from agnews_ray.errors import AgnewsError

    try:
        scanned = scan(case, made, cache)
    except AgnewsError as error:
        line = str(error)
        return relative(line, made), judge_refusal(case, line, relative(line, made))
    except pydantic.ValidationError as error:  # the loader makes a line of it
        line = f"{error.errors()[0]['loc']}: {error.errors()[0]['msg']}"
        return line, judge_refusal(case, line, line)
    except Exception as error:  # noqa: BLE001 - a traceback is what is looked for
        return "traceback", f"a traceback: {type(error).__name__}: {str(error)[:300]}"
    if not case.works:
        record = scanned.record
        found = f"{record.train.num_rows} train rows of {len(record.class_names)} classes"
        return "", f"read in silence ({found}), want a refusal with {case.refused!r}"
    problems = [judge_rows(works, scanned) for works in case.works]
    return "", "" if "" in problems else problems[0]


def relative(line: str, made: Path) -> str:
    """Take the folder's own path out, which names the case."""
    return line.replace(f"{made}/", "").replace(str(made), ".")


def judge_refusal(case: Case, line: str, short: str) -> str:
    if case.refused is None:
        return f"refused: {short}"
    if "\n" in line or len(line) > MAX_MESSAGE:
        return f"not one line of at most {MAX_MESSAGE} characters but {len(line)}: {line[:900]}"
    if not re.search(case.refused, short, re.IGNORECASE):
        return f"refused without {case.refused!r}: {short}"
    return ""


def judge_rows(works: Works, scanned: Any) -> str:
    """Compare what is read back with what was written."""
    record = scanned.record
    classes = works.classes or tuple(sorted({label for _, label in works.train}))
    if record.class_names != classes:
        return f"want classes {str(classes)[:300]}, found {str(record.class_names)[:300]}"
    parts = {name: rows_of(getattr(scanned, name), classes) for name in SPLITS}
    if works.test_fraction is not None:
        count = round(len(works.train) * works.test_fraction)
        if len(parts["test"]) != count:
            return f"want {count} test rows, found {len(parts['test'])}"
        parts = {**parts, "train": parts["train"] + parts["test"], "test": []}
    for name in SPLITS:
        problem = differ(name, list(getattr(works, name)), parts[name])
        if problem:
            return problem
    said = " ".join(getattr(record, "assumptions", ()))
    if not re.search(works.assumes, said, re.IGNORECASE):
        return f"assumed in silence: want {works.assumes!r} said, found {said!r}"
    return ""


SPLITS = ("train", "validation", "test")


def rows_of(split: Any, classes: tuple[str, ...]) -> list[Row]:
    rows: list[Row] = []
    for index in range(len(split.files)):
        for table in split.iter_selected(index):
            pairs = zip(table["text"].to_pylist(), table["label"].to_pylist(), strict=True)
            rows += [
                (text, classes[label] if label is not None else "none") for text, label in pairs
            ]
    return rows


def differ(name: str, wanted: list[Row], found: list[Row]) -> str:
    """Say the first difference of two lists of rows whose order means nothing."""
    missing, extra = Counter(wanted) - Counter(found), Counter(found) - Counter(wanted)
    if len(wanted) != len(found):
        other = str(next(iter(extra), ""))[:160]
        return f"want {len(wanted)} {name} rows, found {len(found)}: {other}"
    if not missing:
        return ""
    one, other = str(next(iter(missing)))[:160], str(next(iter(extra)))[:160]
    return f"{name}: {sum(missing.values())} rows differ: want {one}, found {other}"


def skipped(case: Case) -> bool:
    return case.needs_user and hasattr(os, "geteuid") and os.geteuid() == 0


def table(results: list[tuple[Case, str, str]]) -> str:
    """The counts by kind, and the line of each refusal, in Markdown."""
    lines = [
        "| Kind | Tried | Read | Refused | Wrong | Either is right |",
        "| --- | --: | --: | --: | --: | --: |",
    ]
    for kind in (*dict.fromkeys(case.kind for case, _, _ in results), "all"):
        of_kind = [r for r in results if kind in (r[0].kind, "all")]
        bad = sum(bool(problem) for _, _, problem in of_kind)
        refused = sum(bool(line) for _, line, problem in of_kind if not problem)
        read = len(of_kind) - refused - bad
        either = sum(bool(case.works and case.refused) for case, _, _ in of_kind)
        lines.append(f"| {kind} | {len(of_kind)} | {read} | {refused} | {bad} | {either} |")
    lines += ["", "| Refused folder | Line |", "| --- | --- |"]
    lines += [
        f"| {case.kind}: {case.id} | {line.replace('|', chr(92) + '|')} |"
        for case, line, problem in results
        if line and not problem
    ]
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--table", action="store_true", help="try each folder, print Markdown")
    parser.add_argument("--into", type=Path, help="keep the folders there")
    parser.add_argument("only", nargs="*", help="ids or kinds")
    args = parser.parse_args()
    os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
    chosen = [c for c in CASES if not args.only or {c.id, c.kind} & set(args.only)]
    with tempfile.TemporaryDirectory() as scratch:
        into = args.into or Path(scratch)
        os.environ["HF_HOME"] = str(Path(scratch) / "hf")
        results = []
        for case in chosen:
            if skipped(case):
                continue
            made = make(case, into)
            line, problem = outcome(case, made, Path(scratch) / "cache")
            results.append((case, line, problem))
    if args.table:
        sys.stdout.write(table(results) + "\n")
    for case, _, problem in results:
        if problem:
            sys.stderr.write(f"{case.kind}: {case.id}: {problem}\n")


if __name__ == "__main__":
    main()

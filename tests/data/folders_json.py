"""Folders of JSON, in the shapes that tools give it."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Build,
    Corpus,
    Row,
    Works,
    files,
    frame,
    numbered,
    records,
    relabelled,
    write,
)

CORPUS = Corpus()


add = partial(CORPUS.add, "JSON")


Rows = tuple[Row, ...]


CODES = {name: str(i) for i, name in enumerate(AG)}


def whole(make: Callable[[Rows], Any], ending: str = "json", **options: Any) -> Build:
    """One JSON value in a file."""

    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            write(at / f"{name}.{ending}", json.dumps(make(rows), **options))

    return build


def lines(make: Callable[[int, str, str], Any], ending: str = "jsonl", **options: Any) -> Build:
    """A JSON value in each line."""

    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            made = (json.dumps(make(i, t, y), **options) for i, (t, y) in enumerate(rows))
            write(at / f"{name}.{ending}", "\n".join(made) + "\n")

    return build


def raw(make: Callable[[Rows], str], ending: str = "json") -> Build:
    def build(at: Path) -> None:
        for name, rows in (("train", TRAIN), ("test", TEST)):
            write(at / f"{name}.{ending}", make(rows))

    return build


def pandas(orient: str, **options: object) -> Build:
    return lambda at: files(at, "json", orient=orient, **options)


def pair(i: int, text: str, label: str) -> dict[str, Any]:
    return {"text": text, "label": label}


def damaged(change: Callable[[str], str], ending: str = "jsonl") -> Build:
    """Records in lines, of which train's are changed."""

    def build(at: Path) -> None:
        lines(pair, ending)(at)
        path = at / f"train.{ending}"
        write(path, change(path.read_text(encoding="utf-8")))

    return build


def by_datasets(at: Path, **options: Any) -> None:
    import datasets

    for name, rows in (("train", TRAIN), ("test", TEST)):
        datasets.Dataset.from_list(records(rows)).to_json(at / f"{name}.json", **options)


TABLE = lambda rows: {"columns": ["text", "label"], "data": [list(r) for r in rows]}  # noqa: E731
add("lines", lines(pair))
add("lines-called-json", lines(pair, "json"))
add("lines-ndjson", lines(pair, "ndjson"))
add("lines-from-datasets", by_datasets)
add("array-from-datasets", lambda at: by_datasets(at, lines=False))
add("array", pandas("records"))
add("array-indented", whole(records, indent=2))
add("array-called-jsonl", whole(records, "jsonl"))
add(
    "array-with-line-breaks",
    raw(lambda r: "[\n" + ",\n".join(map(json.dumps, records(r))) + "\n]\n"),
)
add("array-after-blanks", raw(lambda r: "\n\n  " + json.dumps(records(r))))
add("pandas-columns", pandas("columns"))
add(
    "pandas-columns-with-nested",
    lambda at: files(
        at, "json", *(frame(r).assign(tags=[["x", "y"]] * len(r)) for r in (TRAIN, TEST))
    ),
)
add("pandas-index", pandas("index"))
add("pandas-split", pandas("split"))
add("pandas-table", pandas("table"))
add("pandas-values", pandas("values"), (NEWS, "array|object|list|column"))
add("columns-of-lists", whole(lambda r: frame(r).to_dict("list")))
add("split-by-hand", whole(TABLE), (NEWS, "column|data"))
add("under-data", whole(lambda r: {"data": records(r)}))
add(
    "under-data-with-version",
    whole(lambda r: {"version": "1.0", "data": records(r), "count": len(r)}),
)
add("under-rows", whole(lambda r: {"rows": records(r)}), (NEWS, "rows|array|object"))
add("under-examples", whole(lambda r: {"examples": records(r)}), (NEWS, "examples|array|object"))
add(
    "two-lists-in-one",
    whole(lambda r: {"good": records(r), "bad": records(r[:5])}),
    "good|bad|array|object|column",
)
add(
    "by-id",
    whole(lambda r: {f"doc{i}": x for i, x in enumerate(records(r))}),
    (NEWS, "column|array|object"),
)
add("text-to-label", whole(dict), "array|object|column")
add(
    "indented-objects",
    raw(lambda r: "\n".join(json.dumps(x, indent=2) for x in records(r))),
    (NEWS, "line|object"),
)
add(
    "objects-in-one-line",
    raw(lambda r: " ".join(map(json.dumps, records(r))), "jsonl"),
    (NEWS, "line|object"),
)
add(
    "objects-with-commas",
    raw(lambda r: ",\n".join(map(json.dumps, records(r))), "jsonl"),
    (NEWS, "line|object"),
)
add(
    "record-separators",
    raw(lambda r: "".join("\x1e" + json.dumps(x) + "\n" for x in records(r)), "jsonl"),
    (NEWS, "line|object"),
)
add("lists-in-lines", lines(lambda i, t, y: [t, y]), "line|object")
add("strings-in-lines", lines(lambda i, t, y: t), "line 1|object")
add("blank-lines", damaged(lambda s: s.replace("\n", "\n\n")))
add("windows-lines", damaged(lambda s: s.replace("\n", "\r\n")))
add("no-last-newline", damaged(str.rstrip))
add(
    "escaped-unicode",
    lines(lambda i, t, y: pair(i, f"Zoë — {t}", y)),
    Works(
        train=tuple((f"Zoë — {t}", y) for t, y in TRAIN),
        test=tuple((f"Zoë — {t}", y) for t, y in TEST),
    ),
)
add(
    "emoji-pairs",
    lines(lambda i, t, y: pair(i, f"😀 {t}", y)),
    Works(
        train=tuple((f"😀 {t}", y) for t, y in TRAIN), test=tuple((f"😀 {t}", y) for t, y in TEST)
    ),
)


BROKEN = tuple((t.replace("Oslo", "\ufffd") if i == 0 else t, y) for i, (t, y) in enumerate(TRAIN))
add(
    "half-of-an-emoji",
    damaged(lambda s: s.replace("Oslo", r"\ud83d", 1)),
    (Works(train=BROKEN, test=TEST), "line|surrogate|UTF-8|unicode|row"),
)
add("single-quotes", raw(lambda r: "\n".join(map(str, records(r))), "jsonl"), "line 1|JSON")
add("truncated", damaged(lambda s: s[:-30]), "line 40|last line")
add(
    "truncated-array",
    lambda at: [whole(records)(at), write(at / "train.json", json.dumps(records(TRAIN))[:-30])],
    "JSON",
)
add("trailing-comma", raw(lambda r: json.dumps(records(r))[:-1] + ",]"), (NEWS, "JSON|comma"))
add(
    "settings-in-the-first-line",
    damaged(lambda s: '{"version": 1, "created": "2024-01-05"}\n' + s),
    "row 1|line 1",
)
add("late-column", lines(lambda i, t, y: pair(i, t, y) | ({"note": "x"} if i > 30 else {})))
add("late-label", lines(lambda i, t, y: {"text": t} | ({"label": y} if i > 2 else {})), "row 1")
add(
    "mixed-labels",
    lines(lambda i, t, y: pair(i, t, CODES[y]) if i % 2 else pair(i, t, int(CODES[y]))),
    numbered(),
)
add(
    "late-mixed-labels",
    lines(lambda i, t, y: pair(i, t, CODES[y]) if i > 30 else pair(i, t, int(CODES[y]))),
    numbered(),
)
add(
    "integer-and-float-labels",
    lines(lambda i, t, y: pair(i, t, float(CODES[y])) if i > 30 else pair(i, t, int(CODES[y]))),
    numbered(),
)
add(
    "mixed-texts",
    lines(lambda i, t, y: pair(i, 1000 + i if i % 5 == 4 else t, y)),
    Works(
        train=tuple((str(1000 + i) if i % 5 == 4 else t, y) for i, (t, y) in enumerate(TRAIN)),
        test=tuple((str(1000 + i) if i % 5 == 4 else t, y) for i, (t, y) in enumerate(TEST)),
    ),
)
add("mixed-elsewhere", lines(lambda i, t, y: pair(i, t, y) | {"meta": i if i % 2 else {"a": [i]}}))
add(
    "null-texts",
    lines(lambda i, t, y: pair(i, None if i == 4 else t, y)),
    Works(
        train=tuple(("" if i == 4 else t, y) for i, (t, y) in enumerate(TRAIN)),
        test=tuple(("" if i == 4 else t, y) for i, (t, y) in enumerate(TEST)),
    ),
)
add("keys-in-any-order", lines(lambda i, t, y: pair(i, t, y) if i % 2 else {"label": y, "text": t}))
add(
    "key-twice",
    damaged(lambda s: s.replace('{"text"', '{"label": "old", "text"', 1)),
    (NEWS, "line 1|label|twice|duplicate"),
)
add(
    "dates-beside",
    lines(lambda i, t, y: pair(i, t, y) | {"date": f"2024-01-{i % 28 + 1:02d}T00:00:00Z"}),
)
add(
    "dates-as-labels",
    lines(lambda i, t, y: pair(i, t, f"202{AG.index(y)}-01-01")),
    Works(
        train=relabelled(TRAIN, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
        test=relabelled(TEST, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
    ),
)
add(
    "dates-as-labels-array",
    whole(lambda r: [pair(0, t, f"202{AG.index(y)}-01-01") for t, y in r]),
    Works(
        train=relabelled(TRAIN, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
        test=relabelled(TEST, {n: f"202{i}-01-01" for i, n in enumerate(AG)}),
    ),
)
add(
    "label-in-an-object", lines(lambda i, t, y: {"text": t, "label": {"id": 1, "name": y}}), "label"
)
add("empty-array", lambda at: [whole(records)(at), write(at / "train.json", "[]")], "row|empty")
add("array-of-strings", whole(lambda r: [t for t, _ in r]), "object|array|JSON")
add("a-number", whole(lambda r: 7), "object|array|JSON|line 1")
add(
    "not-a-number",
    raw(lambda r: "\n".join(json.dumps({**x, "score": float("nan")}) for x in records(r)), "jsonl"),
    (NEWS, "NaN|line"),
)
add(
    "large-numbers-beside",
    lines(lambda i, t, y: pair(i, t, y) | {"id": 10**25 + i}),
    (NEWS, "id|number|line"),
)
add("comments", damaged(lambda s: "// news\n" + s), "line 1|comment")

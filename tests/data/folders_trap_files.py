"""Files and JSON that tempt a reader into labels of other rows, or rows of other files."""

import json
from functools import partial
from pathlib import Path

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Works,
    csv_files,
    files,
    records,
    write,
)
from tests.data.folders_json import damaged, lines, whole
from tests.data.folders_layouts import hub_rows

CORPUS = Corpus()
layout = partial(CORPUS.add, "layouts")
shape = partial(CORPUS.add, "JSON")


def other_order(at: Path) -> None:
    """Class names that a file carries in another order than the other file."""
    import datasets

    hub_rows(TRAIN).to_parquet(at / "train.parquet")
    names = list(reversed(AG))
    table = {"text": [t for t, _ in TEST], "label": [names.index(y) for _, y in TEST]}
    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=names)}
    )
    datasets.Dataset.from_dict(table, features=features).to_parquet(at / "test.parquet")


def keyed(rows):
    """pandas' columns, whose keys come in another order in one of them."""
    keys = [str(i) for i in range(len(rows))]
    texts = {key: rows[int(key)][0] for key in keys}
    return {"text": texts, "label": {key: rows[int(key)][1] for key in reversed(keys)}}


layout("class-names-in-another-order", other_order, (NEWS, "class|names|order"))
layout(
    "classes-txt-beside-own-names",
    lambda at: [
        [
            hub_rows(r).to_parquet(at / f"{n}.parquet")
            for n, r in (("train", TRAIN), ("test", TEST))
        ],
        write(at / "classes.txt", "\n".join(reversed(AG))),
    ],
    "classes.txt|class names",
)
layout(
    "same-shard-twice",
    lambda at: (
        [
            csv_files(at, TRAIN[i::2], TEST, names=(f"train-0000{i}-of-00002.csv", "test.csv"))
            for i in (0, 1)
        ]
        + [csv_files(at, TRAIN[::2], TEST, names=("train-00000-of-00002 (1).csv", "test.csv"))]
    ),
    (NEWS, r"\(1\)|shard|twice"),
)
layout("test-is-train", lambda at: csv_files(at, TRAIN, TRAIN), Works(train=TRAIN, test=TRAIN))
layout(
    "own-files-of-a-run",
    lambda at: [
        csv_files(at),
        write(at / "predictions_test.csv", "text,label\na,World\n"),
        write(at / "train_log.csv", "step,loss\n1,2\n"),
    ],
    (NEWS, "predictions_test|train_log"),
)
layout(
    "metrics-beside",
    lambda at: [
        csv_files(at),
        write(at / "train_results.json", '{"loss": 1}'),
        write(at / "test_metrics.json", '{"f1": 1}'),
    ],
    (NEWS, "train_results|test_metrics"),
)
layout(
    "vectorised-beside",
    lambda at: [
        csv_files(at),
        files(at, "parquet", names=("train_embeddings.parquet", "test_embeddings.parquet")),
    ],
    (Works(train=TRAIN, test=TEST, assumes="train_embeddings"), "train_embeddings"),
)
layout(
    "only-train-in-a-prefix",
    lambda at: csv_files(at, names=("constraint.csv", "contest.csv")),
    "train|constraint",
)
layout(
    "latest-in-the-name",
    lambda at: csv_files(at, TRAIN, TEST, names=("trained_model_notes.csv", "test.csv")),
    "train",
)
shape("columns-keyed-in-another-order", whole(keyed), (NEWS, "order|column|row"))
shape(
    "truncated-between-objects",
    lambda at: [
        whole(records)(at),
        write(
            at / "train.json",
            json.dumps(records(TRAIN))[: json.dumps(records(TRAIN)).index("}, {", 2000) + 2],
        ),
    ],
    "JSON|end|line|array",
)
shape(
    "truncated-after-an-object",
    lambda at: [
        whole(records)(at),
        write(
            at / "train.json",
            json.dumps(records(TRAIN))[: json.dumps(records(TRAIN)).index("}, {", 2000) + 1],
        ),
    ],
    "JSON|end|line|array",
)
shape(
    "two-arrays",
    lambda at: [
        whole(records)(at),
        write(at / "train.json", json.dumps(records(TRAIN[:20])) + json.dumps(records(TRAIN[20:]))),
    ],
    (NEWS, "JSON|line"),
)
shape(
    "array-then-text",
    lambda at: [
        whole(records)(at),
        write(at / "train.json", json.dumps(records(TRAIN)) + "\nDone.\n"),
    ],
    "JSON|line",
)
shape(
    "one-row",
    lambda at: [
        lines(lambda i, t, y: {"text": t, "label": y})(at),
        write(at / "test.jsonl", json.dumps({"text": "A", "label": "World"})),
    ],
    Works(train=TRAIN, test=(("A", "World"),)),
)
shape(
    "lists-beside",
    lines(lambda i, t, y: {"text": t, "label": y, "tokens": t.split(), "spans": [{"a": 1}]}),
)
shape(
    "one-row-with-lists",
    lambda at: [
        lines(lambda i, t, y: {"text": t, "label": y, "spans": [{"a": 1}]})(at),
        write(at / "test.jsonl", json.dumps({"text": "A", "label": "World", "spans": [{"a": 1}]})),
    ],
    Works(train=TRAIN, test=(("A", "World"),)),
)
shape(
    "rows-of-other-lengths",
    whole(lambda r: {"text": [t for t, _ in r], "label": [y for _, y in r][:-1]}),
    "length|column|row",
)
shape(
    "split-rows-short",
    whole(
        lambda r: {
            "columns": ["text", "label"],
            "data": [[t, y][: 1 if i == 3 else 2] for i, (t, y) in enumerate(r)],
        }
    ),
    "row|label|length",
)
shape(
    "lines-with-one-array", damaged(lambda s: s + json.dumps(records(TRAIN[:2])) + "\n"), "line 41"
)
shape("zeros-at-the-end", damaged(lambda s: s + "\0" * 64), (NEWS, "line 41"))

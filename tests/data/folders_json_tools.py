"""Folders of JSON as labelling tools and viewers export it."""

import json
from functools import partial
from pathlib import Path

from tests.data.corpus import (
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    records,
    write,
)
from tests.data.folders_json import lines, whole

CORPUS = Corpus()
add = partial(CORPUS.add, "JSON")


def doccano(at: Path) -> None:
    lines(lambda i, t, y: {"id": i, "text": t, "label": [y], "Comments": []})(at)


def label_studio(rows):
    return [
        {
            "id": i,
            "annotations": [{"result": [{"value": {"choices": [y]}, "type": "choices"}]}],
            "data": {"text": t},
        }
        for i, (t, y) in enumerate(rows)
    ]


add(
    "viewer-rows",
    whole(
        lambda r: {
            "features": [],
            "rows": [
                {"row_idx": i, "row": x, "truncated_cells": []} for i, x in enumerate(records(r))
            ],
        }
    ),
    (NEWS, "row|column"),
)
add(
    "both-splits-in-one",
    lambda at: write(
        at / "news.json", json.dumps({"train": records(TRAIN), "test": records(TEST)})
    ),
    (NEWS, "train"),
)
add("doccano", doccano, (NEWS, "label|list"))
add("label-studio", whole(label_studio), "annotations|column")
add(
    "label-studio-min",
    whole(
        lambda r: [
            {
                "text": t,
                "sentiment": y,
                "id": i,
                "annotator": 1,
                "created_at": "2024-01-05T10:00:00.0Z",
            }
            for i, (t, y) in enumerate(r)
        ]
    ),
)
add(
    "prodigy",
    lines(lambda i, t, y: {"text": t, "_input_hash": i, "answer": "accept", "accept": [y]}),
    "label|column|accept",
)
add(
    "chat",
    lines(
        lambda i, t, y: {
            "messages": [{"role": "user", "content": t}, {"role": "assistant", "content": y}]
        }
    ),
    "messages|column",
)

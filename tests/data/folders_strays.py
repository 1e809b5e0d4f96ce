"""Folders in which systems and tools have left files of their own."""

from functools import partial

from tests.data.corpus import (
    NEWS,
    Corpus,
    csv_text,
)
from tests.data.folders_layouts import STALE, beside, named

CORPUS = Corpus()
add = partial(CORPUS.add, "layouts")
add("mac-files", beside("._train.csv", b"\0\5\x16\7", "__MACOSX/._test.csv"))
add("mac-store", beside(".DS_Store", b"\0\0\0\1Bud1"))
add("windows-files", beside("Thumbs.db", b"\xd0\xcf", "desktop.ini"))
add("office-lock", beside("~$train.csv", b"\5user"))
add("backup", beside("train.csv~", "old", "train.csv.bak"))
add("jupyter-checkpoints", named(".ipynb_checkpoints/train-checkpoint.csv", "README.md"), "train")
add("checkpoints-beside", beside(".ipynb_checkpoints/train-checkpoint.csv", csv_text(STALE)))
add("checksums", beside("train.csv.sha256", "ab  train.csv\n", "train.csv.md5"))
add("dvc", beside("train.csv.dvc", "outs:\n- md5: a\n  path: train.csv\n", "test.csv.dvc"))
add(
    "croissant",
    beside("train.csv.metadata.json", '{"rows": 40}', "dataset_infos.json"),
    (NEWS, "metadata"),
)
add("licence-and-readme", beside("LICENSE.txt", "MIT", "README.txt"))

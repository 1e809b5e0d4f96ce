"""Folders as known data sets are published on their authors' pages."""

import json
from functools import partial

from tests.data.corpus import (
    AG,
    TEST,
    TRAIN,
    VALIDATION,
    Corpus,
    Works,
    csv_files,
    frame,
    write,
)
from tests.data.folders_dialects import plain
from tests.data.folders_published import ALL, CUT, PARTS, polar

CORPUS = Corpus()
add = partial(CORPUS.add, "publications")


def trec(at):
    codes = dict(zip(AG, ("DESC", "ENTY", "ABBR", "HUM"), strict=True))
    for name, rows in (("train_5500", TRAIN), ("TREC_10", TEST)):
        write(at / f"{name}.label", "".join(f"{codes[y]}:def {t}\n" for t, y in rows))


def sst2(at):
    csv_files(at, frame(polar(TRAIN), "sentence"), TEST, sep="\t", names=("train.tsv", "x"))
    csv_files(at, frame(polar(VALIDATION), "sentence"), TEST, sep="\t", names=("dev.tsv", "x"))
    hidden = frame(TEST, "sentence")[["sentence"]]
    hidden.to_csv(at / "test.tsv", sep="\t", index_label="index")
    (at / "x").unlink()


def cola(at):
    for name, rows in PARTS:
        text = "".join(f"gj04\t{i % 2}\t\t{t}\n" for i, (t, _) in enumerate(plain(rows)))
        write(at / f"{name}.tsv", text)


def tweet_eval(at):
    for name, rows in PARTS:
        write(at / f"{name}_text.txt", "".join(f"{t}\n" for t, _ in rows))
        write(at / f"{name}_labels.txt", "".join(f"{AG.index(y)}\n" for _, y in rows))
    write(at / "mapping.txt", "".join(f"{i}\t{name}\n" for i, name in enumerate(AG)))


def emotions(at):
    for name, rows in (*PARTS, ("val", VALIDATION)):
        write(at / f"{name}.txt", "".join(f"{t};{y}\n" for t, y in plain(rows)))


def clinc(at):
    document = {"train": [list(r) for r in TRAIN], "test": [list(r) for r in TEST], "oos_test": []}
    write(at / "data_full.json", json.dumps(document))


add(
    "sms-spam-collection",
    lambda at: write(at / "SMSSpamCollection", "".join(f"{y}\t{t}\n" for t, y in ALL)),
    (CUT, "ending"),
    source="SMSSpamCollection",
    test_fraction=0.25,
)
add(
    "bbc-folders",
    lambda at: [write(at / y.replace("/", "-") / f"{i}.txt", t) for i, (t, y) in enumerate(ALL)],
    "train|txt|file for each",
    test_fraction=0.25,
)
add(
    "newsgroups",
    lambda at: [
        write(at / f"20news-bydate-{n}" / y.replace("/", ".") / str(i), t)
        for n, rows in PARTS
        for i, (t, y) in enumerate(rows)
    ],
    "file for each",
)
add(
    "imdb-folders",
    lambda at: (
        [
            write(at / n / y / f"{i}_7.txt", t)
            for n, rows in PARTS
            for i, (t, y) in enumerate(polar(rows, ("neg", "pos")))
        ]
        + [write(at / "train/unsup/0_0.txt", "Rain")]
    ),
    (
        Works(train=polar(TRAIN, ("neg", "pos")), test=polar(TEST, ("neg", "pos"))),
        "txt|a file for each|folder",
    ),
)
add("trec", trec, "train|label|ending")
add("sst2", sst2, "test.tsv")
add("cola", cola, "header|column|text-column")
add(
    "cola-stated",
    cola,
    Works(**{n: tuple((t, str(i % 2)) for i, (t, _) in enumerate(plain(r))) for n, r in PARTS}),
    label_column="2",
    text_columns=("4",),
)
add("tweet-eval", tweet_eval, "train|txt|label")
add(
    "emotions-kaggle",
    emotions,
    Works(train=plain(TRAIN), test=plain(TEST), validation=plain(VALIDATION)),
)
add(
    "phrase-bank",
    lambda at: write(
        at / "Sentences_50Agree.txt", "".join(f"{t}@{y}\n" for t, y in plain(polar(ALL))), "latin-1"
    ),
    (Works(train=plain(polar(ALL)), test_fraction=0.25), "delimiter"),
    source="Sentences_50Agree.txt",
    test_fraction=0.25,
)
add(
    "phrase-bank-stated",
    lambda at: write(
        at / "Sentences_50Agree.txt", "".join(f"{t}@{y}\n" for t, y in plain(polar(ALL))), "latin-1"
    ),
    Works(train=plain(polar(ALL)), test_fraction=0.25),
    source="Sentences_50Agree.txt",
    test_fraction=0.25,
    delimiter="@",
    encoding="latin-1",
)
add("clinc", clinc, "train|column|object|list")
add(
    "mnli-two-tests",
    lambda at: [
        csv_files(at),
        csv_files(at, TEST, TEST, names=("test_matched.csv", "test_mismatched.csv")),
        (at / "test.csv").unlink(),
    ],
    "test_matched.*test_mismatched|test_mismatched.*test_matched",
)

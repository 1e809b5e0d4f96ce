"""Folders as known data sets are published, on Kaggle or their authors' pages."""

import json
from functools import partial
from pathlib import Path

import pandas as pd

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    VALIDATION,
    Corpus,
    Works,
    coded,
    csv_files,
    csv_text,
    frame,
    news,
    numbered,
    titled,
    write,
)
from tests.data.folders_dialects import plain

CORPUS = Corpus()


add = partial(CORPUS.add, "publications")


ALL = news(60)


CUT = Works(train=ALL, test_fraction=0.25)


KEPT = Works(train=TRAIN, test=TEST, validation=VALIDATION)


PARTS = (("train", TRAIN), ("test", TEST))


POLAR = ("negative", "positive")


def polar(rows, names=POLAR):
    return tuple((text, names[i % 2]) for i, (text, _) in enumerate(rows))


def lone(name, table, **options):
    def build(at: Path) -> None:
        table.to_csv(at / name, **{"index": False, **options})

    return build


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


def sentiment140(rows):
    return pd.DataFrame(
        [
            (4 * (i % 2), 1_467_810_000 + i, "Mon Apr 06 2009", "NO_QUERY", f"user{i}", t)
            for i, (t, _) in enumerate(rows)
        ]
    )


def entities(rows):
    """Kaggle's Twitter entity sentiment: id, entity, sentiment, text, without header."""
    return pd.DataFrame([(2401 + i, "Oslo", y, t) for i, (t, y) in enumerate(rows)])


def airline(rows):
    return pd.DataFrame(
        {
            "tweet_id": range(len(rows)),
            "airline_sentiment": [y for _, y in rows],
            "airline_sentiment_confidence": 1.0,
            "negativereason": "Late Flight",
            "name": "ann",
            "text": [t for t, _ in rows],
            "tweet_created": "2015-02-24 11:35:52 -0800",
        }
    )


def label_studio(rows):
    return frame(rows, "text", "sentiment").assign(
        annotation_id=1, annotator=2, created_at="2024-01-05T10:00:00Z", id=3, lead_time=1.5
    )


add(
    "spam-csv",
    lone(
        "spam.csv",
        frame(polar(ALL, ("ham", "spam")), "v2", "v1")[["v1", "v2"]].assign(
            **{"Unnamed: 2": None, "Unnamed: 3": None}
        ),
        encoding="cp1252",
        header=["v1", "v2", "", ""],
    ),
    (Works(train=polar(ALL, ("ham", "spam")), test_fraction=0.25), "v1.*v2"),
    test_fraction=0.25,
)


add(
    "sms-spam-collection",
    lambda at: write(at / "SMSSpamCollection", "".join(f"{y}\t{t}\n" for t, y in ALL)),
    (CUT, "ending"),
    source="SMSSpamCollection",
    test_fraction=0.25,
)


add(
    "imdb-kaggle",
    lone("IMDB Dataset.csv", frame(polar(ALL), "review", "sentiment")),
    Works(train=polar(ALL), test_fraction=0.25),
    test_fraction=0.25,
)


add(
    "airline-tweets",
    lone("Tweets.csv", airline(polar(ALL))),
    (Works(train=polar(ALL), test_fraction=0.25), "--label-column"),
    test_fraction=0.25,
)


add(
    "airline-tweets-stated",
    lone("Tweets.csv", airline(polar(ALL))),
    Works(train=polar(ALL), test_fraction=0.25),
    test_fraction=0.25,
    label_column="airline_sentiment",
)


add(
    "corona-tweets",
    lambda at: csv_files(
        at,
        *(
            frame(r, "OriginalTweet", "Sentiment").assign(UserName=1, Location="London")
            for r in (TRAIN, TEST)
        ),
        names=("Corona_NLP_train.csv", "Corona_NLP_test.csv"),
        encoding="latin-1",
    ),
    (NEWS, "--text-column"),
)


add(
    "drug-reviews",
    lambda at: csv_files(
        at,
        *(
            frame(r, "review", "rating").assign(drugName="x", condition="y", usefulCount=3)
            for r in (TRAIN, TEST)
        ),
        names=("drugsComTrain_raw.tsv", "drugsComTest_raw.tsv"),
        sep="\t",
        index=True,
    ),
    (NEWS, "train|--label-column"),
)


add(
    "twitter-entities",
    lambda at: csv_files(
        at,
        entities(TRAIN),
        entities(TEST),
        names=("twitter_training.csv", "twitter_validation.csv"),
        header=False,
    ),
    "test|header|column",
)


add(
    "twitter-entities-stated",
    lambda at: csv_files(
        at, entities(TRAIN), entities(TEST), names=("train.csv", "test.csv"), header=False
    ),
    NEWS,
    label_column="3",
    text_columns=("4",),
)


add(
    "sentiment140-stated",
    lambda at: csv_files(
        at, sentiment140(TRAIN), sentiment140(TEST), header=False, quoting=1, encoding="latin-1"
    ),
    Works(train=polar(TRAIN, "04"), test=polar(TEST, "04")),
    label_column="1",
    text_columns=("6",),
)


add(
    "banking77",
    lambda at: [
        csv_files(at, frame(TRAIN, "text", "category"), frame(TEST, "text", "category")),
        write(at / "categories.json", json.dumps(list(AG))),
    ],
)


add(
    "bbc-news-kaggle",
    lambda at: [
        csv_files(
            at,
            frame(TRAIN, "Text", "Category").assign(ArticleId=range(40)),
            frame(TEST, "Text", "Category").assign(ArticleId=range(12))[["ArticleId", "Text"]],
            names=("BBC News Train.csv", "BBC News Test.csv"),
        ),
        write(at / "BBC News Sample Solution.csv", "ArticleId,Category\n1,sport\n"),
    ],
    "Test.csv.*(label|Category)|label.*Test.csv",
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
    "train|file",
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


add(
    "huffpost-lone",
    lambda at: (
        titled(ALL)
        .set_axis(["category", "headline", "short_description"], axis=1)
        .assign(link="https://x", date="2022-09-23")
        .to_json(at / "News_Category_Dataset_v3.json", orient="records", lines=True)
    ),
    (CUT, "text-column"),
    test_fraction=0.25,
)


add(
    "fake-and-true",
    lambda at: csv_files(
        at, *(frame(r)[["text"]] for r in (TRAIN, TEST)), names=("Fake.csv", "True.csv")
    ),
    "train|Fake.csv",
)


add("label-studio-csv", lambda at: csv_files(at, label_studio(TRAIN), label_studio(TEST)))


add(
    "excel-unicode-text",
    lambda at: [
        write(at / f"{n}.txt", csv_text(r, delimiter="\t", lineterminator="\r\n"), "utf-16")
        for n, r in PARTS
    ],
)


add("data-frames", lambda at: csv_files(at, names=("df_train.csv", "df_test.csv"), index=True))


add("named-data", lambda at: csv_files(at, names=("Train_data.csv", "Test_data.csv")))


add("short-names", lambda at: csv_files(at, names=("trn.csv", "tst.csv")), (NEWS, "train"))


add(
    "hold-out",
    lambda at: csv_files(at, names=("train.csv", "holdout.csv")),
    (
        Works(train=TRAIN, test=TEST, assumes="holdout"),
        Works(train=TRAIN, test_fraction=0.2, assumes="test"),
        "test",
    ),
)


add(
    "stars-from-amazon",
    lambda at: csv_files(
        at,
        *(
            titled(r)
            .assign(label=coded(r, 1)["label"])
            .set_axis(["stars", "review_title", "review_body"], axis=1)
            for r in (TRAIN, TEST)
        ),
    ),
    (numbered(1), "text-column"),
)


add(
    "five-stars",
    lambda at: csv_files(
        at,
        *(pd.DataFrame([(i % 5 + 1, t) for i, (t, _) in enumerate(r)]) for r in (TRAIN, TEST)),
        header=False,
        quoting=1,
    ),
    Works(
        **{n: tuple((t, str(i % 5 + 1)) for i, (t, _) in enumerate(r)) for n, r in PARTS},
        classes=tuple("12345"),
    ),
)

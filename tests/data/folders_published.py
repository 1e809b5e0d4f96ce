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

"""Folders that tempt a reader into rows that are not there, or labels of other rows."""

# ruff: noqa: RUF001 - other scripts are what is tested

import json
from functools import partial
from pathlib import Path

import pandas as pd

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Works,
    coded,
    csv_files,
    csv_text,
    files,
    frame,
    news,
    numbered,
    records,
    titled,
    write,
)
from tests.data.folders_dialects import both, plain, retold, works
from tests.data.folders_json import damaged, lines, whole
from tests.data.folders_labels import labelled, stained, wrote
from tests.data.folders_layouts import hub_rows

CORPUS = Corpus()
dialect = partial(CORPUS.add, "dialects")
encoding = partial(CORPUS.add, "encodings")
label = partial(CORPUS.add, "labels")
column = partial(CORPUS.add, "columns")
shape = partial(CORPUS.add, "JSON")
layout = partial(CORPUS.add, "layouts")


def made(content, ending="csv"):
    return lambda at: both(at, content, ending)


def tabbed(rows):
    return "text\tlabel\n" + "".join(f"{text}\t{name}\n" for text, name in rows)


def open_quotes(rows):
    """Rows 4 and 10 begin and end with a quote that belongs to the text."""
    marks = {3: '"{}', 9: '{}"'}
    return tuple((marks.get(i, "{}").format(t), y) for i, (t, y) in enumerate(plain(rows)))


UNCLOSED = Works(train=open_quotes(TRAIN), test=open_quotes(TEST))
dialect("quotes-over-rows-tsv", made(lambda r: tabbed(open_quotes(r)), "tsv"), (UNCLOSED, "quote"))
dialect("quotes-over-rows-csv", made(lambda r: tabbed(open_quotes(r))), (UNCLOSED, "quote"))
dialect(
    "quotes-over-rows-comma",
    made(lambda r: tabbed(open_quotes(r)).replace("\t", ",")),
    (UNCLOSED, "quote"),
)
dialect(
    "quotes-over-rows-label-first",
    made(lambda r: "".join(f"{y}\t{t}\n" for t, y in open_quotes(r)), "tsv"),
    (UNCLOSED, "quote"),
)
dialect(
    "one-comma-too-many-in-each",
    made(lambda r: "label,text\n" + "".join(f"{y},Today, {t}\n" for t, y in plain(r))),
    r"row \d|field|quote",
)
dialect(
    "comma-or-semicolon",
    made(lambda r: "".join(f"{y};Now, {t}\n" for t, y in plain(r))),
    (works(lambda t: f"Now, {t}"), "delimiter"),
)
dialect(
    "comma-or-semicolon-with-header",
    made(lambda r: "label;text\n" + "".join(f"{y};Now, {t}\n" for t, y in plain(r))),
    Works(
        train=retold(lambda t: f"Now, {t}", plain(TRAIN)),
        test=retold(lambda t: f"Now, {t}", plain(TEST)),
    ),
)
dialect(
    "line-breaks-as-backslash-n",
    made(
        lambda r: "label,text\n" + "".join(f'"{y}","Said \\"so\\".\\n{t}"\n' for t, y in plain(r))
    ),
    (
        Works(
            **{
                k: retold(lambda t: f'Said "so".\n{t}', plain(r))
                for k, r in (("train", TRAIN), ("test", TEST))
            }
        ),
        Works(
            **{
                k: retold(lambda t: f'Said "so".\\n{t}', plain(r))
                for k, r in (("train", TRAIN), ("test", TEST))
            }
        ),
        "backslash|escape|quote",
    ),
)
dialect(
    "hashtag-after-comments",
    made(lambda r: "# news\n" + csv_text(plain(r)) + "#Oslo wins, again,Sports\n"),
    r"row|#|field",
)
dialect(
    "hashtag-first-row",
    made(lambda r: csv_text([("#1 in Oslo", "World"), *r], None)),
    (
        Works(train=(("#1 in Oslo", "World"), *TRAIN), test=(("#1 in Oslo", "World"), *TEST)),
        "header|column",
    ),
)
dialect(
    "last-column-empty",
    made(lambda r: csv_text([(y, t, "") for t, y in r], ("label", "text", "note"))),
)
dialect(
    "decimal-comma-labels",
    made(lambda r: csv_text([(t, f"{AG.index(y)},0") for t, y in r], delimiter=";")),
    (numbered(), wrote(("0,0", "1,0", "2,0", "3,0")), "label"),
)
dialect(
    "empty-first-text",
    made(lambda r: csv_text([("", "World"), *r])),
    Works(train=(("", "World"), *TRAIN), test=(("", "World"), *TEST)),
)
dialect(
    "label-and-commas-only",
    made(lambda r: csv_text(r) + "\n,World\n"),
    Works(train=(*TRAIN, ("", "World")), test=(*TEST, ("", "World"))),
)
dialect(
    "quote-mark-stated-none",
    lambda at: both(at, lambda r: tabbed(open_quotes(r)), "tsv"),
    UNCLOSED,
    quote="none",
)
dialect(
    "header-stated",
    lambda at: csv_files(at, header=["h1", "h2"]),
    (NEWS, "text-column|label-column"),
    has_header=True,
)
dialect("no-header-stated", lambda at: csv_files(at, header=False), NEWS, has_header=False)
dialect("late-ragged-row", made(lambda r: csv_text(r) + 'A,b,"World"\n'), r"row \d+|field")
dialect("late-short-row", made(lambda r: csv_text(r) + "Alone\n"), r"row \d+|field")
dialect(
    "middle-quote-then-comma",
    made(lambda r: csv_text(plain(r)) + '"A" 5, disk,World\n'),
    r"row \d+|field|quote",
)

# Codes of one byte in which the same bytes are other letters.
PHRASES = {
    "cp1250": "Wałęsa odwiedził Kraków, a prezydent wygłosił przemówienie o przyszłości",
    "iso8859_2": "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "cp1254": "Türkiye'de yağış bekleniyor, İstanbul'da şiddetli fırtına",
    "cp1253": "Η κυβέρνηση ανακοίνωσε νέα μέτρα",
    "cp1257": "Lietuvos prezidentė išvyko į Briuselį, žiniasklaida praneša",
    "cp850": "Für die Gäste gab es später Käse, Öl und süße Brötchen",
    "cp437": "Le café est à côté du château, où l'été est très agréable",
    "mac_roman": "Le café est à côté du château, où l’été est très agréable",
    "koi8_r": "Президент прибыл в столицу с визитом",
    "euc_kr": "대통령이 서울에서 기자회견을 열었다",
    "big5": "總統今天在台北舉行記者會",
    "cp1255": "ראש הממשלה נפגש היום עם השר",
    "cp1256": "التقى رئيس الوزراء اليوم بالوزير",
    "latin_1": "El niño comió una manzana en el jardín español",
}
for code, phrase in PHRASES.items():
    rich = {
        k: retold(lambda t, p=phrase: f"{p}. {t}", r) for k, r in (("train", TRAIN), ("test", TEST))
    }
    poor = {
        k: tuple((f"{phrase if i == 4 else ''} {t}", y) for i, (t, y) in enumerate(r))
        for k, r in (("train", TRAIN), ("test", TEST))
    }
    for name, rows in (("all", rich), ("one", poor)):
        encoding(
            f"found-{code}-in-{name}".replace("_", "-"),
            lambda at, rows=rows, code=code: [
                write(at / f"{k}.csv", csv_text(r), code) for k, r in rows.items()
            ],
            (Works(**rows, assumes="encoding"), "--encoding"),
        )
encoding(
    "utf8-read-as-1252-once",
    lambda at: csv_files(at, retold(lambda t: f"Ã©tÃ© {t}"), retold(lambda t: f"Ã©tÃ© {t}", TEST)),
    works(lambda t: f"Ã©tÃ© {t}"),
)

label("invisible-difference", stained("Sports\u200b"), "Sports")
label("two-spaces-inside", labelled(("Arts  and", "Arts and", "News")), "Arts")
label(
    "hyphen-and-dash",
    labelled(("Sci-Tech", "Sci\u2010Tech", "News")),
    (
        wrote(("Sci-Tech", "Sci\u2010Tech", "News"), sorted(("Sci-Tech", "Sci\u2010Tech", "News"))),
        "Sci",
    ),
)
label(
    "quoted-twice",
    labelled(('"World"', '"Sports"')),
    (
        wrote(('"World"', '"Sports"'), ('"Sports"', '"World"')),
        wrote(("World", "Sports"), ("Sports", "World")),
        "label",
    ),
)
label("letters-and-numbers", labelled(("0", "1", "World")), "World|number")
label("number-words-sorted", labelled(("class 10", "class 9")), wrote(("class 10", "class 9")))
label(
    "one-of-each",
    lambda at: csv_files(
        at,
        [(t, f"c{i}") for i, (t, _) in enumerate(TRAIN)],
        [(t, f"c{i}") for i, (t, _) in enumerate(TEST)],
    ),
    "label|class|row",
)
label("infinite", stained("inf", names=(0, 1, 2, 3)), "row 7.*inf|inf")
label(
    "exponent", labelled(("0e0", "1e0")), (wrote(("0e0", "1e0")), wrote(("0", "1")), "number|label")
)
label("hexadecimal", labelled(("0x0", "0x1")), wrote(("0x0", "0x1")))
MONTHS = tuple(f"{i:02d}" for i in range(1, 13))
HUFFPOST = ("ARTS", "ARTS & CULTURE", "CULTURE & ARTS", "STYLE", "STYLE & BEAUTY", "TASTE")
STARS = tuple(f"{i} star{'s' if i > 1 else ''}" for i in range(1, 6))


def many(names, count=60, write_names=(), base=None):
    """More classes than the usual four, as they are or as numbers from a base."""

    def build(at):
        for split, rows in (("train", news(count, names)), ("test", news(len(names), names, 200))):
            table = frame(rows)
            if base is not None:
                table["label"] = [names.index(y) + base for _, y in rows]
            table.to_csv(at / f"{split}.csv", index=False)
        if write_names:
            write(at / "classes.txt", "\n".join(write_names))

    return build


def many_rows(names, count=60):
    return Works(train=news(count, names), test=news(len(names), names, 200), classes=names)


label("zero-padded-to-twelve", many(MONTHS), many_rows(MONTHS))
label("dewey-numbers", many(("004", "510", "610")), (many_rows(("004", "510", "610")), "004"))
label("huffpost-classes", many(HUFFPOST), many_rows(HUFFPOST))
label(
    "slashes-in-names",
    many(("Sci", "Sci/Tech", "Tech")),
    (many_rows(("Sci", "Sci/Tech", "Tech")), "Sci/Tech"),
)
label("plus-in-names", many(("C", "C#", "C++")), many_rows(("C", "C#", "C++")))
label("stars-in-classes-txt", many(STARS, write_names=STARS, base=1), many_rows(STARS))
label(
    "numbered-names-in-classes-txt",
    many(STARS[:3], write_names=("0: bad", "1: fair", "2: good"), base=0),
    (
        Works(
            **{
                k: tuple(
                    (t, {"1 star": "bad", "2 stars": "fair", "3 stars": "good"}[y])
                    for t, y in getattr(many_rows(STARS[:3]), k)
                )
                for k in ("train", "test")
            },
            classes=("bad", "fair", "good"),
        ),
        "classes.txt",
    ),
)
label(
    "versions-as-classes",
    many(("1.0", "1.1", "2.0")),
    (many_rows(("1.0", "1.1", "2.0")), "fraction|measurement|label"),
)
label(
    "dotted-groups",
    many(("alt.atheism", "comp.graphics", "sci.space")),
    many_rows(("alt.atheism", "comp.graphics", "sci.space")),
)
label(
    "no-and-yes-no",
    many(("no", "yes", "yes, no")),
    (many_rows(("no", "yes", "yes, no")), "yes, no"),
)
label("underscored", stained("1_0", names=(0, 1, 2, 3)), "1_0")

column(
    "headerless-index-and-text",
    lambda at: csv_files(
        at, *(frame(r)[["text"]] for r in (TRAIN, TEST)), index=True, header=False
    ),
    "label|header|index",
)
column(
    "headerless-id-and-text",
    lambda at: csv_files(
        at,
        *(
            pd.DataFrame({"id": [1000 + 7 * i for i in range(len(r))], "text": [t for t, _ in r]})
            for r in (TRAIN, TEST)
        ),
        header=False,
    ),
    "label|header|index",
)
column(
    "index-and-text-only",
    lambda at: csv_files(at, *(frame(r)[["text"]] for r in (TRAIN, TEST)), index=True),
    "label",
)
column(
    "year-in-the-header",
    lambda at: csv_files(
        at, *(frame(r, "utterance_x", "klass_x").assign(**{"2020": "x"}) for r in (TRAIN, TEST))
    ),
    "header|column",
)
column(
    "headerless-sorted",
    lambda at: csv_files(
        at,
        *(coded(r, 1).sort_values("label")[["label", "text"]] for r in (TRAIN, TEST)),
        header=False,
    ),
    numbered(1),
)
column(
    "headerless-names-sorted",
    lambda at: csv_files(
        at, *(frame(r).sort_values("label")[["label", "text"]] for r in (TRAIN, TEST)), header=False
    ),
    (NEWS, "header"),
)
column(
    "headerless-id-last",
    lambda at: csv_files(
        at,
        *(coded(r, 1)[["label", "text"]].assign(id=range(len(r))) for r in (TRAIN, TEST)),
        header=False,
    ),
    (numbered(1), "header|column"),
)
column(
    "headerless-two-numbers",
    lambda at: csv_files(
        at,
        *(
            coded(r, 1)[["label", "text"]].assign(stars=[i % 5 for i in range(len(r))])
            for r in (TRAIN, TEST)
        ),
        header=False,
    ),
    "header|column",
)
column(
    "headerless-turned-in-test",
    lambda at: csv_files(at, coded(TRAIN)[["label", "text"]], coded(TEST), header=False),
    (numbered(), "test.csv"),
)
column(
    "label-names-the-text",
    lambda at: csv_files(
        at, *(titled(r).set_axis(["text", "label", "content"], axis=1) for r in (TRAIN, TEST))
    ),
    "label|class",
)
column(
    "numbers-one-hot",
    lambda at: csv_files(
        at,
        *(
            frame(r)[["text"]].assign(
                **{str(j): [int(AG.index(y) == j) for _, y in r] for j in range(4)}
            )
            for r in (TRAIN, TEST)
        ),
    ),
    "column|header|one-hot|label",
)
column(
    "prediction-beside",
    lambda at: csv_files(
        at, *(frame(r).assign(prediction="World", score=0.5) for r in (TRAIN, TEST))
    ),
)
column(
    "label-and-its-number",
    lambda at: csv_files(at, *(frame(r).assign(label_id=coded(r)["label"]) for r in (TRAIN, TEST))),
)
column(
    "predicted-label-first",
    lambda at: csv_files(
        at,
        *(
            frame(r).assign(predicted_label="World")[["predicted_label", "text", "label"]]
            for r in (TRAIN, TEST)
        ),
    ),
)
column(
    "text-length-beside",
    lambda at: csv_files(
        at, *(frame(r).assign(text_length=9, text_clean="x") for r in (TRAIN, TEST))
    ),
)
column(
    "headerless-position-stated",
    lambda at: csv_files(
        at,
        *(titled(r).assign(x="x")[["x", "label", "title", "description"]] for r in (TRAIN, TEST)),
        header=False,
    ),
    NEWS,
    label_column="2",
    text_columns=("3", "4"),
)


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

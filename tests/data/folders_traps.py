"""CSV that tempts a reader into rows that are not there, or into letters that are not."""

# ruff: noqa: RUF001 - other scripts are what is tested

import csv
from functools import partial

from tests.data.corpus import (
    AG,
    NEWS,
    TEST,
    TRAIN,
    Corpus,
    Works,
    csv_files,
    csv_text,
    numbered,
    write,
)
from tests.data.folders_dialects import both, plain, retold, works
from tests.data.folders_labels import wrote

CORPUS = Corpus()
dialect = partial(CORPUS.add, "dialects")
encoding = partial(CORPUS.add, "encodings")


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


SINGLE = {"quotechar": "'"}
ESCAPED = {"doublequote": False, "escapechar": "\\", "quoting": csv.QUOTE_ALL}


def seen_in_train_only(mark, less, **options):
    """A dialect that the train file shows; the test file might be of another one, too."""
    train = tuple((f"Say {mark} {t}", y) for t, y in plain(TRAIN))
    test = tuple((f"{less} {t}" if i == 3 else t, y) for i, (t, y) in enumerate(plain(TEST)))

    def build(at):
        write(at / "train.csv", csv_text(train, **options))
        write(at / "test.csv", csv_text(test, **options))

    return build, Works(train=train, test=test)


dialect("quotes-seen-in-train-only", *seen_in_train_only("it's, well,", "it's", **SINGLE))
dialect("escapes-seen-in-train-only", *seen_in_train_only('"so", \\', "\\", **ESCAPED))
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


SPARSE = {
    "apostrophe-mac": ("mac_roman", "don\u2019t"),
    "spanish-mac": ("mac_roman", "España"),
    "swedish-dos": ("cp865", "få"),
    "hebrew": ("cp1255", "ראש"),
    "arabic": ("cp1256", "القاهرة"),
    "polish-iso": ("iso8859_2", "źródło"),
    "japanese-mail": ("iso2022_jp", "大統領"),
    "chinese-big5": ("big5", "總統"),
    "french-1252": ("cp1252", "déjà vu"),
    "pound-1252": ("cp1252", "£5 \u2013 fine"),
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


for name, (code, word) in SPARSE.items():
    sparse = tuple((f"{t} {word}" if i == 4 else t, y) for i, (t, y) in enumerate(TRAIN))
    encoding(
        f"sparse-{name}",
        lambda at, rows=sparse, code=code: [
            csv_files(at),
            write(at / "train.csv", csv_text(rows), code),
        ],
        (Works(train=sparse, test=TEST, assumes="encoding"), "encod"),
    )
encoding(
    "utf8-read-as-1252-once",
    lambda at: csv_files(at, retold(lambda t: f"Ã©tÃ© {t}"), retold(lambda t: f"Ã©tÃ© {t}", TEST)),
    works(lambda t: f"Ã©tÃ© {t}"),
)

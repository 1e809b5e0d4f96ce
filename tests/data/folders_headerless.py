"""Folders whose CSV has no header, or one that says little."""

from functools import partial

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
    frame,
    numbered,
    titled,
    write,
)

CORPUS = Corpus()
add = partial(CORPUS.add, "columns")
add(
    "only-one-unnamed-column",
    lambda at: [
        write(at / f"{n}.csv", "".join(f'"{t[:9]}"\n' for t, _ in r))
        for n, r in (("train", TRAIN), ("test", TEST))
    ],
    "column|header",
)
add("empty-header-names", lambda at: csv_files(at, header=["", ""]), "column|header")
add(
    "headerless-label-first",
    lambda at: csv_files(at, *(frame(r)[["label", "text"]] for r in (TRAIN, TEST)), header=False),
    (NEWS, "header"),
)
add("headerless-label-last", lambda at: csv_files(at, header=False), (NEWS, "header"))
add(
    "headerless-number-last",
    lambda at: csv_files(at, coded(TRAIN), coded(TEST), header=False),
    (numbered(), "header"),
)
add(
    "headerless-three",
    lambda at: csv_files(at, titled(TRAIN), titled(TEST), header=False),
    (NEWS, "header"),
)
add(
    "headerless-quoted",
    lambda at: csv_files(
        at, *(coded(r, 1)[["label", "text"]] for r in (TRAIN, TEST)), header=False, quoting=1
    ),
    numbered(1),
)
add(
    "headerless-floats",
    lambda at: csv_files(
        at,
        *(coded(r, 1)[["label", "text"]].astype({"label": float}) for r in (TRAIN, TEST)),
        header=False,
    ),
    numbered(1),
)
add(
    "headerless-negative",
    lambda at: csv_files(
        at,
        *(
            frame(r)
            .replace({"Business": "-1", "Sports": "1"})
            .loc[lambda t: t["label"].isin(["-1", "1"])][["label", "text"]]
            for r in (TRAIN, TEST)
        ),
        header=False,
    ),
    Works(
        train=tuple(
            (t, {"Business": "-1", "Sports": "1"}[y])
            for t, y in TRAIN
            if y in ("Business", "Sports")
        ),
        test=tuple(
            (t, {"Business": "-1", "Sports": "1"}[y])
            for t, y in TEST
            if y in ("Business", "Sports")
        ),
        classes=("-1", "1"),
    ),
)
add(
    "headerless-sentiment140",
    lambda at: csv_files(
        at,
        *(
            pd.DataFrame(
                [
                    (
                        0 if y in AG[:2] else 4,
                        1_467_810_000 + i,
                        "Mon Apr 06 22:19:45 PDT 2009",
                        "NO_QUERY",
                        f"user{i}",
                        t,
                    )
                    for i, (t, y) in enumerate(r)
                ]
            )
            for r in (TRAIN, TEST)
        ),
        header=False,
        quoting=1,
    ),
    "header|column",
)
add(
    "header-in-train-only",
    lambda at: [csv_files(at), frame(TEST).to_csv(at / "test.csv", index=False, header=False)],
    (NEWS, "test.csv"),
)

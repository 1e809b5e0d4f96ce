"""What the corpus of data folders is made of: cases, made-up news, and writers of plain files."""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

Build = Callable[[Path], object]
"""Writes a folder."""

Row = tuple[str, str]
"""A text and the name of its class."""

AG = ("Business", "Sci/Tech", "Sports", "World")
CITIES = "Oslo Lima Cairo Perth Dakar Quito Turin Delhi Minsk Accra Hanoi Boise".split()
SENTENCES = {
    "World": (
        "Talks in {city} end after {n} days, officials say",
        'Envoy says "{n} weeks" are enough for peace in {city}',
        "Voters in {city} queue at {n} stations",
        "{city}'s river floods {n} villages, thousands flee",
    ),
    "Sports": (
        "{city} win the final {n} to 2, fans celebrate",
        "Coach calls {n} points in {city} 'a good start'",
        "Runner from {city} takes gold in race {n}",
        'Captain: "We lost {n} games, not our heart" in {city}',
    ),
    "Business": (
        "Shares in {city} fall {n} percent, oil rises",
        "Bank of {city} cuts {n} jobs as profits shrink",
        "Retailer opens {n} shops in {city}",
        'Chief of {city} airline: "{n} new routes, no new debt"',
    ),
    "Sci/Tech": (
        "Lab in {city} shows a chip with {n} cores, no fan",
        "Telescope near {city} finds {n} faint planets",
        "Update from {city} mends {n} bugs in a browser",
        "{city}'s probe sends picture number {n} of the comet",
    ),
}


@dataclass(frozen=True, kw_only=True)
class Works:
    """The folder is read, and these are its rows."""

    train: tuple[Row, ...]
    test: tuple[Row, ...] = ()
    validation: tuple[Row, ...] = ()
    classes: tuple[str, ...] | None = None
    """Names in the order of class ids; None for the sorted names of the train rows."""
    assumes: str = ""
    """A pattern that must be found in what is said to have been assumed."""
    test_fraction: float | None = None
    """Share of ``train`` that is cut off as the test split, where ``test`` is empty."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A data folder and what must come of it."""

    id: str
    kind: str
    build: Build
    works: tuple[Works, ...] = ()
    """What it may give; more than one where each is right and said."""
    refused: str | None = None
    """A pattern for the line that refuses it. Beside ``works``: either is right."""
    source: str = ""
    """What is named, inside the folder; by default the folder."""
    spec: dict[str, Any] = field(default_factory=dict)
    """Further settings; values that start with ``./`` are paths inside the folder."""
    needs_user: bool = False
    """Makes no sense for root, who may read everything."""


def news(count: int, classes: Iterable[str] = AG, start: int = 0) -> tuple[Row, ...]:
    """Make rows of different texts whose classes come in turns."""
    names, topics, rows = tuple(classes), tuple(SENTENCES), []
    for i in range(start, start + count):
        which = i % len(names)
        topic = names[which] if names[which] in SENTENCES else topics[which % len(topics)]
        sentence = SENTENCES[topic][i // len(names) % 4]
        rows.append((sentence.format(city=CITIES[i * 5 % 12], n=i + 3), names[which]))
    return tuple(rows)


def splits(classes: Iterable[str] = AG) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Make the usual 40 train and 12 test rows."""
    names = tuple(classes)
    return news(40, names), news(12, names, start=100)


TRAIN, TEST = splits()
VALIDATION = news(8, start=200)
NEWS = Works(train=TRAIN, test=TEST)


def numbered(base: int = 0, classes: tuple[str, ...] = AG) -> Works:
    """The usual rows when classes are written as numbers from a base."""
    names = tuple(str(base + i) for i in range(len(classes)))
    return Works(
        train=relabelled(TRAIN, dict(zip(classes, names, strict=True))),
        test=relabelled(TEST, dict(zip(classes, names, strict=True))),
        classes=names,
    )


def relabelled(rows: Iterable[Row], names: dict[str, str]) -> tuple[Row, ...]:
    return tuple((text, names[label]) for text, label in rows)


def frame(rows: Iterable[Row], text: str = "text", label: str = "label") -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=[text, label])


def coded(rows: Iterable[Row], base: int = 0) -> pd.DataFrame:
    """Text and integer labels, by the classes' alphabetical order."""
    table = frame(rows)
    return table.assign(label=[AG.index(name) + base for name in table["label"]])


def titled(rows: Iterable[Row]) -> pd.DataFrame:
    """Columns label, title and description, whose join by a space is the text."""
    parts = [(label, *text.split(" ", 2)) for text, label in rows]
    return pd.DataFrame(
        [(label, f"{a} {b}", rest) for label, a, b, rest in parts],
        columns=["label", "title", "description"],
    )


def records(rows: Iterable[Row], text: str = "text", label: str = "label") -> list[dict[str, Any]]:
    return [{text: words, label: name} for words, name in rows]


def write(path: Path, content: str | bytes, encoding: str = "utf-8") -> None:
    """Write a file as it is given, its folders too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))


def csv_text(
    rows: Iterable[Row], header: tuple[str, ...] | None = ("text", "label"), **dialect: Any
) -> str:
    """What Python's csv module writes."""
    out = io.StringIO()
    writer = csv.writer(out, **{"lineterminator": "\n", **dialect})
    writer.writerows([*([header] if header else []), *rows])
    return out.getvalue()


def csv_files(at: Path, train: object = TRAIN, test: object = TEST, **options: Any) -> None:
    """Write train.csv and test.csv as pandas does, without its index unless asked."""
    files(at, "csv", train, test, **{"index": False, **options})


def files(
    at: Path,
    form: str,
    train: object = TRAIN,
    test: object = TEST,
    names: tuple[str, str] | None = None,
    **options: Any,
) -> None:
    """Write both splits by ``DataFrame.to_<form>``; rows may be a frame already."""
    names = names or (f"train.{form}", f"test.{form}")
    for name, rows in zip(names, (train, test), strict=True):
        table = rows if isinstance(rows, pd.DataFrame) else frame(rows)
        (at / name).parent.mkdir(parents=True, exist_ok=True)
        getattr(table, f"to_{form}")(at / name, **options)


class Corpus:
    """A list of cases that grows."""

    def __init__(self) -> None:
        self.cases: list[Case] = []

    def add(
        self,
        kind: str,
        name: str,
        build: Build,
        outcome: Works | str | tuple[Works | str, ...] = NEWS,
        **more: Any,
    ) -> None:
        """Add a case.

        Args:
            kind: the group in the table.
            name: its id, unique.
            build: writes the folder.
            outcome: what it gives or the pattern of its refusal; several where each is right.
            more: fields of ``Case``; what is none is a setting of ``DataSpec``.
        """
        right = outcome if isinstance(outcome, tuple) else (outcome,)
        works = tuple(one for one in right if isinstance(one, Works))
        refused = next((one for one in right if isinstance(one, str)), None)
        own = {key: more.pop(key) for key in ("source", "needs_user") if key in more}
        self.cases.append(
            Case(id=name, kind=kind, build=build, works=works, refused=refused, spec=more, **own)
        )

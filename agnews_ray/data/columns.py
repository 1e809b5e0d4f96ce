"""Which columns hold text and label, by their names; a choice between two is never silent."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from agnews_ray.data.headerless import is_label_like, is_one_hot
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PAIRS = (
    *(("title", end) for end in _words("description body text content abstract review selftext")),
    *(("title", "summary"), ("summary", "reviewtext"), ("title", "reviewtext")),
    *((f"review{a}", b) for a in _words("title headline") for b in _words("reviewbody reviewtext")),
    *(("headline", end) for end in _words("body text shortdescription content")),
    *(("subject", end) for end in _words("body message text content")),
    *(("sentence1", "sentence2"), ("premise", "hypothesis"), ("question1", "question2")),
    *(("text1", "text2"), ("texta", "textb"), ("question", "sentence"), ("question", "passage")),
    ("questiontitle", "questioncontent", "bestanswer"),
)
"""Pairs of columns that form one text, joined by a space."""

TEXTS = _words(
    "text sentence content contents review reviewtext reviewbody comment commenttext commentbody "
    "tweet tweettext tweetcontent message messagetext headline headlines utterance query question "
    "questiontext document doc article articletext abstract body description title news newstext "
    "post posttext passage paragraph statement sms smstext email emailtext transcript utterances "
    "texts sentences reviews comments tweets headlinetext fulltext rawtext cleantext cleanedtext "
    "consumercomplaintnarrative complaint narrative summary input inputtext sentencetext phrase "
    "selftext conversation dialogue request instruction v2 texte texto"
)

LABEL_RANKS = (
    ("label",),
    _words(
        "labels class classes classindex classid classlabel classname category categories "
        "categoryid target targets intent intents sentiment sentiments topic topics genre "
        "genres emotion emotions polarity coarselabel finelabel labelcoarse labelfine "
        "goldlabel annotation stance toxic toxicity spam isspam issarcastic "
        "sentimentlabel airlinesentiment labelid labelname labeltext classification "
        "categoryname categorylabel intentlabel topicname newscategory sarcasm humor "
        "etiquette klasse clase v1"
    ),
    _words(
        "rating ratings stars star score scores overall y tag tags type section lang language "
        "department product output group code"
    ),
)
"""Names of label columns in ranks, the most certain first; names of one rank are equally likely."""

KNOWN = {*TEXTS, *(name for rank in LABEL_RANKS for name in rank)}

INDEXES = {"", "index", "idx", "id", "no", "nr", "row", "rowid", "rownumber", "guid", "uid", "uuid"}
"""Names of columns that only number the rows."""

SPLITS = {"split", "subset", "partition", "set", "datasplit", "dataset", "kind", "usage"}
"""Names of columns that may say to which split a row belongs."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The columns that are read, and the assumptions made to find them."""

    text: tuple[str, ...]
    label: str
    """The label column; empty if labels are not read."""
    notes: tuple[str, ...] = ()


def plain(name: str) -> str:
    """Reduce a column's name to its letters and digits: ``Class Index`` is ``class_index``."""
    reduced = re.sub(
        r"[^\w]|_", "", unicodedata.normalize("NFKC", name).lstrip("\ufeff#").casefold()
    )
    return "" if re.fullmatch(r"unnamed\d+(level\d)?", reduced) else reduced


def names_both_roles(cells: Sequence[str]) -> bool:
    """Whether a row of cells names a text and a label column, which only a header does."""
    names = {plain(cell) for cell in cells}
    texts = {*TEXTS, *(name for pair in PAIRS for name in pair)}
    labels = {name for rank in LABEL_RANKS for name in rank}
    return any(t != n for t in names & texts for n in names & labels)


def choose_columns(
    path: Path,
    columns: tuple[str, ...],
    sample: Sequence[Sequence[object]],
    spec: DataSpec,
) -> Roles:
    """Find text and label columns by name.

    Args:
        path: for messages.
        columns: all names, in file order.
        sample: some rows of every column, for hints.
        spec: may name the columns.

    Returns:
        The columns, and the assumptions made.

    Raises:
        DataError: a role has no column, a named column does not exist, or several columns are
            equally likely.
    """
    _refuse_twice(path, columns)
    _refuse_twice(path, tuple(plain(name) for name in columns if plain(name) in KNOWN), spec)
    values = dict(zip(columns, sample, strict=False))
    label, label_notes = _label(path, columns, values, spec)
    text, text_notes = _text(path, columns, label, spec)
    if label in text:
        hint = "name another with --label-column or --text-column"
        raise DataError(str(path), "text and label in two columns", f"{label!r} as both", hint)
    return Roles(text, label, (*text_notes, *label_notes))


def choose_text(path: Path, columns: tuple[str, ...], spec: DataSpec) -> Roles:
    """Find text columns by name, in a file whose labels are not read.

    Args:
        path: for messages.
        columns: all names, in file order.
        spec: may name the columns.

    Returns:
        The columns, and the assumptions made.

    Raises:
        DataError: there is no text column, a named column does not exist, or several columns are
            equally likely.
    """
    _refuse_twice(path, columns)
    text, notes = _text(path, columns, "", spec)
    return Roles(text, "", notes)


def names_text(cells: Sequence[str]) -> bool:
    """Whether a row of cells names a text column."""
    return any(plain(cell) in TEXTS for cell in cells)


def _refuse_twice(path: Path, columns: tuple[str, ...], spec: DataSpec | None = None) -> None:
    twice = next((name for name in columns if name and columns.count(name) > 1), None)
    is_stated = spec is not None and spec.text_columns and spec.label_column
    if twice is not None and not is_stated:
        hint = "rename one in the header, or choose with --text-column and --label-column"
        raise DataError(str(path), "columns of different names", f"{twice!r} twice", hint)


def _text(
    path: Path, columns: tuple[str, ...], label: str, spec: DataSpec
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if spec.text_columns is not None:
        return tuple(_stated(path, columns, n, "text") for n in spec.text_columns), ()
    others = [c for c in columns if c != label]
    by_plain = {plain(name): name for name in reversed(others)}
    pair = next((p for p in PAIRS if all(name in by_plain for name in p)), None)
    found = [name for name in TEXTS if name in by_plain]
    if pair:
        return tuple(by_plain[name] for name in pair), ()
    if not found:
        raise _missing(path, columns, "text")
    if len(found) > 1 and found[0] != "text":
        first, second = by_plain[found[0]], by_plain[found[1]]
        names = f"{first!r} and {second!r}"
        hint = f"choose with --text-column {first} (or join them: {first},{second})"
        raise DataError(str(path), "one text column", names, hint)
    notes = (f"text from {by_plain['text']!r}, not {by_plain[found[1]]!r}",) if found[1:] else ()
    return (by_plain[found[0]],), notes


def _label(
    path: Path, columns: tuple[str, ...], values: dict[str, Sequence[object]], spec: DataSpec
) -> tuple[str, tuple[str, ...]]:
    if spec.label_column is not None:
        return _stated(path, columns, spec.label_column, "label"), ()
    stated = spec.text_columns or ()
    by_plain = {plain(name): name for name in reversed(columns) if name not in stated}
    ranks = [[by_plain[n] for n in rank if n in by_plain] for rank in LABEL_RANKS]
    rank = next((found for found in ranks if found), None)
    if rank is None:
        raise _no_label(path, columns, values)
    if len(rank) > 1:
        names = ", ".join(repr(name) for name in rank[:4])
        hint = f"choose with --label-column {rank[0]}"
        raise DataError(str(path), "one label column", f"{names}, all of them likely", hint)
    _refuse_hot(path, columns, values, rank[0])
    others = [name for found in ranks for name in found if name != rank[0]]
    notes = []
    if plain(rank[0]) != "label" or others:
        rest = f", not {others[0]!r}" if others else ""
        notes.append(f"label from {rank[0]!r}{rest}")
    return rank[0], tuple(notes)


def _refuse_hot(
    path: Path, columns: tuple[str, ...], values: dict[str, Sequence[object]], label: str
) -> None:
    """Refuse one of several columns of 0 and 1: each row may have several labels."""
    if plain(label) == "label" or not is_one_hot(values.get(label, ())):
        return
    hot = [c for c in columns if plain(c) not in INDEXES and is_one_hot(values.get(c, ()))]
    if len(hot) > 2:
        found = f"columns of 0 and 1: {', '.join(hot[:8])}"
        hint = f"choose one with --label-column {label}, or make one column of class names"
        raise DataError(str(path), "one label column, not several labels", found, hint)


def _stated(path: Path, columns: tuple[str, ...], name: str, role: str) -> str:
    """Find a named column: an exact match, or the only match that ignores case and spaces."""
    if name in columns:
        return name
    alike = [column for column in columns if plain(column) == plain(name)]
    if len(alike) == 1:
        return alike[0]
    close = get_close_matches(name, columns, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"pass another --{role}-column"
    raise DataError(str(path), f"a column {name!r}", _shown(columns), hint)


def _missing(path: Path, columns: tuple[str, ...], role: str) -> DataError:
    known = {
        "text": "text, sentence, content, review, title + description, ...",
        "label": "label, class, category, target, intent, sentiment, topic, ...",
    }[role]
    names = TEXTS if role == "text" else [name for rank in LABEL_RANKS for name in rank]
    near = next((c for c in columns if get_close_matches(plain(c), names, n=1, cutoff=0.75)), None)
    hint = f"name it with --{role}-column" + (f", perhaps {near!r}" if near else "")
    return DataError(str(path), f"a {role} column named {known}", _shown(columns), hint)


def _no_label(
    path: Path, columns: tuple[str, ...], values: dict[str, Sequence[object]]
) -> DataError:
    """Make the error, with a hint at likely labels: one-hot columns, or a column of few values."""
    candidates = [c for c in columns if plain(c) not in INDEXES and plain(c) not in TEXTS]
    hot = [c for c in candidates if is_one_hot(values.get(c, ()))]
    if len(hot) > 1:
        found = f"columns of 0 and 1: {', '.join(hot[:8])}"
        hint = "make one column of class names from them (one class a row)"
        return DataError(str(path), "one label column", found, hint)
    error = _missing(path, columns, "label")
    few = next((c for c in candidates if is_label_like(values.get(c, ()))), None)
    if few is not None and "perhaps" not in error.hint:
        hint = f"{error.hint}, perhaps {few!r}"
        return DataError(error.where, error.wanted, error.found, hint)
    return error


def _shown(columns: tuple[str, ...]) -> str:
    return f"columns {', '.join(name or '(unnamed)' for name in columns[:20]) or 'none'}"

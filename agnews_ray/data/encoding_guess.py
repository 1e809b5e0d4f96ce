"""The likely encoding of bytes that are not UTF-8: Windows-1252, or charset-normalizer's guess."""

import re
from itertools import pairwise
from typing import Any

WESTERN = set("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœŸ")

ELSEWHERE = set("ŠšŽžÝýÐðÞþ")
"""Letters of Windows-1252 that, if many of them occur, show that the encoding is another one."""

SIGNS = "\u201a\u201e\u2026\u2020\u2021\u02c6\u2030\u2039\u203a\xab\xbb"

SIGNS += "".join(
    map(
        chr,
        (*range(0xA1, 0xAA), *range(0xAC, 0xB4), 0xB4, 0xB6, 0xB8, 0xB9, 0xBC, 0xBD, 0xBE, 0xBF),
    )
)

CAPITALS = "\xc0-\xd6\xd8-\xde"

BESIDE = "\xb9\xb3\xbc\xbd\xbe\xb6\xb1"

INSIDE_WORDS = re.compile(
    rf"[^\W\d_][{SIGNS}\u201c\u201d]+[^\W\d_]|[^\W\d_][\u201a\u201e\u2020\u2021{BESIDE}]|"
    rf"[{BESIDE}][^\W\d_]|[a-z][{CAPITALS}\u2013](?=[a-z]|\b)"
)
"""Symbols between letters, which show that the bytes are letters of another encoding."""

GUESSED = {
    *(f"cp{number}" for number in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258, 932, 949)),
    *(f"iso8859_{number}" for number in (2, 5, 7, 9)),
    *("koi8_r", "shift_jis", "euc_jp", "gb18030", "gbk", "big5", "euc_kr"),
}
"""Encodings for which charset-normalizer is trusted; a rarer one must be given with --encoding."""

MIN_BEYOND = 60
"""The smallest number of non-ASCII bytes for which charset-normalizer is trusted."""

MAX_CHAOS = 0.15
"""The largest value of charset-normalizer's "chaos" measure for which its guess is used."""

CLEAR_BY = 0.05
"""The smallest difference in "chaos" to the next guess."""


def is_damaged_utf8(sample: bytes) -> bool:
    """Whether most non-ASCII sequences are UTF-8, so that the others are damaged."""
    text = sample.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    return bool(good > bad)


def is_western(sample: bytes) -> bool:
    """Whether the bytes read well as Windows-1252.

    Words must have mostly ASCII letters (not so in Cyrillic or Greek), symbols must not be inside
    words (DOS, Polish), and letters that Western languages seldom use must be few (Czech, Turkish).
    """
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return False
    letters = [c for c in text if c in WESTERN or c in ELSEWHERE]
    if sum(c in ELSEWHERE for c in letters) > 0.1 * len(letters):
        return False
    if _has_signs_in_words(text) or _has_odd_quotes(text):
        return False
    words = [w for w in re.findall(r"[^\W\d_]+", text) if not w.isascii() and len(w) > 1]
    strange = sum(sum(c > "\x7f" for c in w) * 2 > len(w) + 1 for w in words)
    return bool(strange * 10 <= len(words))


def _reads_like_words(text: str) -> bool:
    """Whether capitals start words, and Japanese is not in the half-width letters of old mail."""
    beyond = sum(character.isalpha() and character > "\x7f" for character in text)
    inside = sum(a.islower() and b.isupper() and b > "\x7f" for a, b in pairwise(text))
    return inside * 20 <= beyond and not re.search("[\uff61-\uff9f]", text)


def _has_odd_quotes(text: str) -> bool:
    """Whether quotation marks only open or only close: they are letters of a DOS code page."""
    opening = len(re.findall("[\u201c\u201e\xab\xbb]|(?<!\\w)\u201d(?=\\w)", text))
    closing = len(re.findall("\u201d|(?<=\\w)\u201c|(?<=\\w)\xbb|(?<=\\w)\xab", text))
    odd = text.count("\u201e") > closing + len(re.findall("[\u201c\u201d]", text))
    return odd or (text.count("\u201d") > 0 and opening == 0)


def _has_signs_in_words(text: str) -> bool:
    beyond = sum(character > "\x7f" for character in text)
    return len(INSIDE_WORDS.findall(text)) * 20 > beyond + 1


def guesses(sample: bytes) -> list[str]:
    """Ask charset-normalizer for names; more than one if two readings are equally good."""
    import charset_normalizer

    matches = [
        (name, match)
        for match in charset_normalizer.from_bytes(sample)
        if (name := _trusted_name(match)) and _reads_like_words(str(match))
    ]
    num_beyond = sum(byte > 0x7F for byte in sample)
    if not matches or num_beyond < MIN_BEYOND:
        return []
    name, first = matches[0]
    if first.chaos > MAX_CHAOS or _has_signs_in_words(str(first)):
        return []
    rivals = [
        other
        for other, match in matches[1:]
        if match.chaos < first.chaos + CLEAR_BY and str(match) != str(first)
    ]
    return [name, *rivals]


def _trusted_name(match: Any) -> str | None:
    """Name the trusted encoding that reads the bytes as this match does; None if there is none.

    Of EUC-JP, charset-normalizer names a rarer extension first.
    """
    names = (match.encoding, *match.could_be_from_charset)
    return next((name for name in names if name in GUESSED), None)

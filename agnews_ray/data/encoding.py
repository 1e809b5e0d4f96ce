"""Which encoding a text file is in: UTF-8 if all of it is, else what its bytes say, or nothing."""

import codecs
import io
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import TextIO

from agnews_ray.data.opening import open_bytes
from agnews_ray.errors import DataError

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 256 << 10
"""Of lines beyond ASCII that a guess is made from."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

WESTERN = set("ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜßàáâãäåæçèéêëìíîïñòóôõöøùúûüÿŒœŸ")
ELSEWHERE = set("ŠšŽžÝýÐðÞþ")
"""Letters of Windows-1252 that stand for others where many of them occur."""
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
"""Signs between letters: the bytes are letters of another encoding."""

GUESSED = {
    *(f"cp{number}" for number in (1250, 1251, 1253, 1254, 1255, 1256, 1257, 1258, 932, 949)),
    *(f"iso8859_{number}" for number in (2, 5, 7, 9)),
    *("koi8_r", "shift_jis", "euc_jp", "gb18030", "gbk", "big5", "euc_kr"),
}
"""Encodings taken on charset-normalizer's word; a rarer one must be said."""
MIN_BEYOND = 60
"""Bytes beyond ASCII that its word takes."""

MAX_CHAOS = 0.15
"""charset-normalizer's measure of mess, above which its guess is not used."""
CLEAR_BY = 0.05
"""How much messier the next guess must be."""


def find_encoding(path: Path, stated: str | None) -> tuple[str, str | None]:
    """Find a text file's encoding, reading all of it once.

    Args:
        path: a file, compressed or not.
        stated: the encoding, where the user said it.

    Returns:
        The codec's name, and what to say of it (None for UTF-8, or a stated one).

    Raises:
        DataError: bytes that are not in the stated encoding, or that nothing can be made of.
    """
    with open_bytes(path) as file:
        head = file.read(SAMPLE_BYTES)
    marked = next((name for mark, name in BOMS if head.startswith(mark)), None)
    if marked and (stated is None or codecs.lookup(stated).name in ("utf-8", "utf-16", "utf-32")):
        _need_decodable(path, marked)
        return marked, None if marked == "utf-8-sig" else f"encoding {marked.upper()}"
    if stated:
        _need_decodable(path, stated)
        return stated, None
    wide = _wide(head)
    if wide:
        _need_decodable(path, wide)
        return wide, f"encoding {wide.upper()}"
    offset = _first_undecodable(path, "utf-8")
    if offset is None:
        return "utf-8", None
    guessed = _guess(path, offset)
    return guessed, f"encoding {guessed}"


def open_text(path: Path, encoding: str) -> TextIO:
    """Open a file as text, decompressed and decoded as it is read, line ends as they are."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


def read_text(path: Path) -> str:
    """Read a small text file whole, in whatever encoding it is, without a byte order mark."""
    encoding, _ = find_encoding(path, None)
    with open_text(path, encoding) as file:
        return file.read()


def _wide(head: bytes) -> str | None:
    """Tell UTF-16 without a mark: every other byte of Western text is zero."""
    pairs = len(head) // 2
    if pairs < 4:
        return None
    if head[1::2].count(0) > 0.4 * pairs and head[::2].count(0) < 0.1 * pairs:
        return "utf-16-le"
    if head[::2].count(0) > 0.4 * pairs and head[1::2].count(0) < 0.1 * pairs:
        return "utf-16-be"
    return None


def _need_decodable(path: Path, encoding: str) -> None:
    offset = _first_undecodable(path, encoding)
    if offset is not None:
        found = f"an undecodable byte at offset {offset}"
        hint = "say another one with --encoding"
        raise DataError(str(path), f"text in {encoding}", found, hint)


def _first_undecodable(path: Path, encoding: str) -> int | None:
    """Decode all of a file, a chunk at a time; the offset of the first byte that fails."""
    decoder = codecs.getincrementaldecoder(encoding)()
    offset = 0
    with open_bytes(path) as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            held = len(decoder.getstate()[0])
            if encoding == "utf-8" and b"\x1b$" in chunk:  # ISO-2022: ASCII with escapes
                return offset + chunk.index(b"\x1b$")
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return offset - held + error.start
            except UnicodeError:  # UTF-16 that has no mark, or ends in mid-character
                return offset
            if not chunk:
                return None
            offset += len(chunk)


def _guess(path: Path, offset: int) -> str:
    """Decide between Windows-1252 and what charset-normalizer finds, or refuse."""
    sample = b"".join(_beyond_ascii(path))[:SAMPLE_BYTES]
    escaped = b"\x1b" in _beginning(path, offset)
    found = f"an undecodable byte at offset {offset}"
    hint = "say the encoding with --encoding (such as cp1252), or convert the file"
    refusal = DataError(str(path), "UTF-8 text", found, hint)
    if escaped or _is_damaged_utf8(sample):
        raise refusal
    if _is_western(sample):
        guessed = "cp1252"
    else:
        guesses = _guesses(sample)
        if not guesses or len(guesses) > 1:
            names = " or ".join(guesses[:2])
            better = f"say it with --encoding {names}" if names else hint
            raise DataError(str(path), "UTF-8 text", found, better)
        guessed = guesses[0]
    if _first_undecodable(path, guessed) is not None:
        raise refusal
    return guessed


def _beginning(path: Path, offset: int) -> bytes:
    with open_bytes(path) as file:
        while offset > CHUNK_BYTES:
            offset -= len(file.read(CHUNK_BYTES)) or offset
        return file.read(offset + 2)[offset:]


def _beyond_ascii(path: Path) -> Iterator[bytes]:
    total = 0
    with open_bytes(path) as file:
        for line in file:
            if not line.isascii():
                total += len(line)
                yield line
            if total > SAMPLE_BYTES:
                return


def _is_damaged_utf8(sample: bytes) -> bool:
    """Whether most sequences beyond ASCII are UTF-8, so that the others are damage."""
    text = sample.decode("utf-8", errors="replace")
    bad = text.count("\ufffd")
    good = sum(1 for character in text if character > "\x7f") - bad
    return bool(good > bad)


def _is_western(sample: bytes) -> bool:
    """Whether the bytes read well as Windows-1252.

    Words must keep mostly ASCII letters (Cyrillic or Greek would not), signs must not stand inside
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
    """Whether capitals begin words, and Japanese is not in the half-width letters of old mail."""
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


def _guesses(sample: bytes) -> list[str]:
    """Ask charset-normalizer; more than one name where two readings are as good."""
    import charset_normalizer

    matches = [
        match
        for match in charset_normalizer.from_bytes(sample)
        if match.encoding in GUESSED and _reads_like_words(str(match))
    ]
    num_beyond = sum(byte > 0x7F for byte in sample)
    if (
        not matches
        or num_beyond < MIN_BEYOND
        or matches[0].chaos > MAX_CHAOS
        or _has_signs_in_words(str(matches[0]))
    ):
        return []
    first = matches[0]
    rivals = [
        match.encoding
        for match in matches[1:]
        if match.chaos < first.chaos + CLEAR_BY and str(match) != str(first)
    ]
    return [first.encoding, *rivals]

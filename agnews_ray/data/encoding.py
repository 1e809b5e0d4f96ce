"""The encoding of a text file: UTF-8 if all of it is valid, else a certain guess, or an error."""

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from agnews_ray.data.compression import open_bytes
from agnews_ray.data.encoding_guess import guesses, is_damaged_utf8, is_western
from agnews_ray.errors import DataError

CHUNK_BYTES = 1 << 20

SAMPLE_BYTES = 256 << 10
"""The number of bytes of non-ASCII lines from which the encoding is guessed."""

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its first half
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def find_encoding(path: Path, stated: str | None) -> tuple[str, str | None]:
    """Find a text file's encoding, reading all of it once.

    Args:
        path: a file, compressed or not.
        stated: the encoding, if the user gave it.

    Returns:
        The codec's name, and a note about it (None for UTF-8, or a stated one).

    Raises:
        DataError: bytes that are not valid in the stated encoding, or in any that can be
            recognised.
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
    """Open a file as text: it is decompressed and decoded while it is read; line ends are kept."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


def read_text(path: Path) -> str:
    """Read a whole small text file, in any encoding, without its byte order mark."""
    encoding, _ = find_encoding(path, None)
    with open_text(path, encoding) as file:
        return file.read()


def _wide(head: bytes) -> str | None:
    """Recognise UTF-16 without a mark: every other byte of Western text is zero."""
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
        hint = "give another one with --encoding"
        raise DataError(str(path), f"text in {encoding}", found, hint)


def _first_undecodable(path: Path, encoding: str) -> int | None:
    """Decode a whole file in chunks; return the offset of the first byte that fails."""
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
            except UnicodeError:  # UTF-16 that has no mark, or ends in the middle of a character
                return offset
            if not chunk:
                return None
            offset += len(chunk)


def _guess(path: Path, offset: int) -> str:
    """Decide between Windows-1252 and what charset-normalizer finds, or refuse."""
    sample = b"".join(_beyond_ascii(path))[:SAMPLE_BYTES]
    escaped = b"\x1b" in _beginning(path, offset)
    found = f"an undecodable byte at offset {offset}"
    hint = "give the encoding with --encoding (such as cp1252), or convert the file"
    refusal = DataError(str(path), "UTF-8 text", found, hint)
    if escaped or is_damaged_utf8(sample):
        raise refusal
    if is_western(sample):
        guessed = "cp1252"
    else:
        names = guesses(sample)
        if len(names) != 1:
            either = " or ".join(names[:2])
            better = f"give it with --encoding {either}" if names else hint
            raise DataError(str(path), "UTF-8 text", found, better)
        guessed = names[0]
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

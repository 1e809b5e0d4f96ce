"""Open a file's bytes with any compression; files that are not data are recognised here."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa

from agnews_ray.errors import DataError

COMPRESSIONS = (".gz", ".bz2", ".zst", ".xz", ".zip")

MAGIC = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"\xfd7zXZ\x00": "xz",
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
}
"""First bytes by compression. They decide, not the ending: a browser may unpack a download without
renaming it."""

FOREIGN = {
    b"version https://git-lfs": ("a Git LFS pointer", "fetch the file itself with git lfs pull"),
    b"<!doctype html": ("a web page", "download the file itself, not the page about it"),
    b"<html": ("a web page", "download the file itself, not the page about it"),
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "save the sheet as CSV"),
    b"sqlite format 3": ("an SQLite database", "export the table as CSV"),
}
"""First bytes, in lower case, of files that have a data file's name but are something else."""

NAMED_OTHERWISE = {
    b"PAR1": ("a Parquet file", "rename it to .parquet"),
    b"ARROW1": ("an Arrow file", "rename it to .arrow"),
}
"""First bytes of formats that are read, but only with another file ending."""

MAX_ENDING_CHARS = 10

READ_ERRORS = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)
"""What the decompressors raise for files that are cut off or damaged."""


def data_ending(path: Path) -> str:
    """Return a file's ending in lower case, without that of its compression.

    ``train.zip`` has the ending of the one file in it.
    """
    suffixes = [suffix.lower() for suffix in path.suffixes]
    packed = suffixes.pop() if suffixes and suffixes[-1] in COMPRESSIONS else None
    if suffixes and 1 < len(suffixes[-1]) <= MAX_ENDING_CHARS:
        return suffixes[-1]
    if packed == ".zip" and path.is_file():
        inside = _members_or_none(path)
        # pandas names the file inside train.zip "train".
        return (Path(inside[0]).suffix.lower() or ".csv") if len(inside) == 1 else ""
    return ""


def compression_of(path: Path) -> str | None:
    """Name a file's compression by its first bytes; None for none.

    Raises:
        DataError: the file is not a data file but a web page, a workbook, or a pointer to the real
            file.
    """
    with path.open("rb") as file:
        head = file.read(64)
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for magic, (found, hint) in FOREIGN.items():
        if start.startswith(magic):
            raise DataError(str(path), "a data file", found, hint)
    for magic, name in MAGIC.items():
        if head.startswith(magic) and (name != "bzip2" or head[4:10] == b"1AY&SY"):
            return name
    return None


def open_bytes(path: Path) -> BinaryIO:
    """Open a file for reading its bytes, decompressed as they are read.

    Args:
        path: a file; a zip archive must hold a single one.

    Returns:
        A buffered binary file.

    Raises:
        DataError: not a data file, or an archive of several files.
        OSError: the file cannot be read.
    """
    compression = compression_of(path)
    if compression is None:
        file = path.open("rb")
        _need_text(path, file.peek(6))
        return file
    if compression == "zip":
        return _open_zip(path)
    if compression == "zstd":
        stream: Any = pa.CompressedInputStream(pa.OSFile(str(path)), "zstd")
        return io.BufferedReader(stream)
    opener: Any = {"gzip": gzip, "bzip2": bz2, "xz": lzma}[compression]
    opened: BinaryIO = opener.open(path, "rb")
    return opened


def members(path: Path) -> list[str]:
    """List the files in a zip archive, without those that operating systems add."""
    with zipfile.ZipFile(path) as archive:
        return [
            info.filename
            for info in archive.infolist()
            if not info.is_dir()
            and not info.filename.startswith("__MACOSX/")
            and not Path(info.filename).name.startswith(".")
        ]


def _open_zip(path: Path) -> BinaryIO:
    names = members(path)
    if "[Content_Types].xml" in names:
        raise DataError(str(path), "a data file", "an Excel workbook", "save the sheet as CSV")
    if len(names) != 1:
        found = f"{len(names)} files" if names else "no file in it"
        raise DataError(str(path), "one file in the archive", found, "unpack it, pass the folder")
    archive = zipfile.ZipFile(path)  # closed together with the file opened from it
    try:
        opened: Any = archive.open(names[0])
    except RuntimeError as error:  # zipfile raises this for a password
        archive.close()
        hint = "unpack it with its password, and pass the folder"
        raise DataError(str(path), "an open archive", "one with a password", hint) from error
    return io.BufferedReader(opened)


def _need_text(path: Path, head: bytes) -> None:
    for magic, (found, hint) in NAMED_OTHERWISE.items():
        if head.startswith(magic):
            raise DataError(str(path), "a text file", found, hint)


def _members_or_none(path: Path) -> list[str]:
    try:
        return members(path)
    except READ_ERRORS:
        return []

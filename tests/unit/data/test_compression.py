import bz2
import gzip
import lzma
import zipfile
from pathlib import Path

import pyarrow as pa
import pytest

from agnews_ray.data.compression import compression_of, data_ending, members, open_bytes
from agnews_ray.errors import DataError

CONTENT = b"text,label\na,0\n" * 100


def zstd(content):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


def archive(path, *names):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        for name in names:
            opened.writestr(name, CONTENT)
    return path


def refusal(read, path):
    with pytest.raises(DataError) as caught:
        read(path)
    error = caught.value
    assert error.where == str(path)
    return error.wanted, error.found, error.hint


@pytest.mark.parametrize(
    ("name", "compress"),
    [
        ("gzip", gzip.compress),
        ("bzip2", bz2.compress),
        ("xz", lzma.compress),
        ("zstd", zstd),
        (None, bytes),
    ],
)
def test_first_bytes_say_the_compression_whatever_the_ending(tmp_path, name, compress):
    path = tmp_path / "train.csv"
    path.write_bytes(compress(CONTENT))
    assert compression_of(path) == name
    with open_bytes(path) as file:
        assert file.read() == CONTENT


def test_the_one_file_of_a_zip_archive_is_opened(tmp_path):
    path = archive(tmp_path / "train.zip", "__MACOSX/train.csv", "train.csv")
    with open_bytes(path) as file:
        assert file.read() == CONTENT


def test_a_text_may_begin_like_bzip2(tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes(b"BZh is a word,label\n")
    assert compression_of(path) is None


def test_of_an_archive_only_its_own_files_count(tmp_path):
    path = tmp_path / "train.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("train.csv", "__MACOSX/train.csv", "sub/.hidden.csv", "sub/"):
            archive.writestr(name, "x")
    assert members(path) == ["train.csv"]


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("train.csv", ".csv"),
        ("TRAIN.CSV.GZ", ".csv"),
        ("train.v1.jsonl.zst", ".jsonl"),
        ("train.csv.zip", ".csv"),
        ("train.gz", ""),
        ("train", ""),
        ("news.and.everything_else", ""),  # too long for an ending
    ],
)
def test_an_ending_is_that_below_the_compression(name, ending):
    assert data_ending(Path(name)) == ending


@pytest.mark.parametrize(
    ("inside", "ending"),
    [(["a/rows.TSV"], ".tsv"), (["train"], ".csv"), (["a.csv", "b.csv"], ""), ([], "")],
)
def test_the_ending_of_a_zip_archive_is_that_of_its_one_file(tmp_path, inside, ending):
    assert data_ending(archive(tmp_path / "train.zip", *inside)) == ending


@pytest.mark.parametrize(
    ("content", "found", "hint"),
    [
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer", "git lfs pull"),
        (b"\xef\xbb\xbf\n<!DOCTYPE html><p>", "a web page", "download the file itself"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "an Excel workbook", "save the sheet as CSV"),
        (b"SQLite format 3\x00", "an SQLite database", "export"),
    ],
)
def test_a_file_that_only_has_the_name_of_data_is_told(tmp_path, content, found, hint):
    path = tmp_path / "train.csv"
    path.write_bytes(content)
    wanted, said, todo = refusal(compression_of, path)
    assert (wanted, said) == ("a data file", found)
    assert hint in todo


def test_a_table_in_another_format_is_to_be_renamed(tmp_path):
    path = tmp_path / "train.csv"
    path.write_bytes(b"PAR1\x15\x04")
    assert refusal(open_bytes, path) == (
        "a text file",
        "a Parquet file",
        "rename it to .parquet",
    )


def test_an_archive_must_hold_one_file_that_can_be_opened(tmp_path):
    several = archive(tmp_path / "several.zip", "a.csv", "b.csv")
    assert refusal(open_bytes, several)[1] == "2 files"
    assert refusal(open_bytes, archive(tmp_path / "none.zip", "sub/"))[1] == "no file in it"
    workbook = archive(tmp_path / "book.zip", "[Content_Types].xml", "xl/workbook.xml")
    assert refusal(open_bytes, workbook)[1] == "an Excel workbook"
    locked = archive(tmp_path / "locked.zip", "a.csv")
    content = bytearray(locked.read_bytes())
    content[6] |= 1  # the bit that says encrypted, in both headers
    content[content.index(b"PK\x01\x02") + 8] |= 1
    locked.write_bytes(content)
    wanted, found, hint = refusal(open_bytes, locked)
    assert (wanted, found) == ("an open archive", "one with a password")
    assert "unpack it with its password" in hint

"""How a file's bytes become text; folders in many encodings are in the corpus."""

import gzip

import pytest

from agnews_ray.data import encoding
from agnews_ray.data.encoding import find_encoding, open_text, read_text
from agnews_ray.errors import DataError
from tests.fakes.datasets import fails_to_read

WESTERN = "Größe der Straße in Köln, déjà vu\n" * 3


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "rows.csv"
        path.write_bytes(content)
        return path

    return write


@pytest.mark.parametrize(
    ("content", "stated", "expected", "note"),
    [
        (WESTERN.encode(), None, "utf-8", None),
        (WESTERN.encode("utf-8-sig"), None, "utf-8-sig", None),
        (WESTERN.encode("utf-16"), None, "utf-16", "encoding UTF-16"),
        (WESTERN.encode("utf-32"), None, "utf-32", "encoding UTF-32"),
        (WESTERN.encode("utf-16-le"), None, "utf-16-le", "encoding UTF-16-LE"),
        (WESTERN.encode("utf-16-be"), None, "utf-16-be", "encoding UTF-16-BE"),
        (WESTERN.encode("cp1252"), None, "cp1252", "encoding cp1252"),
        (gzip.compress(WESTERN.encode("cp1252"), mtime=0), None, "cp1252", "encoding cp1252"),
        (WESTERN.encode("cp1252"), "latin-1", "latin-1", None),
        (WESTERN.encode("utf-8-sig"), "utf-8", "utf-8-sig", None),
        (WESTERN.encode("utf-8-sig"), "cp1252", "cp1252", None),
    ],
)
def test_an_encoding_is_told_by_a_mark_by_all_bytes_or_by_the_user(
    file, content, stated, expected, note
):
    path = file(content)
    assert find_encoding(path, stated) == (expected, note)
    if stated is None:
        with open_text(path, expected) as text:
            assert text.read() == WESTERN


@pytest.mark.parametrize(
    ("content", "stated", "wanted", "offset"),
    [
        (b"abc\xff", "utf-8", "text in utf-8", 3),
        ("é".encode() * 5 + b"\xff", None, "UTF-8 text", 10),  # damaged UTF-8
        ("abc 東京".encode("iso2022_jp"), None, "UTF-8 text", 4),  # ASCII with escapes
        (b"abc\x81", None, "UTF-8 text", 3),  # too few bytes for a guess
        (b"\xff\xfea\x00b", None, "text in utf-16", 4),  # half a character at the end
    ],
)
def test_bytes_that_cannot_be_read_for_certain_are_placed(file, content, stated, wanted, offset):
    path = file(content)
    with pytest.raises(DataError) as caught:
        find_encoding(path, stated)
    error = caught.value
    assert (error.where, error.wanted) == (str(path), wanted)
    assert error.found == f"an undecodable byte at offset {offset}"
    assert "--encoding" in error.hint


@pytest.mark.parametrize(
    ("name", "line"), [("x.csv", b"0,caf\x81\n"), ("x.jsonl", b'{"text":"\x81"}\n')]
)
def test_an_undecodable_byte_is_placed(tmp_path, name, line):
    good = b"0,abc\n" if name == "x.csv" else b'{"text":"abc","label":0}\n'
    (tmp_path / name).write_bytes(good * 10 + line)
    offset = len(good) * 10 + line.index(b"\x81")
    assert f"an undecodable byte at offset {offset}" in fails_to_read(tmp_path / name)


def test_a_character_may_lie_on_the_border_of_two_reads(file, monkeypatch):
    monkeypatch.setattr(encoding, "CHUNK_BYTES", 4)
    assert find_encoding(file("abcé".encode()), None) == ("utf-8", None)
    with pytest.raises(DataError, match="at offset 6;"):
        find_encoding(file("abcéd".encode() + b"\xff"), "utf-8")


def test_a_certain_guess_is_taken_and_of_two_both_are_named(file):
    greek = "Συνομιλίες ειρήνης στην πόλη ολοκληρώθηκαν χθες βράδυ. " * 3
    assert find_encoding(file(greek.encode("cp1253")), None) == ("cp1253", "encoding cp1253")
    japanese = "東京の株式市場は三日続けて値上がりしました。" * 3
    with pytest.raises(DataError) as caught:
        find_encoding(file(japanese.encode("euc_jp")), None)
    assert caught.value.hint == "give it with --encoding euc_jp or cp949"


def test_four_characters_show_utf_16_without_a_mark_and_three_do_not(file):
    assert find_encoding(file("a,b\n".encode("utf-16-be")), None)[0] == "utf-16-be"
    assert find_encoding(file("a,b".encode("utf-16-be")), None)[0] == "utf-8"


def test_line_ends_are_kept(file):
    with open_text(file(b"a\r\nb\rc\n"), "utf-8") as text:
        assert text.read() == "a\r\nb\rc\n"


@pytest.mark.parametrize("written", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_small_file_is_read_without_its_mark(file, written):
    assert read_text(file(WESTERN.encode(written))) == WESTERN

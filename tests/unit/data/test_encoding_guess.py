import pytest

from agnews_ray.data.encoding_guess import guesses, is_damaged_utf8, is_western

GREEK = "Συνομιλίες ειρήνης στην πόλη ολοκληρώθηκαν χθες βράδυ. " * 3
RUSSIAN = "Сегодня переговоры завершились, сообщили официальные лица вчера вечером. " * 3
JAPANESE = "東京の株式市場は三日続けて値上がりしました。" * 3


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        ("déjà".encode() + b"\xff", True),
        ("é".encode() + b"\xff", False),  # as many
        ("déjà".encode("cp1252"), False),
    ],
)
def test_utf8_is_damaged_if_most_of_it_is_whole(sample, expected):
    assert is_damaged_utf8(sample) is expected


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("Größe der Straße in Köln", "cp1252", True),
        ("“Déjà vu”, dit-elle \u2013 5 £", "cp1252", True),
        ("Größe der Straße in Köln", "cp850", False),
        ("zażółć gęślą jaźń", "cp1250", False),
        ("příliš žluťoučký kůň", "cp1250", False),
        ("Привет, мир", "cp1251", False),
        ("καλημέρα κόσμε", "cp1253", False),
        ("a\x81", "latin-1", False),  # no character of Windows-1252
    ],
)
def test_western_text_reads_well_as_windows_1252(text, encoding, expected):
    assert is_western(text.encode(encoding)) is expected


def test_a_guess_needs_enough_bytes_to_be_certain():
    assert guesses(GREEK.encode("cp1253")) == ["cp1253"]
    assert guesses(RUSSIAN.encode("cp1251")) == ["cp1251"]
    assert guesses(GREEK[:40].encode("cp1253")) == []
    assert guesses(b"only ASCII " * 20) == []


def test_of_readings_that_are_as_good_all_are_named():
    assert guesses(JAPANESE.encode("shift_jis")) == ["cp932", "cp949"]
    assert guesses(JAPANESE.encode("euc_jp")) == ["euc_jp", "cp949"]

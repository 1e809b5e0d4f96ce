import pyarrow as pa
import pytest

from agnews_ray.data.audit import audit_test_rows, normalise
from agnews_ray.data.scan import scan_dataset
from agnews_ray.spec.data import DataSpec


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "train.csv").write_text(
        "text,label\nOil prices up,0\nCup final!,1\ncup   FINAL,1\nnew chip,0\n"
    )
    (tmp_path / "test.csv").write_text(
        "text,label\nOil prices up,0\nCup Final,1\nOnly here,0\nonly -- here,1\nOnly here,0\n"
    )
    return tmp_path


def test_twins_are_found_exactly_and_in_words(folder, tmp_path):
    found = audit_test_rows(scan_dataset(DataSpec(source=str(folder)), tmp_path / "cache"))
    assert found.texts[3] == "only -- here"
    assert found.twin_in_train == [0, 1, None, None, None]
    assert found.is_exact_in_train == [True, False, False, False, False]
    assert found.twin_in_test == [None, None, 4, 2, 2]  # the exact one before the first
    assert found.is_exact_in_test == [False, False, True, False, True]


def test_without_a_word_nothing_is_alike(folder, tmp_path):
    (folder / "test.csv").write_text("text,label\n!!,0\n??,1\n")
    found = audit_test_rows(scan_dataset(DataSpec(source=str(folder)), tmp_path / "cache"))
    assert found.twin_in_test == [None, None]


def test_only_rows_trained_on_can_leak(folder, tmp_path):
    spec = DataSpec(source=str(folder), limit_train=2)
    scanned = scan_dataset(spec, tmp_path / "cache")
    used = set(scanned.train.rows.tolist())
    twins = {twin for twin in audit_test_rows(scanned).twin_in_train if twin is not None}
    assert twins <= used


def test_normalising_keeps_letters_and_digits_of_any_script():
    texts = pa.array(["  A,b -- C3! ", "«Ёлка» 3½", "你好。世界", ""])
    assert normalise(texts).to_pylist() == ["a b c3", "ёлка 3½", "你好 世界", ""]


def test_the_real_test_split_has_one_duplicate(real_data, tmp_path):
    scanned = scan_dataset(DataSpec(source=str(real_data)), tmp_path / "cache")
    found = audit_test_rows(scanned)
    twins = [row for row, twin in enumerate(found.twin_in_test) if twin is not None]
    assert len(twins) == 2

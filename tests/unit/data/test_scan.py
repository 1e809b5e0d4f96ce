import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from agnews_ray.data.scan import scan_dataset
from agnews_ray.spec.data import DataSpec
from tests.fakes.datasets import scan, three_classes, write


@pytest.fixture
def folder(tmp_path):
    return three_classes(tmp_path / "d")


def test_facts_of_a_dataset(folder):
    record = scan(folder).record
    assert (record.kind, record.label_kind, record.class_names) == (
        "csv",
        "integers from 0",
        ("0", "1", "2"),
    )
    assert record.train.class_counts == (10, 10, 10)
    assert (record.train.num_empty, record.test.num_rows) == (10, 2)


def test_published_files_are_one_based_and_named_by_classes_txt(news_folder):
    (news_folder / "classes.txt").write_text("World\nSports\nBusiness\nSci/Tech\n")
    record = scan(news_folder).record
    assert record.label_kind == "integers from 1"
    assert record.class_names == ("World", "Sports", "Business", "Sci/Tech")


def test_the_fingerprint_is_of_the_content_not_of_the_format(folder):
    before = scan(folder).record
    for split in ("train", "test"):
        rows = pyarrow.csv.read_csv(folder / f"{split}.csv")
        pq.write_table(rows, folder / f"{split}.parquet", row_group_size=7)
        (folder / f"{split}.csv").unlink()
    assert scan(folder).record.fingerprint == before.fingerprint


@pytest.mark.parametrize(
    "changed", [[("ab", 0), ("", 1)], [("a", 1), ("b", 0)], [("b", 0), ("a", 1)]]
)
def test_the_fingerprint_sees_every_change(folder, changed):
    write(folder, "train", [("a", 0), ("b", 1)])
    write(folder, "test", [("c", 0)])
    before = scan(folder).record.fingerprint
    write(folder, "train", changed)
    assert scan(folder).record.fingerprint != before


def test_limits_and_validation_are_stratified_and_share_no_row(folder):
    scanned = scan(folder, limit_train=15, validation_fraction=0.2, limit_test=1)
    train, validation = set(scanned.train.rows.tolist()), set(scanned.validation.rows.tolist())
    assert (len(train), len(validation), scanned.test.num_rows) == (12, 3, 1)
    assert not train & validation
    assert sorted(row % 3 for row in validation) == [0, 1, 2]
    again = scan(folder, limit_train=15, validation_fraction=0.2)
    assert (again.validation.rows == scanned.validation.rows).all()
    other = scan(folder, limit_train=15, validation_fraction=0.2, split_seed=1)
    assert (other.train.rows != scanned.train.rows).any()


@pytest.mark.realdata
def test_real_rows_are_the_same_in_both_published_forms(real_data, tmp_path):
    (tmp_path / "a").mkdir()
    for split in ("train", "test"):
        (tmp_path / "a" / f"{split}.csv").symlink_to(real_data / "test.csv")
    from_csv = scan(tmp_path / "a").record
    assert from_csv.test.class_counts == (1900, 1900, 1900, 1900)
    assert (
        from_csv.test.fingerprint
        == scan_dataset(DataSpec(source=str(real_data)), tmp_path).record.test.fingerprint
    )

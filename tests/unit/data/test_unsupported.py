import pytest

from agnews_ray.data.unsupported import refuse_foreign, refuse_text_files
from agnews_ray.errors import DataError


def refusal(refuse, folder, *more):
    with pytest.raises(DataError) as caught:
        refuse(folder, *more)
    error = caught.value
    assert error.where == str(folder)
    return error.wanted, error.found, error.hint


@pytest.mark.parametrize(
    ("name", "found", "hint"),
    [
        ("sheet.XLSX", "sheet.XLSX (ending .XLSX)", "export it as CSV"),
        ("deep/down/a.safetensors", "a.safetensors (ending .safetensors)", "--models"),
        ("cat.jpg", "cat.jpg (ending .jpg)", "these are images"),
        ("train.csv.part", "train.csv.part (ending .part)", "fetch it again"),
        ("train", "train (no ending)", "such as .csv"),
        ("Data.md", "Data.md (ending .md)", "export it as CSV"),
    ],
)
def test_a_file_of_another_kind_is_named_with_what_to_do(tmp_path, name, found, hint):
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).touch()
    wanted, said, todo = refusal(refuse_foreign, tmp_path)
    assert (wanted, said) == ("a train file of CSV, Parquet or JSON", found)
    assert hint in todo


def test_a_link_to_nothing_and_a_folder_named_like_a_file_are_named(tmp_path):
    link, empty = tmp_path / "link", tmp_path / "empty"
    link.mkdir()
    (link / "train.csv").symlink_to(tmp_path / "gone.csv")
    (empty / "train.parquet").mkdir(parents=True)
    assert refusal(refuse_foreign, link)[1] == "train.csv, a broken link"
    assert refusal(refuse_foreign, empty)[1] == "train.parquet, an empty folder"


def test_nothing_is_said_of_other_files(tmp_path):
    for name in (".hidden.pkl", "_old.xls", "notes.md", "script.py", "LICENSE"):
        (tmp_path / name).touch()
    assert refuse_foreign(tmp_path) is None


def test_a_folder_of_text_files_for_each_class_is_refused(tmp_path):
    for name in ("neg/1.txt", "neg/2.txt", "pos/1", "other/1.txt", "other/1.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    neg, pos, other = (tmp_path / name for name in ("neg", "pos", "other"))
    wanted, found, hint = refusal(refuse_text_files, tmp_path, [neg, pos, other])
    assert (wanted, found) == ("train and test tables", "a text file for each row in neg, pos")
    assert "columns text and label" in hint
    assert refuse_text_files(tmp_path, [neg, other]) is None

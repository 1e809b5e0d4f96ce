"""Folders that can be made again: whole ones are used, damaged ones are made again, with a note."""

import json
import os
import subprocess
import threading
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from agnews_ray.data import cached
from agnews_ray.data.cached import LIST_NAME, cache_key, kept_folder
from agnews_ray.errors import StoreError

ROWS = {"train.parquet": 3}


class Maker:
    """Fills a folder, and counts how often."""

    def __init__(self):
        self.count = 0

    def __call__(self, folder):
        self.count += 1
        pq.write_table(pa.table({"row": [0, 1, 2]}), folder / "train.parquet")
        (folder / "below").mkdir()
        (folder / "below" / "notes.txt").write_text("notes")
        (folder / "link").symlink_to("train.parquet")


@pytest.fixture
def kept(tmp_path):
    """A folder that was made once."""
    folder = tmp_path / "cache" / "key"
    kept_folder(folder, Maker(), pytest.fail, ROWS)
    return folder


def _cut(folder):
    path = folder / "train.parquet"
    path.write_bytes(path.read_bytes()[:-20])


def _empty(folder):
    (folder / "train.parquet").write_bytes(b"")


def _flip(folder):
    path = folder / "train.parquet"
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)


def _of_another_version(folder):
    path = folder / LIST_NAME
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 0}))


def _become_a_file(folder):
    folder.rename(folder.with_name("away"))
    folder.write_text("")


def _link_elsewhere(folder):
    (folder / "link").unlink()
    (folder / "link").symlink_to("below/notes.txt")


FAULTS = {
    "cut off": (_cut, "train.parquet has "),
    "emptied": (_empty, "train.parquet has 0 bytes, not "),
    "a bit flipped": (_flip, "train.parquet was altered"),
    "deleted": (lambda f: (f / "train.parquet").unlink(), "train.parquet is missing"),
    "altered below": (lambda f: (f / "below/notes.txt").write_text("other"), "below/notes.txt was"),
    "a file more": (lambda f: (f / "below/test.csv").touch(), "below/test.csv was added"),
    "a link elsewhere": (_link_elsewhere, "link was altered"),
    "without its list": (lambda f: (f / LIST_NAME).unlink(), f"{LIST_NAME} is missing"),
    "an empty list": (lambda f: (f / LIST_NAME).write_bytes(b""), f"{LIST_NAME} is damaged"),
    "a list of nothing": (lambda f: (f / LIST_NAME).write_text("[]"), f"{LIST_NAME} is damaged"),
    "a list of another version": (_of_another_version, f"{LIST_NAME} is of another version"),
    "a file": (_become_a_file, "it cannot be read (Not a directory)"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_damaged_folder_is_made_anew_and_said_in_a_line(fault, kept):
    damage, said = FAULTS[fault]
    damage(kept)
    maker, lines = Maker(), []
    kept_folder(kept, maker, lines.append, ROWS)
    assert maker.count == 1
    assert pq.read_table(kept / "train.parquet")["row"].to_pylist() == [0, 1, 2]
    assert (kept / "below" / "notes.txt").read_text() == "notes"
    assert [line.startswith(f"{kept}: {said}") and "\n" not in line for line in lines] == [True]
    assert cached.find_fault(kept, ROWS) is None


def test_one_made_of_other_rows_is_made_again(kept):
    maker, lines = Maker(), []
    kept_folder(kept, maker, lines.append, {"train.parquet": 4})
    assert (maker.count, len(lines)) == (1, 1)


def test_a_whole_folder_is_used_as_it_is(kept):
    before = {path: path.stat() for path in kept.rglob("*")}
    maker = Maker()
    assert kept_folder(kept, maker, pytest.fail, ROWS) == kept
    assert maker.count == 0
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("*")} == {
        path: facts.st_mtime_ns for path, facts in before.items()
    }


def test_what_a_system_leaves_in_a_folder_is_no_damage(kept):
    (kept / ".DS_Store").touch()
    maker = Maker()
    kept_folder(kept, maker, pytest.fail, ROWS)
    assert maker.count == 0


def test_nothing_is_left_of_a_folder_that_could_not_be_made(tmp_path):
    def fail(folder):
        (folder / "half").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kept_folder(tmp_path / "key", fail, pytest.fail)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_folder_stays_until_there_is_a_new_one(kept):
    _cut(kept)

    def fail(folder):
        raise RuntimeError

    with pytest.raises(RuntimeError):
        kept_folder(kept, fail, lambda _: None, ROWS)
    assert [path.name for path in kept.parent.iterdir()] == ["key"]


def test_a_full_disk_is_told_with_the_folder(tmp_path):
    def fill(folder):
        with Path("/dev/full").open("w") as file:
            file.write("x")

    with pytest.raises(StoreError, match=f"{tmp_path}/key.* No space left on device"):
        kept_folder(tmp_path / "key", fill, pytest.fail)


def test_an_error_of_reading_the_source_is_not_taken_for_one_of_the_cache(tmp_path):
    def read(folder):
        (tmp_path / "source").read_text()

    with pytest.raises(FileNotFoundError):
        kept_folder(tmp_path / "key", read, pytest.fail)


def test_two_that_make_it_at_once_do_not_disturb_each_other(tmp_path):
    final, makers = tmp_path / "key", [Maker(), Maker()]
    both = threading.Barrier(2, timeout=30)

    def run(maker):
        def make(folder):
            maker(folder)
            both.wait()

        kept_folder(final, make, pytest.fail, ROWS)

    threads = [threading.Thread(target=run, args=(maker,)) for maker in makers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [maker.count for maker in makers] == [1, 1]
    assert cached.find_fault(final, ROWS) is None
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_one_that_another_made_whole_meanwhile_is_kept(kept):
    _cut(kept)
    inodes = []

    def make(folder):
        Maker()(folder)
        kept_folder(kept, Maker(), lambda _: None, ROWS)  # another process, faster
        inodes.append(kept.stat().st_ino)

    kept_folder(kept, make, lambda _: None, ROWS)
    assert kept.stat().st_ino == inodes[0]


def test_a_key_changes_with_content_and_our_own_version_and_that_of_libraries(monkeypatch):
    keys = {
        cache_key([1], 1, ["numpy"]),
        cache_key([2], 1, ["numpy"]),
        cache_key([1], 2, ["numpy"]),
    }
    assert cache_key([1], 1, ["numpy"]) in keys
    monkeypatch.setattr(cached, "version", lambda name: f"{name} 99")
    keys.add(cache_key([1], 1, ["numpy"]))
    assert len(keys) == 4


def test_what_a_killed_process_left_is_removed(tmp_path):
    final = tmp_path / "made"
    ended = subprocess.Popen(["true"])
    ended.wait()
    own = cached._beside(final)
    left = final.with_name(own.name.replace(f"-{os.getpid()}-", f"-{ended.pid}-"))
    for path in (own, left):
        path.mkdir()
    cached._remove_stale(final)
    assert (own.exists(), left.exists()) == (True, False)

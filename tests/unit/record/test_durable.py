"""What the disk was told, in which order; and what the user is told where it takes nothing."""

import errno
import os
from pathlib import Path

import pytest

from agnews_ray.errors import StoreError
from agnews_ray.record import durable
from agnews_ray.record.durable import (
    make_folder,
    move_into_place,
    sync_tree,
    whole_file,
    write_whole,
)


@pytest.fixture
def told(tmp_path, monkeypatch):
    """What reached the disk or was renamed so far, by names below the test's folder."""
    steps = []
    real_sync, real_rename, real_replace = os.fsync, Path.rename, Path.replace

    def fsync(descriptor):
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        steps.append(f"sync {os.path.relpath(path, tmp_path)}")
        real_sync(descriptor)

    def rename(path, target):
        steps.append(f"name {os.path.relpath(target, tmp_path)}")
        return real_rename(path, target)

    def replace(path, target):
        steps.append(f"name {os.path.relpath(target, tmp_path)}")
        return real_replace(path, target)

    monkeypatch.setattr(durable.os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(Path, "replace", replace)
    return steps


def test_content_is_on_the_disk_before_its_name_and_the_name_is_too(tmp_path, told):
    write_whole(tmp_path / "file", "text")
    partial, *rest = told
    assert partial.startswith("sync .file.")
    assert rest == ["name file", "sync ."]
    assert (tmp_path / "file").read_text() == "text"


def test_a_folder_is_on_the_disk_from_below_before_it_is_moved(tmp_path, told):
    staged = tmp_path / "staged"
    (staged / "deep").mkdir(parents=True)
    (staged / "deep" / "file").touch()
    move_into_place(staged, tmp_path / "trials" / "one")
    assert told == [
        "sync staged/deep/file",
        "sync staged/deep",
        "sync staged",
        "sync .",  # the new folder trials in it
        "name trials/one",
        "sync trials",
        "sync .",
    ]


def test_new_folders_are_on_the_disk_in_those_above_them(tmp_path, told):
    make_folder(tmp_path / "a" / "b")
    assert told == ["sync .", "sync a"]
    make_folder(tmp_path / "a" / "b")
    assert told == ["sync .", "sync a"]


def test_links_are_not_followed(tmp_path, told):
    (tmp_path / "staged").mkdir()
    (tmp_path / "outside").touch()
    (tmp_path / "staged" / "link").symlink_to(tmp_path / "outside")
    sync_tree(tmp_path / "staged")
    assert told == ["sync staged"]


def test_a_folder_that_is_not_empty_is_never_replaced(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    with pytest.raises(StoreError, match="not empty"):
        move_into_place(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "file").read_text() == "old"


def test_a_system_that_syncs_no_folders_is_no_error(tmp_path, monkeypatch):
    real = os.fsync

    def fsync(descriptor):
        if Path(f"/proc/self/fd/{descriptor}").readlink().is_dir():
            raise OSError(errno.EINVAL, "Invalid argument")
        real(descriptor)

    monkeypatch.setattr(durable.os, "fsync", fsync)
    write_whole(tmp_path / "file", b"1")
    assert (tmp_path / "file").read_bytes() == b"1"


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "quota"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EROFS, "make it writable"),
    ],
)
def test_what_the_disk_refuses_is_one_line_and_the_old_file_stays(
    tmp_path, monkeypatch, number, hint
):
    path = tmp_path / "file"
    path.write_text("old")

    def fsync(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(durable.os, "fsync", fsync)
    with pytest.raises(StoreError, match=os.strerror(number)) as raised:
        write_whole(path, "new")
    assert hint in raised.value.hint
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


def test_a_block_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file") as partial:
        partial.write_bytes(b"half")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []

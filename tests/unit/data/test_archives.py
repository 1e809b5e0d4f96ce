import io
import os
import tarfile
import zipfile

import pytest

from agnews_ray.data import archives
from agnews_ray.data.archives import unpack
from agnews_ray.errors import DataError


def a_tar(path, *members):
    """Write a tar file of (name, content) pairs, or of members made by hand."""
    with tarfile.open(path, "w:gz") as tar:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                tar.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                tar.addfile(info, io.BytesIO(member[1]))
    return path


def a_zip(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def special(kind, name="train.csv", target="/etc/passwd"):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


MAKERS = {".tar.gz": a_tar, ".zip": a_zip}


@pytest.fixture(params=MAKERS)
def make(request, tmp_path):
    return lambda *members: MAKERS[request.param](tmp_path / f"news{request.param}", *members)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "out" / "folder"
    folder.mkdir(parents=True)
    return folder


def test_files_and_folders_are_unpacked(make, folder):
    unpack(make(("data/train.csv", b"a,b"), ("test.csv", b"c,d")), folder)
    assert (folder / "data/train.csv").read_bytes() == b"a,b"
    assert (folder / "test.csv").read_bytes() == b"c,d"


@pytest.mark.parametrize("name", ["../train.csv", "/tmp/train.csv", "a/../../train.csv"])
def test_a_name_outside_the_folder_is_refused(make, folder, name):
    with pytest.raises(DataError, match="outside it"):
        unpack(make((name, b"a,b")), folder)
    assert [p for p in folder.parent.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path, folder, kind):
    with pytest.raises(DataError, match="want files and folders"):
        unpack(a_tar(tmp_path / "news.tar", special(kind)), folder)
    assert [path.name for path in folder.iterdir()] == []


def test_an_archive_made_to_fill_the_disk_is_refused_before_it_does(make, folder, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 10_000)
    path = make(("small.csv", b"a,b"), ("train.csv", bytes(5_000_000)))
    with pytest.raises(DataError, match="at most 200 times its bytes"):
        unpack(path, folder)
    assert [path.name for path in folder.iterdir()] == ["small.csv"]


def test_a_damaged_archive_is_an_error_in_a_line(make, folder):
    path = make(("train.csv", os.urandom(1000)))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(DataError, match="a whole archive"):
        unpack(path, folder)

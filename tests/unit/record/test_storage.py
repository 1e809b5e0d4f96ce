import os

import pytest

from agnews_ray.errors import StoreError
from agnews_ray.record.storage import Storage, is_uri, user_cache, without_secrets
from tests.unit.record.conftest import BUCKET, tell_moto


@pytest.fixture(params=["file", "s3"])
def storage(request, tmp_path):
    if request.param == "file":
        return Storage((tmp_path / "there").as_uri())
    request.getfixturevalue("s3")
    return Storage(f"s3://{BUCKET}/there")


def everything(_):
    return True


def age(path, seconds=3600):
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def test_what_was_written_is_read_back(storage):
    storage.write("folder/file", b"content")
    assert storage.read("folder/file") == b"content"
    assert storage.child("folder").read("file") == b"content"
    assert storage.sizes() == {"folder/file": 7}
    assert storage.child("folder").sizes() == {"file": 7}


def test_a_folder_that_does_not_exist_is_empty(storage):
    assert storage.child("nothing").sizes() == {}
    storage.child("nothing").delete()
    storage.delete("nothing")


def test_a_folder_is_uploaded_with_all_it_holds(storage, tmp_path):
    (tmp_path / "here" / "deep").mkdir(parents=True)
    (tmp_path / "here" / "one").write_bytes(b"1")
    (tmp_path / "here" / "deep" / "two").write_bytes(b"22")
    storage.child("a").upload(tmp_path / "here")
    assert storage.sizes() == {"a/one": 1, "a/deep/two": 2}


def test_only_what_is_missing_is_downloaded(storage, tmp_path):
    here = tmp_path / "here"
    storage.write("one", b"1")
    storage.write("deep/two", b"22")
    assert storage.download(here, everything) == ["deep/two", "one"]
    assert storage.download(here, everything) == []
    (here / "one").unlink()
    (here / "deep" / "two").write_bytes(b"cut")
    assert storage.download(here, everything) == ["deep/two", "one"]
    assert {p.name: p.read_bytes() for p in here.rglob("*") if p.is_file()} == {
        "one": b"1",
        "two": b"22",
    }


def test_what_was_replaced_by_as_much_is_downloaded_again(storage, tmp_path):
    storage.write("file", b"old")
    storage.download(tmp_path, everything)
    age(tmp_path / "file")
    storage.write("file", b"new")
    assert storage.download(tmp_path, everything) == ["file"]
    assert (tmp_path / "file").read_bytes() == b"new"


def test_a_slow_clock_here_does_not_matter(tmp_path):
    storage = Storage((tmp_path / "there").as_uri())
    storage.write("file", b"1")
    age(tmp_path / "there" / "file", seconds=-3600)  # younger than anything made here now
    assert storage.download(tmp_path / "here", everything) == ["file"]
    assert storage.download(tmp_path / "here", everything) == []


def test_what_is_not_wanted_is_not_downloaded(storage, tmp_path):
    storage.write("one", b"1")
    storage.write("two", b"2")
    assert storage.download(tmp_path / "here", lambda name: name == "two") == ["two"]


def test_what_is_deleted_is_gone(storage):
    storage.write("a/one", b"1")
    storage.write("a/two", b"2")
    storage.write("b/three", b"3")
    storage.delete("a")
    assert storage.sizes() == {"b/three": 1}
    storage.delete()
    assert storage.sizes() == {}


def test_a_missing_file_is_explained(storage):
    storage.write("other", b"")
    with pytest.raises(StoreError, match="check bucket, credentials and network"):
        storage.read("file")


def test_names_that_lead_elsewhere_are_left_out(s3, tmp_path):
    for name in ("../../outside", "fine/../../../outside", "/outside", "fine/file"):
        s3.put_object(Bucket=BUCKET, Key=f"there/{name}", Body=b"1")
    Storage(f"s3://{BUCKET}/there").download(tmp_path / "a" / "b", everything)
    found = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert found == [tmp_path / "a" / "b" / "fine" / "file"]


def test_options_in_a_uri_are_kept_by_what_is_inside(s3, s3_endpoint, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    address = s3_endpoint.removeprefix("http://")
    options = f"scheme=http&endpoint_override={address}&region=us-east-1"
    storage = Storage(f"s3://{BUCKET}/there?{options}").child("folder")
    storage.write("file", b"1")
    assert storage.uri == f"s3://{BUCKET}/there/folder?{options}"
    assert s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"] == "there/folder/file"


@pytest.mark.parametrize(
    ("uri", "found"),
    [
        ("runs", "something else"),
        ("s3://", "something else"),
        ("s3://bucket/a folder", "something else"),
        ("s3x://bucket/folder", "Unrecognized filesystem type"),
        ("s3:///folder", "Missing bucket name"),
    ],
)
def test_what_is_no_uri_is_explained(uri, found):
    with pytest.raises(StoreError, match=found) as raised:
        Storage(uri)
    assert "s3://BUCKET/FOLDER" in raised.value.hint


@pytest.mark.parametrize(
    "uri",
    [
        "s3://AKIA:hunter2@bucket/x",
        "s3://AKIA:hunter2@bucket/x@y",
        "s3://AKIA:a/hunter2@bucket/x",
        "s3://AKIA:a hunter2@bucket/x",
        "s3://AKIA:hunter2@bucket/x?region=us-east-1",
        "s3x://AKIA:hunter2@bucket/x",
        "s3x://bucket/x?password=hunter2",
    ],
)
def test_no_error_tells_a_secret(uri):
    with pytest.raises(StoreError) as raised:
        Storage(uri)
    assert "hunter2" not in str(raised.value)
    assert "AKIA" not in str(raised.value)


def test_keys_in_a_uri_are_refused():
    with pytest.raises(StoreError, match="put them into AWS_ACCESS_KEY_ID") as raised:
        Storage("s3://KEY:SECRET@bucket/x")
    assert raised.value.where == "s3://bucket/x"


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("s3://bucket/x?scheme=http", "s3://bucket/x"),
        ("s3://bucket/a@b:c@d", "s3://bucket/a@b:c@d"),
        ("gs://anonymous@bucket/x", "gs://bucket/x"),
    ],
)
def test_what_is_shown_of_a_uri(uri, expected):
    assert without_secrets(uri) == expected


def test_a_bucket_that_does_not_exist_is_explained(s3):
    storage = Storage("s3://none-here/x")
    with pytest.raises(StoreError, match="want a bucket that exists, found none"):
        storage.sizes()
    with pytest.raises(StoreError, match="bucket does not exist"):
        storage.write("file", b"1")


def test_keys_that_are_not_known_are_explained(s3, s3_endpoint):
    storage = Storage(f"s3://{BUCKET}/x")
    tell_moto(s3_endpoint, "reset-auth", b"0")
    try:
        for action in (storage.sizes, lambda: storage.write("file", b"1")):
            with pytest.raises(StoreError, match="Access Key Id you provided") as raised:
                action()
            assert "credentials" in raised.value.hint
    finally:
        tell_moto(s3_endpoint, "reset-auth", b"inf")


@pytest.mark.parametrize(
    ("location", "expected"),
    [("runs", False), ("/runs", False), ("s3://bucket", True), ("file:///runs", True)],
)
def test_a_uri_is_told_from_a_folder(location, expected):
    assert is_uri(location) is expected


def test_the_cache_is_where_the_user_wants_it(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_cache() == tmp_path / "agnews-ray"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_cache() == tmp_path / ".cache" / "agnews-ray"

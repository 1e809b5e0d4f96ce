"""Folders by URI (``s3://``, ``gs://``, ``file://``) through pyarrow's filesystems.

Credentials are read from the places of the clouds' own tools: environment, profile, instance.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from pyarrow import fs

from agnews_ray.errors import StoreError
from agnews_ray.fail_points import reach
from agnews_ray.record.durable import HINTS, make_folder, whole_file
from agnews_ray.record.inside import files_below, stays_inside

CACHE_FOLDER = ".cache"
"""The folder below the runs folder with what can be made again, such as tokenised splits."""

COPIES_FOLDER = "studies"
"""The folder inside it with working copies of studies in an object store."""

URI_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*://[^\s#]+")
KEYS_PATTERN = re.compile(r"(?<!file):/+(?:[^/]*:.*|[^/@]*)@|(?<=file)://(?:[^/]+:.*|[^/@]+)@")
"""A key and its secret, which may have slashes, before the name of a bucket."""
LOCATION_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/|(s3|s3a|gs|gcs|abfss?|hdfs):", re.I)
"""The start of a URI, also with a missing slash, which would otherwise become a folder's name."""

OPTIONS = (
    "scheme", "endpoint_override", "region", "allow_bucket_creation", "allow_bucket_deletion",
    "allow_delayed_open", "smart_defaults", "tls_ca_file_path", "tls_ca_dir_path",
    "tls_verify_certificates", "default_bucket_location", "retry_limit_seconds", "project_id",
    "blob_storage_authority", "blob_storage_scheme", "dfs_storage_authority",
    "dfs_storage_scheme", "enable_tls", "credential_kind", "replication", "buffer_size",
    "default_block_size", "use_mmap",
)  # fmt: skip
"""The options of pyarrow's filesystems after a ``?`` that are not secret, as a URI is kept and
shown."""
VALUE_PATTERN = re.compile(r"[A-Za-z0-9._:/\[\]-]*")

URI_HINT = "use a folder, or s3://BUCKET/FOLDER, or gs://BUCKET/FOLDER"
KEYS_HINT = "put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"


def check_uri(uri: str) -> None:
    """Refuse a text that is not a URI, and secrets in a URI, which would get into logs and records.

    Raises:
        StoreError: names the fault; the message never repeats a value.
    """
    where = without_secrets(uri)
    keys = KEYS_PATTERN.search(unquote(uri).partition("?")[0])
    if keys and ":" in keys[0].lstrip(":/"):  # gs://anonymous@bucket is fine
        raise StoreError(where, "a URI without keys", "keys in it", KEYS_HINT)
    if not URI_PATTERN.fullmatch(uri):
        raise StoreError(where, "the URI of a storage folder", "something else", URI_HINT)
    for option in filter(None, uri.partition("?")[2].split("&")):
        name, mark, value = unquote(option).partition("=")
        if name not in OPTIONS or not VALUE_PATTERN.fullmatch(value):
            shown = (
                f"option {name}" if mark and name.replace("_", "").isalpha() else "another option"
            )
            shown += " with a value that may hold a secret" if name in OPTIONS else ""
            wanted = f"options that are no secrets ({', '.join(OPTIONS[:3])}, ...)"
            hint = "leave it out; keys go into the environment or a profile, where the cloud's own "
            raise StoreError(where, wanted, shown, hint + "tools look for them")


def is_uri(location: str) -> bool:
    """Whether a storage location is a URI, or is meant as one, and not a folder's path."""
    return bool(LOCATION_PATTERN.match(location))


def without_secrets(uri: str) -> str:
    """Remove options, and the part before a bucket's name, which may hold keys."""
    if not is_uri(uri):
        return uri
    shown = uri.partition("?")[0].partition("#")[0]
    if KEYS_PATTERN.search(shown):
        return KEYS_PATTERN.sub("://", shown, count=1)
    decoded = unquote(shown).partition("?")[0]
    return KEYS_PATTERN.sub("://", decoded, count=1) if KEYS_PATTERN.search(decoded) else shown


def without_keys(command: str) -> str:
    """Remove users and passwords from the addresses in a command line, which is kept in records."""
    return re.sub(r"(://)[^\s/@'\"]*:[^\s@'\"]*@", r"\1", command)


def user_cache() -> Path:
    """Return this user's folder for files that can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "agnews-ray"


def cache_folder(location: str) -> Path:
    """Return the cache of a runs folder: inside it, or the user's if that is a URI."""
    return (user_cache() if is_uri(location) else Path(location).absolute()) / CACHE_FOLDER


class Storage:
    """A folder in an object store.

    Args:
        uri: a URI such as ``s3://bucket/folder``, perhaps with pyarrow's options after a ``?``.

    Raises:
        StoreError: the URI is not of a kind that pyarrow supports, has keys in it, or its store
            does not answer.
    """

    def __init__(self, uri: str) -> None:
        check_uri(uri)
        self.uri = uri
        with self._explained(URI_HINT):
            self._fs, self._base = fs.FileSystem.from_uri(uri)

    @property
    def local_folder(self) -> Path | None:
        """The folder of this machine that a ``file://`` URI names; None for an object store."""
        return Path(self._base) if isinstance(self._fs, fs.LocalFileSystem) else None

    def child(self, name: str) -> "Storage":
        """Open a folder inside this one.

        Args:
            name: a path without leading or trailing slash.

        Returns:
            The folder, which may not exist.
        """
        path, mark, options = self.uri.partition("?")
        return Storage(f"{path.rstrip('/')}/{name}{mark}{options}")

    def sizes(self) -> dict[str, int]:
        """List all files below.

        Returns:
            The bytes of each file by path relative to this folder; empty if the folder does not
            exist.

        Raises:
            StoreError: the bucket does not exist, or the store does not answer.
        """
        return {name: info.size for name, info in self._files().items()}

    def times(self) -> dict[str, float]:
        """List all files below, with the time at which the store received each.

        Returns:
            The time of each file in seconds of the store's own clock, by path relative to this
            folder.

        Raises:
            StoreError: the bucket does not exist, or the store does not answer.
        """
        return {name: (info.mtime_ns or 0) / 1e9 for name, info in self._files().items()}

    def _files(self) -> dict[str, fs.FileInfo]:
        wanted = fs.FileSelector(self._base, allow_not_found=True, recursive=True)
        with self._explained():
            if self.local_folder is not None:  # a selector would follow links out of the folder
                wanted = files_below(self.local_folder)
            found = self._fs.get_file_info(wanted)
        if not found:
            self._check_bucket()
        start = len(self._base.rstrip("/")) + 1
        files = {info.path[start:]: info for info in found if info.is_file}
        return {name: info for name, info in files.items() if stays_inside(name)}

    def _check_bucket(self) -> None:
        """Refuse a bucket that does not exist, which would be listed as an empty one."""
        bucket = self._base.partition("/")[0]  # empty for the path of a local folder
        with suppress(OSError):  # some users may list a folder but not ask for the whole bucket
            if bucket and self._fs.get_file_info(bucket).type == fs.FileType.NotFound:
                hint = "check its name, or make it"
                raise StoreError(without_secrets(self.uri), "a bucket that exists", "none", hint)

    def read(self, name: str) -> bytes:
        """Read a whole file."""
        with self._explained(), self._fs.open_input_file(self._path(name)) as file:
            content: bytes = file.read()
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file; object stores show it completely or not at all."""
        with self._explained():
            reach("write")
            self._make_folder(name)
            with self._fs.open_output_stream(self._path(name)) as file:
                file.write(content)

    def upload(self, folder: Path) -> None:
        """Copy all files of a local folder here.

        Args:
            folder: the local folder, whose content is copied directly into this one.
        """
        with self._explained():
            reach("write")
            self._make_folder("file")
            fs.copy_files(str(folder), self._base, destination_filesystem=self._fs)

    def download(self, folder: Path, is_wanted: Callable[[str], bool]) -> list[str]:
        """Copy files that are missing, older or of another size to a local folder.

        Args:
            folder: the local folder; it is created if missing.
            is_wanted: called with each path relative to this folder.

        Returns:
            The relative paths of the copied files, each of which is complete.
        """
        copied = []
        for name, info in sorted(self._files().items()):
            target = folder / name
            if not is_wanted(name) or _is_current(target, info):
                continue
            make_folder(target.parent)
            with whole_file(target) as partial:
                with self._explained():
                    fs.copy_files(self._path(name), str(partial), source_filesystem=self._fs)
                os.utime(partial, ns=(info.mtime_ns or 0, info.mtime_ns or 0))
            copied.append(name)
        return copied

    def delete(self, name: str = "") -> None:
        """Delete a folder inside, or this one, with all that it holds, if it exists."""
        path = self._path(name) if name else self._base
        with self._explained():
            if self._fs.get_file_info(path).type != fs.FileType.NotFound:
                self._fs.delete_dir(path)

    def remove(self, name: str) -> None:
        """Delete a file, if it exists."""
        path = self._path(name)
        with self._explained():
            try:
                self._fs.delete_file(path)
            except OSError:
                if self._fs.get_file_info(path).type != fs.FileType.NotFound:
                    raise

    def move(self, name: str, new_name: str) -> None:
        """Move a folder with all that it holds; its files exist twice before they are deleted.

        Args:
            name: a folder inside.
            new_name: its new name, which must not exist.
        """
        with self._explained():
            self._make_folder(f"{new_name}/file")
            fs.copy_files(self._path(name), self._path(new_name), self._fs, self._fs)
        self.delete(name)

    def _path(self, name: str) -> str:
        return f"{self._base.rstrip('/')}/{name}"

    def _make_folder(self, name: str) -> None:
        if self.local_folder is not None:  # in object stores folders are only parts of names
            self._fs.create_dir(str(Path(self._path(name)).parent), recursive=True)

    @contextmanager
    def _explained(self, hint: str = "check bucket, credentials and network") -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            where = without_secrets(self.uri)
            number = getattr(error, "errno", None)
            if number in HINTS:  # a folder of this machine, not an object store
                reason = os.strerror(number)
                raise StoreError(where, "a place to write to", reason, HINTS[number]) from error
            found = " ".join(str(error).replace(self.uri, where).split())[:300]
            raise StoreError(where, "a storage folder", found, hint) from error


def _is_current(path: Path, info: fs.FileInfo) -> bool:
    """Whether a local file has the size of its original and is not older (in whole seconds)."""
    if not path.is_file():
        return False
    found, second = path.stat(), 10**9
    is_older = found.st_mtime_ns // second < (info.mtime_ns or 0) // second
    return found.st_size == info.size and not is_older

"""Folders by URI (``s3://``, ``gs://``, ``file://``) through pyarrow's filesystems.

Credentials come from where the clouds' own tools look for them: environment, profile, instance.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from agnews_ray.errors import StoreError

URI_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*://\S+")
KEYS_PATTERN = re.compile(r"://(?:[^/]*:.*|[^/@]*)@")
"""A key and its secret, in which there may be slashes, before the name of a bucket."""


URI_HINT = "use a folder, or s3://BUCKET/FOLDER, or gs://BUCKET/FOLDER"


def check_uri(uri: str) -> None:
    """Refuse what is no URI, and keys in one: they would end in logs, records and lists of jobs.

    Raises:
        StoreError: says which.
    """
    if not URI_PATTERN.fullmatch(uri):
        where, wanted = without_secrets(uri), "the URI of a storage folder"
        raise StoreError(where, wanted, "something else", URI_HINT)
    keys = KEYS_PATTERN.search(uri.partition("?")[0])
    if keys and ":" in keys[0].removeprefix("://"):  # gs://anonymous@bucket is fine
        hint = "put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile"
        raise StoreError(without_secrets(uri), "a URI without keys", "keys in it", hint)


def is_uri(location: str) -> bool:
    """Whether a storage location is a URI, not a folder's path."""
    return "://" in location


def user_cache() -> Path:
    """Name this user's folder for what can be had again."""
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "agnews-ray"


class Storage:
    """A folder in an object store.

    Args:
        uri: such as ``s3://bucket/folder``; may carry pyarrow's options after a ``?``.

    Raises:
        StoreError: it is no URI of a kind that pyarrow knows, there are keys in it, or its store
            does not answer.
    """

    def __init__(self, uri: str) -> None:
        check_uri(uri)
        self.uri = uri
        with self._explained(URI_HINT):
            self._fs, self._base = fs.FileSystem.from_uri(uri)

    def child(self, name: str) -> "Storage":
        """Open a folder inside this one.

        Args:
            name: without leading or trailing slash.

        Returns:
            The folder, which need not exist.
        """
        path, mark, options = self.uri.partition("?")
        return Storage(f"{path.rstrip('/')}/{name}{mark}{options}")

    def sizes(self) -> dict[str, int]:
        """List all files below.

        Returns:
            Bytes by path relative to this folder; nothing where the folder does not exist.

        Raises:
            StoreError: there is no such bucket, or it does not answer.
        """
        return {name: info.size for name, info in self._files().items()}

    def _files(self) -> dict[str, fs.FileInfo]:
        selector = fs.FileSelector(self._base, allow_not_found=True, recursive=True)
        with self._explained():
            found = self._fs.get_file_info(selector)
        if not found:
            self._check_bucket()
        start = len(self._base.rstrip("/")) + 1
        files = {info.path[start:]: info for info in found if info.is_file}
        return {name: info for name, info in files.items() if _stays_inside(name)}

    def _check_bucket(self) -> None:
        """A bucket that does not exist is listed as an empty one."""
        bucket = self._base.partition("/")[0]  # nothing in the path of a local folder
        with suppress(OSError):  # who may list a folder may not ask for the whole bucket
            if bucket and self._fs.get_file_info(bucket).type == fs.FileType.NotFound:
                hint = "check its name, or make it"
                raise StoreError(without_secrets(self.uri), "a bucket that exists", "none", hint)

    def read(self, name: str) -> bytes:
        """Read a file whole."""
        with self._explained(), self._fs.open_input_file(self._path(name)) as file:
            content: bytes = file.read()
        return content

    def write(self, name: str, content: bytes) -> None:
        """Write a file; object stores show it whole or not at all."""
        with self._explained():
            self._make_folder(name)
            with self._fs.open_output_stream(self._path(name)) as file:
                file.write(content)

    def upload(self, folder: Path) -> None:
        """Copy all files of a local folder here.

        Args:
            folder: its content lands directly in this folder.
        """
        with self._explained():
            self._make_folder("file")
            fs.copy_files(str(folder), self._base, destination_filesystem=self._fs)

    def download(self, folder: Path, is_wanted: Callable[[str], bool]) -> list[str]:
        """Copy what is missing, older or of another size to a local folder.

        Args:
            folder: made where it does not exist.
            is_wanted: asked for each path relative to this folder.

        Returns:
            Relative paths of what was copied; each file is whole.
        """
        copied = []
        for name, info in sorted(self._files().items()):
            target = folder / name
            if not is_wanted(name) or _is_current(target, info):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.partial")
            with self._explained():
                fs.copy_files(self._path(name), str(partial), source_filesystem=self._fs)
            os.utime(partial, ns=(info.mtime_ns or 0, info.mtime_ns or 0))
            partial.replace(target)
            copied.append(name)
        return copied

    def delete(self, name: str = "") -> None:
        """Delete a folder inside, or this one, with all it holds; nothing where there is none."""
        path = self._path(name) if name else self._base
        with self._explained():
            if self._fs.get_file_info(path).type != fs.FileType.NotFound:
                self._fs.delete_dir(path)

    def _path(self, name: str) -> str:
        return f"{self._base.rstrip('/')}/{name}"

    def _make_folder(self, name: str) -> None:
        if isinstance(self._fs, fs.LocalFileSystem):  # elsewhere folders are parts of names
            self._fs.create_dir(str(Path(self._path(name)).parent), recursive=True)

    @contextmanager
    def _explained(self, hint: str = "check bucket, credentials and network") -> Iterator[None]:
        try:
            yield
        except (OSError, pa.ArrowException) as error:
            where = without_secrets(self.uri)
            found = " ".join(str(error).replace(self.uri, where).split())[:300]
            raise StoreError(where, "a storage folder", found, hint) from error


def without_secrets(uri: str) -> str:
    """Leave out options, and what stands before a bucket's name: keys may be there."""
    return KEYS_PATTERN.sub("://", uri.partition("?")[0], count=1)


def _stays_inside(name: str) -> bool:
    """Whether a path leads to below its folder: names in a bucket may be anything."""
    return not name.startswith("/") and ".." not in name.split("/")


def _is_current(path: Path, info: fs.FileInfo) -> bool:
    """Whether a local file is as large as its original, and no older (in whole seconds)."""
    if not path.is_file():
        return False
    found, second = path.stat(), 10**9
    is_older = found.st_mtime_ns // second < (info.mtime_ns or 0) // second
    return found.st_size == info.size and not is_older

"""Folders by URI (``s3://``, ``gs://``, ``file://``) through pyarrow's filesystems.

Credentials come from where the clouds' own tools look for them: environment, profile, instance.
"""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from agnews_ray.errors import StoreError

URI_PATTERN = re.compile(r"[a-z][a-z0-9+.-]*://\S+")


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
        StoreError: it is no URI of a kind that pyarrow knows, or its store does not answer.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        hint = "use a folder, or s3://BUCKET/FOLDER, or gs://BUCKET/FOLDER"
        if not URI_PATTERN.fullmatch(uri):
            raise StoreError(uri, "the URI of a storage folder", "something else", hint)
        with self._explained(hint):
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
        """
        selector = fs.FileSelector(self._base, allow_not_found=True, recursive=True)
        with self._explained():
            found = self._fs.get_file_info(selector)
        start = len(self._base.rstrip("/")) + 1
        return {info.path[start:]: info.size for info in found if info.is_file}

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
        """Copy what is missing, or has another size, to a local folder.

        Args:
            folder: made where it does not exist.
            is_wanted: asked for each path relative to this folder.

        Returns:
            Relative paths of what was copied; each file is whole.
        """
        copied = []
        for name, size in sorted(self.sizes().items()):
            target = folder / name
            if not is_wanted(name) or (target.is_file() and target.stat().st_size == size):
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            partial = target.with_name(f".{target.name}.partial")
            with self._explained():
                fs.copy_files(self._path(name), str(partial), source_filesystem=self._fs)
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
            found = " ".join(str(error).split())[:300]
            raise StoreError(_without_secrets(self.uri), "a storage folder", found, hint) from error


def _without_secrets(uri: str) -> str:
    """Leave out options and anything before an ``@``: keys may stand there."""
    scheme, _, rest = uri.partition("?")[0].partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"

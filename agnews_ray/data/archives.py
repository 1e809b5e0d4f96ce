"""Archives, unpacked only if nothing of them leaves the folder and their size is believable."""

import tarfile
import zipfile
from pathlib import Path

from agnews_ray.data.compression import READ_ERRORS
from agnews_ray.errors import DataError
from agnews_ray.record.durable import is_full_disk
from agnews_ray.record.inside import stays_inside

MAX_RATIO = 200
"""The most bytes that a byte of an archive may become: texts become 3 to 10, the same line written
again and again about 100, and a file made to fill a disk a thousand or more."""

FREE_BYTES = 10**9
"""The bytes up to which any ratio is fine."""


def unpack(path: Path, folder: Path) -> None:
    """Unpack an archive into an empty folder.

    Args:
        path: a zip file, or a tar file with any compression.
        folder: the folder.

    Raises:
        DataError: it is damaged, or holds a link, a device, a name outside the folder, or much more
            than its size tells; at most ``FREE_BYTES``, or that ratio, were written by then.
    """
    try:
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                unpacked = 0
                for member in archive.infolist():
                    unpacked += member.file_size
                    _check(path, member.filename, unpacked)
                    archive.extract(member, folder)
        else:
            with tarfile.open(path) as tar:
                unpacked = 0
                for one in tar:
                    unpacked += one.size
                    _check(path, one.name, unpacked)
                    if not (one.isfile() or one.isdir()):
                        raise _no_file(path, one)
                    tar.extract(one, folder, filter="data")
    except (*READ_ERRORS, tarfile.TarError, RuntimeError) as error:  # the last one for a password
        if is_full_disk(error):
            raise
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise DataError(str(path), "a whole archive", reason, "fetch the file again") from error


def _check(path: Path, name: str, unpacked_bytes: int) -> None:
    """Refuse a name outside the folder, and a sum of sizes that no archive of texts has."""
    if not stays_inside(name):
        found, hint = f"{name[:80]!r}, outside it", "do not use it: such names are made on purpose"
        raise DataError(str(path), "names inside the archive's own folder", found, hint)
    size = path.stat().st_size
    if unpacked_bytes > max(FREE_BYTES, MAX_RATIO * size):
        found = f"{unpacked_bytes:,} from {size:,}, with {name[:60]}"
        hint = "if you trust it, unpack it yourself and pass the folder"
        raise DataError(str(path), f"at most {MAX_RATIO} times its bytes", found, hint)


def _no_file(path: Path, member: tarfile.TarInfo) -> DataError:
    kind = "a link" if member.issym() or member.islnk() else "a device"
    hint = "if you trust it, unpack it yourself and pass the folder"
    return DataError(str(path), "files and folders", f"{kind}: {member.name[:80]!r}", hint)

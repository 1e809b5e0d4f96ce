"""From a source, as the user names it, to the files of each split on disk."""

import hashlib
import json
import logging
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from agnews_ray.data import json_rows
from agnews_ray.data.archives import unpack
from agnews_ray.data.cached import cache_key, kept_folder
from agnews_ray.data.compression import READ_ERRORS, compression_of, data_ending, members
from agnews_ray.data.encoding import find_encoding, read_text
from agnews_ray.data.files import KINDS
from agnews_ray.data.folders import Splits, find_splits, split_of
from agnews_ray.data.hub_data import load_hub
from agnews_ray.data.shards import Group
from agnews_ray.data.synthetic import SyntheticSpec, write_synthetic
from agnews_ray.errors import DataError
from agnews_ray.plan.names import slug
from agnews_ray.record.storage import without_secrets
from agnews_ray.spec.data import DataSpec

CLASS_FILES = ("classes.txt", "class_names.txt", "label_names.txt")
"""Files of class names beside the data: one name per line, in label order, as published with AG
News and similar datasets."""

CONVERTED_VERSION = 1
"""The version of converted files; raised whenever this code, or that of ``json_rows``, makes other
files from the same file."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFiles:
    """The files of each split."""

    train: tuple[Path, ...]
    test: tuple[Path, ...] = ()
    """The test files; empty if the test split is drawn from the train file."""
    validation: tuple[Path, ...] = ()
    test_twins: tuple[tuple[Path, ...], ...] = ()
    """Test files in other formats, which must hold the same rows."""
    class_names: tuple[str, ...] | None = None
    """Class names in label order, if the source has them."""
    revision: str | None = None
    """The hub's fingerprint, or the generator's settings."""
    notes: tuple[str, ...] = ()
    """The assumptions made."""


def resolve_source(spec: DataSpec, cache: Path) -> SourceFiles:
    """Find, download or generate the files of a source.

    Args:
        spec: the data settings, which name the source.
        cache: folder for what is downloaded, generated or unpacked.

    Returns:
        Files that exist.

    Raises:
        DataError: no such file or folder, a split is missing, or two files could be one split.
        HubError: a hub id, and neither the hub nor its cache answers.
    """
    path = Path(spec.source).expanduser()
    is_local = path.is_file() or path.is_dir()
    if spec.source.startswith("synthetic:"):
        found = _synthetic(spec.source, cache)
    elif is_local:
        try:
            found = _local(path, spec, cache)
        except PermissionError as error:
            where, hint = str(error.filename or path), "change its permissions"
            raise DataError(where, "a readable folder", "no permission", hint) from error
    else:
        looks_local = spec.source.startswith((".", "/", "~")) or data_ending(path) in KINDS
        if looks_local or spec.source.count("/") > 1:
            hint = "check the path given to --dataset"
            where = without_secrets(spec.source)  # perhaps a URI
            raise DataError(where, "a data file or folder", "no such file or folder", hint)
        found = SourceFiles(**load_hub(spec, cache))
    return _with_stated(found, spec, is_local)


def _local(path: Path, spec: DataSpec, cache: Path) -> SourceFiles:
    """Read a folder, an archive, or a single file."""
    if path.is_dir():
        archives = [p for p in path.iterdir() if p.is_file() and _is_archive(p)]
        others = [p for p in path.iterdir() if not p.name.startswith(".") and p not in archives]
        if len(archives) != 1 or any(p.is_dir() or data_ending(p) in KINDS for p in others):
            return _folder(path, spec, cache)
        path = archives[0]
    if _is_archive(path):
        write = lambda folder: unpack(path, folder)  # noqa: E731
        return _folder(_converted(path, cache, "unpacked", write), spec, cache)
    return _single(path, spec, cache)


def _single(path: Path, spec: DataSpec, cache: Path) -> SourceFiles:
    """Read a single file, which may hold several splits if it is JSON."""
    if path.suffix.lower() == ".json" and path.stat().st_size:
        encoding, _ = find_encoding(path, spec.encoding)
        names = _json_splits(path, encoding)
        if names:
            write = lambda folder: _write_splits(path, encoding, names, folder)  # noqa: E731
            return _folder(_converted(path, cache, [encoding, names], write), spec, cache)
    return SourceFiles(train=(path,), class_names=_class_file(path.parent))


def _folder(folder: Path, spec: DataSpec, cache: Path) -> SourceFiles:
    found: Splits = find_splits(folder, spec)
    lone = found.train.files[0]
    if found.test is None and len(found.train.files) == 1 and lone.suffix.lower() == ".json":
        alone = _single(lone, spec, cache)
        return replace(alone, validation=alone.validation or _files(found.validation))
    names = _class_file(folder) or _class_file(found.train.files[0].parent) or found.class_names
    if found.test_twins:
        other = found.test_twins[0].files[0].name
        notes = (*found.notes, f"{other} has the rows of {_files(found.test)[0].name}")
        found = replace(found, notes=notes)
    return SourceFiles(
        train=found.train.files,
        test=_files(found.test),
        validation=_files(found.validation),
        test_twins=tuple(group.files for group in found.test_twins),
        class_names=names,
        notes=found.notes,
    )


def _files(group: Group | None) -> tuple[Path, ...]:
    return group.files if group else ()


def _with_stated(found: SourceFiles, spec: DataSpec, is_local: bool) -> SourceFiles:
    """Use the files that flags name, and refuse combinations that do not fit."""
    if spec.test_source is not None:
        if found.test or not is_local:
            hint = "drop --test-dataset, or pass a train file with --dataset"
            raise DataError(spec.source, "a train file or folder", "a test split inside", hint)
        found = replace(found, test=(_stated(spec.test_source, "--test-dataset"),))
    if spec.validation_source not in (None, "none"):
        stated = _stated(str(spec.validation_source), "--validation")
        found = replace(found, validation=(stated,))
    if spec.validation_source == "none":
        found = replace(found, validation=())
    if found.test and spec.test_fraction is not None:
        hint = "drop --test-fraction, or pass the train file alone with --dataset"
        raise DataError(spec.source, "one test split", f"{found.test[0].name} too", hint)
    if found.validation and spec.validation_fraction > 0:
        hint = "drop --validation-fraction, or the file with --validation none"
        raise DataError(spec.source, "one validation split", found.validation[0].name, hint)
    if found.validation and not found.test and spec.test_fraction is None:
        name = found.validation[0]
        hint = f"score on it with --test-dataset {name}, or cut one with --test-fraction 0.2"
        raise DataError(spec.source, "a test split", f"train and {name.name}", hint)
    return found


def _stated(name: str, flag: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        hint = f"check the path given to {flag}"
        raise DataError(name, "a data file", "no such file or folder", hint)
    return path


def _class_file(folder: Path) -> tuple[str, ...] | None:
    """Read class names from a file beside the data; ``0: World`` names class 0."""
    path = next((p for p in sorted(folder.iterdir()) if p.name.lower() in CLASS_FILES), None)
    if path is None:
        return None
    try:
        text = unicodedata.normalize("NFC", read_text(path).replace("\ufeff", ""))
    except (*READ_ERRORS, UnicodeDecodeError) as error:
        hint = "replace the file, or remove it and use --class-names"
        reason = " ".join(str(error).split())[:100]
        raise DataError(str(path), "class names, one a line", reason, hint) from error
    names = [line.strip() for line in re.split(r"[\r\n]+", text) if line.strip()]
    numbered = [re.fullmatch(r"(\d+)\s*[:,;=\t]\s*(\S.*)", name, re.ASCII) for name in names]
    numbers = [int(match[1]) for match in numbered if match]
    if numbers in (list(range(len(names))), list(range(1, len(names) + 1))):
        names = [match[2] for match in numbered if match]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        hint = "fix the file, or give the names with --class-names"
        raise DataError(str(path), "different class names", f"{twice!r} twice", hint)
    return tuple(names) or None


def _is_archive(path: Path) -> bool:
    """Whether a file holds several files, some of which may be data."""
    name = path.name.lower()
    if name.endswith((".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".tbz2", ".txz")):
        return True
    if not name.endswith(".zip") or path.stat().st_size == 0:
        return False
    try:
        return compression_of(path) == "zip" and (
            len(members(path)) > 1 or data_ending(path) not in KINDS
        )
    except READ_ERRORS:
        return False


def _json_splits(path: Path, encoding: str) -> list[str]:
    is_document = json_rows.find_form(path, encoding) == "document"
    names = json_rows.split_names(path, encoding) if is_document else []
    return [name for name in names if split_of(name)]


def _write_splits(path: Path, encoding: str, names: list[str], folder: Path) -> None:
    for name in names:
        # The file is named by the split: the split's own name may be a path.
        with (folder / f"{split_of(name)}.jsonl").open("w", encoding="utf-8") as file:
            for row in json_rows.split_rows(path, encoding, name):
                file.write(json.dumps(row) + "\n")


def _converted(path: Path, cache: Path, how: object, write: Callable[[Path], None]) -> Path:
    """Make a folder in the cache from a file; it is made again when the file's content changes.

    Args:
        path: the file.
        cache: the cache.
        how: everything else that the folder's content depends on, as JSON values.
        write: a function that fills the folder.

    Returns:
        The folder; its name is shown in messages.
    """
    with path.open("rb") as file:
        content = hashlib.file_digest(file, "sha256").hexdigest()
    key = cache_key([content, how], CONVERTED_VERSION)
    return kept_folder(cache / "converted" / f"{slug(path.stem)}-{key}", write, logger.warning)


def _synthetic(source: str, cache: Path) -> SourceFiles:
    corpus = SyntheticSpec.parse(source)
    num_rows = {"train.parquet": corpus.train, "test.parquet": corpus.test}
    write = lambda new: write_synthetic(corpus, new)  # noqa: E731
    folder = kept_folder(cache / "synthetic" / corpus.key(), write, logger.warning, num_rows)
    return SourceFiles(
        train=(folder / "train.parquet",),
        test=(folder / "test.parquet",),
        class_names=corpus.class_names,
        revision=corpus.canonical(),
    )

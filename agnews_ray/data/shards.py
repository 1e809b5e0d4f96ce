"""Which data files of a folder are one table: a whole file, or the shards of one export."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from agnews_ray.data.compression import COMPRESSIONS, data_ending
from agnews_ray.data.files import KINDS
from agnews_ray.errors import DataError

NOT_ROWS = re.compile(
    r"(classes|class_names|label_names|labels|readme.*|licen[cs]e.*|requirements.*|vocab.*|"
    r"dataset_infos?|dataset_dict|state|metadata|config.*|label_map|id2label|label2id|.*notes?|"
    r"sample_?submission|tokenizer.*|special_tokens_map|generation_config|.*_results|trainer_state|"
    r"all_results|added_tokens|merges|modules|preprocessor_config)\.(txt|json|jsonl|csv)",
    re.IGNORECASE,
)

SHARD = re.compile(r"^(.*?)[-_](\d+)(?:[-_]?of[-_]?(\d+))?$")
"""``train-00000-of-00002``, ``train-0``; not ``train_v2`` or ``train-1.1``, which are versions."""


@dataclass(frozen=True, slots=True)
class Group:
    """Files that are one table: a whole file, or all its shards in order."""

    files: tuple[Path, ...]
    is_folder: bool = False
    """Whether they are all the files of a folder, with any names."""

    @property
    def name(self) -> str:
        """The group's name in a message."""
        first = self.files[0]
        more = f" and {len(self.files) - 1} more" if len(self.files) > 1 else ""
        return f"{first.parent.name}/{first.name}{more}"

    @property
    def ending(self) -> str:
        """The ending of its files."""
        return self.files[0].suffix.lower()


def data_files(folder: Path) -> list[Path]:
    """List a folder's own data files, in the order of their numbers."""
    kept = [
        path
        for path in folder.iterdir()
        if path.is_file()
        and not path.name.startswith((".", "_", "~"))
        and data_ending(path) in KINDS
        and not NOT_ROWS.fullmatch(path.name)
    ]
    return sorted(kept, key=_natural)


def group_files(files: Iterable[Path]) -> list[Group]:
    """Group shards: files whose names differ only by a number that counts from 0, or 001.

    Raises:
        DataError: a shard is missing.
    """
    tables: dict[tuple[str, str], list[Path]] = {}
    for path in files:
        stem, ending = stem_and_ending(path)
        match = SHARD.match(stem)
        key = (f"{match[1]}{match[3] or ''}*" if match else stem, ending)
        tables.setdefault(key, []).append(path)
    groups = []
    for (stem, _), paths in tables.items():
        numbers = [m[2] for p in paths if (m := SHARD.match(stem_and_ending(p)[0]))]
        # Short numbers from 1 may be folds or versions.
        starts = (0, 1) if all(len(number) > 2 for number in numbers) else (0,)
        is_counted = stem.endswith("*") and [int(number) for number in numbers] in [
            list(range(start, start + len(numbers))) for start in starts
        ]
        need_all_shards(paths)
        if is_counted or len(paths) == 1:
            groups.append(Group(tuple(paths)))
        else:
            groups.extend(Group((path,)) for path in paths)
    return groups


def refuse_two_jobs(folder: Path, paths: list[Path]) -> None:
    """Refuse two ``part-00000`` in one folder: Spark wrote there twice."""
    numbered = [(match[0], p) for p in paths if (match := re.match(r"part-\d+", p.name))]
    for (number, path), (again, other) in pairwise(numbered):
        if number == again and path.name.split(".")[0] != other.name.split(".")[0]:
            found = f"{path.name[:60]} and {other.name[:60]}"
            hint = "keep the files of one job"
            raise DataError(str(folder), f"one {number}", found, hint)


def is_unnumbered(group: Group) -> bool:
    """Whether a group has several files whose names do not clearly say that they are parts."""
    names = [stem_and_ending(path)[0] for path in group.files]
    parts = [re.match(r"part-\d", n) or re.search(r"\d{3,}$|\d-of-\d", n) for n in names]
    return len(names) > 1 and not all(parts)


def say_all(group: Group) -> str:
    """Say that several files were taken as one split."""
    first = group.files[0]
    inside = f" of {first.parent.name}/" if group.is_folder else f", {first.name} first"
    return f"{len(group.files)} files as one split{inside}"


def need_all_shards(paths: list[Path]) -> None:
    """Refuse an incomplete download, or two of one table, by names like ``-00001-of-00003``."""
    totals = {m[3]: p.name for p in paths if (m := SHARD.match(stem_and_ending(p)[0]))}
    if len(totals) > 1:
        first, second = sorted(totals.values())[:2]
        hint = "keep the shards of one export"
        raise DataError(str(paths[0].parent), "one set of shards", f"{first} and {second}", hint)
    for path in paths:
        match = SHARD.match(stem_and_ending(path)[0])
        total = int(match[3]) if match and match[3] else 0
        alike = [
            p
            for p in paths
            if (m := SHARD.match(stem_and_ending(p)[0])) and m[3] and int(m[3]) == total
        ]
        if total and len(alike) != total:
            found = f"{len(alike)} of them beside {path.name}"
            raise DataError(str(path.parent), f"{total} shards", found, "fetch the missing ones")


def stem_and_ending(path: Path) -> tuple[str, str]:
    """Split off the ending, with that of the compression: ``("train", ".csv.gz")``."""
    name = path.name.lower()
    packed = path.suffix.lower() if path.suffix.lower() in COMPRESSIONS else ""
    bare = name.removesuffix(packed)
    ending = data_ending(path)
    stem = bare.removesuffix(ending)
    return path.name[: len(stem)], name[len(stem) :]


def _natural(path: Path) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", path.name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]

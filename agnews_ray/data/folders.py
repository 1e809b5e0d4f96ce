"""Which files of a folder belong to which split; if two are possible, neither is chosen."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from agnews_ray.data.cards import card_splits, default_of_several, saved_files, saved_splits
from agnews_ray.data.files import KINDS
from agnews_ray.data.shards import (
    Group,
    data_files,
    group_files,
    is_unnumbered,
    need_all_shards,
    refuse_two_jobs,
    say_all,
    stem_and_ending,
)
from agnews_ray.data.unsupported import refuse_foreign, refuse_text_files
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec

SPLIT_WORDS = {
    "train": "train training trainset traindata trainingset trainingdata trn",
    "test": "test testing testset testdata tst",
    "validation": "validation valid val dev devel development eval evaluation "
    "validationset validset valset devset evalset valdata devdata validdata",
}

SPLIT_OF_WORD = {word: split for split, words in SPLIT_WORDS.items() for word in words.split()}

NOT_SEARCHED = {"runs", "cache", "__pycache__", "venv", "node_modules", "models", "__macosx"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Splits:
    """The files of a dataset's splits."""

    train: Group
    test: Group | None = None
    validation: Group | None = None
    test_twins: tuple[Group, ...] = ()
    """Test files in other formats, which must hold the same rows."""
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def find_splits(folder: Path, spec: DataSpec) -> Splits:
    """Find the files of each split of a folder.

    Args:
        folder: a folder of data: named files, a folder per split, shards, a clone of
            a hub dataset, or what ``datasets`` saved.
        spec: the user's settings, which may name a configuration, a test and a validation file.

    Returns:
        The files; a split that a flag names is left out.

    Raises:
        DataError: no train files, or several that could be one split.
    """
    named, class_names = saved_splits(folder), None
    notes: tuple[str, ...] = ()
    if named is not None:
        _refuse_beside_saved(folder)
    else:
        named, class_names = card_splits(folder, spec.config)
        default = default_of_several(folder) if spec.config is None else None
        notes = (f"configuration {default!r}, the default",) if default else ()
    if named is not None:
        for files in named.values():
            need_all_shards(list(files))
        found = {split_of(name): [Group(files)] for name, files in named.items()}
        found = {split: groups for split, groups in found.items() if split}
        if not found and len(named) == 1:
            found = {"train": [Group(files) for files in named.values()]}
    else:
        found = _by_name(folder, spec)
        notes += _left_aside(folder, found, spec)
    splits = _assign(folder, found, spec)
    return replace(splits, class_names=class_names, notes=(*notes, *splits.notes))


def _refuse_beside_saved(folder: Path) -> None:
    beside = [path.name for path in data_files(folder) if split_of(path.name)]
    if beside:
        hint = f"delete one, or pass the file with --dataset {beside[0]}"
        found = f"one of save_to_disk and {beside[0]}"
        raise DataError(str(folder), "one dataset", found, hint)


def split_of(name: str) -> str | None:
    """The split that the name of a file or folder means; None for no split, or for two."""
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    said = {SPLIT_OF_WORD[word] for word in re.findall(r"[a-z]+", snake) if word in SPLIT_OF_WORD}
    return said.pop() if len(said) == 1 else None


def _by_name(folder: Path, spec: DataSpec) -> dict[str | None, list[Group]]:
    found = _in_folder(folder)
    if found:
        return found
    below = [p for p in sorted(folder.iterdir()) if p.is_dir() and _is_searched(p)]
    several = [(sub, inside) for sub in below if (inside := _in_folder(sub))]
    chosen = [inside for sub, inside in several if sub.name == spec.config]
    if len(several) == 1 or chosen:
        return chosen[0] if chosen else several[0][1]
    if several:
        refuse_text_files(folder, [sub for sub, _ in several])
        names = " and ".join(sub.name for sub, _ in several[:4])
        hint = f"choose one with --dataset {folder / several[0][0].name}"
        raise DataError(str(folder), "one dataset", f"folders {names}", hint)
    return {}


def _left_aside(
    folder: Path, found: dict[str | None, list[Group]], spec: DataSpec
) -> tuple[str, ...]:
    """Name the folders that have their own splits and are not read.

    Raises:
        DataError: one of them has the only test files.
    """
    read = {path for groups in found.values() for group in groups for path in group.files}
    below = [p for p in sorted(folder.iterdir()) if p.is_dir() and _is_searched(p)]
    unread, tests = [], []
    for sub in (sub for sub in below if not split_of(sub.name)):
        inside = _in_folder(sub)
        own = [g for split in ("train", "test") for g in inside.get(split, [])]
        if own and own[0].files[0] not in read:
            unread.append(sub.name)
            tests += inside.get("test", [])
    is_stated = spec.test_source is not None or spec.test_fraction is not None
    if tests and found and "test" not in found and not is_stated:
        hint = f"name it with --test-dataset {tests[0].files[0]}, or use --test-fraction"
        raise DataError(str(folder), "a test split beside the train file", tests[0].name, hint)
    return (f"{', '.join(unread[:3])}/ not read",) if unread else ()


def _in_folder(folder: Path) -> dict[str | None, list[Group]]:
    """Group a folder's files, and those of subfolders named like a split, by split."""
    by_split: dict[str | None, list[Path]] = {}
    for path in data_files(folder):
        by_split.setdefault(split_of(path.name), []).append(path)
    found = {split: group_files(paths) for split, paths in by_split.items()}
    for path in sorted(p for p in folder.iterdir() if p.is_dir() and _is_searched(p)):
        split = split_of(path.name)
        is_table = path.suffix.lower() in KINDS
        if split is not None or is_table:
            if groups := _of_split_folder(path):
                found.setdefault(split, []).extend(groups)
        elif path.name.lower() == "data":
            for name, groups in _in_folder(path).items():
                found.setdefault(name, []).extend(groups)
    return found


def _of_split_folder(folder: Path) -> list[Group]:
    """Join all files of a split's folder as one table, unless they are of several kinds."""
    saved = saved_files(folder)
    if saved:
        return [Group(saved)]
    if (folder / "_delta_log").is_dir():
        hint = "export it to Parquet: old rows lie in its part-00000 files too"
        raise DataError(str(folder), "a folder of data files", "a Delta table", hint)
    refuse_text_files(folder, [p for p in sorted(folder.iterdir()) if p.is_dir()])
    files = data_files(folder)
    for below in sorted(p for p in folder.iterdir() if p.is_dir() and _is_searched(p)):
        inside = data_files(below)
        if files and inside:
            found = f"{files[0].name} and {below.name}/{inside[0].name}"
            hint = "keep one of them, or pass the file with --dataset"
            raise DataError(str(folder), "the files of one split", found, hint)
        files += inside
    by_ending: dict[str, list[Path]] = {}
    for path in files:
        by_ending.setdefault(stem_and_ending(path)[1], []).append(path)
    for paths in by_ending.values():
        need_all_shards(paths)
        refuse_two_jobs(folder, paths)
    return [Group(tuple(paths), is_folder=True) for paths in by_ending.values()]


def _assign(folder: Path, found: dict[str | None, list[Group]], spec: DataSpec) -> Splits:
    """Choose one group of files for each split, or raise if there is none or more than one."""
    train = found.get("train", [])
    unnamed = found.get(None, [])
    if not train and not found.get("test") and not found.get("validation"):
        train = unnamed
    if not train:
        refuse_foreign(folder)
        inside = (
            ", ".join(sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))[:10])
            or "nothing"
        )
        wanted = "train.parquet, train.jsonl or train.csv"
        raise DataError(str(folder), wanted, inside, "add the train file, or rename it")
    if len(train) > 1:
        hint = "pass one with --dataset FILE --test-dataset FILE, or delete the other"
        raise _several(folder, "train", train, hint)
    test: list[Group] = found.get("test", [])
    twins: tuple[Group, ...] = ()
    if spec.test_source is not None:
        test = _stated_test(folder, test, Path(spec.test_source).expanduser())
    elif len(test) > 1:
        test, twins = _same_kind(folder, test, train[0])
    validation = found.get("validation", []) if spec.validation_source is None else []
    if spec.test_source is not None:
        stated = Path(spec.test_source).expanduser().resolve()
        validation = [g for g in validation if stated not in {f.resolve() for f in g.files}]
    if len(validation) > 1:
        hint = "name one with --validation FILE, or leave them out with --validation none"
        raise _several(folder, "validation", validation, hint)
    return Splits(
        train=train[0],
        test=test[0] if test else None,
        validation=validation[0] if validation else None,
        test_twins=tuple(twins),
        notes=tuple(say_all(g) for g in (train[0], *test[:1], *validation) if is_unnumbered(g)),
    )


def _same_kind(
    folder: Path, tests: list[Group], train: Group
) -> tuple[list[Group], tuple[Group, ...]]:
    """If test files have several formats, choose the train file's; the rows must be the same."""
    like_train = [group for group in tests if group.ending == train.ending]
    if len(like_train) != 1 or len({group.ending for group in tests}) != len(tests):
        hint = "name one with --test-dataset FILE, or delete the other"
        raise _several(folder, "test", tests, hint)
    return like_train, tuple(group for group in tests if group not in like_train)


def _stated_test(folder: Path, tests: list[Group], stated: Path) -> list[Group]:
    inside = {path.resolve() for group in tests for path in group.files}
    if tests and (len(tests) == 1 or stated.resolve() not in inside):
        hint = "drop --test-dataset, or pass a train file with --dataset"
        found = f"{tests[0].name} as well as --test-dataset"
        raise DataError(str(folder), "one test split", found, hint)
    return []


def _several(folder: Path, split: str, groups: list[Group], hint: str) -> DataError:
    names = " and ".join(group.name for group in groups[:3])
    return DataError(str(folder), f"one {split} split", f"{names}, either could be meant", hint)


def _is_searched(path: Path) -> bool:
    return not path.name.startswith((".", "_")) and path.name.lower() not in NOT_SEARCHED

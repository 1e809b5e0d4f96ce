"""A source as named by the user to train and test files on disk."""

import os
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.data.files import KINDS
from agnews_ray.data.synthetic import SyntheticSpec, write_synthetic
from agnews_ray.errors import DataError, HubError
from agnews_ray.plan.trials import content_hash, slug
from agnews_ray.spec.study import DataSpec

HUB_ALIASES = {"ag_news": "fancyzhx/ag_news", "agnews": "fancyzhx/ag_news"}
OFFLINE_WAYS = (
    "go online once to fill the cache, set HF_ENDPOINT to a mirror, "
    "or pass a local folder or file with --dataset"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFiles:
    """The files of both splits, all of one kind each."""

    train: tuple[Path, ...]
    test: tuple[Path, ...]
    class_names: tuple[str, ...] | None
    """Names in label order, where the source says them."""
    revision: str | None = None
    """Hub fingerprint or generator settings."""


def resolve_source(spec: DataSpec, cache: Path) -> SourceFiles:
    """Find, download or generate the files of a source.

    Args:
        spec: names the source.
        cache: folder for what is downloaded or generated.

    Returns:
        Files that exist.

    Raises:
        DataError: nothing of that name, or a split is missing.
        HubError: a hub id, and neither the hub nor its cache answers.
    """
    path = Path(spec.source).expanduser()
    if spec.test_source is not None and not path.is_file():
        hint = "drop --test-dataset, or pass a train file with --dataset"
        raise DataError(spec.source, "a single train file beside --test-dataset", "more", hint)
    if spec.source.startswith("synthetic:"):
        return _synthetic(spec.source, cache)
    if path.is_dir():
        return _folder(path)
    if path.is_file():
        return _single_file(path, spec.test_source)
    looks_local = spec.source.startswith((".", "/", "~")) or path.suffix.lower() in KINDS
    if looks_local or spec.source.count("/") > 1:
        hint = "check the path given to --dataset"
        raise DataError(spec.source, "a data file or folder", "nothing of that name", hint)
    return _hub(HUB_ALIASES.get(spec.source, spec.source), spec.label_column or "label", cache)


def _folder(folder: Path) -> SourceFiles:
    train = _split_files(folder, "train", None)
    test = _split_files(folder, "test", train[0].suffix)
    classes = folder / "classes.txt"  # as published beside AG News and its sisters
    names = (
        tuple(classes.read_text(encoding="utf-8", errors="replace").split("\n"))
        if classes.is_file()
        else ()
    )
    return SourceFiles(
        train=train, test=test, class_names=tuple(n.strip() for n in names if n.strip()) or None
    )


def _split_files(folder: Path, split: str, preferred: str | None) -> tuple[Path, ...]:
    """Take ``train.csv``, or all shards ``train-*.csv``, of the first kind that is there."""
    endings = sorted(KINDS, key=lambda ending: (ending != preferred, list(KINDS).index(ending)))
    for ending in endings:
        shards = sorted(folder.glob(f"{split}-*{ending}"))
        whole = folder / f"{split}{ending}"
        if whole.is_file() or shards:
            return (whole,) if whole.is_file() else tuple(shards)
    inside = ", ".join(sorted(p.name for p in folder.iterdir())[:10]) or "nothing"
    wanted = f"{split}.parquet, {split}.jsonl or {split}.csv"
    raise DataError(str(folder), wanted, inside, f"add the {split} file, or rename it")


def _single_file(path: Path, test_source: str | None) -> SourceFiles:
    if test_source is None:
        hint = "name the test file with --test-dataset, or pass a folder with both"
        raise DataError(str(path), "a train and a test split", "one file", hint)
    test = Path(test_source).expanduser()
    if not test.is_file():
        hint = "check the path given to --test-dataset"
        raise DataError(test_source, "a data file", "nothing of that name", hint)
    return SourceFiles(train=(path,), test=(test,), class_names=None)


def _synthetic(source: str, cache: Path) -> SourceFiles:
    corpus = SyntheticSpec.parse(source)
    folder = cache / "synthetic" / content_hash(corpus.as_dict(), 16)
    write_synthetic(corpus, folder)
    return SourceFiles(
        train=(folder / "train.parquet",),
        test=(folder / "test.parquet",),
        class_names=corpus.class_names,
        revision=corpus.canonical(),
    )


def _hub(hub_id: str, label_column: str, cache: Path) -> SourceFiles:
    """Load through ``datasets``, then keep as Parquet so that Ray Data reads it as any file."""
    import datasets  # a second of import that other sources need not pay

    datasets.disable_progress_bars()
    try:
        loaded = datasets.load_dataset(hub_id)
    except datasets.exceptions.DatasetNotFoundError as error:
        hint = f"check the name at https://huggingface.co/datasets, or {OFFLINE_WAYS}"
        raise HubError(f"dataset {hub_id!r}", "a dataset on the hub", "none", hint) from error
    except datasets.exceptions.DataFilesNotFoundError as error:
        hint = "pass local files, or a dataset of Parquet, CSV or JSON files"
        raise DataError(f"dataset {hub_id!r}", "data files", "none", hint) from error
    except (ConnectionError, OSError) as error:
        found = f"no answer ({type(error).__name__})"
        wanted = "the Hugging Face hub or its cache"
        raise HubError(f"dataset {hub_id!r}", wanted, found, OFFLINE_WAYS) from error
    except Exception as error:  # builders raise what their parsers raise
        hint = "pass local files, or another dataset"
        found = " ".join(str(error).split())[:200]
        raise DataError(f"dataset {hub_id!r}", "a dataset that loads", found, hint) from error
    if not {"train", "test"} <= set(loaded):
        found = f"splits {', '.join(loaded)}"
        raise DataError(hub_id, "splits train and test", found, "pass local files instead")
    key = "-".join(str(loaded[split]._fingerprint) for split in ("train", "test"))
    folder = cache / "hub" / f"{slug(hub_id)}-{content_hash(key, 16)}"
    folder.mkdir(parents=True, exist_ok=True)
    for split in ("train", "test"):
        final = folder / f"{split}.parquet"
        if not final.is_file():
            partial = final.with_suffix(f".{os.getpid()}.partial")
            loaded[split].to_parquet(str(partial))
            partial.replace(final)
    label = loaded["train"].features.get(label_column)
    return SourceFiles(
        train=(folder / "train.parquet",),
        test=(folder / "test.parquet",),
        class_names=tuple(label.names) if isinstance(label, datasets.ClassLabel) else None,
        revision=key,
    )

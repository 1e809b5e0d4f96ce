"""Folders without tables: the error names what they hold, and how to make a table of it."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from agnews_ray.errors import DataError

EXPORTED = "save or export it as CSV, Parquet or JSON Lines"
FOREIGN = {
    ".xlsx .xls .ods .docx .doc .pdf .xml .sql .db .sqlite .yaml .yml .arff .html": EXPORTED,
    ".pkl .pickle .npy .npz .pt .rds .rdata .mat .h5 .hdf5 .feather2 .avro .orc": EXPORTED,
    ".tfrecord .bin .idx .lance .msgpack .dta .sav .libsvm .svm .conll .toml": EXPORTED,
    ".safetensors .ckpt .onnx .gguf": "this is a model: pass its folder with --models",
    ".jpg .jpeg .png .gif .bmp .tif .tiff .webp": "these are images; texts are classified here",
    ".wav .mp3 .flac .ogg .mp4": "these are recordings; texts are classified here",
    ".rar .7z .lz4 .lzma .z .br": "unpack it first",
    ".part .crdownload .partial .download .tmp": "the download is not complete: fetch it again",
}
HINTS = {ending: hint for endings, hint in FOREIGN.items() for ending in endings.split()}
SEARCHED = 2000
"""The largest number of paths searched, so that the search of a home folder ends."""


def refuse_foreign(folder: Path) -> None:
    """Raise for a folder without data files, and say what it holds if that is known.

    Raises:
        DataError: files of another kind, or files without an ending.
    """
    for path in sorted(islice(folder.rglob("*"), SEARCHED)):
        _refuse_empty(folder, path)
        if path.name.startswith((".", "_")) or not path.is_file():
            continue
        hint = HINTS.get(path.suffix.lower())
        if hint is None and path.stem.lower() in ("train", "test", "data"):
            known = {"": "give it the ending of its format, such as .csv", ".md": EXPORTED}
            hint = known.get(path.suffix.lower())
        if hint is not None:
            found = f"{path.name} ({'ending ' + path.suffix if path.suffix else 'no ending'})"
            wanted = "a train file of CSV, Parquet or JSON"
            raise DataError(str(folder), wanted, found, hint)


def _refuse_empty(folder: Path, path: Path) -> None:
    """Raise for a path that looks like a data file but cannot be opened."""
    is_named = path.suffix.lower() in (".csv", ".tsv", ".parquet", ".json", ".jsonl", ".arrow")
    if path.is_symlink() and not path.exists():
        found, hint = f"{path.name}, a broken link", "fetch the file that it points to"
        raise DataError(str(folder), "data files", found, hint)
    if is_named and path.is_dir() and not any(path.iterdir()):
        found, hint = f"{path.name}, an empty folder", "fetch its files, or remove it"
        raise DataError(str(folder), "data files", found, hint)


def refuse_text_files(folder: Path, below: Sequence[Path]) -> None:
    """Refuse data with a folder for each class and a text file for each row.

    Raises:
        DataError: there are at least two such folders.
    """
    of_texts = []
    for one in below:
        files = [path for path in one.iterdir() if path.is_file()][:100]
        texts = [path for path in files if path.suffix.lower() in (".txt", "")]
        if texts and len(texts) == len(files):
            of_texts.append(one.name)
    if len(of_texts) > 1:
        found = f"a text file for each row in {', '.join(of_texts[:4])}"
        hint = "write them into one train.csv with columns text and label (the folder's name)"
        raise DataError(str(folder), "train and test tables", found, hint)

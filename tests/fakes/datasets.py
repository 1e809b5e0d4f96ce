"""Small data files, and what the package reads in them or says of them."""

import json

import pytest

from agnews_ray.data.files import detect_layout, iter_batches
from agnews_ray.data.scan import scan_dataset
from agnews_ray.errors import DataError
from agnews_ray.spec.data import DataSpec


def write(folder, split, rows):
    """Write pairs of text and label as a split's CSV file."""
    folder.mkdir(exist_ok=True)
    lines = "".join(f'{label},"{text}"\n' for text, label in rows)
    (folder / f"{split}.csv").write_text("label,text\n" + lines)


def three_classes(folder):
    """Write 30 train rows whose classes 0, 1 and 2 come in turns, and two test rows."""
    write(folder, "train", [("a", 0), ("b", 1), (" ", 2)] * 10)
    write(folder, "test", [("c", 2), ("d", 0)])
    return folder


def save_to_disk(folder, *names):
    """Write what ``save_to_disk`` of ``datasets`` leaves of one split, its files without rows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).touch()
    state = {"_data_files": [{"filename": name} for name in names]}
    (folder / "state.json").write_text(json.dumps(state))


def scan(folder, **spec):
    """Check a folder or file as a study does."""
    beside = folder if folder.is_dir() else folder.parent
    return scan_dataset(DataSpec(source=str(folder), **spec), beside / "cache")


def fails_to_scan(folder, **spec):
    """Return the line that refuses a folder or file."""
    with pytest.raises(DataError) as caught:
        scan(folder, **spec)
    return str(caught.value)


def read(path, **spec):
    """Return the pairs of text and label in a file."""
    layout = detect_layout(path, DataSpec(**spec))
    rows = [row for batch in iter_batches(path, layout) for row in batch.to_pylist()]
    return [(row["text"], row["label"]) for row in rows]


def fails_to_read(path, **spec):
    """Return the line that refuses a file."""
    with pytest.raises(DataError) as caught:
        read(path, **spec)
    return str(caught.value)

"""Check a whole dataset before training starts, and choose the rows of each split."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agnews_ray.data.coverage import describe_missing, refuse_low_limit
from agnews_ray.data.labels import decide_labels, refuse_unlikely
from agnews_ray.data.parts import find_parts
from agnews_ray.data.reading import SplitPass, read_split
from agnews_ray.data.rows import SplitRows
from agnews_ray.data.sources import SourceFiles, resolve_source
from agnews_ray.data.splits import select_limited, select_train_and_validation
from agnews_ray.data.subsets import nested_rows
from agnews_ray.errors import DataError
from agnews_ray.record.schema import DatasetRecord
from agnews_ray.spec.data import DataSpec

__all__ = ["ScannedDataset", "SplitRows", "scan_dataset"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannedDataset:
    """A checked dataset: the facts for the record, and the rows of each split."""

    record: DatasetRecord
    train: SplitRows
    validation: SplitRows
    test: SplitRows
    train_labels: NDArray[np.int16]
    """The class ids of the used train rows, in their order."""

    def train_rows_of(self, share: float, seed: int) -> NDArray[np.int64]:
        """Return the numbers of the train rows that belong to a share of them.

        Args:
            share: in (0, 1].
            seed: ``data.split_seed``.

        Returns:
            The row numbers, in rising order; see ``subsets.nested_rows``.
        """
        return nested_rows(self.train_labels, self.train.rows, share, seed)


def scan_dataset(spec: DataSpec, cache: Path) -> ScannedDataset:
    """Check every row of a source and choose the rows of each split.

    Args:
        spec: the data settings: source, columns, limits, validation split.
        cache: folder for downloads and generated corpora.

    Returns:
        The checked dataset; texts are not kept in memory.

    Raises:
        DataError: a file, column or label is wrong; the message names the file and row.
        HubError: a hub id that cannot be loaded.
    """
    source = resolve_source(spec, cache)
    read = read_split(source.train, spec, None)
    layout = read.layouts[0]
    names = spec.class_names or source.class_names or layout.class_names
    if spec.class_names is None:
        _need_one_set_of_names(source, read)
    labels = decide_labels(read.sightings, names, spec.label_base)
    if names is None and spec.label_column is None:
        refuse_unlikely(read.sightings)
    if read.is_empty.all():
        hint = "name the column of the texts with --text-column"
        raise DataError(str(source.train[0]), "text in some rows", "empty texts only", hint)
    parts = find_parts(source, read, labels, spec)
    refuse_low_limit(spec, parts.train.labels)
    used, cut = select_train_and_validation(
        parts.train.labels, spec.limit_train, spec.validation_fraction, spec.split_seed
    )
    if cut.size == 0 and spec.validation_fraction > 0:
        hint = "raise --validation-fraction, or use more rows"
        raise DataError(spec.source, "at least one validation row", "none", hint)
    rng = np.random.default_rng(spec.split_seed)
    tested = select_limited(parts.test.labels, spec.limit_test, rng)
    held = parts.validation
    record = DatasetRecord(
        source=spec.source,
        kind=layout.kind,
        text_columns=layout.text_columns,
        label_column=layout.label_column,
        label_kind=labels.kind,
        class_names=labels.names,
        revision=source.revision,
        train=parts.train.record(used.size + cut.size, labels),
        test=parts.test.record(tested.size, labels),
        validation=held.record(held.rows.size, labels) if held else None,
        num_validation=cut.size,
        missing_classes=describe_missing(
            {
                "train": parts.train.labels[used],
                "validation": held.labels if held else parts.train.labels[cut],
                "test": parts.test.labels[tested],
            },
            labels.names,
        ),
        assumptions=parts.notes,
    )
    validation = parts.train.selected(cut)
    if held:
        validation = held.selected(np.arange(held.rows.size))
    return ScannedDataset(
        record=record,
        train=parts.train.selected(used),
        validation=validation,
        test=parts.test.selected(tested),
        train_labels=parts.train.labels[used],
    )


def _need_one_set_of_names(source: SourceFiles, read: SplitPass) -> None:
    """Refuse names beside the data that contradict those inside."""
    told = source.class_names
    for path, layout in zip(read.files, read.layouts, strict=True):
        names = layout.class_names
        told = told or names
        if names is not None and told is not None and names != told:
            first = next(i for i, name in enumerate([*names, ""]) if name != [*told, ""][i])
            found = f"class names in the file and beside it that differ at class {first}"
            hint = "give them with --class-names, or delete classes.txt or the other"
            raise DataError(str(path), "one list of class names", found, hint)

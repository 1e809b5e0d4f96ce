"""Tokenise a split with Ray Data in one pass, keep it as Parquet, and feed it to the workers."""

import contextlib
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import ray
import ray.data
from ray.data import Datasource, ReadTask
from ray.data.block import Block, BlockMetadata
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from agnews_ray.compat.of_ray import ask_for_limits_every, on_this_node
from agnews_ray.data.batches import TokenisedRows
from agnews_ray.data.encode import id_type, make_encoder
from agnews_ray.data.scan import SplitRows
from agnews_ray.errors import DataError, StoreError

ROW_GROUP_ROWS = 8192
"""Rows per Parquet row group: the unit that streaming shuffles between epochs."""

TEXT_BLOCK_BYTES = 4 << 20
"""The bytes of text in one tokenising task, about a second of work for one core."""

LIMITS_INTERVAL_S = 0.1
"""The interval at which Ray Data asks for the cluster's resources. The first answer is empty, and
with Ray's own interval of a second it would run one task at a time until the next."""

TOKENISED_VERSION = 1
"""The version of tokenised splits, which are kept; raised whenever the code here, in ``encode`` or
in ``rows`` makes another file from the same rows and the same tokenizer."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenisedSplit:
    """A tokenised split on disk."""

    path: Path
    is_resident: bool
    """Whether the split is small enough for each worker to hold it in memory."""

    def dataset(self, seed: int, epoch: int) -> ray.data.Dataset:
        """Make the Ray Data dataset that workers iterate over, unsplit.

        Args:
            seed: the trial's seed.
            epoch: counted from 0; each epoch streams the row groups in another order.

        Returns:
            A resident split as one block, the same for every epoch; otherwise a lazy stream.
        """
        if self.is_resident:
            return self.ordered_dataset()
        order = np.random.default_rng([seed, epoch]).permutation(_num_groups(self.path))
        return self._stream([int(group) for group in order])

    def ordered_dataset(self) -> ray.data.Dataset:
        """Make a dataset that keeps the file's order, for scoring."""
        if self.is_resident:
            held: ray.data.Dataset = ray.data.from_arrow_refs(_read_beside(self.path))
            return held
        return self._stream(list(range(_num_groups(self.path))))

    def _stream(self, groups: list[int]) -> ray.data.Dataset:
        path = self.path

        def reader(group: int) -> Callable[[], Iterable[Block]]:
            return lambda: iter([_read_group(path, group)])

        tasks = [ReadTask(reader(group), _unknown_size()) for group in groups]
        return _read_here(tasks, num_cpus=0)  # workers may have reserved all CPUs


def _read_here(tasks: list[ReadTask], num_cpus: float) -> ray.data.Dataset:
    """Run read tasks on this node, which has the files; other nodes may not have them."""
    stream: ray.data.Dataset = ray.data.read_datasource(
        _Tasks(tasks),
        override_num_blocks=len(tasks),
        **on_this_node(num_cpus),
    )
    return stream


def _lends_cpus() -> bool:
    here = ray.get_runtime_context().get_node_id()
    list_nodes: Any = ray.nodes  # no type information
    return any(n["NodeID"] == here and n["Resources"].get("CPU") for n in list_nodes())


def _this_node() -> NodeAffinitySchedulingStrategy:
    return NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)


def _read_beside(path: Path) -> Any:
    """Read a file on this node into shared memory in a task, not into the driver's memory.

    The table is a single chunk, which workers use without a copy.
    """
    make_remote: Any = ray.remote  # Ray's type hints lack options of this kind
    return make_remote(num_cpus=0, scheduling_strategy=_this_node())(_read_whole).remote(path)


def _read_whole(path: Path) -> pa.Table:
    with _reading(path):
        return pq.read_table(path).combine_chunks()


def _read_group(path: Path, group: int) -> pa.Table:
    with _reading(path):
        return pq.ParquetFile(path).read_row_group(group)


def _num_groups(path: Path) -> int:
    with _reading(path):
        return int(pq.ParquetFile(path).num_row_groups)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Name the file that was damaged after its check; pyarrow's errors do not name it."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        hint = "submit again: it is made again"
        raise StoreError(str(path), "a whole tokenised split", reason, hint) from error


class _Tasks(Datasource):
    """A datasource of ready-made read tasks, in order."""

    def __init__(self, tasks: list[ReadTask]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._tasks = tasks

    def estimate_inmemory_data_size(self) -> int | None:
        return None

    def get_read_tasks(
        self,
        parallelism: int,  # noqa: ARG002  # the tasks are given: one per file or row group
        per_task_row_limit: int | None = None,  # noqa: ARG002
        data_context: object | None = None,  # noqa: ARG002
    ) -> list[ReadTask]:
        return self._tasks


def tokenise_split(
    split: SplitRows, tokenizer_json: str, path: Path, on_rows: Callable[[int], None]
) -> None:
    """Tokenise the used rows of a split: read tasks, then tokenising tasks, then one file.

    Args:
        split: the rows.
        tokenizer_json: a ``tokenizers`` tokenizer with truncation set, without padding.
        path: Parquet file to make: ``input_ids`` (list of uint16 or int32), ``label``, ``row``, in
            the order of the rows.
        on_rows: called with the number of rows done so far.

    Raises:
        DataError: the number of rows has changed since they were checked.
    """
    ask_for_limits_every(LIMITS_INTERVAL_S)
    tasks = [
        ReadTask(_file_reader(split, index), _unknown_size()) for index in range(len(split.files))
    ]
    encode = make_encoder(tokenizer_json)
    # Fewer CPUs than tokenising takes: else Ray would fuse the two, and a file would use one core;
    # and none on a head node that offers none.
    tokenised: Any = _read_here(tasks, num_cpus=0.5 if _lends_cpus() else 0).map_batches(
        encode, batch_format="pyarrow", batch_size=None, num_cpus=1
    )
    tokenised.context.execution_options.preserve_order = True
    tokenised.context.target_max_block_size = TEXT_BLOCK_BYTES
    batches = tokenised.iter_batches(batch_size=ROW_GROUP_ROWS, batch_format="pyarrow")
    num_rows = write_tokenised(batches, tokenizer_json, path, on_rows)
    if num_rows != split.num_rows:
        wanted = f"{split.num_rows} rows, as when they were checked"
        hint = "leave the files as they are while a study begins, and submit again"
        raise DataError(str(split.files[0]), wanted, str(num_rows), hint)


def write_tokenised(
    tables: Iterable[pa.Table], tokenizer_json: str, path: Path, on_rows: Callable[[int], None]
) -> int:
    """Write an encoder's output, in row groups of ``ROW_GROUP_ROWS``.

    Args:
        tables: tables of that many rows; the last may have fewer.
        tokenizer_json: the encoder's tokenizer.
        path: Parquet file to make.
        on_rows: called with the number of rows done so far.

    Returns:
        Number of rows.
    """
    schema = pa.schema(
        {"input_ids": pa.list_(id_type(tokenizer_json)), "label": pa.int64(), "row": pa.int64()}
    )
    num_rows = num_tokens = 0
    with pq.ParquetWriter(path, schema) as writer:
        for table in tables:
            writer.write_table(table.cast(schema), row_group_size=ROW_GROUP_ROWS)
            num_rows += table.num_rows
            num_tokens += pc.sum(pc.list_value_length(table["input_ids"])).as_py() or 0
            on_rows(num_rows)
        writer.add_key_value_metadata({"num_tokens": str(num_tokens)})
    return num_rows


def open_split(path: Path, tokenizer_json: str, max_resident_mb: int) -> TokenisedSplit:
    """Decide whether workers hold a tokenised split in memory or receive it as a stream.

    Args:
        path: from ``tokenise_split``.
        tokenizer_json: the same tokenizer.
        max_resident_mb: larger splits (MiB of token ids) are streamed.

    Returns:
        The split on disk.
    """
    with _reading(path):
        num_tokens = int(pq.read_metadata(path).metadata[b"num_tokens"])
    bytes_per_id = 2 if id_type(tokenizer_json) == pa.uint16() else 4
    is_resident = num_tokens * bytes_per_id <= max_resident_mb << 20
    return TokenisedSplit(path=path, is_resident=is_resident)


def iter_windows(iterator: ray.data.DataIterator, window_rows: int) -> Iterator[TokenisedRows]:
    """Read a worker's dataset in windows.

    Args:
        iterator: an unsplit dataset shard.
        window_rows: rows per window; the last one may be short; 0: all rows in one window.

    Yields:
        Windows in the dataset's order.
    """
    if window_rows == 0:
        # None: blocks as they are, without a copy; Ray's type hint lacks this value.
        tables = list(iterator.iter_batches(batch_size=None, batch_format="pyarrow"))  # type: ignore[arg-type]
        yield TokenisedRows.from_table(pa.concat_tables(tables))
        return
    batches: Any = iterator.iter_batches(
        batch_size=window_rows, batch_format="pyarrow", prefetch_batches=1
    )
    for table in batches:
        yield TokenisedRows.from_table(table.combine_chunks())


def _file_reader(split: SplitRows, index: int) -> Callable[[], Iterable[Block]]:
    return lambda: split.iter_selected(index)


def _unknown_size() -> BlockMetadata:
    return BlockMetadata(num_rows=None, size_bytes=None, exec_stats=None, input_files=None)

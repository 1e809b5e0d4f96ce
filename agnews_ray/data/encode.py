"""Texts to token ids: the only function that tokenises. It does not use Ray."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
from tokenizers import Tokenizer

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.data.scan import SplitRows

CHUNK_ROWS = 1024
"""The number of rows encoded at a time: an encoding takes kilobytes, but only its ids are kept."""


def make_encoder(tokenizer_json: str) -> Callable[[pa.Table], pa.Table]:
    """Build a function from texts to token ids.

    Args:
        tokenizer_json: a ``tokenizers`` tokenizer with truncation set, without padding; it is sent
            as text and parsed once per process.

    Returns:
        A function from ``text``, ``label``, ``row`` to ``input_ids``, ``label``, ``row``.
    """
    ids_type = id_type(tokenizer_json)
    parsed: list[Tokenizer] = []

    def encode(table: pa.Table) -> pa.Table:
        if not parsed:
            parsed.append(Tokenizer.from_str(tokenizer_json))
        chunks = []
        for first in range(0, len(table), CHUNK_ROWS):
            texts = table["text"].slice(first, CHUNK_ROWS).to_pylist()
            encodings = parsed[0].encode_batch_fast(texts)
            chunks.append(pa.array([e.ids for e in encodings], pa.list_(ids_type)))
        ids = pa.chunked_array(chunks, pa.list_(ids_type))
        return pa.table({"input_ids": ids, "label": table["label"], "row": table["row"]})

    return encode


def id_type(tokenizer_json: str) -> pa.DataType:
    """Choose the integer type for a vocabulary's ids: uint16 if it is large enough, else int32."""
    size = Tokenizer.from_str(tokenizer_json).get_vocab_size(with_added_tokens=True)
    return pa.uint16() if size <= np.iinfo(np.uint16).max else pa.int32()


def encode_split(split: SplitRows, tokenizer_json: str) -> TokenisedRows:
    """Tokenise a whole split in this process; trials use Ray Data instead.

    Args:
        split: the rows.
        tokenizer_json: as for ``make_encoder``.

    Returns:
        The rows, in file order.
    """
    encode = make_encoder(tokenizer_json)
    tables = [
        encode(table) for index in range(len(split.files)) for table in split.iter_selected(index)
    ]
    return TokenisedRows.from_table(pa.concat_tables(tables))

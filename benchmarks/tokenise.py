"""Tokenising through Ray Data against `tokenizers` alone on the same cores.

    python benchmarks/tokenise.py TOKENIZER DATASET [COPIES] [ROUNDS]

TOKENIZER is a model's folder, DATASET as for `agnews-ray submit`, whose train files are read COPIES
times. Ray Data reads files, tokenises and writes Parquet; the peer is given the texts in memory and
keeps its encodings there. In turns, Ray's processes already running. Prints rows/s and the ratio.
"""

import os
import shutil
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np

from agnews_ray.data.scan import SplitRows, scan_dataset
from agnews_ray.model.tokenizer import encoder_json, load_tokenizer
from agnews_ray.record.environment import num_usable_cpus
from agnews_ray.run.session import embedded_ray
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.variant import VariantSpec


def repeated(split: SplitRows, copies: int) -> SplitRows:
    """Read the same files several times over."""
    total = sum(split.file_num_rows)
    rows = np.concatenate([split.rows + copy * total for copy in range(copies)])
    return replace(
        split,
        files=split.files * copies,
        layouts=split.layouts * copies,
        file_num_rows=split.file_num_rows * copies,
        rows=rows,
    )


def main() -> None:
    """Print a line a round, then the median."""
    copies, num_rounds = (int(n) for n in (*sys.argv[3:], "2", "5")[:2])
    scratch = Path(tempfile.mkdtemp())
    scanned = scan_dataset(DataSpec(source=sys.argv[2]), scratch)
    split = repeated(scanned.train, copies)
    encoder = encoder_json(load_tokenizer(VariantSpec(model=sys.argv[1])), 128)
    texts = [
        text
        for index in range(len(split.files))
        for table in split.iter_selected(index)
        for text in table["text"].to_pylist()
    ]
    with embedded_ray(scratch / "log", 0, 1) as session:
        session.start()
        from tokenizers import Tokenizer

        from agnews_ray.data.stream import tokenise_split

        alone = Tokenizer.from_str(encoder)

        def by_ray_data(number: int) -> float:
            start = time.perf_counter()
            path = scratch / f"{number}.parquet"
            tokenise_split(split, encoder, path, lambda _: None)
            return split.num_rows / (time.perf_counter() - start)

        def by_tokenizers() -> float:
            os.environ["TOKENIZERS_PARALLELISM"] = "true"
            start = time.perf_counter()
            alone.encode_batch_fast(texts)
            seconds = time.perf_counter() - start
            os.environ["TOKENIZERS_PARALLELISM"] = "false"
            return len(texts) / seconds

        by_ray_data(0)
        by_tokenizers()
        print(f"{split.num_rows:,} rows on {num_usable_cpus()} cores")
        ratios = []
        for number in range(1, num_rounds + 1):
            found = {"ray": by_ray_data(number), "alone": by_tokenizers()}
            ratios.append(found["ray"] / found["alone"])
            print(
                f"Ray Data {found['ray']:,.0f}, tokenizers {found['alone']:,.0f} rows/s: "
                f"{ratios[-1]:.2f}"
            )
        print(f"median {median(ratios):.2f}")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    main()

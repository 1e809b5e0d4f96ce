import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.multiprocessing

from agnews_ray.engine.exchange import shared_memory
from agnews_ray.engine.results import Rank
from tests.unit.engine import ranks


def left_by(folder, world_size, index):
    return pickle.loads((folder / f"{world_size}-{index}").read_bytes())


@pytest.mark.parametrize(
    ("target", "world_size", "precision", "tolerance"),
    [
        (ranks.train_shared, 2, "fp32", 1e-4),
        (ranks.train_shared, 3, "fp32", 1e-4),
        (ranks.train_by_sockets, 2, "fp32", 1e-4),
        (ranks.train_shared, 2, "bf16", 2e-2),
    ],
)
def test_ranks_follow_the_curve_of_one_and_agree(
    tmp_path, target, world_size, precision, tolerance
):
    shared_before = set(Path("/dev/shm").glob("agnews-ray-*"))
    ranks.train(0, 1, precision, tmp_path)
    torch.multiprocessing.spawn(target, (world_size, precision, tmp_path), world_size)
    alone, _ = left_by(tmp_path, 1, 0)
    first, weights = left_by(tmp_path, world_size, 0)
    assert first.loss == pytest.approx(alone.loss, rel=tolerance)
    assert first.rows_hash.tolist() == alone.rows_hash.tolist()
    assert first.rows.tolist() == [10] * 40 + [1]
    for index in range(1, world_size):
        log, others = left_by(tmp_path, world_size, index)
        assert log.loss.tolist() == first.loss.tolist()
        assert all(np.array_equal(weights[name], others[name]) for name in weights)
    assert set(Path("/dev/shm").glob("agnews-ray-*")) <= shared_before


def test_a_single_rank_shares_nothing():
    assert shared_memory(10, Rank()) is None

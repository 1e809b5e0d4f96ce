import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from agnews_ray.engine.fused.exchange import shared_memory
from agnews_ray.engine.results import Rank
from tests.unit.engine.fused import ranks


def left_by(folder, world_size, index):
    return pickle.loads((folder / f"{world_size}-{index}").read_bytes())


@pytest.mark.parametrize(
    ("target", "world_size", "precision", "family"),
    [
        (ranks.train, 2, "fp32", "bert"),
        (ranks.train, 3, "fp32", "bert"),
        (ranks.train_by_sockets, 2, "fp32", "bert"),
        (ranks.train_on_another_processor, 2, "fp32", "bert"),
        (ranks.train, 2, "bf16", "bert"),
        (ranks.train, 2, "fp32", "mpnet"),
        (ranks.train, 2, "fp32", "albert"),
        (ranks.train_by_sockets, 2, "fp32", "albert"),
    ],
)
def test_ranks_follow_the_curve_of_one_and_agree(tmp_path, target, world_size, precision, family):
    tolerance = {"fp32": 1e-4, "bf16": 2e-2}[precision]
    shared_before = set(Path("/dev/shm").glob("agnews-ray-*"))
    ranks.train(0, 1, precision, tmp_path, family)
    ranks.in_processes(target, world_size, world_size, precision, tmp_path, family)
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


def test_sums_do_not_mix_however_fast_each_rank_is(tmp_path):
    ranks.in_processes(ranks.add_up, 3, 3, tmp_path)
    expected = torch.arange(10.0).view(2, 5) * 6 + 3 * torch.arange(50.0)[:, None, None]
    for index in range(3):
        assert torch.equal(left_by(tmp_path, 3, index), expected)


def test_who_waits_for_a_rank_that_has_ended_is_told(tmp_path):
    ranks.in_processes(ranks.wait_for_one_who_has_ended, 2, 2, tmp_path)
    assert left_by(tmp_path, 2, 0) == "rank 1 ended before rank 0"

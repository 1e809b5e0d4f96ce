"""A trial's steps and learning rates are those of the Hugging Face Trainer."""

import numpy as np
import pytest

from agnews_ray.plan.budget import learning_rate, rows_of_share, steps_per_epoch, warmup_steps
from agnews_ray.spec.recipe import RecipeSpec


@pytest.mark.parametrize(("num_rows", "num_steps"), [(1, 1), (16, 1), (17, 2), (32, 2)])
def test_steps_count_the_last_partial_batch(num_rows, num_steps):
    assert steps_per_epoch(num_rows, 16) == num_steps


def test_warm_up_rounds_up_as_the_trainer_does():
    from transformers import TrainingArguments

    for steps in (1, 7, 10, 1001):
        arguments = TrainingArguments(output_dir="unused", warmup_steps=0.1, use_cpu=True)
        assert warmup_steps(steps, 0.1) == arguments.get_warmup_steps(steps)


@pytest.mark.parametrize("warmup_fraction", [0.0, 0.1, 0.25])
@pytest.mark.parametrize("num_steps", [1, 10])
def test_the_rate_rises_and_falls_as_the_trainers(warmup_fraction, num_steps):
    import torch
    from transformers import get_linear_schedule_with_warmup

    recipe = RecipeSpec(learning_rate=0.5, warmup_fraction=warmup_fraction)
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.5)
    warmup = warmup_steps(num_steps, warmup_fraction)
    theirs = get_linear_schedule_with_warmup(optimizer, warmup, num_steps)
    expected = [0.5 * theirs.lr_lambdas[0](step) for step in range(num_steps + 3)]
    ours = learning_rate(np.arange(num_steps + 3), num_steps, recipe)
    assert ours == pytest.approx(expected)


def test_a_share_of_rows_is_the_nearest_whole_number():
    assert [rows_of_share(68_519, share) for share in (0.01, 0.3, 1.0)] == [685, 20_556, 68_519]
    assert rows_of_share(4000, 0.0001) == 0

"""How many steps a trial takes: pure arithmetic, the same as the Hugging Face Trainer's."""

import math


def steps_per_epoch(num_rows: int, global_batch_size: int) -> int:
    """Count the optimiser updates of one pass, the last partial batch included.

    Args:
        num_rows: train rows.
        global_batch_size: rows per update over all workers.

    Returns:
        At least 1 for at least one row.
    """
    return math.ceil(num_rows / global_batch_size)


def warmup_steps(num_steps: int, warmup_fraction: float) -> int:
    """Count the steps of rising learning rate; rounds up as the Trainer does.

    Args:
        num_steps: all optimiser updates of the trial.
        warmup_fraction: in [0, 1).

    Returns:
        Steps in [0, num_steps].

    Source: ``TrainingArguments.get_warmup_steps`` of transformers.
    """
    return math.ceil(num_steps * warmup_fraction)

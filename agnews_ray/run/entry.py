"""Where Ray Train enters a worker; light, because Ray's controller imports it too."""

import logging
from typing import Any

from agnews_ray.run.worker_config import WorkerSummary


def train_trial(loop_config: dict[str, Any]) -> WorkerSummary | None:
    """Run one trial on this worker; what ``TorchTrainer`` calls on each rank.

    Args:
        loop_config: ``{"config": WorkerConfig}``.

    Returns:
        The summary on rank 0, None elsewhere. Files are left in ``config.staged``.
    """
    # Importing transformers takes seconds, and only the workers need it.
    from agnews_ray.run.worker import Worker

    logging.getLogger().setLevel(logging.WARNING)
    return Worker(loop_config["config"]).run()

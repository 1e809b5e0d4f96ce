"""The function that Ray Train calls on a worker; small, as Ray's controller also imports it."""

import logging


def train_trials(loop_config: dict[str, str]) -> None:
    """Train trial after trial on this worker; ``TorchTrainer`` calls this on each rank.

    Args:
        loop_config: ``{"group": name}``, the group whose tasks this worker takes.
    """
    # Importing transformers takes seconds, and only the workers need it.
    from agnews_ray.run.worker import serve

    logging.getLogger().setLevel(logging.WARNING)
    serve(loop_config["group"])

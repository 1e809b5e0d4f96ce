"""Where Ray Train enters a worker; light, because Ray's controller imports it too."""

import logging


def train_trials(loop_config: dict[str, str]) -> None:
    """Train trial after trial on this worker; what ``TorchTrainer`` calls on each rank.

    Args:
        loop_config: ``{"group": name}``, the group whose tasks this worker takes.
    """
    # Importing transformers takes seconds, and only the workers need it.
    from agnews_ray.run.worker import serve

    logging.getLogger().setLevel(logging.WARNING)
    serve(loop_config["group"])

"""The call of ``TorchTrainer.fit`` for a group of workers."""

from dataclasses import dataclass
from typing import Any

from ray.train import FailureConfig, LoggingConfig, RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer

from agnews_ray.compat.of_ray import light_trainer, no_own_retries
from agnews_ray.run.entry import train_trials
from agnews_ray.spec.base import Device


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerFit:
    """A function that runs groups of workers of one kind; see ``worker_group.Fit``."""

    num_workers: int
    """The number of ranks of a group."""
    device: Device
    """The device of each rank; on "cuda" each has its own GPU."""
    cpus_per_worker: int = 1
    """The number of CPUs that Ray reserves for a worker; Ray's own tasks need further ones."""
    has_autoscaler: bool
    """Whether the cluster may add nodes for the workers."""
    scratch: str
    """The folder, or its URI, where Ray Train keeps its own state; all nodes can read it."""
    max_start_failures: int = -1
    """The number of times that the workers of a group may fail to start before the group has
    failed; -1: any number, as nodes come and go. A minute without workers counts as one."""

    def __call__(self, group: str) -> None:
        """Start the workers of a group, and wait for their end.

        Args:
            group: the group's name, under which its tasks are posted.

        Raises:
            TrainingFailedError: a worker failed or was lost.
        """
        # Any: the hints of Ray Train's first version hide the second's keywords.
        make_trainer = light_trainer(TorchTrainer, has_autoscaler=self.has_autoscaler)
        make_run_config: Any = RunConfig
        make_failure_config: Any = FailureConfig
        use_gpu = self.device == "cuda"
        trainer = make_trainer(
            train_trials,
            train_loop_config={"group": group},
            scaling_config=ScalingConfig(
                num_workers=self.num_workers,
                use_gpu=use_gpu,
                resources_per_worker={"CPU": self.cpus_per_worker}
                | ({"GPU": 1} if use_gpu else {}),
            ),
            run_config=make_run_config(
                name=group,
                storage_path=self.scratch,
                # We retry after a lost worker: Ray Train would also retry after a user's error.
                # Workers that it starts again would find no task.
                failure_config=make_failure_config(
                    controller_failure_limit=self.max_start_failures, **no_own_retries()
                ),
                logging_config=LoggingConfig(log_level="ERROR"),
            ),
        )
        trainer.fit()

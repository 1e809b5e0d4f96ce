"""What is said of a job and its trials, in words."""

import time

from agnews_ray.cli.screen import clock
from agnews_ray.cluster.job_state import JobState, TrialState


def times_of(job: JobState) -> str:
    """Write when a job was started, and how long it took or has taken."""
    if job.started_at is None:
        return "not started"
    since = time.strftime("%m-%d %H:%M", time.localtime(job.started_at))
    return f"{since} for {clock((job.ended_at or time.time()) - job.started_at)}"


def describe_trial(trial: TrialState) -> str:
    """Write where a trial stands, and whether it has started again."""
    stands = _stands(trial)
    if not trial.num_retries:
        return stands
    times = "once" if trial.num_retries == 1 else f"{trial.num_retries} times"
    return f"{stands} (started again {times}, last after: {trial.retry_cause})"


def _stands(trial: TrialState) -> str:
    match trial.state:
        case "waiting":
            return f"waits for {trial.waits_for}"
        case "training":
            left = "" if trial.seconds_left is None else f", {clock(trial.seconds_left)} left"
            return (
                f"training: step {trial.step:,} of {trial.num_steps:,}, "
                f"{trial.samples_per_second or 0:.0f} samples/s{left}"
            )
        case "done" if trial.diverged is not None:
            return f"DIVERGED: {trial.diverged}"
        case "done" if trial.accuracy is not None:
            return f"done: accuracy {trial.accuracy:.4f}, macro-F1 {trial.macro_f1:.4f}"
        case "failed":
            return f"FAILED: {trial.error}"
    return trial.state

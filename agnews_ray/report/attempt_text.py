"""Interrupted trials in words."""

from agnews_ray.compare.interruptions import InterruptedTrial


def line(trial: InterruptedTrial) -> str:
    """Say how often a trial was interrupted, why, and what it took."""
    return (
        f"{trial.trial_id}: {trial.num_attempts} attempts ({causes(trial)}), "
        f"{_steps(trial.num_steps_repeated)} made again, {lost(trial)} lost"
    )


def causes(trial: InterruptedTrial) -> str:
    """Count the causes, the most frequent first."""
    return ", ".join(f"{count} {cause}" for cause, count in trial.causes.items())


def lost(trial: InterruptedTrial) -> str:
    """Write the time that was lost."""
    if trial.seconds_lost < 120:
        return f"{trial.seconds_lost:.0f} s"
    return f"{trial.seconds_lost / 60:.1f} min"


def _steps(number: int) -> str:
    return f"{number:,} step{'' if number == 1 else 's'}"

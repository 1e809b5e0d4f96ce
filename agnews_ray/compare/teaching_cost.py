"""What it took to teach a student: pre-training, its teachers, and their labels."""

from collections.abc import Mapping, Sequence

from agnews_ray.compare.findings import Fact
from agnews_ray.compare.times import device_of, num_machines_of
from agnews_ray.plan.names import short_name
from agnews_ray.record.schema import TrialRecord


class TeachingCost(Fact):
    """The price of teaching a student, in seconds without start-up and scoring; means over seeds.

    It is that of one student: what several of them share is counted for each.
    """

    pretraining_seconds: float
    """The train time of its pre-training, and of all pre-trainings that taught that one."""
    teacher_seconds: float
    """The train time of its teachers in this study."""
    labelling_seconds: float
    """The time in which they labelled the student's rows."""
    elsewhere: tuple[str, ...]
    """The teachers that were trained elsewhere, whose training is no part of the price."""
    missing: tuple[str, ...]
    """The ids of trials that taught it and have no record: then the price is too low."""
    machine_seconds: dict[str, float | None]
    """The seconds by name of the machine, each counted once for each machine of a trial's workers;
    None if a record does not say how many machines there were."""

    @property
    def train_seconds(self) -> float:
        """All of it."""
        return self.pretraining_seconds + self.teacher_seconds + self.labelling_seconds


def serving(
    trials: Sequence[TrialRecord], by_id: Mapping[str, TrialRecord]
) -> tuple[tuple[TrialRecord, ...], tuple[str, ...]]:
    """Find all trials without which a student would not be what it is, each once.

    Args:
        trials: the students.
        by_id: all records of the study.

    Returns:
        The records of its labellings, teachers and pre-trainings, of what taught those, and so on;
        and the ids that have no record.
    """
    found: dict[str, TrialRecord] = {}
    missing: dict[str, None] = {}
    waiting = [trial_id for one in trials for trial_id in _needs(one)]
    while waiting:
        trial_id = waiting.pop(0)
        if trial_id in found or trial_id in missing:
            continue
        if trial_id not in by_id:
            missing[trial_id] = None
            continue
        found[trial_id] = by_id[trial_id]
        waiting += _needs(by_id[trial_id])
    return tuple(found.values()), tuple(missing)


def _needs(record: TrialRecord) -> list[str]:
    """Return the ids of the trials that come directly before one."""
    ids: list[str | None] = []
    if record.teaching is not None:
        ids += [record.teaching.starts_from, *record.teaching.labelled_by]
    for taught in (record.labelling, record.pretraining):
        if taught is not None:
            ids.append(taught.teacher_trial)
    return [trial_id for trial_id in ids if trial_id is not None]


def teaching_cost(trials: Sequence[TrialRecord], by_id: Mapping[str, TrialRecord]) -> TeachingCost:
    """Add up what it took to teach a student.

    Args:
        trials: its trials, one for each seed.
        by_id: all records of the study.

    Returns:
        The mean over the trials, each with all that served it.
    """
    seconds = dict.fromkeys(("pretraining", "fine-tuning", "labelling"), 0.0)
    machines: dict[str, float | None] = {}
    elsewhere: dict[str, None] = {}
    missing: dict[str, None] = {}
    for trial in trials:
        served, lost = serving([trial], by_id)
        missing |= dict.fromkeys(lost)
        for record in served:
            took = _seconds(record) / len(trials)
            seconds[record.work] += took
            device, count = device_of(record), num_machines_of([record])
            before = machines.get(device, 0.0)
            known = before is not None and count is not None
            machines[device] = (before or 0.0) + (count or 0) * took if known else None
            elsewhere |= dict.fromkeys(_from_elsewhere(record))
    return TeachingCost(
        pretraining_seconds=seconds["pretraining"],
        teacher_seconds=seconds["fine-tuning"],
        labelling_seconds=seconds["labelling"],
        elsewhere=tuple(elsewhere),
        missing=tuple(missing),
        machine_seconds=machines,
    )


def _from_elsewhere(record: TrialRecord) -> list[str]:
    """Name the teachers that no trial trained, but for the model of which the student is made."""
    labelled, pretrained = record.labelling, record.pretraining
    names = []
    if labelled is not None and labelled.teacher_trial is None:
        names.append(labelled.teacher)
    if pretrained is not None and pretrained.teacher and pretrained.teacher_trial is None:
        names.append(pretrained.teacher)
        names = [name for name in names if name != short_name(record.variant.model)]
    return names


def _seconds(record: TrialRecord) -> float:
    return record.labelling.seconds if record.labelling else record.training.train_seconds

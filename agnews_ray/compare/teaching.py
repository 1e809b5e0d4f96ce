"""From the records of a study to its taught students: their teachers and their plain twins."""

from collections.abc import Mapping, Sequence
from statistics import fmean

from agnews_ray.compare.findings import Fact
from agnews_ray.compare.grouping import num_workers_of
from agnews_ray.compare.recipes import compared
from agnews_ray.compare.teaching_cost import TeachingCost, serving, teaching_cost
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.taught import TransferRecord
from agnews_ray.spec.variant import VariantSpec

WAYS = ("distillation", "pretraining")
"""The fields of a variant by which it is a taught student."""


class SoftLabels(Fact):
    """The probabilities that one teacher gave to a student's rows; means over seeds."""

    teacher: str
    """Its name, as the user wrote it."""
    is_elsewhere: bool
    """Whether it was trained elsewhere."""
    num_labelled: int
    """The number of labelled train rows."""
    num_transfer: int
    """The number of texts without labels."""
    accuracy: float | None
    """The teacher's accuracy on the labelled train rows; None without any."""
    calibration_error: float | None
    """The expected calibration error on these rows."""
    mean_confidence: float
    """The mean of its highest probability over all rows."""


class Pretraining(Fact):
    """The training of a student's encoder on texts without labels."""

    trial_id: str
    objective: str
    teacher: str | None
    """The teacher's name; None without a teacher."""
    num_texts: int
    """The number of texts of an epoch."""
    train_seconds: float
    """Its own train time, without that of a pre-training before it."""
    final_parts: dict[str, float | None]
    """The mean of each part of the loss over the last tenth of the steps."""


class Taught(Fact):
    """A student that learned from a teacher, or from texts without labels."""

    variant: str
    """The name of its row."""
    plain: str | None
    """The row of its plain twin: the same without teaching; None if the study has none."""
    plain_has: tuple[str, ...]
    """What the twin has all the same: ``distillation`` or ``pretraining``; mostly nothing."""
    teachers: tuple[str, ...]
    """The teachers' names, as the user wrote them; empty if only texts taught it."""
    teacher_row: str | None
    """The row of the teacher, if there is one teacher and the study fine-tuned it; None if it is
    the plain twin too, as when a model is its own teacher."""
    soft_labels: tuple[SoftLabels, ...]
    """What each teacher's labels are like; empty without distillation."""
    pretraining: Pretraining | None
    transfers: tuple[TransferRecord, ...]
    """The texts without labels from which it learned, each set once."""
    uses_labelled_rows: bool
    """Whether the labelled train rows were among the rows of its fine-tuning."""
    cost: TeachingCost

    @property
    def num_in_test(self) -> int:
        """The number of texts without labels that are also texts of test rows."""
        return sum(one.num_in_test for one in self.transfers)


def taught_of(
    rows: Mapping[str, Sequence[TrialRecord]], by_id: Mapping[str, TrialRecord]
) -> tuple[Taught, ...]:
    """Gather what is known about the taught students of a study.

    Args:
        rows: the records of each row of the table, by the row's name.
        by_id: all records of the study by their ids, among them pre-trainings and labellings.

    Returns:
        One entry for each row of a variant with distillation or pre-training.
    """
    return tuple(
        _taught(name, rows, by_id) for name, trials in rows.items() if ways_of(trials[0].variant)
    )


def ways_of(variant: VariantSpec) -> list[str]:
    """Return the fields by which a variant is a taught student.

    Training only a masked-language-model head, which a teacher may need, leaves its encoder as it
    is.
    """
    asked = variant.pretraining
    is_pretrained = asked is not None and asked.trains == "all"
    return ["distillation"] * bool(variant.distillation) + ["pretraining"] * is_pretrained


def _taught(
    name: str, rows: Mapping[str, Sequence[TrialRecord]], by_id: Mapping[str, TrialRecord]
) -> Taught:
    trials = rows[name]
    plain, plain_has = _plain_twin(trials[0], rows)
    teachers = _teachers(trials[0].variant)
    teacher_row = _teacher_row(trials[0], teachers, rows)
    pretrainings = [one for one in serving(trials, by_id)[0] if one.pretraining is not None]
    transfers = [one.teaching.transfer for one in trials if one.teaching]
    transfers += [one.pretraining.transfer for one in pretrainings if one.pretraining]
    return Taught(
        variant=name,
        plain=plain,
        plain_has=plain_has,
        teachers=teachers,
        teacher_row=None if teacher_row == plain else teacher_row,
        soft_labels=_soft_labels(labellings_of(trials, by_id)),
        pretraining=_pretraining(trials, by_id),
        uses_labelled_rows=all(one.teaching.uses_labelled_rows for one in trials if one.teaching),
        transfers=tuple({one.fingerprint: one for one in transfers if one}.values()),
        cost=teaching_cost(trials, by_id),
    )


def _teachers(variant: VariantSpec) -> tuple[str, ...]:
    """Name the teachers: of soft labels, else of the pre-training."""
    if variant.distillation is not None:
        return variant.distillation.teacher
    if variant.pretraining is not None and variant.pretraining.has_teacher:
        return (variant.pretraining.teacher or variant.model,)
    return ()


def _plain_twin(
    taught: TrialRecord, rows: Mapping[str, Sequence[TrialRecord]]
) -> tuple[str | None, tuple[str, ...]]:
    """Find the row with the same model, recipe and engine that lacks all teaching, or one way."""
    own = ways_of(taught.variant)
    for lacked in (own, *([way] for way in own)):  # without both first, then without one
        kept = [way for way in own if way not in lacked]
        wanted = _asked(taught, kept)
        for name, trials in rows.items():
            if _asked(trials[0], ways_of(trials[0].variant)) == wanted:
                return name, tuple(kept)
    return None, ()


def _asked(record: TrialRecord, ways: Sequence[str]) -> object:
    """Return all that may change a trial's scores, apart from its seed, if taught in these ways."""
    left_out = {"name", "recipe", *WAYS} - {*ways}
    content = record.variant.model_dump(exclude=left_out)
    return content, compared(record), record.precision, num_workers_of(record)


def _teacher_row(
    taught: TrialRecord, teachers: Sequence[str], rows: Mapping[str, Sequence[TrialRecord]]
) -> str | None:
    """Find the fine-tuned teacher: its own row, or that of the model that was made smaller."""
    variant = taught.variant
    if len(teachers) != 1:
        return None
    if variant.distillation or (variant.pretraining and variant.pretraining.teacher):
        return _row_of(teachers[0], rows)
    apart = {"name", "recipe", "student", *WAYS}
    whole = variant.model_dump(exclude=apart)
    for name, trials in rows.items():
        other = trials[0].variant
        is_whole = other.student is None and not ways_of(other)
        if is_whole and other.model_dump(exclude=apart) == whole:
            return name
    return None


def _row_of(teacher: str, rows: Mapping[str, Sequence[TrialRecord]]) -> str | None:
    """Find the row that a teacher's name means: by its name, or by the model of a whole variant."""
    if teacher in rows:
        return teacher
    of_variants = {name: trials[0].variant for name, trials in rows.items()}
    found = [
        name
        for name, one in of_variants.items()
        if one.model == teacher and one.student is None and not ways_of(one)
    ]
    return found[0] if len(found) == 1 else None


def labellings_of(
    trials: Sequence[TrialRecord], by_id: Mapping[str, TrialRecord]
) -> tuple[TrialRecord, ...]:
    """Return the records of the labellings that students learned from, each once.

    Args:
        trials: the students.
        by_id: all records of the study.

    Returns:
        The records, in the order of the students and of their teachers.
    """
    ids = [trial_id for one in trials if one.teaching for trial_id in one.teaching.labelled_by]
    return tuple(by_id[trial_id] for trial_id in dict.fromkeys(ids) if trial_id in by_id)


def _soft_labels(labellings: Sequence[TrialRecord]) -> tuple[SoftLabels, ...]:
    by_teacher: dict[str, list[TrialRecord]] = {}
    for record in labellings:
        if record.labelling is not None:
            by_teacher.setdefault(record.labelling.teacher, []).append(record)
    found = []
    for teacher, records in by_teacher.items():
        facts = [one.labelling for one in records if one.labelling is not None]
        found.append(
            SoftLabels(
                teacher=teacher,
                is_elsewhere=all(one.teacher_trial is None for one in facts),
                num_labelled=facts[0].num_labelled,
                num_transfer=facts[0].num_transfer,
                accuracy=_mean([one.accuracy for one in facts]),
                calibration_error=_mean([one.calibration_error for one in facts]),
                mean_confidence=fmean(one.mean_confidence for one in facts),
            )
        )
    return tuple(found)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def _pretraining(
    trials: Sequence[TrialRecord], by_id: Mapping[str, TrialRecord]
) -> Pretraining | None:
    start = next((one.teaching.starts_from for one in trials if one.teaching), None)
    record = by_id.get(start or "")
    if record is None or record.pretraining is None or record.variant.pretraining is None:
        return None
    return Pretraining(
        trial_id=record.trial_id,
        objective=record.variant.pretraining.objective,
        teacher=record.pretraining.teacher,
        num_texts=record.pretraining.num_texts,
        train_seconds=record.training.train_seconds,
        final_parts=record.pretraining.final_parts,
    )

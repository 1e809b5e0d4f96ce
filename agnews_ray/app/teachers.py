"""What a study learns from beside its rows: teachers from elsewhere, and texts without labels."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from agnews_ray.data.scan import ScannedDataset
from agnews_ray.data.unlabelled import ScannedTexts, scan_texts
from agnews_ray.model import zoo
from agnews_ray.plan.names import short_name
from agnews_ray.plan.planner import encoder_teacher, named_variant
from agnews_ray.plan.trials import Known
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """What a study learns from beside its rows."""

    known: Known
    """What is known about weights, teachers and texts."""
    texts: Mapping[TransferSpec, ScannedTexts] = field(default_factory=dict)
    """The texts without labels."""

    def known_for(self, study: StudySpec) -> Known:
        """Look up the weights of a study's variants, which may be fewer or have other settings.

        Args:
            study: the study, with a name for every variant.
        """
        weights = {
            variant.name: zoo.identity(variant) + zoo.head_of(variant) for variant in study.models
        }
        return dataclasses.replace(self.known, weights={**self.known.weights, **weights})


def read_sources(study: StudySpec, scanned: ScannedDataset, cache: Path) -> Sources:
    """Find the teachers that are no variants of a study, and read its texts without labels.

    Args:
        study: the study, with a name for every variant.
        scanned: its rows.
        cache: the folder for downloads.

    Raises:
        DataError: texts cannot be read.
        HubError: a hub id of texts cannot be loaded.
        ModelError: a teacher cannot be a model.
    """
    texts = {one: scan_texts(one, study.data, cache, scanned) for one in _transfers(study)}
    teachers = dict(_other_classifiers(study))
    encoders = dict(_encoder_teachers(study))
    for teacher in (*teachers.values(), *encoders.values()):
        zoo.check_model(teacher)
    weights = {name: zoo.identity(one) for name, one in encoders.items()}
    weights |= {one.name: zoo.identity(one) for one in teachers.values()}
    known = Known(
        weights=weights,
        teachers=teachers,
        transfers={one: found.record for one, found in texts.items()},
    )
    return Sources(known=known, texts=texts)


def teacher_place(name: str) -> str:
    """Return the model folder of a teacher from elsewhere: of a finished trial its artifact."""
    folder = Path(name).expanduser()
    artifact = folder / "artifact"
    return str(artifact) if (artifact / "config.json").is_file() else name


def models_beside(study: StudySpec) -> list[VariantSpec]:
    """Return the teachers that are no variants of a study, unchecked."""
    named = [*_other_classifiers(study), *_encoder_teachers(study)]
    return [one for _, one in named if one not in study.models]


def _other_classifiers(study: StudySpec) -> Iterator[tuple[str, VariantSpec]]:
    for variant in study.models:
        for name in variant.distillation.teacher if variant.distillation else ():
            if named_variant(study, name) is None:
                model = teacher_place(name)
                yield name, VariantSpec(model=model, name=short_name(name), keep_head=True)


def _encoder_teachers(study: StudySpec) -> Iterator[tuple[str, VariantSpec]]:
    for variant in study.models:
        named = variant.pretraining.teacher if variant.pretraining else None
        if named is not None:
            yield named, encoder_teacher(study, variant)


def _transfers(study: StudySpec) -> list[TransferSpec]:
    specs = [part for one in study.models for part in (one.distillation, one.pretraining) if part]
    return list(dict.fromkeys(part.transfer for part in specs if part.transfer is not None))

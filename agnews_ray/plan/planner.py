"""The trials of a study, made one by one, each with those that it waits for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import NoReturn

from agnews_ray.errors import SpecError
from agnews_ray.plan.budget import steps_per_epoch
from agnews_ray.plan.class_weights import class_weights
from agnews_ray.plan.looks import Looks
from agnews_ray.plan.names import short_name
from agnews_ray.plan.planned import Known, PlannedTrial, trial_id
from agnews_ray.record.schema import DatasetRecord
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec


class Planner:
    """The trials that were planned so far, each once.

    Args:
        study: the study, with a name for every variant.
        dataset: the facts about the scanned dataset.
        known: what is known about weights, teachers and texts without labels.
        device: the device on which the trials will run.
        precisions: the precision by variant name, and of other teachers by their text.
        looks: for the trials of a search; see ``plan_trials``.
    """

    def __init__(
        self,
        study: StudySpec,
        dataset: DatasetRecord,
        known: Known,
        device: Device,
        precisions: Mapping[str, Precision],
        looks: Looks | None,
    ) -> None:
        self._study = study
        self._dataset = dataset
        self._known = known
        self._device = device
        self._precisions = precisions
        self._looks = looks
        self._trials: dict[str, PlannedTrial] = {}
        self._teaching: list[str] = []
        """The variants whose trial is being planned, each taught by the next."""
        named = [one.distillation.teacher for one in study.models if one.distillation]
        self._teachers = {name for names in named for name in names}
        self._joint_teachers = {name for names in named for name in names if len(names) > 1}
        """Teachers whose probabilities are averaged with others'."""

    @property
    def trials(self) -> tuple[PlannedTrial, ...]:
        """All planned trials; each comes after those that it waits for."""
        return tuple(self._trials.values())

    def fine_tuned(self, variant: VariantSpec, share: float, seed: int) -> PlannedTrial:
        """Plan the trial that fine-tunes a variant, or fits it if it is linear.

        Args:
            variant: a variant of the study.
            share: of the train rows.
            seed: the trial's seed.

        Raises:
            SpecError: a teacher is no variant and no trained classifier, or variants teach each
                other in a circle.
        """
        spec, recipe = variant.distillation, variant.recipe_in(self._study.recipe)
        transfer = spec.transfer if spec else None
        with _InCircle(self._teaching, variant.name):
            labels = self._labels(variant, share, seed)
            encoder = self._pretrained(variant)
        num_rows = self._known.num_rows(self._dataset, share, transfer)
        num_steps = steps_per_epoch(num_rows, recipe.global_batch_size) * recipe.num_epochs
        num_steps = 0 if is_linear(variant.model) else num_steps
        is_search, teaches = self._looks is not None, self._is_teacher(variant)
        rows = self._dataset
        return self._add(
            PlannedTrial(
                trial_id="",
                variant=variant,
                seed=seed,
                device="cpu" if is_linear(variant.model) else self._device,
                precision="fp32" if is_linear(variant.model) else self._precisions[variant.name],
                recipe=recipe,
                num_steps=num_steps,
                num_rows=num_rows,
                train_share=share,
                scores_test=not is_search,
                keeps_artifact=not is_search and (share == 1 or teaches),
                rungs=tuple(self._looks.steps(recipe.num_epochs, num_steps)) if self._looks else (),
                class_weights=class_weights(recipe, rows.class_names, rows.train.class_counts),
                waits_for=(*(one.trial_id for one in labels), *([encoder] if encoder else [])),
                starts_from=encoder,
                labelled_by=tuple(one.trial_id for one in labels),
                transfer=transfer,
            )
        )

    def _labels(self, variant: VariantSpec, share: float, seed: int) -> list[PlannedTrial]:
        """Plan the labelling of a student's rows, by each of its teachers."""
        spec = variant.distillation
        if spec is None:
            return []
        return [self._labelled(name, variant, spec.transfer, share, seed) for name in spec.teacher]

    def _labelled(
        self,
        name: str,
        student: VariantSpec,
        transfer: TransferSpec | None,
        share: float,
        seed: int,
    ) -> PlannedTrial:
        teacher = named_variant(self._study, name)
        if teacher is not None and is_linear(teacher.model):
            self._refuse(student, name, "a linear model; use a fine-tuned model as teacher")
        if teacher is None and len(whole_models(self._study, name)) > 1:
            self._refuse(student, name, "the model of several variants; write one's name")
        trained = None if teacher is None else self.fine_tuned(teacher, share, seed)
        other = self._known.teachers.get(name)
        variant = teacher or other
        if variant is None:
            others = [one.name for one in self._study.models if one.name != student.name]
            self._refuse(student, name, f"neither; the others are {', '.join(others) or 'none'}")
        given = self._precisions[student.name]
        return self._add(
            PlannedTrial(
                trial_id="",
                variant=variant,
                work="labelling",
                seed=0 if trained is None else seed,
                device=self._device,
                precision=self._precisions.get(variant.name, given),
                recipe=variant.recipe_in(self._study.recipe),
                num_steps=0,
                num_rows=self._known.num_rows(self._dataset, share, transfer),
                train_share=share,
                # A report needs a teacher's test scores, which the teacher's own trial has.
                scores_test=trained is None or name in self._joint_teachers,
                keeps_artifact=False,
                waits_for=() if trained is None else (trained.trial_id,),
                starts_from=None if trained is None else trained.trial_id,
                transfer=transfer,
            )
        )

    def _pretrained(self, variant: VariantSpec) -> str | None:
        """Plan a variant's pre-training, and that of its teacher; return its id."""
        spec = variant.pretraining
        if spec is None:
            return None
        assistant = None
        named = named_variant(self._study, spec.teacher or "")
        if named is not None and named.pretraining is not None:
            with _InCircle(self._teaching, f"{variant.name}'s pre-training"):
                assistant = self._pretrained(named)
        teacher = encoder_teacher(self._study, variant) if spec.has_teacher else None
        if teacher is not None and assistant is None and teacher.student is not None:
            found = f"models: {variant.name}.pretraining.teacher: want a pre-trained model, found "
            hint = f"give {teacher.name} a pretraining too, or name another teacher"
            raise SpecError("study", [f"{found}the smaller {teacher.name}; {hint}"])
        if teacher is not None and assistant is None and teacher.init == "random":
            found = f"models: {variant.name}.pretraining.teacher: want pretrained weights, found "
            hint = f"give {teacher.name} a pretraining too, such as masked-lm, or name another"
            raise SpecError("study", [f"{found}fresh ones of {teacher.name}; {hint}"])
        recipe = spec.whole_recipe
        num_rows = self._known.num_rows(self._dataset, 1.0, spec.transfer)
        if num_rows < recipe.global_batch_size:
            found = f"models: {variant.name}.pretraining: want at least one batch of "
            found += f"{recipe.global_batch_size} texts, found {num_rows}"
            hint = "set recipe: {global_batch_size: ...} in it, or use more texts"
            raise SpecError("study", [f"{found}; {hint}"])
        trial = PlannedTrial(
            trial_id="",
            variant=variant,
            work="pretraining",
            seed=spec.seed,
            device=self._device,
            precision=self._precisions[variant.name],
            recipe=recipe,
            num_steps=steps_per_epoch(num_rows, recipe.global_batch_size) * recipe.num_epochs,
            num_rows=num_rows,
            scores_test=False,
            waits_for=() if assistant is None else (assistant,),
            teacher_trial=assistant,
            teacher_model=teacher,
            transfer=spec.transfer,
        )
        return self._add(trial).trial_id

    def _add(self, trial: PlannedTrial) -> PlannedTrial:
        """Give a trial its id; the same content is the same trial, whichever variant named it."""
        named = trial_id(trial, self._study, self._dataset, self._known)
        return self._trials.setdefault(named, replace(trial, trial_id=named))

    def _is_teacher(self, variant: VariantSpec) -> bool:
        return any(named_variant(self._study, name) == variant for name in self._teachers)

    def _refuse(self, student: VariantSpec, name: str, found: str) -> NoReturn:
        where = f"models: {student.name}.distillation.teacher"
        raise SpecError(
            "study", [f"{where}: want a variant or a trained classifier, found {name!r}: {found}"]
        )


class _InCircle:
    """Refuses variants that teach each other in a circle.

    Args:
        teaching: the variants that are being planned; changed in the context.
        name: of the next one.
    """

    def __init__(self, teaching: list[str], name: str) -> None:
        self._teaching = teaching
        self._name = name

    def __enter__(self) -> None:
        if self._name in self._teaching:
            circle = " <- ".join([*self._teaching[self._teaching.index(self._name) :], self._name])
            found = f"models: want teachers that are not their own students, found {circle}"
            raise SpecError("study", [f"{found}; remove one of these teachers"])
        self._teaching.append(self._name)

    def __exit__(self, *_: object) -> None:
        self._teaching.pop()


def named_variant(study: StudySpec, name: str) -> VariantSpec | None:
    """Find the variant that a teacher's name means: by its name, or by its model.

    Args:
        study: the study, with a name for every variant.
        name: as the user wrote it.

    Returns:
        The variant; None if there is none, or if several have this model. A variant that is made
        smaller, or is taught itself, is only found by its name.
    """
    by_name = [one for one in study.models if one.name == name]
    found = by_name or whole_models(study, name)
    return found[0] if len(found) == 1 else None


def whole_models(study: StudySpec, model: str) -> list[VariantSpec]:
    """Find the variants of a model that are neither made smaller nor taught."""
    return [
        one
        for one in study.models
        if one.model == model and not (one.student or one.pretraining or one.distillation)
    ]


def encoder_teacher(study: StudySpec, variant: VariantSpec) -> VariantSpec:
    """Return the model whose encoder teaches in a variant's pre-training.

    Args:
        study: the study, with a name for every variant.
        variant: a variant with pre-training.

    Returns:
        Another variant, whose own pre-training teaches if it has one; or a model as it is.
    """
    named = variant.pretraining.teacher if variant.pretraining else None
    if named is None:
        untrained = {"student": None, "pretraining": None, "distillation": None, "recipe": None}
        return variant.model_copy(update=untrained | {"name": short_name(variant.model)})
    found = named_variant(study, named)
    return found or VariantSpec(model=named, name=short_name(named))

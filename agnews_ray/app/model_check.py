"""Use case: are the models of a study fit for its trials? Asked before the first of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agnews_ray.app.capacity import check_disk, linear_parameters
from agnews_ray.app.prepare import PreparedStudy
from agnews_ray.errors import ModelError
from agnews_ray.model.zoo import encoder_of
from agnews_ray.run.watcher import StudyWatcher
from agnews_ray.spec.base import Device
from agnews_ray.spec.linear_models import LINEAR, is_linear, kind_of
from agnews_ray.spec.variant import VariantSpec

if TYPE_CHECKING:  # they import transformers
    from agnews_ray.engine.preflight import Findings
    from agnews_ray.run.inputs import InputCache


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedAt:
    """Models that can be loaded and trained, with lines about them."""

    prepared: PreparedStudy
    """The study, planned again if a model cannot be trained in the wanted precision."""
    data: "InputCache"
    """The cache that makes the inputs of trials."""
    lines: tuple[str, ...]

    def tell(self, watcher: StudyWatcher) -> PreparedStudy:
        """Show the lines; only the thread that calls the watcher may call this."""
        for line in self.lines:
            watcher.note(line)
        return self.prepared


def model_lines(variant: VariantSpec, found: "Findings | None") -> list[str]:
    """Describe a variant's model in a line, with its notes.

    Args:
        variant: the variant.
        found: the findings about its model, or about a linear model's encoder, if it has one.
    """
    kind = kind_of(variant.model)
    facts = [] if kind is None else [LINEAR[kind].summary]
    if found is not None:
        facts += [] if kind else [f"{found.head} head"]
        unknown = f"{found.unknown_share:.1%} of the rows' pieces not in its vocabulary"
        facts += [found.precision, unknown]
    notes = [f"note  {variant.name}: {note}" for note in (found.notes if found else ())]
    return [f"model {variant.name}: {', '.join(facts)}", *notes]


def look_at_models(prepared: PreparedStudy, watcher: StudyWatcher, device: Device) -> LookedAt:
    """Load every model and compute a pass, so that problems are found before any trial.

    Args:
        prepared: a study with trials to run.
        watcher: the watcher, which later gets the numbers of tokenised rows.
        device: the device of the pass.

    Returns:
        The loaded tokenizers, and the study as it can run.

    Raises:
        HubError: neither the hub nor its cache has a model.
        ModelError: a model cannot be loaded or trained.
        ResourceError: the disk has not enough room for the files of the trials.
    """
    from agnews_ray.app.teacher_check import check_pretraining
    from agnews_ray.run.inputs import InputCache

    lines: list[str] = []  # only one thread may call the watcher
    data = InputCache(
        prepared.scanned,
        prepared.study.data,
        prepared.cache,
        watcher.tokenised,
        lines.append,
        prepared.sources.texts,
    )
    # A search may still have trials to run where all planned ones are finished.
    variants = {one.variant.name: one.variant for one in prepared.todo or prepared.trials}
    rows = prepared.scanned.record
    found: dict[str, Findings] = {}
    sizes = dict.fromkeys(variants, linear_parameters(rows))
    for name, variant in variants.items():
        encoder = encoder_of(variant)
        if encoder is not None:
            found[name] = data.look_at(encoder, "fp32", "cpu", "cpu")
        elif not is_linear(variant.model):
            found[name] = _look_at(variant, prepared, data, device)
    for trial in prepared.todo:
        if trial.work == "pretraining":
            check_pretraining(trial, data)
    sizes |= {name: one.num_parameters for name, one in found.items()}
    num_logits = rows.test.num_selected * len(rows.class_names)
    check_disk(prepared.store.location, prepared.todo, sizes, num_logits)
    for name, variant in variants.items():
        lines += model_lines(variant, found.get(name))
    planned = prepared.planned_in({name: one.precision for name, one in found.items()})
    data.note = watcher.note  # the splits are loaded in the watcher's thread
    return LookedAt(prepared=planned, data=data, lines=tuple(lines))


def _look_at(
    variant: VariantSpec, prepared: PreparedStudy, data: "InputCache", device: Device
) -> "Findings":
    from agnews_ray.app.teacher_check import of_teacher

    try:
        return data.look_at(variant, prepared.precisions[variant.name], device, prepared.device)
    except ModelError as error:
        if variant not in prepared.sources.known.teachers.values():
            raise
        raise of_teacher(variant, error) from error

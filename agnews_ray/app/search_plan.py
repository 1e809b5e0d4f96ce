"""The plan of a study's search: which trials its settings need, and what the winners are."""

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from pydantic import JsonValue

from agnews_ray.app.afford import limit_of
from agnews_ray.app.prepare import PreparedStudy, finished_of, plan_study
from agnews_ray.app.search_space import default_settings, most_epochs, other_seeds
from agnews_ray.errors import TrialError
from agnews_ray.model import zoo
from agnews_ray.plan.graph import without_finished
from agnews_ray.plan.looks import NEVER
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.record.schema import SearchRecord, TrialRecord
from agnews_ray.run.halving import Halving
from agnews_ray.run.study_search import StudySearch
from agnews_ray.run.variant_search import Setting, Settings, VariantSearch, looks_of
from agnews_ray.spec.base import Precision
from agnews_ray.spec.search import with_settings
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec

TUNED = " (tuned)"
"""The end of a winner's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Winner:
    """The best settings of one variant."""

    variant: str
    """The name of the variant whose settings were searched."""
    tuned: VariantSpec | None
    """The variant with the best settings; None if its own are the best."""
    settings: Mapping[str, JsonValue]
    score: float
    """Their score on the validation split."""
    num_tried: int
    num_stopped: int


class SearchPlan:
    """The plan of a study's search, from which its trials follow.

    Args:
        prepared: the study.
        tell: a function that gets lines for the user.
        started_at: the Unix time from which its budget counts.

    Raises:
        ValueError: the study has no search.
    """

    def __init__(
        self, prepared: PreparedStudy, tell: Callable[[str], None], started_at: float
    ) -> None:
        study, search = prepared.study, prepared.study.search
        if search is None:
            raise ValueError("want a study with a search, which `prepare_search` checks")
        self._prepared, self._started_at = prepared, started_at
        self._search = search
        self._precisions = {one.variant.name: one.precision for one in prepared.trials}
        self._seeds = other_seeds(self._search.num_seeds, study.seeds)
        kept = {
            one.trial_id: one for one in prepared.store.finished().records if one.search is not None
        }
        self._searches = [
            VariantSearch(
                name=variant.name,
                search=self._search,
                default=default_settings(variant, study, self._search),
                plan=partial(self._plan, variant),
                kept=kept,
                tell=tell,
                halving=Halving(self._search, most_epochs(variant, study, self._search)),
                has_time=partial(self._has_time, number),
            )
            for number, variant in enumerate(untuned(study))
        ]
        self.source = StudySearch(searches=self._searches, plan_final=self._unfinished)

    def is_done(self) -> bool:
        """Whether no trial is left to run; Ray is not imported to find out."""
        all_chosen = all(search.is_chosen() for search in self._searches)
        return all_chosen and not self.source.ready({}, (), 1).startable

    def searched(self) -> tuple[TrialRecord, ...]:
        """Return the records of the settings that were tried; they are in no row of a table."""
        names = {search.name for search in self._searches}
        records = self._prepared.store.finished().records
        return tuple(one for one in records if one.search and one.search.variant in names)

    def winners(self) -> tuple[Winner, ...]:
        """Return the best settings of each variant that has any with a score."""
        by_name = {variant.name: variant for variant in self._prepared.study.models}
        pairs = [(one, best) for one in self._searches if (best := one.best()) is not None]
        return tuple(_winner(by_name[search.name], search, best) for search, best in pairs)

    def without_winner(self) -> dict[str, Exception]:
        """Return an error for each variant none of whose settings has a score."""
        errors: dict[str, Exception] = {}
        for search in self._searches:
            if search.best() is None:
                why = next((one.why_not for one in search.settings if one.why_not), "none")
                where, hint = f"search {search.name}", "change the space or the recipe, and retry"
                errors[where] = TrialError(where, "a setting with a score", why, hint)
        return errors

    def final_study(self) -> StudySpec:
        """Return the study with each winner after its default."""
        study = self._prepared.study
        tuned = {one.variant: (one.tuned,) if one.tuned else () for one in self.winners()}
        models = [(one, *tuned.get(one.name, ())) for one in untuned(study)]
        return study.model_copy(update={"models": tuple(one for pair in models for one in pair)})

    def final_trials(self) -> tuple[PlannedTrial, ...]:
        """Plan the trials of winners and defaults with the study's seeds, scored on test."""
        prepared, study = self._prepared, self.final_study()
        precisions = {
            one.name: self._precision(one, one.name.removesuffix(TUNED)) for one in study.models
        }
        return plan_study(study, prepared.scanned, prepared.sources, prepared.device, precisions)

    def _unfinished(self) -> tuple[PlannedTrial, ...]:
        trials = self.final_trials()
        return without_finished(trials, finished_of(self._prepared.store, trials))

    def _has_time(self, number: int) -> bool:
        """Whether the budget holds another setting of a variant, by its number.

        It is shared equally between the variants, after what winners and defaults will take: as
        much for each as the longest trial so far.
        """
        limit = limit_of(self._prepared.study)
        if limit is None:
            return True
        num_variants = len(self._searches)
        longest_s = max(search.longest_s for search in self._searches)
        final_s = 2 * num_variants * len(self._prepared.study.seeds) * longest_s
        share_s = (limit.seconds - final_s) * (number + 1) / num_variants
        return time.time() - self._started_at + longest_s <= share_s

    def _plan(
        self, variant: VariantSpec, number: int, values: Settings
    ) -> tuple[PlannedTrial, ...]:
        """Plan the trials of a setting; only the first is looked at while it trains."""
        prepared, search = self._prepared, self._search
        named = with_settings(variant, values).model_copy(
            update={"name": f"{variant.name} #{number}"}
        )
        if named.init == "random":
            zoo.sizes(named)
        precisions = {named.name: self._precision(named, variant.name)}
        place = SearchRecord(
            variant=variant.name, number=number, settings=values, metric=search.metric
        )
        trials: list[PlannedTrial] = []
        for seeds, looked_at in ((self._seeds[:1], looks_of(search)), (self._seeds[1:], NEVER)):
            study = prepared.study.model_copy(
                update={"models": (named,), "seeds": seeds, "curve": ()}
            )
            rows, sources, device = prepared.scanned, prepared.sources, prepared.device
            trials += plan_study(study, rows, sources, device, precisions, looked_at)
        return tuple(dataclasses.replace(trial, search=place) for trial in trials)

    def _precision(self, variant: VariantSpec, searched: str) -> Precision:
        """Return the precision of a variant: the one that it states, or that of the searched."""
        own = variant.recipe_in(self._prepared.study.recipe).precision
        return self._precisions[searched] if own == "auto" else own


def untuned(study: StudySpec) -> tuple[VariantSpec, ...]:
    """Return a study's variants without those that an earlier search added."""
    names = {variant.name for variant in study.models}
    return tuple(
        one for one in study.models if one.name.removesuffix(TUNED) not in names - {one.name}
    )


def _winner(variant: VariantSpec, search: VariantSearch, best: Setting) -> Winner:
    is_default = best.values == search.default
    tuned = with_settings(variant, best.values).model_copy(
        update={"name": f"{variant.name}{TUNED}"}
    )
    return Winner(
        variant=variant.name,
        tuned=None if is_default else tuned,
        settings=best.values,
        score=best.score or 0.0,
        num_tried=len(search.settings),
        num_stopped=sum(one.is_stopped for one in search.settings),
    )

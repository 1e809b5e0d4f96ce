"""Use case: search each variant's best settings, and train the winners beside the defaults."""

import dataclasses
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agnews_ray.app.launch import RunTrials, StudyOutcome, execute_study
from agnews_ray.app.prepare import PreparedStudy, finished_of, prepare_study
from agnews_ray.app.search_plan import SearchPlan, Winner
from agnews_ray.app.study_places import with_places
from agnews_ray.data.scan import scan_dataset
from agnews_ray.errors import SpecError
from agnews_ray.model.hub import go_offline_if_unreachable
from agnews_ray.record.storage import cache_folder
from agnews_ray.run.study_search import StudySearch
from agnews_ray.run.watcher import StudyWatcher
from agnews_ray.spec.study import StudySpec

logger = logging.getLogger(__name__)

VALIDATION_FRACTION = 0.1
"""The share of train rows that validate, if the study has no validation split."""

SUFFIX = "-tune"
"""The end of the name of a study that got a validation split for the search: with other train rows
it is not the study of the same name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TunedStudy:
    """The results of a search."""

    outcome: StudyOutcome
    """Winners and defaults with the study's seeds, scored on test."""
    winners: tuple[Winner, ...]
    best_path: Path
    """The job file that trains the winners."""


def prepare_search(
    study: StudySpec, location: str | Path, cluster_gpus: int | None = None
) -> PreparedStudy:
    """Check a study and its search, and plan the trials of the defaults.

    Args:
        study: the result of ``read_study``, with a search.
        location: the runs folder, or its URI.
        cluster_gpus: as for ``prepare_study``.

    Returns:
        The planned study, which has a validation split.

    Raises:
        AgnewsError: there is no search space, or a problem with the study.
    """
    check_search(study)
    if _has_validation(study, location):
        return prepare_study(study, location, cluster_gpus)
    name = study.name if study.name.endswith(SUFFIX) else f"{study.name}{SUFFIX}"
    data = study.data.model_copy(update={"validation_fraction": VALIDATION_FRACTION})
    changed = study.model_copy(update={"name": name, "data": data})
    prepared = prepare_study(changed, location, cluster_gpus)
    note = f"{VALIDATION_FRACTION:.0%} of the train rows validate settings, since there is no split"
    return dataclasses.replace(prepared, notes=(*prepared.notes, f"{note} for it"))


def check_search(study: StudySpec) -> None:
    """Refuse a study that states no search, or with models that learn from others.

    Raises:
        SpecError: there is no search space, or a model has a teacher or pre-training.
    """
    if study.search is None:
        found = "search: want a search space, found none; add to the job file, for example"
        raise SpecError("tune", [f"{found} `search: {{space: {{recipe.num_epochs: [1, 2, 3]}}}}`"])
    taught = [one.name for one in study.models if one.distillation or one.pretraining]
    if taught:
        found = f"models: want none with distillation or pretraining, found {', '.join(taught)}"
        hint = "tune without these keys, and submit with them and the settings of best.yaml"
        raise SpecError("tune", [f"{found}; {hint}"])


def tune_study(
    prepared: PreparedStudy,
    command: str,
    started_at: float,
    watcher: StudyWatcher,
    run: RunTrials | None = None,
) -> TunedStudy:
    """Search, then train winners and defaults with the study's seeds, which no search has seen.

    Args:
        prepared: the result of ``prepare_search``.
        command: the command line, for the records.
        started_at: the Unix time at which the command began.
        watcher: the watcher that gets each event, until it fails.
        run: as for ``execute_study``.

    Returns:
        The winners, and the records of the trials that are scored on test.

    Raises:
        AgnewsError: the study cannot be started; finished trials are kept.
        KeyboardInterrupt: the user interrupts; the same command continues.
    """
    work = SearchWork(started_at)
    outcome = execute_study(prepared, command, started_at, watcher, run, work)
    plan = work.plan(prepared)
    study, trials = plan.final_study(), plan.final_trials()
    finished = finished_of(prepared.store, trials)
    best = best_study(study, plan.winners())
    with prepared.store.writing():
        prepared.store.save_study(with_places(study))
        prepared.store.save_best(with_places(best))
    planned = {trial.trial_id for trial in trials}
    failed = {name: error for name, error in outcome.failed.items() if name in planned}
    final = StudyOutcome(
        prepared=dataclasses.replace(
            prepared, study=study, trials=trials, finished=finished, notes=()
        ),
        records=(
            *(finished[t.trial_id] for t in trials if t.trial_id in finished),
            *plan.searched(),
        ),
        failed=failed | plan.without_winner(),
        left_out=outcome.left_out,
        notes=outcome.notes,
    )
    return TunedStudy(outcome=final, winners=plan.winners(), best_path=prepared.store.best_path)


class SearchWork:
    """The trials of a search, winners and defaults that have no record.

    Args:
        started_at: the Unix time from which the study's budget counts.
    """

    def __init__(self, started_at: float) -> None:
        self._started_at = started_at
        self._plan: SearchPlan | None = None

    def is_done(self, prepared: PreparedStudy) -> bool:
        return self.plan(prepared).is_done()

    def source(self, prepared: PreparedStudy, tell: Callable[[str], None]) -> StudySearch:
        self._plan = SearchPlan(prepared, tell, self._started_at)
        return self._plan.source

    def plan(self, prepared: PreparedStudy) -> SearchPlan:
        """Return the plan of what was run; of what is to be run, if nothing was yet."""
        if self._plan is None:
            self._plan = SearchPlan(prepared, logger.info, self._started_at)
        return self._plan


def best_study(study: StudySpec, winners: tuple[Winner, ...]) -> StudySpec:
    """Make the study of the winners alone.

    Args:
        study: the study with defaults and winners.
        winners: the results of the search.

    Returns:
        A study of another name, without the search. If its rows to validate were only taken for
        the search, they train.
    """
    tuned = {winner.variant: winner.tuned for winner in winners}
    models = tuple(tuned.get(one.name) or one for one in study.models if one.name in tuned)
    data = study.data
    if study.name.endswith(SUFFIX):
        data = data.model_copy(update={"validation_fraction": 0.0})
    name = f"{study.name.removesuffix(SUFFIX)}-best"
    changes = {"name": name, "models": models or study.models, "data": data, "search": None}
    return study.model_copy(update=changes)


def _has_validation(study: StudySpec, location: str | Path) -> bool:
    if study.data.validation_fraction:
        return True
    if not Path(study.data.source).expanduser().exists():
        go_offline_if_unreachable()
    scanned = scan_dataset(study.data, cache_folder(str(location)))
    return scanned.record.validation is not None

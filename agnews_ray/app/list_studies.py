"""Use case: what lies in a runs folder, without Ray and torch."""

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from agnews_ray.app.analyse import assess_study
from agnews_ray.compare.grouping import fine_tuned, of_table
from agnews_ray.compare.searches import searched
from agnews_ray.errors import AgnewsError, StoreError
from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.storage import is_uri
from agnews_ray.record.store import StudyStore
from agnews_ray.report import sentences
from agnews_ray.spec.study import StudySpec

StudyState = Literal["running", "finished", "unfinished", "unreadable"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedStudy:
    """One study of a runs folder."""

    name: str
    folder: str
    question: str = ""
    models: tuple[str, ...] = ()
    """The names of the variants, the baseline first."""
    state: StudyState
    """``running``: a submit writes into it now; ``unfinished``: some trials have no record."""
    num_finished: int = 0
    """The number of the study's trials that have a record."""
    num_trials: int = 0
    """The number of trials: variants times shares of the train rows times seeds."""
    num_searched: int = 0
    """The number of finished trials of searches, which are no part of the two numbers above."""
    num_interrupted: int = 0
    """The number of finished trials, searched or not, that took several attempts."""
    verdict: str = ""
    """The most important finding, in a sentence; empty without finished trials."""
    problem: str = ""
    """Why the study, or its verdict, cannot be read."""
    last_finished_at: str | None = None
    """The end of the last trial, in UTC, ISO 8601."""
    size_bytes: int
    """The size of all its files."""


def list_studies(runs: Path) -> Iterator[ListedStudy]:
    """Describe each study of a runs folder.

    Args:
        runs: the runs folder.

    Yields:
        The studies in the order of their names. A study that cannot be read is one of them.

    Raises:
        StoreError: there is no such folder on this machine.
    """
    if is_uri(str(runs)) or not runs.is_dir():
        hint = "give the folder that submit's --runs named; `agnews-ray jobs` lists a cluster's"
        found = "a URI" if is_uri(str(runs)) else "no such folder"
        raise StoreError(str(runs), "a runs folder on this machine", found, hint)
    for study_file in sorted(runs.glob("*/study.yaml")):
        yield describe_study(study_file.parent)


def describe_study(folder: Path) -> ListedStudy:
    """Describe a study: question, progress, verdict, size.

    Args:
        folder: ``runs/<study>``.

    Returns:
        The description; if the study cannot be read, it says why.
    """
    store = StudyStore.at(folder)
    size_bytes = _size_of(folder)
    try:
        study = store.load_study()
        records = store.finished().records
    except AgnewsError as error:
        return ListedStudy(
            name=folder.name,
            folder=str(folder),
            state="unreadable",
            problem=str(error),
            size_bytes=size_bytes,
        )
    if study is None:  # removed since it was listed
        raise StoreError(str(folder), "a study", "none any more", "list the studies again")
    done = _of_study(study, records)
    verdict, problem = _verdict(folder) if of_table(records) else ("", "")
    num_trials = len(study.models) * len(study.train_shares) * len(study.seeds)
    return ListedStudy(
        name=folder.name,
        folder=str(folder),
        question=study.question,
        models=tuple(variant.name for variant in study.models),
        state=_state(store, len(done) == num_trials),
        num_finished=len(done),
        num_trials=num_trials,
        num_searched=len(searched(records)),
        num_interrupted=sum(len(record.attempts) > 1 for record in records),
        verdict=verdict,
        problem=problem,
        last_finished_at=max((record.created_at for record in records), default=None),
        size_bytes=size_bytes,
    )


def _size_of(folder: Path) -> int:
    """Add up the sizes of all files; a running study removes some of them meanwhile."""
    size_bytes = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                size_bytes += Path(parent, name).stat().st_size
    return size_bytes


def _of_study(study: StudySpec, records: tuple[TrialRecord, ...]) -> set[tuple[str, float, int]]:
    """Return variant, share of the train rows and seed of the study's trials that have finished."""
    names = [variant.name for variant in study.models]
    planned = set(product(names, study.train_shares, study.seeds))
    done = [one for one in fine_tuned(records) if one.search is None]
    return planned & {(r.variant.name, r.train_share, r.seed) for r in done}


def _state(store: StudyStore, is_finished: bool) -> StudyState:
    if store.is_written_now():
        return "running"
    return "finished" if is_finished else "unfinished"


def _verdict(folder: Path) -> tuple[str, str]:
    """Return the most important finding, or why there is none."""
    try:
        return sentences.conclusion(assess_study(folder))[0], ""
    except AgnewsError as error:
        return "", str(error)

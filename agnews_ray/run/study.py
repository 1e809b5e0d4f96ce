"""Which trials of a study run when: tokenise once per tokenizer, then trial by trial."""

import hashlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from transformers import PreTrainedTokenizerFast

from agnews_ray.data.sample import sample_by_length
from agnews_ray.data.scan import ScannedDataset
from agnews_ray.data.stream import tokenise_split
from agnews_ray.engine.preflight import Findings, Setting, look_at
from agnews_ray.errors import AgnewsError, TrialError
from agnews_ray.model.tokenizer import (
    LoadedTokenizer,
    check_max_length,
    encoder_json,
    load_trained_tokenizer,
    ready_tokenizer,
    train_tokenizer,
)
from agnews_ray.plan.trials import PlannedTrial, content_hash
from agnews_ray.record.schema import DatasetRecord, TrialRecord
from agnews_ray.run.progress import TrialProgress
from agnews_ray.run.trainer import TokenisedData, TrialRunner
from agnews_ray.spec.study import DataSpec, Device, Precision, VariantSpec

POLL_S = 0.5

NUM_REPLAYED = 8
"""Test rows on which a saved model is held against what was recorded."""

NUM_LOOKED_AT = 1000
"""Train rows in which unknown pieces are counted."""

logger = logging.getLogger(__name__)


class StudyWatcher(Protocol):
    """Whoever is told what happens in a running study, always from the calling thread."""

    def note(self, text: str) -> None:
        """A line about the whole study."""

    def tokenised(self, variant: str, split: str, done: int, total: int) -> None:
        """Rows tokenised so far."""

    def started(self, trial: PlannedTrial) -> None:
        """A trial's workers are being started."""

    def waiting(self, trial: PlannedTrial, reason: str) -> None:
        """A started trial has no workers yet, and why."""

    def progress(self, progress: TrialProgress) -> None:
        """A trial's latest step or phase."""

    def finished(self, trial: PlannedTrial, record: TrialRecord) -> None:
        """A trial's record is in its place."""

    def failed(self, trial: PlannedTrial, error: AgnewsError) -> None:
        """A trial ended without a record."""


class Room(Protocol):
    """Where trials run: how many fit, and what one waits for."""

    def num_at_once(self) -> int:
        """Trials that may run side by side now, at least 1."""

    def missing(self) -> str | None:
        """What a trial without workers waits for; None where there is room for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRoom:
    """This machine's: what was counted before."""

    count: int

    def num_at_once(self) -> int:
        return self.count

    def missing(self) -> str | None:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the trials of one call ended."""

    finished: tuple[TrialRecord, ...]
    failed: dict[str, AgnewsError] = field(default_factory=dict)
    """Error by trial id."""


def run_trials(
    trials: Sequence[PlannedTrial],
    runner: TrialRunner,
    load_data: Callable[[PlannedTrial], TokenisedData],
    room: Room,
    started_at: float,
    watcher: StudyWatcher,
) -> Outcome:
    """Run trials, several at once where there are GPUs for it; one failure stops no other.

    Args:
        trials: not yet finished.
        runner: runs one.
        load_data: gives a trial's tokenised data; called in the trials' order.
        room: says how many trials go side by side.
        started_at: Unix time of ``submit``, for the first trial's seconds to its first step.
        watcher: told what happens.

    Returns:
        Records and errors. Raises whatever interrupts the calling thread.
    """
    waiting = list(trials)
    done: queue.Queue[tuple[PlannedTrial, TrialRecord | AgnewsError]] = queue.Queue()
    finished: list[TrialRecord] = []
    failed: dict[str, AgnewsError] = {}
    running: dict[str, PlannedTrial] = {}
    while waiting or running:
        if waiting and len(running) < room.num_at_once():
            trial = waiting.pop(0)
            since = started_at if trial is trials[0] else time.time()
            watcher.started(trial)
            try:
                data = load_data(trial)
            except Exception as error:  # noqa: BLE001  # whatever it is, the other trials go on
                done.put((trial, _ours(trial, error)))
            else:
                _start(runner, trial, data, since, done)
            running[trial.trial_id] = trial
            continue
        try:
            trial, result = done.get(timeout=POLL_S)
        except queue.Empty:
            _tell(runner.progress(running), running, room, watcher)
            continue
        del running[trial.trial_id]
        if isinstance(result, TrialRecord):
            finished.append(result)
            watcher.finished(trial, result)
        else:
            failed[trial.trial_id] = result
            watcher.failed(trial, result)
    return Outcome(finished=tuple(finished), failed=failed)


def _tell(
    latest: Sequence[TrialProgress],
    running: dict[str, PlannedTrial],
    room: Room,
    watcher: StudyWatcher,
) -> None:
    for progress in latest:
        watcher.progress(progress)
    without_workers = running.keys() - {progress.trial_id for progress in latest}
    missing = room.missing() if without_workers else None
    if missing:
        for trial_id in sorted(without_workers):
            watcher.waiting(running[trial_id], missing)


class TokenisedCache:
    """Loads each tokenizer and tokenises each split once, keeping both on disk."""

    def __init__(
        self,
        scanned: ScannedDataset,
        spec: DataSpec,
        cache: Path,
        on_tokenised: Callable[[str, str, int, int], None],
    ) -> None:
        self._scanned = scanned
        self._spec = spec
        self._cache = cache
        self._on_tokenised = on_tokenised
        self._tokenizers: dict[str, LoadedTokenizer] = {}
        self._findings: dict[str, Findings] = {}
        self._texts: tuple[str, ...] | None = None

    def tokenizer(self, variant: VariantSpec) -> PreTrainedTokenizerFast:
        """Load a variant's tokenizer, or train it on the train split for fresh weights.

        Args:
            variant: named.

        Returns:
            The tokenizer; the same object every time.

        Raises:
            HubError: neither the hub nor its cache has it.
            ModelError: it cannot be loaded.
        """
        if variant.name not in self._tokenizers:
            if variant.init == "random":
                ready = LoadedTokenizer(tokenizer=self._trained(variant), notes=())
            else:
                ready = ready_tokenizer(variant)
            check_max_length(variant, ready.tokenizer, self._spec.max_length_tokens)
            self._tokenizers[variant.name] = ready
        return self._tokenizers[variant.name].tokenizer

    def look_at(
        self, variant: VariantSpec, precision: Precision, device: Device, trains_on: Device
    ) -> Findings:
        """Look at a variant's model before it is trained.

        Args:
            variant: named.
            precision: wanted.
            device: where its first pass is made.
            trains_on: where it will be trained.

        Returns:
            What was found; kept for its trials' records.

        Raises:
            HubError: neither the hub nor its cache has it.
            ModelError: it cannot be loaded or trained.
        """
        self.tokenizer(variant)
        if self._texts is None:
            rows = sample_by_length(self._scanned.train, NUM_LOOKED_AT)
            self._texts = tuple(text for _, text in rows)
        setting = Setting(
            class_names=self._scanned.record.class_names,
            max_length_tokens=self._spec.max_length_tokens,
            precision=precision,
            device=device,
            trains_on=trains_on,
        )
        found = look_at(variant, self._tokenizers[variant.name], self._texts, setting)
        self._findings[variant.name] = found
        return found

    def load(self, trial: PlannedTrial) -> TokenisedData:
        """Tokenise the splits for a trial, or find them from an earlier run.

        Args:
            trial: names the variant.

        Returns:
            The tokenised splits.
        """
        tokenizer = self.tokenizer(trial.variant)
        encoder = encoder_json(tokenizer, self._spec.max_length_tokens)
        folder = self._cache / "tokenised" / self._key(self._scanned.record, encoder)
        rows = {"train": self._scanned.train, "test": self._scanned.test}
        if self._scanned.validation.num_rows:
            rows["validation"] = self._scanned.validation
        splits = {}
        for name, split in rows.items():

            def report(done: int, name: str = name, total: int = split.num_rows) -> None:
                self._on_tokenised(trial.variant.name, name, done, total)

            path = folder / f"{name}.parquet"
            splits[name] = tokenise_split(split, encoder, path, self._spec.max_resident_mb, report)
        replayed = sample_by_length(self._scanned.test, NUM_REPLAYED)
        return TokenisedData(
            tokenizer=tokenizer,
            splits=splits,
            findings=self._findings.get(trial.variant.name),
            replayed=replayed,
        )

    def _trained(self, variant: VariantSpec) -> PreTrainedTokenizerFast:
        sizes = variant.architecture.vocab_size if variant.architecture else None
        key = self._key(self._scanned.record, f"wordpiece-{sizes}")
        folder = self._cache / "tokenizers" / key
        if not (folder / "tokenizer.json").is_file():
            train = self._scanned.train

            def texts() -> Iterator[str]:
                for index in range(len(train.files)):
                    for table in train.iter_selected(index):
                        yield from table["text"].to_pylist()

            partial = folder.with_suffix(f".{os.getpid()}.partial")
            train_tokenizer(texts, variant).save_pretrained(partial)
            if not folder.exists():  # another study may have been as fast
                partial.replace(folder)
        return load_trained_tokenizer(folder)

    def _key(self, dataset: DatasetRecord, tokenizer: str) -> str:
        """Hash all that a tokenised split depends on."""
        rows = {"limit_train", "limit_test", "validation_fraction", "split_seed"}
        content = [
            dataset.fingerprint,
            self._spec.model_dump(include=rows),
            hashlib.sha256(tokenizer.encode()).hexdigest(),
        ]
        return content_hash(content, 20)


def _start(
    runner: TrialRunner,
    trial: PlannedTrial,
    data: TokenisedData,
    started_at: float,
    done: "queue.Queue[tuple[PlannedTrial, TrialRecord | AgnewsError]]",
) -> None:
    """Run a trial in a daemon thread: an interrupt must not wait for it."""

    def target() -> None:
        try:
            done.put((trial, runner.run(trial, data, started_at)))
        except Exception as error:  # noqa: BLE001  # whatever it is, the other trials go on
            done.put((trial, _ours(trial, error)))

    threading.Thread(target=target, name=trial.trial_id, daemon=True).start()


def _ours(trial: PlannedTrial, error: Exception) -> AgnewsError:
    """Give our own error as it is, and any other as a ``TrialError`` that names it."""
    if isinstance(error, AgnewsError):
        return error
    logger.error("trial %s failed", trial.trial_id, exc_info=error)
    found = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    hint = "read Ray's log, mend the cause and submit again"
    return TrialError(f"trial {trial.trial_id}", "a finished run", found, hint)

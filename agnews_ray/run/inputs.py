"""The inputs of trials: tokenizers and tokenised splits, each made once and kept on disk."""

import dataclasses
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from transformers import PreTrainedTokenizerFast

from agnews_ray.data.cached import cache_key, kept_folder
from agnews_ray.data.sample import sample_by_length
from agnews_ray.data.scan import ScannedDataset, SplitRows
from agnews_ray.data.stream import TokenisedSplit
from agnews_ray.data.subsets import as_bits
from agnews_ray.data.tokenised import (
    digest,
    fingerprints,
    tokenised_splits,
    used_rows,
    with_transfer,
)
from agnews_ray.data.unlabelled import ScannedTexts
from agnews_ray.engine.first_pass import Setting
from agnews_ray.engine.preflight import Findings, look_at
from agnews_ray.model.tokenizer import (
    TRAINED_VERSION,
    LoadedTokenizer,
    check_max_length,
    encoder_json,
    load_trained_tokenizer,
    ready_tokenizer,
    train_tokenizer,
)
from agnews_ray.model.zoo import architecture, encoder_of, sizes
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.distillation import TransferSpec
from agnews_ray.spec.linear_models import is_linear
from agnews_ray.spec.variant import VariantSpec

NUM_REPLAYED = 8
"""The number of test rows on which a saved model's logits are compared with the recorded ones."""

NUM_LOOKED_AT = 1000
"""The number of train rows in which unknown pieces are counted."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialInputs:
    """One tokenizer and the splits tokenised with it, ready for the workers."""

    tokenizer: PreTrainedTokenizerFast
    splits: dict[str, TokenisedSplit]
    """The tokenised splits by name: train, test, and validation if there is one."""
    train_rows: bytes | None = None
    """The numbers of the train rows to use, as bits (``data.subsets``); None for all."""
    findings: Findings | None = None
    """The findings about the model before its training."""
    replayed: tuple[tuple[int, str], ...] = ()
    """The numbers and texts of test rows on which an artifact's logits are compared with the
    recorded ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearInputs:
    """The rows of a linear model's trials, as texts."""

    splits: dict[str, SplitRows]
    """The splits by name: train, test, and validation if there is one."""
    findings: Findings | None = None
    """The findings about the encoder, if the model has one."""
    replayed: tuple[tuple[int, str], ...] = ()
    """As in ``TrialInputs``."""


Inputs = TrialInputs | LinearInputs
"""What a trial is run on."""


class InputCache:
    """A cache that loads each tokenizer and tokenises each split once, and keeps both on disk.

    Args:
        scanned: the dataset.
        spec: the settings of its use.
        cache: the folder on disk.
        on_tokenised: the function that gets variant, split, rows done, rows in total.
        note: the function that gets a line when a kept file was damaged and is made again.
        texts: the texts without labels, by their source.
    """

    def __init__(
        self,
        scanned: ScannedDataset,
        spec: DataSpec,
        cache: Path,
        on_tokenised: Callable[[str, str, int, int], None],
        note: Callable[[str], None] = logger.warning,
        texts: Mapping[TransferSpec, ScannedTexts] = MappingProxyType({}),
    ) -> None:
        self._scanned = scanned
        self._spec = spec
        self._texts_without_labels = texts
        self._cache = cache
        self._on_tokenised = on_tokenised
        self.note = note
        self._tokenizers: dict[VariantSpec, LoadedTokenizer] = {}
        self._findings: dict[VariantSpec, Findings] = {}
        self._texts: tuple[str, ...] | None = None

    def tokenizer(self, variant: VariantSpec) -> PreTrainedTokenizerFast:
        """Load a variant's tokenizer, or train it on the train split for fresh weights.

        A trial with a share of the train rows has the tokenizer of all of them, which has seen the
        other rows' texts, but not their labels.

        Args:
            variant: a variant with a name, not a linear one.

        Returns:
            The tokenizer; the same object every time.

        Raises:
            HubError: neither the hub nor its cache has it.
            ModelError: it cannot be loaded.
        """
        key = _untrained(variant)
        if key not in self._tokenizers:
            if variant.init == "random":
                ready = LoadedTokenizer(tokenizer=self._trained(variant), notes=())
            else:
                ready = ready_tokenizer(variant)
            check_max_length(variant, ready.tokenizer, self._spec.max_length_tokens)
            self._tokenizers[key] = ready
        return self._tokenizers[key].tokenizer

    def look_at(
        self, variant: VariantSpec, precision: Precision, device: Device, trains_on: Device
    ) -> Findings:
        """Check a variant's model before it is trained.

        Args:
            variant: a variant with a name.
            precision: the wanted precision.
            device: the device of its first pass.
            trains_on: the device of its training.

        Returns:
            The findings, which are also kept for its trials' records.

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
        key = _untrained(variant)
        found = look_at(variant, self._tokenizers[key], self._texts, setting)
        self._findings[key] = found
        return found

    def load(self, trial: PlannedTrial) -> Inputs:
        """Tokenise the splits for a trial, or load those of an earlier run.

        Args:
            trial: the trial, which has the variant.

        Returns:
            The trial's inputs; those of a linear model are only named here.
        """
        variant = encoder_of(trial.variant) or trial.variant
        findings = self._findings.get(_untrained(variant))
        replayed = sample_by_length(self._scanned.test, NUM_REPLAYED)
        if is_linear(trial.variant.model):
            rows, share = used_rows(self._scanned), trial.train_share
            if share < 1:
                chosen = self._scanned.train_rows_of(share, self._spec.split_seed)
                rows["train"] = dataclasses.replace(rows["train"], rows=chosen)
            return LinearInputs(splits=rows, findings=findings, replayed=replayed)
        tokenizer = self.tokenizer(trial.variant)
        encoder = encoder_json(tokenizer, self._spec.max_length_tokens)

        def report(split: str, done: int, total: int) -> None:
            self._on_tokenised(trial.variant.name, split, done, total)

        limit_mb = self._spec.max_resident_mb
        splits = tokenised_splits(self._scanned, encoder, self._cache, limit_mb, report, self._tell)
        if trial.transfer is not None:
            texts = self._texts_without_labels[trial.transfer]
            told = partial(report, "texts", total=texts.rows.num_rows)
            splits = with_transfer(splits, texts, encoder, limit_mb, told, self._tell)
        if trial.work != "fine-tuning":  # they score no validation split
            wanted = ("train", "test") if trial.scores_test else ("train",)
            splits = {name: splits[name] for name in wanted}
        return TrialInputs(
            tokenizer=tokenizer,
            splits=splits,
            train_rows=self._train_rows(trial.train_share),
            findings=findings,
            replayed=replayed,
        )

    def _train_rows(self, share: float) -> bytes | None:
        """Choose the rows of a share; they are tokenised once, with all others."""
        if share == 1:
            return None
        return as_bits(self._scanned.train_rows_of(share, self._spec.split_seed))

    def _trained(self, variant: VariantSpec) -> PreTrainedTokenizerFast:
        train = self._scanned.train

        def texts() -> Iterator[str]:
            for index in range(len(train.files)):
                for table in train.iter_selected(index):
                    yield from table["text"].to_pylist()

        known, vocab_size = architecture(variant), sizes(variant)["vocab_size"]
        key = tokenizer_key(self._scanned, vocab_size, known.pad_id, known.max_length_tokens)
        folder = kept_folder(
            self._cache / "tokenizers" / key,
            lambda new: train_tokenizer(texts, variant).save_pretrained(new),
            self._tell,
        )
        return load_trained_tokenizer(folder)

    def _tell(self, line: str) -> None:
        self.note(f"note  {line}")


def _untrained(variant: VariantSpec) -> VariantSpec:
    """Return what two variants have in common that differ only in name and training."""
    own = {"name": "", "recipe": None, "pretraining": None, "distillation": None}
    return variant.model_copy(update=own)


def tokenizer_key(scanned: ScannedDataset, *settings: int) -> str:
    """Make a name from everything that a tokenizer trained on the train split depends on.

    Args:
        scanned: the dataset.
        settings: the largest size of the vocabulary, the padding's id, the longest row in tokens.

    Returns:
        The name of its folder.
    """
    content = [fingerprints(scanned), digest(scanned.train.rows.tobytes()), *settings]
    return cache_key(content, TRAINED_VERSION, ["tokenizers", "transformers"])

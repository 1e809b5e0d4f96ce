"""What trials train on: each tokenizer loaded, each split tokenised, once, and kept on disk."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from transformers import PreTrainedTokenizerFast

from agnews_ray.data.sample import sample_by_length
from agnews_ray.data.scan import ScannedDataset
from agnews_ray.data.stream import tokenise_split
from agnews_ray.engine.preflight import Findings, Setting, look_at
from agnews_ray.model.tokenizer import (
    LoadedTokenizer,
    check_max_length,
    encoder_json,
    load_trained_tokenizer,
    ready_tokenizer,
    train_tokenizer,
)
from agnews_ray.plan.trials import PlannedTrial, content_hash
from agnews_ray.record.schema import DatasetRecord
from agnews_ray.run.trainer import TokenisedData
from agnews_ray.spec.study import DataSpec, Device, Precision, VariantSpec

NUM_REPLAYED = 8
"""Test rows on which a saved model is held against what was recorded."""

NUM_LOOKED_AT = 1000
"""Train rows in which unknown pieces are counted."""


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

"""The rows and tokenizers with which a study's variants are probed."""

import time

import pyarrow as pa

from agnews_ray.bench.probe import NUM_REPLAYED, ProbeTask
from agnews_ray.bench.probe_request import ProbeRequest
from agnews_ray.data.batches import TokenisedRows
from agnews_ray.data.encode import make_encoder
from agnews_ray.data.sample import sample_evenly
from agnews_ray.data.tokenised import digest
from agnews_ray.engine.first_pass import reason_of
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.tokenizer import encoder_json
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.run.inputs import InputCache

NUM_TRAIN_ROWS, NUM_TEST_ROWS = 2000, 1000
"""The number of rows whose lengths stand for those of a split."""


class ProbeTasks:
    """Makes the task of each variant; the rows are read once for all.

    Args:
        request: the variants.
        inputs: their tokenizers.
    """

    def __init__(self, request: ProbeRequest, inputs: InputCache) -> None:
        self._request, self._inputs = request, inputs
        self._samples: tuple[pa.Table, pa.Table] | None = None

    def make_all(self) -> dict[str, ProbeTask | str]:
        """Make the task of each variant, by its name; or say why there is none."""
        found: dict[str, ProbeTask | str] = {}
        for trial in self._request.trials:
            try:
                found[trial.variant.name] = self.make(trial)
            except Exception as error:  # noqa: BLE001  # the others are measured
                found[trial.variant.name] = reason_of(error)
        return found

    def make(self, trial: PlannedTrial) -> ProbeTask:
        """Tokenise a few rows with a variant's tokenizer.

        Args:
            trial: a trial of the variant.

        Raises:
            AgnewsError: its tokenizer cannot be loaded.
        """
        request, tokenizer = self._request, self._inputs.tokenizer(trial.variant)
        if self._samples is None:
            train, test = request.scanned.train, request.scanned.test
            self._samples = sample_evenly(train, NUM_TRAIN_ROWS), sample_evenly(test, NUM_TEST_ROWS)
        train_texts, test_texts = self._samples
        encoder = encoder_json(tokenizer, request.data.max_length_tokens)
        encode = make_encoder(encoder)
        encode(train_texts.slice(0, 1))  # makes the tokenizer
        start = time.perf_counter()
        train = encode(train_texts)
        texts_per_second = len(train_texts) / (time.perf_counter() - start)
        record = request.scanned.record
        return ProbeTask(
            variant=trial.variant,
            recipe=trial.recipe,
            precision=trial.precision,
            class_weights=trial.class_weights,
            device=trial.device,
            num_threads=request.num_threads,
            num_workers=request.num_workers,
            seed=trial.seed,
            facts=ArtifactFacts(
                class_names=record.class_names,
                max_length_tokens=request.data.max_length_tokens,
                text_columns=record.text_columns,
                label_kind=record.label_kind,
            ),
            tokenizer=tokenizer,
            tokenizer_hash=digest(encoder.encode())[:20],
            texts_per_second=texts_per_second,
            train=TokenisedRows.from_table(train),
            test=TokenisedRows.from_table(encode(test_texts)),
            texts=tuple(test_texts["text"].slice(0, NUM_REPLAYED).to_pylist()),
        )

"""A finished artifact, used as its user does: from texts to probabilities."""

import gc
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.forward import compute_logits
from agnews_ray.model.linear_classifier import LinearClassifier, has_encoder, is_linear_artifact
from agnews_ray.model.memory import peak_memory_bytes
from agnews_ray.model.tokenizer import quieten
from agnews_ray.spec.base import Device, Precision

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}
"""The types of weights and matrix products, by precision."""


class Classifier:
    """A trained classifier on one device, fine-tuned or linear.

    Args:
        folder: an artifact, written by a trial.
        max_length_tokens: longer texts are truncated, as in training; None takes the length that
            the artifact was trained on.
        device: the device that computes; TF-IDF is computed on the CPU, whatever it is.
        precision: the precision of weights and arithmetic; TF-IDF is always in fp32.
    """

    def __init__(
        self, folder: Path, max_length_tokens: int | None, device: Device, precision: Precision
    ) -> None:
        quieten()
        self.device = torch.device(device)
        self.precision = precision
        self.facts = ArtifactFacts.read(folder)
        """What the artifact says of itself; None of an old one."""
        own = self.facts.max_length_tokens if self.facts else None
        length = own if max_length_tokens is None else max_length_tokens
        names: tuple[str, ...] = ()
        self._model: LinearClassifier | _FineTuned
        if is_linear_artifact(folder):
            self._model = LinearClassifier.load(folder, length, device, DTYPES[precision])
            if not has_encoder(folder):
                self.device, self.precision = torch.device("cpu"), "fp32"
        else:
            self._model = _FineTuned(folder, length, self.device, precision)
            names = self._model.class_names
        self.class_names = self.facts.class_names if self.facts else names
        """C names, in the order of the probabilities."""

    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Classify texts.

        Args:
            texts: B texts.

        Returns:
            Shape (B, C): the probabilities, on the CPU, so that the device has finished its work.
            Those of an SVM are the softmax of its decision values and not calibrated.
        """
        return torch.as_tensor(self._model.logits(texts)).softmax(dim=-1)

    def num_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens after truncation, with the special tokens; TF-IDF: its terms."""
        return self._model.num_tokens(texts)


class _FineTuned:
    """A transformers classifier with its tokenizer."""

    def __init__(
        self,
        folder: Path,
        max_length_tokens: int | None,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        model = AutoModelForSequenceClassification.from_pretrained(
            folder, dtype=DTYPES[precision], use_safetensors=True, trust_remote_code=False
        )
        self._model = model.to(device).eval()
        own = self._tokenizer.model_max_length
        self._max_length = own if max_length_tokens is None else max_length_tokens
        labels = model.config.id2label
        self.class_names = tuple(str(labels[index]) for index in range(model.config.num_labels))

    def logits(self, texts: Sequence[str]) -> torch.Tensor:
        """Compute logits, shape (B, C), on the CPU."""
        batch = self._tokenizer(
            list(texts),
            truncation=True,
            max_length=self._max_length,
            padding=True,
            return_tensors="pt",
        )
        ids, mask = batch["input_ids"], batch["attention_mask"]
        if ids.shape[1] == 0:  # a decoder gets no token for an empty text: give it padding
            ids = torch.full((len(texts), 1), self._tokenizer.pad_token_id or 0)
            mask = torch.ones_like(ids)
        return compute_logits(self._model, ids, mask)

    def num_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens after truncation, with the special tokens."""
        encoded = self._tokenizer(list(texts), truncation=True, max_length=self._max_length)
        return [len(ids) for ids in encoded["input_ids"]]


def can_run_on(folder: Path, device: Device) -> bool:
    """Whether an artifact is computed on a device: TF-IDF is on the CPU alone."""
    return device == "cpu" or not is_linear_artifact(folder) or has_encoder(folder)


def is_artifact(folder: Path) -> bool:
    """Whether a folder holds a trained classifier of any kind."""
    return is_linear_artifact(folder) or (folder / "config.json").is_file()


def probe(
    folder: Path,
    texts: Sequence[str],
    max_length_tokens: int,
    device: Device,
    precision: Precision,
    num_threads: int,
) -> tuple[float, int]:
    """Load and use an artifact in a process that does nothing else.

    Args:
        folder: the artifact.
        texts: classified 64 at a time.
        max_length_tokens: longer texts are truncated.
        device: the device that computes.
        precision: the precision of weights and arithmetic.
        num_threads: the number of CPU threads for torch.

    Returns:
        Seconds to load weights and tokenizer (median of three, files cached), and the peak
        memory in bytes: the GPU's, or on a CPU the resident memory with torch and transformers.
    """
    torch.set_num_threads(num_threads)
    seconds = []
    for _ in range(3):
        gc.collect()  # only one model in memory
        start = time.perf_counter()
        classifier = Classifier(folder, max_length_tokens, device, precision)
        if device == "cuda":
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
        if len(seconds) < 3:
            del classifier
    for first in range(0, len(texts), 64):
        classifier(texts[first : first + 64])
    return median(seconds), peak_memory_bytes(torch.device(device))

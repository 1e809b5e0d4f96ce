"""A linear classifier on fixed features of texts, and its artifact."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from agnews_ray.errors import StoreError
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.embedding import EmbeddingFeatures
from agnews_ray.model.tfidf import TfidfFeatures
from agnews_ray.record.json_text import to_json
from agnews_ray.spec.base import Device

SETTINGS_FILE = "linear.json"
"""The file that says which features the classifier has; an artifact without it is fine-tuned."""

WEIGHTS_FILE = "linear.safetensors"

VERSION = 1


class Features(Protocol):
    """The fixed features of a linear classifier."""

    @property
    def kind(self) -> str:
        """``tfidf`` or ``embedding``."""

    @property
    def num_parameters(self) -> int:
        """The number of numbers in it."""

    def __call__(self, texts: Sequence[str]) -> Any:
        """Turn B texts into an array or a sparse matrix, shape (B, F), float32."""

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """Count what each text is read as: tokens of an encoder, terms of TF-IDF."""

    def save(self, folder: Path) -> int:
        """Write it into an artifact's folder, and return the size in bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearClassifier:
    """A linear classifier on fixed features."""

    features: Features
    coefficients: NDArray[np.float32]
    """Shape (C, F)."""
    intercepts: NDArray[np.float32]
    """Shape (C,)."""

    @property
    def num_parameters(self) -> int:
        """All fitted numbers, an encoder's included."""
        return self.features.num_parameters + self.coefficients.size + self.intercepts.size

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Compute the value of each class.

        Args:
            texts: B texts.

        Returns:
            Shape (B, C). Their softmax is what a logistic regression gives as probabilities. An SVM
            has none: its decision values are used as if they were logits, which orders the classes
            as it does, but is not calibrated.
        """
        return self.of_features(self.features(texts))

    def of_features(self, features: Any) -> NDArray[np.float32]:
        """Compute the same from features, shape (B, F)."""
        values: NDArray[np.float32] = np.asarray(features @ self.coefficients.T) + self.intercepts
        return values.astype(np.float32)

    def num_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count what each text is read as: an encoder's tokens, or the known terms of TF-IDF."""
        return self.features.sizes(texts)

    def save(self, folder: Path, facts: ArtifactFacts) -> int:
        """Write an artifact that is read without unpickling anything.

        Args:
            folder: the folder to write; it is created if missing.
            facts: what the classifier was trained on.

        Returns:
            The size of weights and vocabulary in bytes.
        """
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {"coefficients": self.coefficients, "intercepts": self.intercepts}
        if isinstance(self.features, TfidfFeatures):
            arrays["inverse_document_frequencies"] = self.features.weights
        save_file({name: np.ascontiguousarray(a) for name, a in arrays.items()},
                  folder / WEIGHTS_FILE)  # fmt: skip
        size = (folder / WEIGHTS_FILE).stat().st_size + self.features.save(folder)
        settings = {"version": VERSION, "features": self.features.kind}
        (folder / SETTINGS_FILE).write_text(to_json(settings) + "\n", encoding="utf-8")
        facts.write(folder)
        return size

    @classmethod
    def load(
        cls,
        folder: Path,
        max_length_tokens: int | None = None,
        device: Device = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> "LinearClassifier":
        """Read an artifact.

        Args:
            folder: the artifact.
            max_length_tokens: the length to which an encoder's texts are truncated; None takes the
                one of training.
            device: the device of an encoder.
            dtype: the type of an encoder's weights.

        Raises:
            StoreError: a newer version of this package wrote it, or files are damaged.
        """
        try:
            kind = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
            arrays = load_file(folder / WEIGHTS_FILE)
            if kind == {"version": VERSION, "features": "tfidf"}:
                weights = arrays["inverse_document_frequencies"]
                features: Features = TfidfFeatures.load(folder, weights)
            elif kind == {"version": VERSION, "features": "embedding"}:
                features = EmbeddingFeatures.load(folder, max_length_tokens, device, dtype)
            else:
                raise ValueError(f"unknown: {kind}")  # noqa: TRY301
            return cls(
                features=features,
                coefficients=arrays["coefficients"],
                intercepts=arrays["intercepts"],
            )
        except Exception as error:  # each library raises errors of its own
            found = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            hint = "upgrade agnews-ray, or delete the trial's folder and submit again"
            raise StoreError(str(folder), "the files of a linear model", found, hint) from error


def is_linear_artifact(folder: Path) -> bool:
    """Whether an artifact holds a linear classifier, not a fine-tuned one."""
    return (folder / SETTINGS_FILE).is_file()


def head_shape(folder: Path) -> tuple[int, int]:
    """Return the numbers of classes and features of a linear artifact."""
    with safe_open(folder / WEIGHTS_FILE, "numpy") as file:
        num_classes, num_features = file.get_slice("coefficients").get_shape()
        return num_classes, num_features


def has_encoder(folder: Path) -> bool:
    """Whether the features of a linear artifact are an encoder's."""
    content = json.loads((folder / SETTINGS_FILE).read_text(encoding="utf-8"))
    return bool(content["features"] == EmbeddingFeatures.kind)

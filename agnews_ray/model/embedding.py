"""Embeddings of texts: the mean of the token vectors of a frozen encoder.

The mean over all tokens, special ones included, is what sentence encoders are trained for, and the
one pooling that every encoder has: a first token that was not fine-tuned says little.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.utils.rnn import pad_sequence
from transformers import AutoModel, AutoTokenizer, PreTrainedTokenizerFast

from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.build import build_with_notes, num_parameters
from agnews_ray.model.saving import as_used
from agnews_ray.model.tokenizer import quieten, ready_tokenizer
from agnews_ray.spec.base import Device
from agnews_ray.spec.variant import VariantSpec

BATCH_ROWS = 64
"""The number of rows of a forward pass."""

WINDOW_ROWS = 4096
"""The number of rows that are tokenised at once and then put into batches of similar length."""

ENCODER_FOLDER = "encoder"
"""The encoder's place in an artifact: below it, so that no one loads the artifact as a fine-tuned
classifier, which would get a random head."""


def _not_told(num_rows: int) -> None:
    """Take the number of finished rows."""


class EmbeddingFeatures:
    """Turns texts into vectors.

    Args:
        encoder: a transformers model without a head, on its device.
        tokenizer: its tokenizer.
        max_length_tokens: longer texts are truncated.
    """

    kind = "embedding"

    def __init__(
        self, encoder: Any, tokenizer: PreTrainedTokenizerFast, max_length_tokens: int
    ) -> None:
        self._encoder = encoder.eval().requires_grad_(False)
        self._tokenizer = tokenizer
        self._max_length = max_length_tokens
        self.num_parameters = num_parameters(encoder)

    @classmethod
    def of_pretrained(cls, encoder: VariantSpec, max_length_tokens: int) -> "EmbeddingFeatures":
        """Load an encoder as for fine-tuning, with the same checks, in float32 on the CPU.

        Args:
            encoder: the encoder.
            max_length_tokens: longer texts are truncated.

        Raises:
            HubError: neither the hub nor its cache has it.
            ModelError: it cannot be loaded.
        """
        tokenizer = ready_tokenizer(encoder).tokenizer
        classifier = build_with_notes(encoder, ("any", "other"), 0, tokenizer).model
        return cls(classifier.base_model, tokenizer, max_length_tokens)

    def __call__(
        self, texts: Sequence[str], on_rows: Callable[[int], None] = _not_told
    ) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: B texts.
            on_rows: called with the number of rows done so far.

        Returns:
            Shape (B, H).
        """
        width = int(self._encoder.config.get_text_config().hidden_size)
        found = np.empty((len(texts), width), dtype=np.float32)
        for first in range(0, len(texts), WINDOW_ROWS):
            window = texts[first : first + WINDOW_ROWS]
            ids = self._ids(window)
            order = np.argsort([len(row) for row in ids], kind="stable")
            for start in range(0, len(order), BATCH_ROWS):
                rows = order[start : start + BATCH_ROWS]
                found[first + rows] = self._embed([ids[row] for row in rows])
                on_rows(first + start + len(rows))
        return found

    def _ids(self, texts: Sequence[str]) -> list[list[int]]:
        ids: list[list[int]] = self._tokenizer(
            list(texts), truncation=True, max_length=self._max_length
        )["input_ids"]
        padding = [self._tokenizer.pad_token_id or 0]  # a decoder gets no token for an empty text
        return [row or padding for row in ids]

    def _embed(self, ids: list[list[int]]) -> NDArray[np.float32]:
        tokens = self._padded(ids, self._tokenizer.pad_token_id or 0)
        mask = self._padded([[1] * len(row) for row in ids], 0)
        with torch.inference_mode():
            vectors = self._encoder(input_ids=tokens, attention_mask=mask)[0].float()
            is_token = mask[..., None].float()
            mean: torch.Tensor = (vectors * is_token).sum(1) / is_token.sum(1)
        embedded: NDArray[np.float32] = mean.cpu().numpy()
        return embedded

    def _padded(self, rows: list[list[int]], value: int) -> torch.Tensor:
        tensors, side = [torch.tensor(row) for row in rows], self._tokenizer.padding_side
        padded: torch.Tensor = pad_sequence(tensors, True, value, side)
        return padded.to(self._encoder.device)

    def sizes(self, texts: Sequence[str]) -> list[int]:
        """Count each text's tokens after truncation, with the special tokens."""
        return [len(row) for row in self._ids(texts)]

    def save(self, folder: Path) -> int:
        """Write encoder and tokenizer; return the size of the encoder's weights in bytes."""
        there = folder / ENCODER_FOLDER
        self._encoder.save_pretrained(there)
        as_used(self._tokenizer, self._max_length).save_pretrained(there)
        return sum(file.stat().st_size for file in there.glob("*.safetensors"))

    @classmethod
    def load(
        cls, folder: Path, max_length_tokens: int | None, device: Device, dtype: torch.dtype
    ) -> "EmbeddingFeatures":
        """Read encoder and tokenizer of an artifact; the length is the artifact's own if None."""
        quieten()
        there = folder / ENCODER_FOLDER
        tokenizer = AutoTokenizer.from_pretrained(there, trust_remote_code=False)
        encoder = AutoModel.from_pretrained(
            there, dtype=dtype, use_safetensors=True, trust_remote_code=False
        )
        facts = ArtifactFacts.read(folder)
        own = facts.max_length_tokens if facts else tokenizer.model_max_length
        length = own if max_length_tokens is None else max_length_tokens
        return cls(encoder.to(device), tokenizer, length)

"""A forward and backward pass of two rows, and what it says about a model."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from agnews_ray.data.batches import TokenisedRows
from agnews_ray.data.tensors import Batch, rank_share
from agnews_ray.engine.fused.model import fused_model
from agnews_ray.engine.predict import autocast
from agnews_ray.engine.results import Rank
from agnews_ray.errors import ModelError
from agnews_ray.model.artifact import DTYPES
from agnews_ray.model.messages import clipped, refused
from agnews_ray.spec.base import Device, Precision
from agnews_ray.spec.engines import ENGINES
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec

MAX_TOKENS = 1024
"""The most tokens of the longer row; a study's longest rows may have more, and take a minute."""

PADDING_TOLERANCE = 2e-3
"""The largest change of a row's logits by its padding, as a share of the largest logit, that is
accepted because sums are computed in another order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """The setting in which a model will be trained."""

    class_names: tuple[str, ...]
    max_length_tokens: int
    precision: Precision
    device: Device
    """The device of the pass."""
    trains_on: Device
    """The device of the training; a different one if it is on another machine."""


@dataclass(frozen=True, slots=True)
class FirstPass:
    """A model, and the checks of it."""

    variant: VariantSpec
    model: Any
    tokenizer: Any
    setting: Setting

    def check_weights(self) -> None:
        """Refuse weights that are not numbers."""
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(torch.stack(torch.aminmax(parameter.detach()))).all():
                hint = "save the model again from where it was trained, or download it again"
                raise refused(self.variant.model, "weights that are numbers",
                              f"NaN or infinite ones in {name}", hint)  # fmt: skip

    def check_padding(self, rows: TokenisedRows) -> None:
        """Refuse a model whose logits of a row depend on its padding."""
        short = rows.take(np.array([1]))
        try:
            together, alone = (self._logits(some)[-1] for some in (rows, short))
        except Exception as error:
            raise self._cannot(reason_of(error)) from error
        change = float((together - alone).abs().max() / alone.abs().max().clamp(min=1e-9))
        if not change <= PADDING_TOLERANCE:
            hint = "choose another model, whose attention leaves padding out"
            found = f"ones that padding changes by {change:.1%}"
            wanted = "logits of a row that do not depend on the rows beside it"
            raise refused(self.variant.model, wanted, found, hint)

    def choose_precision(self, rows: TokenisedRows) -> tuple[Precision, list[str]]:
        """Make a pass in the wanted precision, and another one in fp32 if the first fails."""
        wanted = self.setting.precision
        failure = self._failure(rows, wanted)
        if failure is None or self._is_of_this_device_only(failure):
            return wanted, []
        if wanted == "fp32" or self._failure(rows, "fp32") is not None:
            raise self._cannot(failure)
        reason = clipped(failure, 100)
        return "fp32", [f"it cannot be trained in {wanted} ({reason}); trained in fp32"]

    def _is_of_this_device_only(self, failure: str) -> bool:
        is_elsewhere = self.setting.device != self.setting.trains_on
        return is_elsewhere and "not implemented for" in failure

    def _cannot(self, failure: str) -> ModelError:
        hint = "choose another model, or tell us its config.json"
        wanted = "a model that computes a forward and backward pass"
        return refused(self.variant.model, wanted, failure, hint)

    def _batch(self, rows: TokenisedRows) -> Batch:
        side = self.tokenizer.padding_side
        return rank_share(rows, 0, 1, self.tokenizer.pad_token_id or 0, padding_side=side)

    def _logits(self, rows: TokenisedRows) -> torch.Tensor:
        """Compute logits in float32, as in scoring."""
        self.model.eval()
        batch = self._batch(rows)
        ids, mask, *_ = (_moved(tensor, self.setting.device) for tensor in batch.tensors)
        with torch.inference_mode():
            logits: torch.Tensor = self.model(input_ids=ids, attention_mask=mask).logits
        return logits.float().cpu()

    def _failure(self, rows: TokenisedRows, precision: Precision) -> str | None:
        """Train on the rows as the variant's engine does, without an update; return the failure."""
        self.model.train()
        try:
            if ENGINES[self.variant.engine].is_ours:
                return self._fused_pass(rows, precision)
            return self._pass(rows, precision)
        except Exception as error:  # noqa: BLE001  # a model's code may raise anything
            return reason_of(error)
        finally:
            self.model.zero_grad(set_to_none=True)

    def _fused_pass(self, rows: TokenisedRows, precision: Precision) -> str | None:
        rank = Rank(device=torch.device(self.setting.device))
        with fused_model(self.model, DTYPES[precision], RecipeSpec(), 1, rank) as fused:
            if fused.embeddings is not None:
                words = np.append(rows.ids, self.tokenizer.pad_token_id or 0)
                fused.embeddings.begin(torch.from_numpy(np.unique(words).astype(np.int64)))
            fused.zero()
            failure = self._pass(rows, precision, is_fused=fused.is_fused)
            if failure is None and not torch.isfinite(fused.gradient_norm()):
                failure = "gradients that are not numbers"
            return failure

    def _pass(
        self, rows: TokenisedRows, precision: Precision, is_fused: bool = False
    ) -> str | None:
        device = torch.device(self.setting.device)
        batch = self._batch(rows)
        ids, mask, labels, _ = (_moved(tensor, device) for tensor in batch.tensors)
        if mask is not None and is_fused:
            mask = mask[:, None, None, :].bool()
        with autocast(device, precision):
            logits = self.model(input_ids=ids, attention_mask=mask).logits
        loss = torch.nn.functional.cross_entropy(logits.float(), labels)
        torch.autograd.backward(loss)
        return None if torch.isfinite(loss) else "a loss that is not a number"


def two_rows(tokenizer: Any, texts: Sequence[str], setting: Setting) -> TokenisedRows:
    """Make a row of the largest length, as it may exceed the model's positions, and a short one."""
    length = min(setting.max_length_tokens, MAX_TOKENS)
    by_length = sorted((text for text in texts if text.strip()), key=len) or ["text"]
    long_text = " ".join(by_length[-20:])
    long_text = " ".join([long_text] * (1 + 8 * length // max(len(long_text), 1)))
    encoded = [
        tokenizer(text, truncation=True, max_length=length)["input_ids"]
        for text in (long_text, by_length[0])
    ]
    lengths = [len(ids) for ids in encoded]
    return TokenisedRows(
        ids=np.concatenate([np.array(ids, np.int64) for ids in encoded]).astype(np.uint32),
        offsets=np.concatenate([[0], np.cumsum(lengths)]),
        labels=np.array([0, len(setting.class_names) - 1]),
        rows=np.arange(2),
    )


def _moved(tensor: torch.Tensor | None, device: Any) -> Any:
    return None if tensor is None else tensor.to(device)


def reason_of(error: Exception) -> str:
    """Write an error of a library on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"

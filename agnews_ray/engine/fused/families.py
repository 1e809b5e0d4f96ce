"""Which encoder families the fused block knows, and where the parts of their blocks are."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from transformers.activations import GELUActivation

from agnews_ray.engine.fused.block import BlockSettings

FIRST_TOKEN_CLASSIFIERS = tuple(
    f"{family}ForSequenceClassification"
    for family in ("Bert", "DistilBert", "Roberta", "XLMRoberta", "Camembert", "Electra")
)
"""transformers' classifiers that look at nothing but the last block's first token."""

BERT_LIKE = ("BertLayer", "RobertaLayer", "XLMRobertaLayer", "ElectraLayer", "CamembertLayer")
"""transformers' blocks with the modules of BERT's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A block's modules in the order in which they are used."""

    projections: tuple[torch.nn.Linear, ...]
    """Query, key, value."""
    out: torch.nn.Linear
    up: torch.nn.Linear
    down: torch.nn.Linear
    norms: tuple[torch.nn.LayerNorm, torch.nn.LayerNorm]
    activation: torch.nn.Module
    settings: BlockSettings

    @property
    def is_fusable(self) -> bool:
        """Whether every part is as the fused block has it, and is trained."""
        is_trained = all(p.requires_grad for p in (*self.matrices, *self.vectors))
        return isinstance(self.activation, GELUActivation) and is_trained

    @property
    def matrices(self) -> list[torch.Tensor]:
        return [linear.weight for linear in self._linears]

    @property
    def vectors(self) -> list[torch.Tensor]:
        norms: list[torch.Tensor] = [p for n in self.norms for p in (n.weight, n.bias)]
        return [linear.bias for linear in self._linears] + norms

    @property
    def _linears(self) -> tuple[torch.nn.Linear, ...]:
        return (*self.projections, self.out, self.up, self.down)


def find_blocks(model: torch.nn.Module) -> Iterator[tuple[torch.nn.Module, Parts]]:
    """Blocks of the families that are known, in their order."""
    for module in model.modules():
        name = type(module).__name__
        if name in BERT_LIKE and not module.is_decoder:
            yield module, _bert_parts(module)
        elif name == "TransformerBlock" and hasattr(module, "sa_layer_norm"):
            yield module, _distilbert_parts(module)


def _bert_parts(layer: Any) -> Parts:
    attention, projection = layer.attention.self, layer.attention.output
    settings = BlockSettings(
        num_heads=attention.num_attention_heads,
        epsilon=projection.LayerNorm.eps,
        attention_dropout=attention.dropout.p,
        projection_dropout=projection.dropout.p,
        output_dropout=layer.output.dropout.p,
        is_first_only=False,
    )
    return Parts(
        projections=(attention.query, attention.key, attention.value),
        out=projection.dense,
        up=layer.intermediate.dense,
        down=layer.output.dense,
        norms=(projection.LayerNorm, layer.output.LayerNorm),
        activation=layer.intermediate.intermediate_act_fn,
        settings=settings,
    )


def _distilbert_parts(layer: Any) -> Parts:
    attention, feed_forward = layer.attention, layer.ffn
    settings = BlockSettings(
        num_heads=attention.n_heads,
        epsilon=layer.sa_layer_norm.eps,
        attention_dropout=attention.dropout.p,
        projection_dropout=0.0,
        output_dropout=feed_forward.dropout.p,
        is_first_only=False,
    )
    return Parts(
        projections=(attention.q_lin, attention.k_lin, attention.v_lin),
        out=attention.out_lin,
        up=feed_forward.lin1,
        down=feed_forward.lin2,
        norms=(layer.sa_layer_norm, layer.output_layer_norm),
        activation=feed_forward.activation,
        settings=settings,
    )


def is_fusable(model: torch.nn.Module) -> bool:
    """Whether all blocks of a model can be fused, and its steps recorded."""
    found = [parts.is_fusable for _, parts in find_blocks(model)]
    return bool(found) and all(found)

"""The encoder families that the fused block supports, and the parts of their blocks."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch

from agnews_ray.engine.fused.block import BlockSettings

FIRST_TOKEN_CLASSIFIERS = tuple(
    f"{family}ForSequenceClassification"
    for family in ("Bert", "DistilBert", "Roberta", "XLMRoberta", "Camembert", "Electra", "MPNet")
)
"""The classifiers in transformers that use only the first token of the last block."""

LOOKED_UP_ONLY = ("DebertaV2ForSequenceClassification", "ModernBertForSequenceClassification")
"""The classifiers in transformers, of other families, that use the word embeddings only by lookup,
as all fused ones do."""

BERT_LIKE = ("BertLayer", "RobertaLayer", "XLMRobertaLayer", "ElectraLayer", "CamembertLayer")
"""The blocks in transformers that have the same modules as BERT's."""

GELUS: dict[str, Literal["none", "tanh"]] = {
    "GELUActivation": "none",
    "NewGELUActivation": "tanh",
    "GELUTanh": "tanh",
    "PytorchGELUTanh": "tanh",
}
"""The approximation of each activation in transformers that torch has as a single operation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A block's modules in the order in which they are used."""

    projections: tuple[torch.nn.Linear, ...]
    """The projections to query, key and value."""
    out: torch.nn.Linear
    up: torch.nn.Linear
    down: torch.nn.Linear
    norms: tuple[torch.nn.LayerNorm, torch.nn.LayerNorm]
    activation: torch.nn.Module
    settings: BlockSettings
    is_biased_by_position: bool = False
    """Whether the block takes a bias of attention by position, and returns a tuple (MPNet)."""
    uses: tuple[int, ...] = ()
    """The numbers of the layers that the block computes, counted from 0 in the order in which they
    run; ALBERT uses one block for several layers."""

    @property
    def num_uses(self) -> int:
        """The number of uses in a pass."""
        return len(self.uses)

    @property
    def is_fusable(self) -> bool:
        """Whether the fused block supports every part, and every part is trained."""
        is_trained = all(p.requires_grad for p in (*self.matrices, *self.vectors))
        return self.has_known_activation and is_trained

    @property
    def has_known_activation(self) -> bool:
        """Whether the fused block supports the activation."""
        return type(self.activation).__name__ in GELUS

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
    """Find the blocks of supported families, in the order in which they first run.

    Blocks that no layer uses are left out.
    """
    layers = list(_layers(model))
    for block in dict.fromkeys(layers):
        uses = tuple(number for number, layer in enumerate(layers) if layer is block)
        yield block, dataclasses.replace(_MAKE_PARTS[type(block).__name__](block), uses=uses)


def _layers(model: torch.nn.Module) -> Iterator[torch.nn.Module]:
    """Find the block of each layer, in the order in which the layers run."""
    for module in model.modules():
        name = type(module).__name__
        if name == "AlbertTransformer":
            yield from _albert_layers(module)
        elif (
            (name in BERT_LIKE and not module.is_decoder)
            or (name == "TransformerBlock" and hasattr(module, "sa_layer_norm"))
            or name == "MPNetLayer"
        ):
            yield module


def _albert_layers(encoder: Any) -> Iterator[torch.nn.Module]:
    """Choose ALBERT's blocks as transformers does, also if layers do not divide by groups."""
    config = encoder.config
    for number in range(config.num_hidden_layers):
        group = int(number / (config.num_hidden_layers / config.num_hidden_groups))
        yield from encoder.albert_layer_groups[group].albert_layers


def find_position_encoders(model: torch.nn.Module) -> list[Any]:
    """Find MPNet's encoders, which compute a bias of attention by position for all their blocks."""
    return [module for module in model.modules() if type(module).__name__ == "MPNetEncoder"]


def _bert_parts(layer: Any) -> Parts:
    attention, projection = layer.attention.self, layer.attention.output
    settings = BlockSettings(
        num_heads=attention.num_attention_heads,
        epsilon=projection.LayerNorm.eps,
        attention_dropout=attention.dropout.p,
        projection_dropout=projection.dropout.p,
        output_dropout=layer.output.dropout.p,
        gelu=_gelu(layer.intermediate.intermediate_act_fn),
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
        gelu=_gelu(feed_forward.activation),
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


def _mpnet_parts(layer: Any) -> Parts:
    attention = layer.attention.attn
    settings = BlockSettings(
        num_heads=attention.num_attention_heads,
        epsilon=layer.attention.LayerNorm.eps,
        attention_dropout=attention.dropout.p,
        projection_dropout=layer.attention.dropout.p,
        output_dropout=layer.output.dropout.p,
        gelu=_gelu(layer.intermediate.intermediate_act_fn),
    )
    return Parts(
        projections=(attention.q, attention.k, attention.v),
        out=attention.o,
        up=layer.intermediate.dense,
        down=layer.output.dense,
        norms=(layer.attention.LayerNorm, layer.output.LayerNorm),
        activation=layer.intermediate.intermediate_act_fn,
        settings=settings,
        is_biased_by_position=True,
    )


def _albert_parts(layer: Any) -> Parts:
    attention = layer.attention
    settings = BlockSettings(
        num_heads=attention.num_attention_heads,
        epsilon=attention.LayerNorm.eps,
        attention_dropout=attention.attention_dropout.p,
        projection_dropout=attention.output_dropout.p,
        output_dropout=0.0,  # transformers makes this dropout and does not use it
        gelu=_gelu(layer.activation),
    )
    return Parts(
        projections=(attention.query, attention.key, attention.value),
        out=attention.dense,
        up=layer.ffn,
        down=layer.ffn_output,
        norms=(attention.LayerNorm, layer.full_layer_layer_norm),
        activation=layer.activation,
        settings=settings,
    )


_MAKE_PARTS: dict[str, Callable[[Any], Parts]] = {
    **dict.fromkeys(BERT_LIKE, _bert_parts),
    "TransformerBlock": _distilbert_parts,
    "MPNetLayer": _mpnet_parts,
    "AlbertLayer": _albert_parts,
}
"""The functions that take a block apart, by the name of its class."""


def _gelu(activation: torch.nn.Module) -> Literal["none", "tanh"]:
    """Return the approximation of the activation; for other activations the result is not used."""
    return GELUS.get(type(activation).__name__, "none")


def is_fusable(model: torch.nn.Module) -> bool:
    """Whether all blocks of a model can be fused, and its steps recorded."""
    found = [parts.is_fusable for _, parts in find_blocks(model)]
    return bool(found) and all(found)

"""BERT as DistilBERT: the same function of a row, without token types and pooler.

Sanh et al. 2019 leave the embedding of token types out. Here that of type 0, which each token of a
single text has, is added to the position embeddings, so that nothing changes in evaluation. In
training, DistilBERT has no dropout behind the attention's projection.
"""

from typing import Any

import torch
from transformers import (
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    DistilBertModel,
)

FORMS = {
    "BertModel": DistilBertModel,
    "BertForMaskedLM": DistilBertForMaskedLM,
    "BertForSequenceClassification": DistilBertForSequenceClassification,
}
"""DistilBERT's class for each of BERT's."""

OF_LAYER = {
    "attention.self.query": "attention.q_lin",
    "attention.self.key": "attention.k_lin",
    "attention.self.value": "attention.v_lin",
    "attention.output.dense": "attention.out_lin",
    "attention.output.LayerNorm": "sa_layer_norm",
    "intermediate.dense": "ffn.lin1",
    "output.dense": "ffn.lin2",
    "output.LayerNorm": "output_layer_norm",
}
"""DistilBERT's name of each module of BERT's layer."""

OF_HEAD = {
    "cls.predictions.transform.dense": "vocab_transform",
    "cls.predictions.transform.LayerNorm": "vocab_layer_norm",
    "cls.predictions.decoder": "vocab_projector",
}
"""The same of the masked-language-model head."""


def as_distilbert(model: Any) -> Any:
    """Make a DistilBERT of a BERT.

    Args:
        model: a BERT with or without a head, which ``student_rules.check_student`` accepts; not
            changed.

    Returns:
        A DistilBERT with copies of the same weights; a classification head is as torch leaves it,
        and has to be drawn.
    """
    config = _config(model.config)
    student = FORMS[type(model).__name__](config)
    with torch.no_grad():
        _copy_base(model.base_model, student.base_model)
        if isinstance(student, DistilBertForMaskedLM):
            for of_bert, of_distilbert in OF_HEAD.items():
                _copy(model.get_submodule(of_bert), student.get_submodule(of_distilbert))
    return student


def _config(bert: Any) -> DistilBertConfig:
    return DistilBertConfig(
        vocab_size=bert.vocab_size,
        max_position_embeddings=bert.max_position_embeddings,
        n_layers=bert.num_hidden_layers,
        n_heads=bert.num_attention_heads,
        dim=bert.hidden_size,
        hidden_dim=bert.intermediate_size,
        dropout=bert.hidden_dropout_prob,
        attention_dropout=bert.attention_probs_dropout_prob,
        activation=bert.hidden_act,
        initializer_range=bert.initializer_range,
        pad_token_id=bert.pad_token_id,
        tie_word_embeddings=bert.tie_word_embeddings,
        id2label=bert.id2label,
        label2id=bert.label2id,
        problem_type=getattr(bert, "problem_type", None),
    )


def _copy_base(bert: Any, student: Any) -> None:
    there, here = bert.embeddings, student.embeddings
    _copy(there.word_embeddings, here.word_embeddings)
    of_first_type = there.token_type_embeddings.weight[0]
    here.position_embeddings.weight.copy_(there.position_embeddings.weight + of_first_type)
    _copy(there.LayerNorm, here.LayerNorm)
    for source, target in zip(bert.encoder.layer, student.transformer.layer, strict=True):
        for of_bert, of_distilbert in OF_LAYER.items():
            _copy(source.get_submodule(of_bert), target.get_submodule(of_distilbert))


def _copy(source: Any, target: Any) -> None:
    target.load_state_dict(source.state_dict())

"""Small models of the families that the fused block knows, for tests of the engine."""

import copy

import torch
from transformers import (
    AlbertConfig,
    AlbertForMaskedLM,
    AlbertForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    CamembertConfig,
    CamembertForSequenceClassification,
    DistilBertConfig,
    DistilBertForMaskedLM,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForMaskedLM,
    ElectraForSequenceClassification,
    MPNetConfig,
    MPNetForMaskedLM,
    MPNetForSequenceClassification,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

SIZES = {
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "num_labels": 4,
}
FAMILIES = {
    "bert": (BertForSequenceClassification, BertConfig(**SIZES)),
    "distilbert": (
        DistilBertForSequenceClassification,
        DistilBertConfig(
            vocab_size=100, dim=32, n_layers=2, n_heads=2, hidden_dim=48, num_labels=4
        ),
    ),
    "roberta": (RobertaForSequenceClassification, RobertaConfig(**SIZES)),
    "camembert": (CamembertForSequenceClassification, CamembertConfig(**SIZES)),
    "electra": (ElectraForSequenceClassification, ElectraConfig(**SIZES)),
    "xlm-roberta": (XLMRobertaForSequenceClassification, XLMRobertaConfig(**SIZES)),
    "mpnet": (MPNetForSequenceClassification, MPNetConfig(**SIZES)),
    "albert": (
        AlbertForSequenceClassification,
        AlbertConfig(**SIZES, embedding_size=16, hidden_act="gelu_new"),
    ),
}
MASKED_LMS = {
    "bert": BertForMaskedLM,
    "distilbert": DistilBertForMaskedLM,
    "roberta": RobertaForMaskedLM,
    "electra": ElectraForMaskedLM,
    "mpnet": MPNetForMaskedLM,
    "albert": AlbertForMaskedLM,
}


def a_model(family="bert", dropout=0.0):
    """The same weights each time; LayerNorms and biases moved off their initial ones and zeros."""
    torch.manual_seed(0)
    build, config = FAMILIES[family]
    return _moved(build(copy.deepcopy(config)), dropout)


def an_albert(num_layers, num_groups, num_inner):
    """An ALBERT whose layers choose among several blocks."""
    torch.manual_seed(0)
    sizes = SIZES | {"num_hidden_layers": num_layers}
    groups = {"num_hidden_groups": num_groups, "inner_group_num": num_inner}
    config = AlbertConfig(**sizes, **groups, embedding_size=16, hidden_act="gelu_new")
    return _moved(AlbertForSequenceClassification(config), 0.0)


def _moved(model, dropout):
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    return model.train()


def a_masked_lm(family="bert", seed=0, dropout=0.0):
    torch.manual_seed(seed)
    model = MASKED_LMS[family](FAMILIES[family][1])
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = dropout
    return model.train()

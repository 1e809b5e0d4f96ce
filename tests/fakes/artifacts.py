"""This module writes a tiny finished model, as a trial leaves it."""

import torch
from transformers import BertConfig, BertForSequenceClassification

from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.saving import save_artifact
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.variant import VariantSpec

HIDDEN, INNER, LAYERS = 32, 64, 2
NAMES = ("économie", "sport", "sciences")
TEXTS = ["oil prices rise", "the cup final is tonight", "chip", "a vote was held in the capital"]
FACTS = ArtifactFacts(
    class_names=NAMES,
    max_length_tokens=8,
    text_columns=("title", "text"),
    label_kind="names",
)


def a_tokenizer():
    """Train a tokenizer to which each word of ``TEXTS`` is one token."""
    return train_tokenizer(lambda: TEXTS * 20, VariantSpec(model="minilm", init="random"))


def a_classifier(tokenizer):
    """Build a classifier that has the same weights each time."""
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=HIDDEN,
        intermediate_size=INNER,
        num_hidden_layers=LAYERS,
        num_attention_heads=4,
        id2label=dict(enumerate(NAMES)),
        label2id={name: label for label, name in enumerate(NAMES)},
    )
    torch.manual_seed(0)
    return BertForSequenceClassification(config)


def an_artifact(folder):
    """Write the whole artifact, and return its folder."""
    tokenizer = a_tokenizer()
    save_artifact(folder, a_classifier(tokenizer), tokenizer, FACTS)
    return folder

import numpy as np
import pytest
import torch
from transformers import AutoModel

from agnews_ray.data.batches import TokenisedRows, train_batches
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.results import Rank
from agnews_ray.model.architectures import KNOWN_MODELS
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.model.limits import position_limit
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.data.model_families import CLASS_NAMES, TEXTS

PUBLISHED = {
    # of the encoder, in millions; from the papers' tables and the authors' model cards
    "distilbert": (66, "Sanh et al. 2020, table 3"),
    "minilm": (33, "Wang et al. 2020, the 12-layer student's model card"),
    "bert": (110, "Devlin et al. 2019, section 3"),
    "bert-tiny": (4.4, "google-research/bert, README"),
    "bert-mini": (11.3, "google-research/bert, README"),
    "bert-small": (29.1, "google-research/bert, README"),
    "bert-medium": (41.7, "google-research/bert, README"),
    "tinybert": (14.5, "Jiao et al. 2020, table 1"),
    "electra-small": (14, "Clark et al. 2020, table 1"),
    "roberta": (125, "fairseq, examples/roberta/README"),
    "distilroberta": (82, "distilbert/distilroberta-base, model card"),
    "xlm-r": (270, "Conneau et al. 2020, table 1"),
    "mpnet": (110, "Song et al. 2020, section 4.1: BERT-base's"),
    "albert": (12, "Lan et al. 2020, table 1"),
    "deberta-v3-xsmall": (22 + 48, "microsoft/deberta-v3-xsmall, model card"),
    "deberta-v3-small": (44 + 98, "microsoft/deberta-v3-small, model card"),
    "modernbert": (149, "Warner et al. 2024, section 2.1.4"),
}

TINY = ArchitectureSpec(
    num_layers=2, hidden_size=32, num_heads=2, intermediate_size=48, vocab_size=300
)


def bare(model, **changes):
    variant = VariantSpec(model=model, init="random", **changes)
    with torch.device("meta"):
        return build_classifier(variant, CLASS_NAMES, 0)


@pytest.mark.parametrize("model", KNOWN_MODELS)
def test_an_alias_has_the_published_number_of_parameters(model):
    """Published ones are rounded, and some count a pooler or pretraining's head (at most 4 %)."""
    classifier = bare(model)
    with torch.device("meta"):
        encoder = AutoModel.from_config(classifier.config)
    assert num_parameters(encoder) / 1e6 == pytest.approx(PUBLISHED[model][0], rel=0.04)


@pytest.mark.parametrize("model", KNOWN_MODELS)
def test_an_alias_has_a_position_for_each_token_of_its_longest_row(model):
    limit = position_limit(bare(model))
    assert limit in (None, KNOWN_MODELS[model].max_length_tokens)


@pytest.mark.parametrize("model", KNOWN_MODELS)
def test_an_alias_learns_from_fresh_weights_with_a_trained_tokenizer(model):
    variant = VariantSpec(model=model, init="random", architecture=TINY)
    tokenizer = train_tokenizer(lambda: TEXTS, variant)
    classifier = build_classifier(variant, CLASS_NAMES, 0)
    pad_id = tokenizer.pad_token_id
    assert classifier.config.pad_token_id == pad_id == KNOWN_MODELS[model].pad_id
    encoded = tokenizer(list(TEXTS), truncation=True, max_length=40)["input_ids"]
    rows = TokenisedRows(
        ids=np.concatenate(encoded).astype(np.uint32),
        offsets=np.concatenate([[0], np.cumsum([len(ids) for ids in encoded])]),
        labels=np.arange(len(TEXTS)) % 4,
        rows=np.arange(len(TEXTS)),
    )
    recipe = RecipeSpec(learning_rate=1e-2, global_batch_size=16, num_epochs=6)
    engine = FastEngine(recipe=recipe, precision="fp32", pad_id=pad_id, rank=Rank())
    batches = [batch for epoch in range(6) for batch in train_batches([rows], 16, 0, epoch)]
    log = engine.train(classifier, [batches], len(batches))
    assert log.loss[-4:].mean() < log.loss[:4].mean() - 0.01


@pytest.mark.parametrize("model", KNOWN_MODELS)
def test_padding_beside_a_row_does_not_change_its_logits(model):
    variant = VariantSpec(model=model, init="random", architecture=TINY)
    tokenizer = train_tokenizer(lambda: TEXTS, variant)
    classifier = build_classifier(variant, CLASS_NAMES, 0).eval()
    both = tokenizer(list(TEXTS[:2]), padding=True, return_tensors="pt")
    assert not both["attention_mask"].all()
    short = int(both["attention_mask"].sum(dim=1).argmin())
    alone = tokenizer(TEXTS[short], return_tensors="pt")
    with torch.inference_mode():
        logits = [
            classifier(input_ids=one["input_ids"], attention_mask=one["attention_mask"]).logits
            for one in (both, alone)
        ]
    assert torch.allclose(logits[0][short], logits[1][0], atol=1e-5)


def test_the_unknown_piece_is_a_word_like_any_other_where_positions_count_from_padding():
    """MPNet takes the id 1 for padding, whatever its config says."""
    variant = VariantSpec(model="mpnet", init="random", architecture=TINY)
    tokenizer = train_tokenizer(lambda: TEXTS, variant)
    classifier = build_classifier(variant, CLASS_NAMES, 0)
    assert classifier.get_input_embeddings().padding_idx == tokenizer.pad_token_id
    assert tokenizer.unk_token_id not in (0, 1)

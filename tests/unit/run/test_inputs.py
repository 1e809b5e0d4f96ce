"""What is found of a model before its trials: here of fresh weights, not yet made."""

import pytest

from agnews_ray.data.scan import scan_dataset
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.run.inputs import InputCache
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec

SIZES = ArchitectureSpec(
    num_layers=1, hidden_size=32, num_heads=2, intermediate_size=32, vocab_size=1000
)


@pytest.mark.parametrize("model", ["distilbert", "minilm"])
def test_the_size_of_fresh_weights_is_known_before_they_are_made(model, tmp_path):
    spec = DataSpec(source="synthetic:train=64,test=16,seed=1")
    scanned = scan_dataset(spec, tmp_path)
    cache = InputCache(scanned, spec, tmp_path, lambda *_: None)
    variant = VariantSpec(model=model, name="one", init="random", architecture=SIZES)
    found = cache.look_at(variant, "fp32", "cpu", "cpu")
    built = build_classifier(variant, scanned.record.class_names, 1, cache.tokenizer(variant))
    assert found.num_parameters == num_parameters(built)

"""What is found of a model before its trials: here of fresh weights, not yet made."""

from dataclasses import replace

import pytest

from agnews_ray.data.scan import scan_dataset
from agnews_ray.model.build import build_classifier, num_parameters
from agnews_ray.plan.trials import Known, plan_trials
from agnews_ray.run.inputs import InputCache
from agnews_ray.spec.data import DataSpec
from agnews_ray.spec.study import StudySpec
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


@pytest.mark.parametrize(("share", "num_rows"), [(1.0, 60), (0.5, 30)])
def test_a_linear_models_rows_are_those_of_its_share(tmp_path, share, num_rows):
    spec = DataSpec(source="synthetic:train=80,test=16,seed=1", validation_fraction=0.25)
    scanned = scan_dataset(spec, tmp_path)
    (trial,) = plan_trials(
        StudySpec(models=(VariantSpec(model="tfidf-svm", name="svm"),), data=spec),
        scanned.record,
        Known(weights={"svm": "tfidf-svm 1"}),
        "cpu",
        "fp32",
    )
    cache = InputCache(scanned, spec, tmp_path, lambda *_: None)
    found = cache.load(replace(trial, train_share=share))
    sizes = {name: split.table().num_rows for name, split in found.splits.items()}
    assert sizes == {"train": num_rows, "test": 16, "validation": 20}
    assert len(found.replayed) == 8

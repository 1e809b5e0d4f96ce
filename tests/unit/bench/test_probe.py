import dataclasses

import numpy as np
import pytest

from agnews_ray.bench import probe
from agnews_ray.bench.probe import ProbeTask, _batches, measure, measure_all
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.fakes.token_rows import some_rows

SIZES = ArchitectureSpec(
    num_layers=1, hidden_size=32, num_heads=2, intermediate_size=32, vocab_size=100
)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(probe, "SECONDS_AT_LENGTH", {"train": 0.0, "score": 0.0})


def a_task(engine="fast", **changes):
    variant = VariantSpec(model="minilm", init="random", architecture=SIZES, engine=engine)
    task = ProbeTask(
        variant=variant,
        recipe=RecipeSpec(global_batch_size=8),
        precision="fp32",
        class_weights=None,
        device="cpu",
        num_threads=1,
        num_workers=1,
        seed=1,
        facts=ArtifactFacts(
            class_names=("a", "b", "c", "d"),
            max_length_tokens=20,
            text_columns=("text",),
            label_kind="integers from 0",
        ),
        tokenizer=train_tokenizer(lambda: ["a text"], variant),
        tokenizer_hash="t",
        texts_per_second=100.0,
        train=some_rows(203),
        test=some_rows(50, seed=1),
        texts=("a text",),
    )
    return dataclasses.replace(task, **changes)


@pytest.mark.parametrize("engine", ["fast", "reference", "reference-best"])
def test_steps_of_every_engine_are_timed_by_their_length(engine, tmp_path):
    found = measure(a_task(engine), tmp_path)
    lengths, seconds = zip(*found.step_seconds, strict=True)
    assert len(lengths) >= 3
    assert list(lengths) == sorted(set(lengths))
    assert max(lengths) == 19
    assert all(one > 0 for one in seconds)


def test_scoring_saving_and_sizes_are_measured(tmp_path):
    found = measure(a_task(), tmp_path)
    assert all(seconds > 0 for _, seconds in found.forward_seconds)
    assert found.saving_seconds > 0
    assert found.loading_seconds > 0
    assert 0 < found.size_bytes < found.peak_memory_bytes
    assert list(tmp_path.iterdir()) == []


def test_lengths_of_the_sample_are_kept_for_other_numbers_of_rows(tmp_path):
    task = a_task()
    assert measure(task, tmp_path).train_lengths == tuple(sorted(task.train.lengths))


def test_several_workers_share_a_batch():
    assert a_task(num_workers=4).rows_per_step == 2


@pytest.mark.parametrize("place", [1.0, 0.5, 0.01])
@pytest.mark.parametrize("size", [1, 8, 300])
def test_a_batch_is_as_long_as_the_row_at_its_place(place, size):
    rows = some_rows(203)
    wanted = np.sort(rows.lengths)[max(0, int(np.ceil(place * 203)) - 1)]
    for batch in _batches(rows, size, place, seed=0, count=3):
        assert len(batch) == size
        assert batch.lengths.max() == wanted


def test_a_model_that_cannot_be_measured_does_not_stop_the_others(tmp_path):
    unknown = VariantSpec(model="no-such-model", init="random")
    tasks = {"one": a_task(variant=unknown), "two": a_task(), "three": "no tokenizer"}
    found = measure_all(tasks, tmp_path)
    assert "no-such-model" in found["one"]
    assert found["two"].rows_per_step == 8
    assert found["three"] == "no tokenizer"

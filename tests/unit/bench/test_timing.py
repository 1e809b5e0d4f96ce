import pytest

from agnews_ray.bench.ratios import Contender
from agnews_ray.bench.timing import TimingTask, time_training
from agnews_ray.model.flops import flops_per_row, training_flops_per_row
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec
from tests.fakes.token_rows import some_rows
from tests.unit.engine.models import FAMILIES, a_model

SIZES = ArchitectureSpec(
    num_layers=1, hidden_size=32, num_heads=2, intermediate_size=32, vocab_size=100
)


@pytest.mark.parametrize("engine", ["fast", "reference", "reference-best"])
def test_every_engine_is_timed_on_the_same_rows(engine):
    variant = VariantSpec(model="minilm", init="random", architecture=SIZES)
    task = TimingTask(
        variant=variant,
        class_names=("a", "b", "c", "d"),
        tokenizer=train_tokenizer(lambda: ["a text"], variant),
        rows=some_rows(203),
        recipe=RecipeSpec(num_epochs=1, global_batch_size=10),
        device="cpu",
        num_threads=2,
        seed=1,
    )
    run = time_training(task, Contender(engine=engine, precision="fp32"))
    assert run.samples_per_second > 0
    assert 0 <= run.padding_share < 0.5
    assert run.product_flops_per_second > 1e9
    assert 0 < run.final_loss < 3
    assert run.others_cores is None or run.others_cores >= 0


@pytest.mark.parametrize("family", FAMILIES)
def test_training_takes_three_times_the_operations_of_a_forward_pass(tmp_path, family):
    model = a_model(family)
    model.save_pretrained(tmp_path)
    forward = flops_per_row(tmp_path, [20, 30])
    assert training_flops_per_row(model, [20, 30]) == pytest.approx(3 * forward, rel=0.05)

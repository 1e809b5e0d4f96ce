"""Pre-training by a lone rank without Ray."""

import dataclasses

import pyarrow.parquet as pq
import pytest
from transformers import AutoModel, AutoModelForMaskedLM

from agnews_ray.errors import ModelError
from agnews_ray.model.encoder import build_encoder, save_encoder
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.run.pretrainer import Pretrainer
from agnews_ray.run.worker import Worker
from agnews_ray.spec.distillation import PretrainingSpec, StudentSpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.token_rows import some_rows
from tests.unit.model.test_build import a_tokenizer, tiny

NUM_TOKENS = len(a_tokenizer())


def some_texts(seed=0):
    """Rows of ordinary tokens of this vocabulary: the first five are special."""
    rows = some_rows(32, seed)
    ids = 5 + rows.ids % (NUM_TOKENS - 5)
    return dataclasses.replace(rows, ids=ids.astype(rows.ids.dtype))


ROWS = {"train-0": some_texts()}


@pytest.fixture
def teacher(tmp_path):
    """A folder with a masked-language-model head."""
    tokenizer = a_tokenizer()
    save_encoder(tmp_path / "teacher", build_encoder(tiny(), 0, tokenizer, True), tokenizer)
    return VariantSpec(model=str(tmp_path / "teacher"), name="teacher")


@pytest.fixture
def pretrain(lone_rank, tmp_path):
    """Pre-trains; gives the summary, the curve, and the folder of what was left."""

    def pretrain(variant, **settings):
        setup = lone_rank("pre", ROWS, work="pretraining", variant=variant, **settings)
        summary = Pretrainer(setup).run()
        setup.close()
        curve = pq.read_table(tmp_path / "pre" / "curve.parquet")
        return summary, curve, tmp_path / "pre" / "artifact"

    return pretrain


def test_a_student_of_other_sizes_learns_relations_of_its_teacher(pretrain, teacher):
    student = StudentSpec(num_layers=1, hidden_size=8, num_heads=2)
    variant = teacher.model_copy(
        update={"student": student, "pretraining": PretrainingSpec(objective="minilm")}
    )
    summary, curve, folder = pretrain(variant, teacher=teacher)
    assert summary.pretraining.teacher == "teacher"
    assert {"attention", "value"} < set(summary.pretraining.final_parts)
    assert {"attention", "value head 1"} < set(curve.column_names)
    assert AutoModel.from_pretrained(folder).config.hidden_size == 8


def test_masked_tokens_are_learned_without_a_teacher(pretrain):
    variant = tiny(name="one", pretraining=PretrainingSpec(objective="masked-lm"))
    summary, curve, folder = pretrain(variant)
    assert summary.pretraining.teacher is None
    assert curve["loss"][-1].as_py() < curve["loss"][0].as_py()
    _, info = AutoModelForMaskedLM.from_pretrained(folder, output_loading_info=True)
    assert not info["missing_keys"]


def test_a_pretrained_encoder_is_where_fine_tuning_starts(pretrain, lone_rank):
    variant = tiny(name="one", pretraining=PretrainingSpec(objective="masked-lm"))
    _, _, folder = pretrain(variant)
    splits = ROWS | {"test": some_texts(seed=1)}
    losses = []
    for name, starts_from in (("fresh", None), ("after", str(folder))):
        setup = lone_rank(name, splits, variant=variant, starts_from=starts_from)
        losses.append(Worker(setup).run().training.final_loss)
        setup.close()
    assert losses[0] != losses[1]


def test_a_teacher_with_another_tokenizer_is_refused_on_the_worker_too(pretrain, teacher, tmp_path):
    other = train_tokenizer(lambda: ["entirely different words"] * 5, tiny())
    other.save_pretrained(tmp_path / "teacher")
    spec = PretrainingSpec(objective="minilm")
    with pytest.raises(ModelError, match="want the same tokenizer as the student's"):
        pretrain(tiny(name="one", pretraining=spec), teacher=teacher)

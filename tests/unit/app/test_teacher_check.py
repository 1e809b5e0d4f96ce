import pytest
from transformers import BertConfig, BertForMaskedLM, BertModel

from agnews_ray.app.teacher_check import check_pretraining, of_teacher
from agnews_ray.errors import ModelError
from agnews_ray.model.tokenizer import ready_tokenizer, train_tokenizer
from agnews_ray.plan.trials import PlannedTrial
from agnews_ray.spec.distillation import PretrainingSpec, StudentSpec
from agnews_ray.spec.variant import VariantSpec

TEXTS = ["oil prices rise", "the cup final is tonight", "a vote was held in the capital"]


class Tokenizers:
    """The part of ``InputCache`` that is used here."""

    def tokenizer(self, variant):
        return ready_tokenizer(variant).tokenizer


def an_encoder(folder, texts=TEXTS, with_head=False):
    tokenizer = train_tokenizer(lambda: texts * 20, VariantSpec(model="minilm", init="random"))
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = BertConfig(vocab_size=len(tokenizer), intermediate_size=32, **sizes)
    (BertForMaskedLM if with_head else BertModel)(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return VariantSpec(model=str(folder), name=folder.name)


def a_trial(model, teacher, objective, assistant=None):
    spec = PretrainingSpec(objective=objective)
    variant = model.model_copy(
        update={"student": StudentSpec(layers=(0,)), "pretraining": spec, "name": "small"}
    )
    return PlannedTrial(
        trial_id="t",
        variant=variant,
        work="pretraining",
        seed=42,
        device="cpu",
        precision="fp32",
        recipe=spec.whole_recipe,
        num_steps=1,
        teacher_trial=assistant,
        teacher_model=teacher,
    )


@pytest.mark.parametrize("objective", ["minilm", "minilm-v2"])
def test_a_student_of_its_own_teacher_is_fit(tmp_path, objective):
    model = an_encoder(tmp_path / "base")
    check_pretraining(a_trial(model, model, objective), Tokenizers())


def test_another_tokenizer_is_found_before_any_trial(tmp_path):
    model = an_encoder(tmp_path / "base")
    other = an_encoder(tmp_path / "other", [text[::-1] for text in TEXTS])
    with pytest.raises(ModelError, match="want the same tokenizer as the student's"):
        check_pretraining(a_trial(model, other, "minilm"), Tokenizers())


def test_the_triple_loss_needs_a_teacher_with_a_head(tmp_path):
    model = an_encoder(tmp_path / "base")
    with pytest.raises(ModelError, match="pre-train it first with objective: masked-lm"):
        check_pretraining(a_trial(model, model, "distilbert"), Tokenizers())
    filler = an_encoder(tmp_path / "filler", with_head=True)
    check_pretraining(a_trial(model, filler, "distilbert"), Tokenizers())


def a_pretrained(model, objective):
    own = PretrainingSpec(objective=objective)
    return model.model_copy(update={"pretraining": own, "name": "filler"})


def test_a_teacher_that_is_pretrained_here_has_its_head_later(tmp_path):
    model = an_encoder(tmp_path / "base")
    teacher = a_pretrained(model, "masked-lm")
    check_pretraining(a_trial(model, teacher, "distilbert", assistant="p"), Tokenizers())


def test_a_teacher_whose_pretraining_leaves_no_head_is_found_before_it(tmp_path):
    model = an_encoder(tmp_path / "base")
    teacher = a_pretrained(model, "minilm")
    with pytest.raises(ModelError, match=r"teacher filler: .* found none after minilm"):
        check_pretraining(a_trial(model, teacher, "distilbert", assistant="p"), Tokenizers())


def test_a_teacher_is_not_told_of_a_setting_that_its_user_did_not_make():
    error = ModelError(
        "model x", "a head for the 2 classes (a, b)", "2 (c, d)", "leave keep_head out"
    )
    told = of_teacher(VariantSpec(model="x", name="there"), error)
    assert str(told).startswith(
        "teacher there: want a head for the 2 classes (a, b), found 2 (c, d)"
    )
    assert "keep_head" not in told.hint

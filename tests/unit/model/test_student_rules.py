import json

import pytest

from agnews_ray.errors import ModelError
from agnews_ray.model import zoo
from agnews_ray.model.memory import training_memory
from agnews_ray.model.student_rules import check_student, student_sizes, taught_notes
from agnews_ray.spec.distillation import DistillationSpec, PretrainingSpec, StudentSpec
from agnews_ray.spec.variant import VariantSpec

BERT = {
    "model_type": "bert",
    "hidden_size": 384,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1536,
    "vocab_size": 100,
}


def refusal(student, **config):
    with pytest.raises(ModelError) as caught:
        check_student("mine", StudentSpec(**student), {**BERT, **config})
    return str(caught.value)


@pytest.mark.parametrize(
    ("student", "config", "message"),
    [
        ({"layers": (0, 6)}, {}, "layers between 0 and 5, as it has 6"),
        ({"layers": (0,)}, {"model_type": "albert"}, "whose layers are one block"),
        ({"layers": (0,)}, {"model_type": "gpt2"}, "found model_type 'gpt2'"),
        ({"layers": (1, 2)}, {"model_type": "modernbert"}, "want layer 0 among the copied"),
        ({"hidden_size": 100}, {}, "hidden_size 100 and num_heads 12"),
        ({"layers": (0,), "form": "distilbert"}, {"model_type": "electra"}, "want model_type bert"),
        ({"layers": (0,), "form": "distilbert"}, {"hidden_act": "relu"}, "want hidden_act gelu"),
        ({"layers": (0,), "form": "distilbert"}, {"layer_norm_eps": 1e-5}, "layer_norm_eps 1e-12"),
    ],
)
def test_a_student_that_cannot_be_is_refused_by_the_config(student, config, message):
    assert message in refusal(student, **config)


def test_distilberts_own_names_of_its_sizes_are_known():
    config = {"model_type": "distilbert", "n_layers": 2, "dim": 32, "n_heads": 2}
    with pytest.raises(ModelError, match="as it has 2"):
        check_student("mine", StudentSpec(layers=(2,)), config)


def test_a_new_width_keeps_the_ratio_of_the_feed_forward_layer():
    whole = {"num_layers": 6, "hidden_size": 384, "num_heads": 12, "intermediate_size": 1536}
    narrow = student_sizes(StudentSpec(num_layers=3, hidden_size=192), whole)
    assert narrow == {**whole, "num_layers": 3, "hidden_size": 192, "intermediate_size": 768}
    own = student_sizes(StudentSpec(hidden_size=192, intermediate_size=500), whole)
    assert own["intermediate_size"] == 500


def test_a_dry_run_refuses_a_layer_that_an_alias_or_a_folder_does_not_have(folder):
    (folder / "config.json").write_text(json.dumps(BERT))
    for model, last in (("distilbert", 5), (str(folder), 5), ("minilm", 11)):
        zoo.check_model(VariantSpec(model=model, student=StudentSpec(layers=(0, last))))
        with pytest.raises(ModelError, match=f"between 0 and {last}"):
            zoo.check_model(VariantSpec(model=model, student=StudentSpec(layers=(0, last + 1))))


def test_estimates_of_memory_are_of_the_student(folder):
    (folder / "config.json").write_text(json.dumps(BERT))
    for model in ("minilm", str(folder)):
        student = VariantSpec(model=model, student=StudentSpec(layers=(0,)))
        whole = student.model_copy(update={"student": None})
        assert zoo.sizes(student) == {**zoo.sizes(whole), "num_layers": 1}
        of_student, of_whole = (
            training_memory(one, 16, 128, "fp16").recorded for one in (student, whole)
        )
        assert of_student < of_whole


@pytest.mark.parametrize(
    ("changes", "notes"),
    [
        ({"student": StudentSpec(layers=(0, 2, 4))}, ["layers 0, 2, 4"]),
        ({"student": StudentSpec(layers=(0,), form="distilbert")}, ["layers 0", "as distilbert"]),
        ({"student": StudentSpec(num_layers=3, hidden_size=192)}, ["3 layers", "width 192"]),
        (
            {
                "pretraining": PretrainingSpec(objective="minilm"),
                "distillation": DistillationSpec(teacher=("runs/one/trials/a", "me/b")),
            },
            ["pre-trained: minilm", "taught by a and b"],
        ),
        ({}, []),
    ],
)
def test_what_sets_a_student_apart_is_in_its_name(changes, notes):
    variant = VariantSpec(model="bert", **changes)
    assert taught_notes(variant) == notes
    behind = f" ({', '.join(notes)})" if notes else ""
    assert zoo.display_name(variant) == f"bert-base-uncased{behind}"

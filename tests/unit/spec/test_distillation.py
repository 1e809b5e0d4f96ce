import pytest

from agnews_ray.errors import SpecError
from agnews_ray.spec.loader import build_study, read_job_file, to_yaml


def study_of(**settings):
    return build_study({"models": [{"model": "minilm", **settings}]}, "job")


def variant_of(**settings):
    return study_of(**settings).models[0]


def test_one_teacher_needs_no_list():
    found = variant_of(distillation={"teacher": "bert"}).distillation
    assert found.teacher == ("bert",)
    assert (found.temperature, found.soft_weight) == (4.0, 0.9)


def test_pretraining_has_the_published_recipe_but_for_what_is_stated():
    found = variant_of(pretraining={"objective": "distilbert", "recipe": {"num_epochs": 1}})
    recipe = found.pretraining.whole_recipe
    assert (recipe.num_epochs, recipe.learning_rate, recipe.adam_beta2) == (1, 5e-4, 0.98)
    weights = found.pretraining
    assert (weights.soft_weight, weights.masked_lm_weight, weights.cosine_weight) == (5, 2, 1)


def test_sizes_of_a_student_are_those_that_are_stated():
    assert variant_of(student={"num_layers": 3}).student.sizes == {"num_layers": 3}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"student": {}}, "want layers to copy, or sizes, found neither"),
        ({"student": {"layers": [0], "num_layers": 1}}, "found both layers and num_layers"),
        ({"student": {"layers": [2, 0]}}, "counted from 0, rising, found [2, 0]"),
        ({"student": {"layers": [0, 0]}}, "counted from 0, rising"),
        ({"student": {"num_layers": 2, "form": "distilbert"}}, "want layers beside distilbert"),
        ({"student": {"num_layers": 2}, "init": "random"}, "want init: pretrained, found random"),
        ({"student": {"num_layers": 2}, "keep_head": True}, "want none with student"),
        ({"distillation": {"teacher": []}}, "want at least one"),
        ({"distillation": {"teacher": ["a", "a"]}}, "want different teachers"),
        ({"distillation": {"teacher": "a", "soft_weight": 1.5}}, "less than or equal to 1"),
        ({"pretraining": {"objective": "masked-lm", "teacher": "a"}}, "want none with masked-lm"),
        ({"pretraining": {"objective": "minilm", "trains": "head"}}, "want all with minilm"),
        ({"pretraining": {"objective": "minilm", "relation_heads": 2}}, "want none with minilm"),
        ({"pretraining": {"objective": "minilm", "temperature": 3}}, "temperature: want none with"),
        (
            {"pretraining": {"objective": "minilm"}, "engine": "reference"},
            "only ours can pre-train",
        ),
        (
            {"pretraining": {"objective": "minilm", "recipe": {"stop": {"patience": 1}}}},
            "want none in pre-training, found stop",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(settings, said):
    with pytest.raises(SpecError) as error:
        study_of(**settings)
    assert said in str(error.value)


def test_a_linear_model_has_no_teacher():
    with pytest.raises(SpecError, match="no meaning for tfidf-svm"):
        study_of(model="tfidf-svm", distillation={"teacher": "a"})


def test_a_study_is_read_back_as_it_was_written(tmp_path):
    study = study_of(
        student={"layers": [0, 2]},
        pretraining={"objective": "minilm", "recipe": {"num_epochs": 1}},
        distillation={"teacher": "t", "transfer": {"source": "x.csv", "only": True}},
    )
    (tmp_path / "study.yaml").write_text(to_yaml(study))
    assert build_study(read_job_file(tmp_path / "study.yaml"), "again") == study

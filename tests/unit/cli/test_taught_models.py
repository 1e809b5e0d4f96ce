import pytest

from agnews_ray.cli.taught_models import with_taught
from agnews_ray.errors import SpecError

MINILM, BERT = {"model": "minilm"}, {"model": "bert"}


def test_each_other_model_is_trained_alone_and_also_taught():
    models = with_taught([BERT, MINILM], {"teacher": ["bert"], "temperature": 2})
    taught = {"model": "minilm", "distillation": {"teacher": ["bert"], "temperature": 2}}
    assert models == [BERT, MINILM, taught]


def test_a_teacher_that_is_an_alias_is_trained_first():
    assert with_taught([MINILM], {"teacher": ["bert"]})[0] == BERT


def test_a_trained_teacher_is_no_further_model():
    taught = with_taught([MINILM], {"teacher": ["runs/a/trials/b"], "transfer": "texts.csv"})[1]
    assert taught["distillation"]["teacher"] == ["runs/a/trials/b"]
    assert taught["distillation"]["transfer"] == {"source": "texts.csv"}


def test_a_named_model_names_its_twin_and_may_be_a_teacher_by_name():
    named, big = {"model": "minilm", "name": "mini"}, {"model": "x", "name": "big"}
    models = with_taught([named, big], {"teacher": ["big"]})
    assert [one["name"] for one in models] == ["mini", "mini taught", "big"]


def test_a_linear_model_is_not_taught():
    svm = {"model": "tfidf-svm"}
    assert with_taught([MINILM, svm], {"teacher": ["bert"]}).count(svm) == 1


@pytest.mark.parametrize(
    ("models", "teaching", "said"),
    [
        ([MINILM], {"temperature": 2}, "--temperature: want --teacher beside it"),
        ([MINILM], {"teacher": ["minilm"]}, "want another fine-tuned model"),
        ([{"model": "tfidf-svm"}], {"teacher": ["bert"]}, "want another fine-tuned model"),
    ],
)
def test_what_cannot_be_taught_is_refused(models, teaching, said):
    with pytest.raises(SpecError) as error:
        with_taught(models, teaching)
    assert said in str(error.value)

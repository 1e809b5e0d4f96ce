"""Whether a trial's scores may be judged by the paper's, or by another study's."""

import pytest

from agnews_ray.compare.same_question import unlike_paper, unlike_study
from agnews_ray.spec.distillation import DistillationSpec
from agnews_ray.spec.recipe import RecipeChanges, RecipeSpec
from tests.fakes.records import a_linear_record, a_record, a_split

OTHER_ROWS = a_split("f" * 32, 120_000)


def paper_record(**changes):
    """A record that says it trained on the paper's rows by its recipe, but for the changes."""
    record = a_record()
    rows = {"train": a_split(num_rows=120_000), "class_names": tuple("abcd")}
    changes = {section: dict(fields) for section, fields in changes.items()}
    changes["dataset"] = rows | changes.get("dataset", {})
    changes["test"] = {"num_examples": 7600} | changes.get("test", {})
    return record.model_copy(
        update={
            section: getattr(record, section).model_copy(update=fields)
            for section, fields in changes.items()
        }
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"variant": {"init": "random"}}, "fresh weights: not the published model"),
        ({"recipe": {"num_epochs": 1}}, "num_epochs 1: not the paper's"),
        ({"recipe": {"learning_rate": 1e-4}}, "learning_rate 0.0001: not the paper's"),
        ({"data": {"max_length_tokens": 64}}, "max_length_tokens 64: not the paper's"),
        ({"variant": {"keep_head": True}}, "keep_head True: not the paper's"),
        ({"dataset": {"num_validation": 500}}, "119,500 train rows: not the paper's 120,000"),
        ({"dataset": {"class_names": tuple("abcde")}}, "5 classes: not the paper's 4"),
        ({"test": {"num_examples": 7599}}, "7,599 test rows: not the paper's 7,600"),
    ],
)
def test_what_makes_it_another_question_than_the_papers_is_said(changes, said):
    assert unlike_paper(paper_record(**changes)) == said


def test_a_sample_of_as_many_rows_is_another_question():
    assert "limit_train 120000" in unlike_paper(paper_record(data={"limit_train": 120_000}))


def test_at_most_three_settings_are_named():
    changes = {"num_epochs": 1, "learning_rate": 1e-4, "weight_decay": 0.0, "max_grad_norm": 9.0}
    said = unlike_paper(paper_record(recipe=changes))
    assert said == "num_epochs 1, learning_rate 0.0001, weight_decay 0.0: not the paper's"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"recipe": {"precision": "fp32"}},
        {"recipe": {"evaluation_batch_size": 8}},
        {"variant": {"name": "another", "engine": "reference", "revision": "main"}},
        {"variant": {"recipe": RecipeChanges(num_epochs=2)}},  # the paper's value, stated again
        {"data": {"split_seed": 7}},  # without a sample it chooses no rows
    ],
)
def test_what_changes_no_score_is_the_same_question(changes):
    assert unlike_paper(paper_record(**changes)) == ""
    assert unlike_study(paper_record(**changes), paper_record()) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"recipe": {"num_epochs": 1}}, "num_epochs 2: not the other study's"),
        ({"data": {"limit_test": 7600}}, "limit_test None: not the other study's"),
        ({"model": {"revision": "abc"}}, "weights None: not the other study's"),
        ({"dataset": {"test": a_split("c" * 32, 10)}}, "other test rows"),
        ({"test": {"num_examples": 7599}}, "other test rows"),
        ({"dataset": {"num_validation": 5}}, "120,000 train rows: not the other study's"),
        ({"dataset": {"train": OTHER_ROWS}}, "120,000 train rows: not the other study's"),
    ],
)
def test_what_makes_it_another_question_than_another_studys_is_said(changes, said):
    assert said in unlike_study(paper_record(), paper_record(**changes))


def test_linear_models_of_other_recipes_answer_the_same_question():
    other = a_linear_record(recipe=RecipeSpec(num_epochs=9))
    assert unlike_study(a_linear_record(), other) == ""
    weighted = a_linear_record(recipe=RecipeSpec(class_weights="balanced"))
    assert unlike_study(a_linear_record(), weighted).startswith("class_weights none")


def test_a_taught_student_is_not_the_papers_model():
    taught = {"distillation": DistillationSpec(teacher="teacher")}
    assert unlike_paper(paper_record(variant=taught)) == "distillation: not the paper's"

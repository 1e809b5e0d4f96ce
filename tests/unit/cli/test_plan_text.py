"""What a dry run shows of curves and students; its other lines are in ``test_submit``."""

import json
from dataclasses import replace

import pytest

from agnews_ray.cli.plan_text import planned_line
from agnews_ray.spec.distillation import TransferSpec
from tests.fakes.command import error, run
from tests.unit.run.test_queue import some_trials

WORDS = ("submit", "jobs/demo.yaml", "--models", "minilm", "--init", "random", "--dry-run")
DATA = ("--dataset", "synthetic:train=400,test=40,seed=7")


def plan(tmp_path, *words):
    return run(*WORDS, *DATA, "--runs", tmp_path, "--seeds", "1,2", *words).stdout


def test_each_share_is_shown_with_its_rows(tmp_path):
    lines = [
        line.partition(": ")[2]
        for line in plan(tmp_path, "--curve", "10%,0.5").splitlines()
        if line.startswith("trial ")
    ]
    assert [line.rpartition(" steps")[0] for line in lines[::2]] == [
        "10% of the train rows (40 rows), 6",
        "50% of the train rows (200 rows), 21",
        "39",
    ]
    assert len(lines) == 6


def test_the_same_plan_as_json(tmp_path):
    trials = json.loads(plan(tmp_path, "--curve", "10%,50%", "--json"))["trials"]
    assert [(one["train_share"], one["num_rows"]) for one in trials[::2]] == [
        (0.1, 40),
        (0.5, 200),
        (1.0, 400),
    ]


def test_a_fresh_models_tokenizer_knows_all_texts_and_that_is_said(tmp_path):
    note = "note  fresh models have a tokenizer trained on all train texts"
    assert note in plan(tmp_path, "--curve", "10%,50%")
    assert note not in plan(tmp_path)


def test_shares_without_a_batch_are_named(tmp_path):
    last = error(*WORDS, *DATA, "--runs", tmp_path, "--curve", "0.001%,1%")
    assert last == (
        "study: curve: 1% of the train rows: want at least one global batch (32 rows), found 4; "
        "lower --global-batch-size, or use a larger share, or more rows"
    )


@pytest.mark.parametrize(
    ("planned", "told"),
    [
        ({"work": "labelling", "num_rows": 1300}, "labels 1,300 rows for its students, cpu"),
        ({"work": "pretraining", "num_steps": 20}, "pre-training, 20 steps, cpu"),
        ({"transfer": TransferSpec(source="more.txt")}, "texts without labels from more.txt"),
    ],
)
def test_what_is_done_for_students_is_shown(planned, told):
    assert told in planned_line(replace(some_trials(1)[0], **planned), False)

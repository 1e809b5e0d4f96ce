"""A study of a teacher and its students, on real Ray: what each trial leaves, and what runs again.

The rows are words that show their topic and words that do not; the model is a folder of a tiny BERT
with random weights, from which all models of the study are made.
"""

import csv
import json
import random
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertModel

from agnews_ray.data.batches import FIRST_TRANSFER_ROW
from agnews_ray.model.tokenizer import train_tokenizer
from agnews_ray.record.soft_labels import FILE_NAME, load_soft_labels
from agnews_ray.record.store import StudyStore
from agnews_ray.spec.variant import VariantSpec

pytestmark = pytest.mark.integration

TOPICS = ("science", "sport", "world")
NUM_TRAIN, NUM_TEST, NUM_TEXTS = 240, 60, 100
COPIED = {"model": "base", "student": {"layers": [0, 2]}}
ONCE = {"num_epochs": 1, "global_batch_size": 64}
TAUGHT = {"teacher": "teacher", "temperature": 2.0, "transfer": {"source": "more.txt"}}
MINILM = {"objective": "minilm", "recipe": ONCE}
TRIPLE = {"objective": "distilbert", "teacher": "filler", "recipe": ONCE}
JOB = {
    "name": "teaching",
    "models": [
        {"name": "teacher", "model": "base"},
        {"name": "plain", **COPIED},
        {"name": "taught", **COPIED, "distillation": TAUGHT},
        {"name": "half", **COPIED, "pretraining": MINILM},
        {
            "name": "small",
            "model": "base",
            "student": {"num_layers": 1, "hidden_size": 16, "num_heads": 4},
            "pretraining": {**MINILM, "teacher": "half"},
        },
        {
            "name": "filler",
            "model": "base",
            "pretraining": {"objective": "masked-lm", "trains": "head", "recipe": ONCE},
        },
        {
            "name": "triple",
            "model": "base",
            "student": {"layers": [0, 2], "form": "distilbert"},
            "pretraining": TRIPLE,
        },
    ],
    "seeds": [1],
    "data": {"source": "news"},
    "recipe": {"num_epochs": 3, "learning_rate": 3e-3, "precision": "fp32"},
}


def some_rows(num_rows, seed):
    rng = random.Random(seed)
    for row in range(num_rows):
        words = [f"{TOPICS[row % 3]}{rng.randrange(12)}" for _ in range(3)]
        words += [f"common{rng.randrange(20)}" for _ in range(5)]
        rng.shuffle(words)
        yield TOPICS[row % 3], " ".join(words)


def write_sources(folder):
    """Write labelled rows, texts without labels, and the folder of a model."""
    (folder / "news").mkdir()
    for split, num_rows, seed in (("train", NUM_TRAIN, 1), ("test", NUM_TEST, 2)):
        with (folder / "news" / f"{split}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("label", "text"), *some_rows(num_rows, seed)])
    texts = [text for _, text in some_rows(NUM_TEXTS, 3)]
    (folder / "more.txt").write_text("".join(f"{text}\n" for text in texts))
    known = [text for _, text in some_rows(NUM_TRAIN, 1)]
    tokenizer = train_tokenizer(lambda: known, VariantSpec(model="minilm", init="random"))
    sizes = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    torch.manual_seed(1)
    config = BertConfig(vocab_size=len(tokenizer), intermediate_size=64, **sizes)
    BertModel(config).save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")


@pytest.fixture(scope="module")
def study(made_once, workplace):
    """The study after one submit."""

    def make():
        place = workplace("teaching")
        write_sources(place.folder)
        place.submitted = place.run("submit", "--json", job=JOB)
        assert place.submitted.returncode == 0, place.submitted.err + place.submitted.out
        return place

    return made_once("teaching", make)


def store_of(place, name="teaching"):
    return StudyStore(place.folder / "runs", name)


def trials(place, name="teaching"):
    """The records by work and variant, each with its folder."""
    store = store_of(place, name)
    return {
        (record.work, record.variant.name): (record, store.trial_folder(record.trial_id))
        for record in store.records()
    }


def logits_of(folder):
    return np.array(pq.read_table(folder / "predictions.parquet")["logits"].to_pylist())


def curve_of(folder):
    return pq.read_table(folder / "curve.parquet")


def test_each_work_is_a_trial_of_its_own(study):
    names = ["filler", "half", "plain", "small", "taught", "teacher", "triple"]
    assert sorted(trials(study)) == [
        *(("fine-tuning", name) for name in names),
        ("labelling", "teacher"),
        *(("pretraining", name) for name in ("filler", "half", "small", "triple")),
    ]


def test_the_table_has_only_models_that_were_fine_tuned(study):
    rows = json.loads(study.submitted.out)["rows"]
    assert [row["model"] for row in rows] == [one["name"] for one in JOB["models"]]
    found = study.run("compare", "runs/teaching", "--format", "json")
    assert (found.returncode, found.err) == (0, "")
    assert json.loads(found.out)["rows"] == rows


def test_a_teacher_labels_each_train_row_and_each_text(study):
    record, folder = trials(study)["labelling", "teacher"]
    teacher, _ = trials(study)["fine-tuning", "teacher"]
    labels = load_soft_labels(folder / FILE_NAME)
    texts = FIRST_TRANSFER_ROW + np.arange(NUM_TEXTS)
    assert labels.rows.tolist() == [*range(NUM_TRAIN), *texts]
    assert labels.logits.shape == (NUM_TRAIN + NUM_TEXTS, len(TOPICS))
    assert record.labelling.teacher_trial == teacher.trial_id
    assert (record.labelling.num_labelled, record.labelling.num_transfer) == (NUM_TRAIN, NUM_TEXTS)
    assert record.labelling.accuracy > 0.5


def test_a_record_says_from_what_a_student_learned(study):
    found = trials(study)
    record, folder = found["fine-tuning", "taught"]
    labelling, _ = found["labelling", "teacher"]
    assert record.teaching.labelled_by == (labelling.trial_id,)
    assert (record.teaching.transfer.num_rows, record.teaching.transfer.num_read) == (100, 100)
    assert record.training.num_train_examples == NUM_TRAIN + NUM_TEXTS
    curve = curve_of(folder)
    parts = np.array(curve["soft"]) + np.array(curve["hard"])
    assert parts == pytest.approx(np.array(curve["loss"]), rel=1e-5)
    assert found["fine-tuning", "plain"][0].teaching is None


def test_a_student_starts_from_its_pretraining_and_that_from_its_assistants(study):
    found = trials(study)
    half, _ = found["pretraining", "half"]
    small, _ = found["pretraining", "small"]
    assert found["fine-tuning", "small"][0].teaching.starts_from == small.trial_id
    assert (small.pretraining.teacher, small.pretraining.teacher_trial) == ("half", half.trial_id)
    assert (half.pretraining.teacher_trial, half.pretraining.num_texts) == (None, NUM_TRAIN)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("half", {"attention": 1, "value": 1}),
        ("triple", {"soft targets": 5, "masked LM": 2, "cosine": 1}),
    ],
)
def test_the_curve_of_a_pretraining_has_the_parts_of_its_loss(study, name, parts):
    record, folder = trials(study)["pretraining", name]
    assert parts.keys() <= record.pretraining.final_parts.keys()
    curve = curve_of(folder)
    total = sum(weight * np.array(curve[part]) for part, weight in parts.items())
    assert total == pytest.approx(np.array(curve["loss"]), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "kind", "num_layers"),
    [("half", AutoModel, 2), ("small", AutoModel, 1), ("triple", AutoModelForMaskedLM, 2)],
)
def test_what_a_pretraining_leaves_is_loaded_by_transformers(study, name, kind, num_layers):
    folder = trials(study)["pretraining", name][1] / "artifact"
    model, info = kind.from_pretrained(folder, output_loading_info=True)
    assert [key for key in info["missing_keys"] if "pooler" not in key] == []
    assert model.config.num_hidden_layers == num_layers
    assert len(AutoTokenizer.from_pretrained(folder)) == model.config.vocab_size
    assert model.config.model_type == ("distilbert" if name == "triple" else "bert")


def test_asking_twice_runs_nothing(study):
    done = study.run("submit", job=JOB)
    assert (done.returncode, done.err) == (0, "")
    assert done.out.startswith("study teaching: 12 trial(s), 12 already done")
    assert "start " not in done.out


@pytest.fixture(scope="module")
def again(made_once, workplace, study):
    """The study in another folder, submitted again after its taught student was deleted."""

    def make():
        place = workplace("teaching-again")
        shutil.copytree(study.folder, place.folder, dirs_exist_ok=True)
        shutil.rmtree(trials(place)["fine-tuning", "taught"][1])
        place.submitted = place.run("submit", job=JOB)
        return place

    return made_once("teaching-again", make)


def test_a_deleted_student_is_taught_again_by_the_labels_that_are_there(again):
    started = [line for line in again.submitted.out.splitlines() if line.startswith("start ")]
    assert again.submitted.returncode == 0, again.submitted.err
    assert [line.split("-")[0] for line in started] == ["start taught"]


def test_a_student_that_is_taught_again_predicts_the_same(study, again):
    first = trials(study)["fine-tuning", "taught"][1]
    second = trials(again)["fine-tuning", "taught"][1]
    assert np.array_equal(logits_of(first), logits_of(second))
    assert curve_of(first).drop(["seconds"]).equals(curve_of(second).drop(["seconds"]))


def test_a_teacher_from_elsewhere_teaches_without_labels(study, workplace):
    """By two workers, of a stream: each text is labelled once, as by one worker."""
    place = workplace("no-labels")
    shutil.copytree(study.folder, place.folder, dirs_exist_ok=True)
    _, teacher = trials(place)["fine-tuning", "teacher"]
    transfer = {"source": "more.txt", "only": True}
    taught = {"teacher": str(teacher), "soft_weight": 1.0, "transfer": transfer}
    job = JOB | {
        "name": "no-labels",
        "models": [{"name": "taught", **COPIED, "distillation": taught}],
        "data": {"source": "news", "max_resident_mb": 0, "stream_window_rows": 50},
        "scaling": {"num_workers": 2},
        "recipe": JOB["recipe"] | {"num_epochs": 1},
    }
    done = place.run("submit", job=job)
    assert done.returncode == 0, done.err
    found = trials(place, "no-labels")
    record, _ = found["fine-tuning", "taught"]
    assert record.training.num_train_examples == NUM_TEXTS
    assert not record.teaching.uses_labelled_rows
    labelling, folder = found["labelling", str(teacher)]
    assert (labelling.labelling.teacher_trial, labelling.labelling.num_labelled) == (None, 0)
    texts = load_soft_labels(folder / FILE_NAME)
    before = load_soft_labels(trials(place)["labelling", "teacher"][1] / FILE_NAME)
    assert texts.rows.tolist() == before.rows[NUM_TRAIN:].tolist()
    assert texts.logits == pytest.approx(before.logits[NUM_TRAIN:], abs=1e-4)

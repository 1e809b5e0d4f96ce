"""Each artifact, loaded by plain transformers in a fresh process, gives what was recorded."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
import torch

from agnews_ray.data.batches import TokenisedRows, evaluation_batches, train_batches
from agnews_ray.data.encode import make_encoder
from agnews_ray.engine.artifact_check import check_artifact, deviation
from agnews_ray.engine.fast import FastEngine
from agnews_ray.engine.predict import predict
from agnews_ray.engine.results import Rank
from agnews_ray.errors import TrialError
from agnews_ray.model.artifact_facts import ArtifactFacts
from agnews_ray.model.build import build_classifier
from agnews_ray.model.saving import save_artifact
from agnews_ray.model.tokenizer import encoder_json, load_tokenizer
from agnews_ray.spec.recipe import RecipeSpec
from agnews_ray.spec.variant import VariantSpec
from tests.data.model_families import CLASS_NAMES
from tests.data.model_families import TEXTS as ALL_TEXTS
from tests.data.model_folders import CASES

TEXTS = ALL_TEXTS[::3]
MAX_LENGTH = 40
"""Half of the texts are longer."""

RECIPE = RecipeSpec(learning_rate=1e-2, global_batch_size=16, num_epochs=1)

OTHERS = {
    "tokenizer-truncates-left",
    "tokenizer-pads-left",
    "tokenizer-cuts-and-pads-by-itself",
    "tokenizer-larger-than-table",
    "tokenizer-generic-class",
    "vocab-txt-only",
    "head-for-several-labels",
    "head-for-regression",
    "head-kept-in-other-order",
    "weights-in-bf16",
    "sentence-transformers-new",
}
WORKING = [
    case for case in CASES if (case.kind == "family" or case.name in OTHERS) and not case.refused
]

LOADER = """
import json, sys
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer, logging, pipeline

logging.set_verbosity_error()
logging.disable_progress_bar()
torch.set_num_threads(1)
texts, found = json.loads(sys.stdin.read()), {}
for folder in sys.argv[1:]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder)
    inputs = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
    with torch.inference_mode():
        logits = model(**inputs).logits
    classify = pipeline("text-classification", model, tokenizer=tokenizer, top_k=None)
    scores = classify(texts[:6], truncation=True)
    found[folder] = {
        "dtype": str(logits.dtype),
        "logits": logits.tolist(),
        "scores": [{one["label"]: one["score"] for one in row} for row in scores],
    }
print(json.dumps(found))
"""


def rows_of(tokenizer):
    table = pa.table(
        {"text": TEXTS, "label": np.arange(len(TEXTS)) % 4, "row": np.arange(len(TEXTS))}
    )
    return TokenisedRows.from_table(make_encoder(encoder_json(tokenizer, MAX_LENGTH))(table))


def leave_artifact(case, place):
    """Two steps of training, scored as a trial does; gives the logits in file order."""
    case.make(place / "theirs")
    variant = VariantSpec(
        model=str(place / "theirs"), **({"keep_head": True} if case.keep_head else {})
    )
    tokenizer = load_tokenizer(variant)
    model = build_classifier(variant, CLASS_NAMES, 0, tokenizer)
    rows, pad_id, side = rows_of(tokenizer), tokenizer.pad_token_id, tokenizer.padding_side
    engine = FastEngine(
        recipe=RECIPE, precision="fp32", pad_id=pad_id, rank=Rank(), padding_side=side
    )
    engine.train(model, [list(train_batches([rows], 16, 0, 0))[:2]], 2)
    batches = evaluation_batches([rows], 8)
    parts = list(predict(model, batches, pad_id, Rank(), "fp32", side))
    facts = ArtifactFacts(
        class_names=CLASS_NAMES,
        max_length_tokens=MAX_LENGTH,
        text_columns=("text",),
        label_kind="names",
    )
    save_artifact(place / "artifact", model, tokenizer, facts)
    order = np.argsort(np.concatenate([part.rows for part in parts]))
    return np.concatenate([part.logits for part in parts])[order]


@pytest.fixture(scope="module")
def replayed(tmp_path_factory):
    """Recorded logits by case, and what one fresh process says of all the artifacts."""
    places = {case.name: tmp_path_factory.mktemp("artifact") for case in WORKING}
    recorded, failed = {}, {}
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the models are too small for more
    for case in WORKING:
        try:
            recorded[case.name] = leave_artifact(case, places[case.name])
        except Exception as error:  # noqa: BLE001  # told in the test of this case
            failed[case.name] = error
    torch.set_num_threads(num_threads)
    folders = {name: str(places[name] / "artifact") for name in recorded}
    done = subprocess.run(
        [sys.executable, "-c", LOADER, *folders.values()],
        input=json.dumps(TEXTS), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    loaded = {name: said[folder] for name, folder in folders.items()}
    return SimpleNamespace(recorded=recorded, failed=failed, loaded=loaded)


@pytest.mark.parametrize("name", [case.name for case in WORKING])
def test_an_artifact_gives_the_recorded_logits(replayed, name):
    if name in replayed.failed:
        raise replayed.failed[name]
    recorded, loaded = replayed.recorded[name], replayed.loaded[name]
    apart = deviation(np.array(loaded["logits"], np.float32), recorded)
    assert check_artifact(name, apart, "fp32") < 2e-3
    assert loaded["dtype"] == "torch.float32"
    expected = torch.from_numpy(recorded[:6]).softmax(dim=-1).numpy()
    scores = np.array([[row[label] for label in CLASS_NAMES] for row in loaded["scores"]])
    assert scores == pytest.approx(expected, abs=1e-3)


def test_what_is_not_what_was_recorded_ends_the_trial():
    recorded = np.array([[1.0, -2.0], [0.5, 4.0]], np.float32)
    assert deviation(recorded + np.float32(0.004), recorded) == pytest.approx(0.001, rel=1e-3)
    with pytest.raises(TrialError, match=r"trial x: want a saved model .* 25.0% away"):
        check_artifact("trial x", deviation(recorded - 1, recorded), "bf16")


def test_logits_that_are_no_numbers_are_the_same_only_where_both_are():
    recorded = np.array([[1.0, np.nan]], np.float32)
    assert deviation(recorded, recorded) == 0
    assert deviation(np.ones((1, 2), np.float32), recorded) == np.inf

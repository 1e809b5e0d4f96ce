"""Nothing that a folder brings along is ever run: neither its code nor a pickle of its."""

import ast
import contextlib
import json
import pickle
from pathlib import Path

import pytest
import torch

import agnews_ray
from agnews_ray.app.measure_artifacts import _Artifact, _measure_setting, _Setting
from agnews_ray.engine.artifact_check import replay
from agnews_ray.errors import AgnewsError, ResourceError
from agnews_ray.model.artifact import Classifier
from agnews_ray.model.build import build_classifier
from agnews_ray.model.flops import flops_per_row
from agnews_ray.model.tokenizer import load_tokenizer, load_trained_tokenizer, train_tokenizer
from agnews_ray.spec.variant import ArchitectureSpec, VariantSpec

TEXTS = ["oil prices rose", "home side wins"]
NAMES = ("a", "b")
TINY = VariantSpec(
    model="minilm",
    init="random",
    architecture=ArchitectureSpec(
        num_layers=1, hidden_size=16, num_heads=2, intermediate_size=16, vocab_size=100
    ),
)
CODE = {
    "AutoConfig": "evil.Evil",
    "AutoModel": "evil.Evil",
    "AutoModelForSequenceClassification": "evil.Evil",
    "AutoTokenizer": ["evil.Evil", "evil.Evil"],
}

LOADS = {
    "tokenizer": lambda folder: load_tokenizer(VariantSpec(model=str(folder))),
    "trained tokenizer": load_trained_tokenizer,
    "model": lambda folder: build_classifier(VariantSpec(model=str(folder)), NAMES, 0),
    "classifier": lambda folder: Classifier(folder, 8, "cpu", "fp32"),
    "flops": lambda folder: flops_per_row(folder, [3]),
    "replay": lambda folder: replay(folder, TEXTS, torch.device("cpu"), "fp32"),
}
OF_WEIGHTS = ("model", "classifier", "replay")


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "folder"
    build_classifier(TINY, NAMES, 0).save_pretrained(folder)
    train_tokenizer(lambda: TEXTS, TINY).save_pretrained(folder)
    return folder


@pytest.fixture
def marker(folder, tmp_path, monkeypatch):
    """What exists once the folder's own code has run; asked whether it may, the user says yes."""
    marker = tmp_path / "ran"
    (folder / "evil.py").write_text(f"open({str(marker)!r}, 'w').close()\nclass Evil: pass\n")
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    return marker


def edit(file, **changes):
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def unknown_model(folder):
    edit(folder / "config.json", model_type="evil", architectures=["Evil"], auto_map=CODE)


def unknown_tokenizer(folder):
    edit(folder / "tokenizer_config.json", tokenizer_class="Evil", auto_map=CODE)


def known_model(folder):
    edit(folder / "config.json", auto_map=CODE)
    edit(folder / "tokenizer_config.json", auto_map=CODE)


@pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)
@pytest.mark.parametrize("damage", [unknown_model, unknown_tokenizer, known_model])
def test_the_folders_own_code_never_runs(folder, marker, load, damage):
    damage(folder)
    # Some have nothing to refuse: they load what transformers knows, without the folder's code.
    with contextlib.suppress(AgnewsError, ValueError):
        load(folder)
    assert not marker.exists()


def test_a_model_that_needs_its_own_code_is_refused_in_a_line(folder, marker):
    unknown_model(folder)
    artifact = _Artifact(None, folder.parent, 8)
    folder.rename(folder.parent / "artifact")
    with pytest.raises(ResourceError, match="custom code") as caught:
        _measure_setting([artifact], TEXTS, _Setting("cpu", 1, "fp32"), print)
    assert len(str(caught.value).splitlines()) == 1
    assert not marker.exists()


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_weights_that_are_no_safetensors_are_not_opened(folder, name, monkeypatch):
    weights = dict(build_classifier(TINY, NAMES, 0).state_dict())
    (folder / "model.safetensors").unlink()
    torch.save(weights, folder / "pytorch_model.bin")
    opened = []
    monkeypatch.setattr("torch.load", lambda *a, **_: opened.append(a) or weights)
    with pytest.raises((AgnewsError, OSError), match="safetensors"):
        LOADS[name](folder)
    assert opened == []


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_a_pickle_under_the_name_of_safetensors_is_not_run(folder, name, tmp_path):
    marker = tmp_path / "ran"

    class Evil:
        def __reduce__(self):
            return (open, (str(marker), "w"))

    (folder / "model.safetensors").write_bytes(pickle.dumps(Evil()))
    with pytest.raises(Exception, match=r"(?i)header|safetensors|save_pretrained"):
        LOADS[name](folder)
    assert not marker.exists()


def _loads():
    for file in sorted(Path(agnews_ray.__file__).parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = getattr(node.func.value, "id", "")
                arguments = {k.arg: getattr(k.value, "value", None) for k in node.keywords}
                yield f"{file.name}:{node.lineno}", of, node.func.attr, arguments


def test_every_load_forbids_remote_code_and_wants_safetensors():
    unsafe, num_loads = [], 0
    for place, of, name, arguments in _loads():
        if name != "from_pretrained":
            continue
        num_loads += 1
        is_of_weights = "Model" in of
        if arguments.get("trust_remote_code") is not False:
            unsafe.append(f"{place}: {of} without trust_remote_code=False")
        if is_of_weights and arguments.get("use_safetensors") is not True:
            unsafe.append(f"{place}: {of} without use_safetensors=True")
    assert unsafe == []
    assert num_loads >= 9


def test_nothing_is_loaded_by_torchs_pickles():
    found = [place for place, of, name, _ in _loads() if (of, name) == ("torch", "load")]
    assert found == []

"""Where models lie; data are looked at in test_prepare."""

import pytest

from agnews_ray.app.prepare import read_study
from agnews_ray.app.study_places import other_places, with_places
from agnews_ray.errors import SpecError
from tests.fakes.artifacts import an_artifact


def test_an_encoders_place_is_the_same_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    an_artifact(tmp_path / "ours")
    study = read_study(None, {"models": ["embed-logreg:./ours", "tfidf-svm"]})
    embed, svm = with_places(study).models
    assert embed.model == f"embed-logreg:{tmp_path / 'ours'}"
    assert (svm.model, embed.name) == ("tfidf-svm", "embed-logreg:ours")


def test_the_places_of_teachers_and_texts_are_the_same_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    an_artifact(tmp_path / "ours")
    (tmp_path / "more.txt").write_text("a text")
    transfer = {"source": "more.txt"}
    taught = {
        "model": "minilm",
        "name": "taught",
        "distillation": {"teacher": ["ours", "bert"], "transfer": transfer},
        "pretraining": {"objective": "minilm", "teacher": "./ours", "transfer": transfer},
    }
    study = read_study(None, {"models": [{"model": "bert"}, taught]})
    _, placed = with_places(study).models
    ours, more = str(tmp_path / "ours"), str(tmp_path / "more.txt")
    assert placed.distillation.teacher == (ours, "bert")
    assert placed.pretraining.teacher == ours
    assert other_places(placed) == (more, more, ours, "bert", ours)


def test_a_teacher_that_is_a_variant_is_no_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    an_artifact(tmp_path / "big")
    taught = {"model": "minilm", "name": "taught", "distillation": {"teacher": "big"}}
    study = read_study(None, {"models": [{"model": "bert", "name": "big"}, taught]})
    assert with_places(study).models[1].distillation.teacher == ("big",)


def test_a_path_that_cannot_be_asked_for_is_refused_wherever_it_stands():
    with pytest.raises(SpecError, match=r"models.0.model: want a name or a path"):
        read_study(None, {"models": [f"embed-logreg:{'x' * 5000}"]})

"""Which trials of a study a tracker gets, and what else."""

import pytest

from agnews_ray.app.track_study import check_studies, track_study
from agnews_ray.errors import StoreError
from agnews_ray.record.store import StudyStore
from tests.fakes.studies import a_study, diverges
from tests.fakes.taught import a_taught_study
from tests.fakes.tracked import KeptTracker


def export(location, trial_ids=None):
    tracker, lines = KeptTracker(), []
    found = track_study(str(location), "kept", tracker, lines.append, trial_ids)
    return found, tracker.told, lines


def test_every_finished_trial_is_exported_and_then_the_study(tmp_path):
    found, told, lines = export(a_study(tmp_path, "news", seeds=(1, 2)))
    assert [facts[:2] for facts in told] == [
        *[("export", one) for one in ("v0-s1", "v0-s2", "v1-s1", "v1-s2")],
        ("describe", "news"),
    ]
    assert {trial.study for _, _, trial in told[:-1]} == {"news"}  # the folder's name
    assert str(found) == "news in kept (a list): 4 new"
    assert lines == []


def test_the_study_has_its_verdict_its_scores_and_its_table(tmp_path):
    _, told, _ = export(a_study(tmp_path))
    study = told[-1][2]
    assert study.question == "Which one?"
    assert study.findings[0].startswith("first has the highest mean accuracy")
    assert study.scores["accuracy of first"].endswith("]")
    assert "| first" in study.table


def test_a_study_without_scores_has_its_question(tmp_path):
    folder = a_study(tmp_path, seeds=(1,), variants=(("bad", diverges([True])),))
    _, told, _ = export(folder)
    assert (told[-1][2].question, told[-1][2].findings) == ("Which one?", ())


def test_a_trial_alone_leaves_the_study_out(tmp_path):
    found, told, _ = export(a_study(tmp_path), ["v1-s2"])
    assert [facts[:2] for facts in told] == [("export", "v1-s2")]
    assert found.runs == {"v1-s2": "new"}


def test_what_cannot_be_read_is_said_and_the_rest_exported(tmp_path):
    folder = a_study(tmp_path, seeds=(1,))
    (folder / "trials" / "v1-s1" / "record.json").write_text("torn")
    found, _, (line,) = export(folder)
    assert found.runs == {"v0-s1": "new"}
    assert "v1-s1" in line


def test_the_artifact_is_a_path(tmp_path):
    folder = a_study(tmp_path, seeds=(1,))
    artifact = folder / "trials" / "v0-s1" / "artifact"
    artifact.mkdir()
    _, told, _ = export(folder)
    assert [trial.tags.get("artifact") for _, _, trial in told[:-1]] == [str(artifact), None]


def test_in_an_object_store_the_artifact_is_a_uri(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = a_study(tmp_path / "there", "news", seeds=(1,))
    artifact = folder / "trials" / "v0-s1" / "artifact"
    artifact.mkdir()
    (artifact / "model.safetensors").write_bytes(b"weights")
    _, told, _ = export(folder.as_uri())
    tags = [trial.tags.get("artifact") for _, _, trial in told[:-1]]
    assert tags == [f"{folder.as_uri()}/trials/v0-s1/artifact", None]


def test_a_study_without_a_finished_trial_is_no_error(tmp_path):
    store = StudyStore.at(a_study(tmp_path, seeds=(1,)))
    for record in store.records():
        (store.trial_folder(record.trial_id) / "record.json").unlink()
    found, told, _ = export(store.folder)
    assert (found.runs, told) == ({}, [])
    assert str(found).endswith("no finished trial")


def test_a_folder_that_is_no_study_is_found_first(tmp_path):
    with pytest.raises(StoreError, match="no such folder"):
        check_studies([str(a_study(tmp_path)), str(tmp_path / "none")])


def test_a_pre_training_is_a_run_of_its_own_and_a_teachers_labels_are_none(tmp_path):
    _, told, _ = export(a_taught_study(tmp_path))
    names = [trial.name for kind, _, trial in told if kind == "export"]
    assert len(names) == 12 + 1
    assert "taught · pre-training · seed 42" in names

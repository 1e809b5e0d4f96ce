"""One study, however the way to its data and models is written."""

import shutil
from pathlib import Path

import pytest

from agnews_ray.app.prepare import prepare_study, read_study
from agnews_ray.app.study_places import with_places
from agnews_ray.errors import StoreError
from agnews_ray.spec.study import StudySpec
from agnews_ray.spec.variant import VariantSpec
from tests.fakes.records import a_record

FLAGS = {"models": [{"model": "minilm", "init": "random"}]}


def a_study(source, **flags):
    return read_study(None, FLAGS | {"data.source": str(source)} | flags)


@pytest.fixture
def here(news_folder, monkeypatch):
    """The folder that holds ``news``, with a link to it, as working folder and home."""
    here = news_folder.parent
    (here / "other").mkdir()
    (here / "link").symlink_to(news_folder)
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.chdir(here)
    return here


def keep(study, record=False):
    """What ``submit`` leaves of a study, without training."""
    prepared = prepare_study(study, "runs")
    with prepared.store.writing():
        prepared.store.save_study(with_places(study))
        if record:
            dataset = prepared.scanned.record
            staged = prepared.store.staging_folder("x")
            (Path(staged) / "predictions.parquet").touch()
            trained = a_record(trial_id="x").model_copy(update={"dataset": dataset})
            prepared.store.publish(trained, staged)
    return prepared


WAYS = ["news", "./news", "news/", "other/../news", "link", "~/news", "{here}/news"]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_one_folder_makes_one_study(here, way):
    written = a_study(way.format(here=here))
    assert written.name == a_study("news").name
    keep(a_study("news"))
    prepare_study(written, "runs")  # which refuses another question


def test_another_folder_is_another_study(here):
    shutil.copytree("news", "more")
    assert a_study("more").name != a_study("news").name
    keep(a_study("news", name="n"))
    with pytest.raises(StoreError, match=r"data\.source: .*/news' there, .*/more' asked"):
        prepare_study(a_study("more", name="n"), "runs")


def test_the_same_rows_in_another_folder_are_the_same_question(here):
    keep(a_study("news", name="n"), record=True)
    shutil.move("news", "moved")
    prepare_study(a_study("moved", name="n"), "runs")


def test_other_rows_at_the_same_place_are_another_question(here):
    keep(a_study("news", name="n"), record=True)
    with (here / "news" / "train.csv").open("a") as file:
        file.write('"1","More","of it"\n')
    with pytest.raises(StoreError, match="want the rows of its trials, found other rows in news"):
        prepare_study(a_study("news", name="n"), "runs")


def test_a_kept_study_can_be_submitted_from_another_folder(here, monkeypatch):
    prepared = keep(a_study("news/train.csv", **{"data.test_source": "news/test.csv"}))
    monkeypatch.chdir(here / "other")
    again = read_study(prepared.store.study_path, {})
    assert again.name == prepared.study.name
    assert again.data.test_source == str(here / "news" / "test.csv")
    prepare_study(again, here / "runs")


def test_what_does_not_lie_here_is_kept_as_it_is_written(here):
    study = a_study("ag_news", **{"data.validation_source": "none"})
    assert with_places(study) == study
    assert with_places(a_study("synthetic:")).data.source == "synthetic:"


def test_a_models_folder_is_written_out_too(here):
    (here / "model").mkdir()
    study = StudySpec(models=(VariantSpec(model="./model"), VariantSpec(model="minilm")))
    assert [one.model for one in with_places(study).models] == [str(here / "model"), "minilm"]


def test_linear_models_need_neither_a_device_nor_whole_batches(here):
    flags = {"recipe.global_batch_size": 4096, "recipe.precision": "bf16"}
    prepared = prepare_study(a_study("news", models=[{"model": "tfidf-svm"}], **flags), "runs")
    (trial,) = prepared.trials
    assert (prepared.device, trial.device, trial.precision) == ("cpu", "cpu", "fp32")

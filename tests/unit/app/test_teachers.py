"""Teachers from elsewhere and texts without labels, as they are found before a study is planned."""

import pytest

from agnews_ray.app.prepare import read_study
from agnews_ray.app.teachers import models_beside, read_sources, teacher_place
from agnews_ray.data.scan import scan_dataset
from agnews_ray.errors import DataError, ModelError
from agnews_ray.spec.distillation import TransferSpec
from tests.fakes.artifacts import an_artifact

TEACHER = {"name": "teacher", "model": "minilm", "init": "random"}


def a_study(data, **changes):
    student = {"name": "student", "model": "minilm", "init": "random", **changes}
    return read_study(None, {"models": [TEACHER, student], "data.source": str(data)})


@pytest.fixture
def sources(news_folder, tmp_path):
    """Reads what a study with such a student learns from."""

    def sources(**changes):
        study = a_study(news_folder, **changes)
        scanned = scan_dataset(study.data, tmp_path / "cache")
        return read_sources(study, scanned, tmp_path / "cache")

    return sources


def test_a_variant_that_teaches_is_no_model_from_elsewhere(news_folder):
    taught = a_study(news_folder, distillation={"teacher": "teacher"})
    pretrained = a_study(news_folder, pretraining={"objective": "minilm", "teacher": "teacher"})
    assert (models_beside(taught), models_beside(pretrained)) == ([], [])


def test_a_finished_trial_teaches_by_its_artifact(tmp_path, sources):
    trial = tmp_path / "trials" / "one"
    artifact = an_artifact(trial / "artifact")
    assert teacher_place(str(trial)) == teacher_place(str(artifact)) == str(artifact)
    known = sources(distillation={"teacher": str(trial)}).known
    assert known.teachers[str(trial)].model == str(artifact)
    assert known.teachers[str(trial)].keep_head
    same = sources(distillation={"teacher": str(artifact)}).known
    assert same.weights[str(artifact)] == known.weights[str(trial)]


@pytest.mark.parametrize(
    "changes",
    [
        {"distillation": {"teacher": "nosuch"}},
        {"distillation": {"teacher": "./no/such"}},
        {"pretraining": {"objective": "minilm", "teacher": "nosuch"}},
        {"pretraining": {"objective": "minilm", "teacher": "./no/such"}},
    ],
)
def test_a_teacher_that_cannot_be_a_model_is_refused(sources, changes):
    with pytest.raises(ModelError, match=r"no/?such"):
        sources(**changes)


def test_texts_are_read_once_for_all_who_learn_from_them(tmp_path, sources):
    texts = tmp_path / "more.txt"
    texts.write_text("one text\nanother text\n")
    transfer = {"source": str(texts)}
    found = sources(
        distillation={"teacher": "teacher", "transfer": transfer},
        pretraining={"objective": "masked-lm", "transfer": transfer},
    )
    spec = TransferSpec(source=str(texts))
    assert list(found.texts) == [spec]
    assert found.known.transfers[spec].num_rows == 2


def test_texts_that_are_not_there_are_named(sources):
    with pytest.raises(DataError, match=r"missing\.txt"):
        sources(distillation={"teacher": "teacher", "transfer": {"source": "missing.txt"}})

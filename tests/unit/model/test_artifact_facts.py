"""An artifact says itself how it is to be used."""

import pytest

from agnews_ray.errors import StoreError
from agnews_ray.model.artifact_facts import FILE_NAME, ArtifactFacts
from tests.fakes.artifacts import FACTS


def test_what_is_written_is_read(tmp_path):
    FACTS.write(tmp_path)
    assert ArtifactFacts.read(tmp_path) == FACTS


def test_an_old_artifact_says_nothing(tmp_path):
    assert ArtifactFacts.read(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", '{"class_names": 3}'])
def test_a_damaged_file_is_explained(tmp_path, content):
    (tmp_path / FILE_NAME).write_text(content)
    with pytest.raises(StoreError, match="want the facts about the artifact"):
        ArtifactFacts.read(tmp_path)

"""Every folder of the corpus is read as it was written, or refused in one helpful line."""

import pytest

from tests.data.data_folders import CASES, make, outcome, skipped


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    return tmp_path_factory.mktemp("folders")


def test_every_folder_has_a_name_of_its_own_and_an_outcome():
    assert len({(case.kind, case.id) for case in CASES}) == len(CASES) >= 180
    assert all(case.works or case.refused for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=[f"{case.kind}: {case.id}" for case in CASES])
def test_folder(case, corpus):
    if skipped(case):
        pytest.skip("root may read everything")
    made = make(case, corpus)
    assert outcome(case, made, corpus / "cache")[1] == ""

import re

import pytest
import torch

from tests.data.model_folders import CASES, try_case


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """The models are too small for more."""
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(num_threads)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_model_folder_works_or_is_refused_in_one_line(tmp_path, case):
    refusal, notes = try_case(case, tmp_path / "theirs")
    if case.refused:
        assert re.search(case.refused, refusal), refusal or f"not refused; notes: {notes}"
    else:
        assert refusal == ""
        assert re.search(case.notes, "\n".join(notes)), notes
    for line in (refusal, *notes):
        assert "\n" not in line
        assert len(line) <= 400

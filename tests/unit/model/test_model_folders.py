import re

import pytest

from tests.data.model_folders import CASES, try_case


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

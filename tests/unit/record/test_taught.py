from typing import get_args

from agnews_ray.record.schema import TrialRecord
from agnews_ray.record.taught import Work


def test_a_record_of_an_older_version_is_of_a_model_that_nobody_taught():
    fields = TrialRecord.model_fields
    assert fields["work"].default == get_args(Work)[0] == "fine-tuning"
    assert [fields[name].default for name in ("teaching", "labelling", "pretraining")] == [None] * 3

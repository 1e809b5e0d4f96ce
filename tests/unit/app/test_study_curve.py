"""The curve of a study's folder, and where it is shown."""

import pytest

from agnews_ray.app.analyse import assess_study, compare_study, open_study
from agnews_ray.compare.assessment import Settings
from agnews_ray.errors import StoreError
from agnews_ray.record.store import StudyStore
from tests.fakes.curves import a_curve_study
from tests.fakes.studies import a_study

FEW = Settings(num_draws=50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return a_curve_study(tmp_path_factory.mktemp("runs"))


def test_table_and_verdicts_are_those_without_the_curve(folder, tmp_path):
    study = a_study(
        tmp_path,
        variants=(("first", 0.85), ("second", 0.765)),
        seeds=(1, 2),
        num_rows=400,
        class_names=("a", "b", "c", "d"),
    )
    plain, curved = assess_study(study, FEW), assess_study(folder, FEW)
    assert (plain.table.rows, plain.pairs) == (curved.table.rows, curved.pairs)
    assert (plain.table.curve, plain.table.smaller) == (None, ())
    assert len(curved.records) == 4


def test_a_table_has_the_curve_of_every_variant(folder):
    table = compare_study(folder)
    assert [(row.model, row.train_share) for row in table.smaller] == [
        (name, share) for name in ("first", "second") for share in (0.1, 0.3, 0.6)
    ]
    assert [(one.model, len(one.points)) for one in table.curve.curves] == [
        ("first", 4),
        ("second", 4),
    ]
    assert table.curve.curves[0].points[-1].accuracy.value == table.rows[0].accuracy


def test_damaged_predictions_of_a_share_are_told_and_left_out(tmp_path):
    folder = a_curve_study(tmp_path)
    (folder / "trials" / "v0-p0_1-s1" / "predictions.parquet").write_bytes(b"PAR1 no")
    told = []
    table = compare_study(folder, told.append)
    assert [point.num_seeds for point in table.curve.curves[0].points] == [1, 2, 2, 2]
    assert len(told) == 1
    assert "a damaged one; delete" in told[0]


def test_a_study_that_has_only_shares_yet_is_no_study_to_compare(tmp_path):
    folder = a_curve_study(tmp_path)
    for record in StudyStore.at(folder).records():
        if record.train_share == 1:
            (folder / "trials" / record.trial_id / "record.json").unlink()
    with pytest.raises(StoreError, match="found none that scores the test split after"):
        open_study(folder)

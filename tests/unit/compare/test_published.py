import pytest

from agnews_ray.app.analyse import assess_study, verify_study
from agnews_ray.compare.published import hold_against_paper, hold_against_study
from agnews_ray.errors import StoreError
from tests.fakes.studies import a_study


@pytest.fixture
def study(tmp_path):
    """Its record has the paper's MiniLM parameters and size; its accuracy is about 0.944."""
    folder = a_study(tmp_path, variants=(("minilm", 0.944),), seeds=(1,), num_rows=7600)
    found = assess_study(folder)
    (record,) = found.records
    return with_dataset(found, record.dataset.model_copy(update={"class_names": tuple("abcd")}))


def with_dataset(study, dataset):
    records = tuple(one.model_copy(update={"dataset": dataset}) for one in study.records)
    return study.model_copy(update={"records": records})


def changed(study, **changes):
    """The same study with another VariantRow."""
    (row,) = study.table.rows
    rows = (row.model_copy(update=changes),)
    return study.model_copy(update={"table": study.table.model_copy(update={"rows": rows})})


def judged(lines):
    return {line.quantity: line.agrees for line in lines}


def test_sizes_match_to_the_digit_and_times_are_not_judged(study):
    lines = judged(hold_against_paper(study))
    assert lines["Parameters (M)"] is True
    assert lines["Model Size (MB)"] is True
    assert lines["Train time (min)"] is None


@pytest.mark.parametrize(
    ("changes", "quantity"),
    [({"parameters": 33_366_000}, "Parameters (M)"), ({"size_bytes": 1 << 27}, "Model Size (MB)")],
)
def test_a_digit_off_disagrees(study, changes, quantity):
    assert judged(hold_against_paper(changed(study, **changes)))[quantity] is False


@pytest.mark.parametrize(("shift", "agrees"), [(0.0, True), (0.03, False), (-0.03, False)])
def test_scores_agree_within_the_interval(study, shift, agrees):
    (facts,) = study.variants
    moved = facts.accuracy.model_copy(
        update={"low": 0.94 + shift, "value": 0.944 + shift, "high": 0.95 + shift}
    )
    other = study.model_copy(update={"variants": (facts.model_copy(update={"accuracy": moved}),)})
    assert judged(hold_against_paper(other))["Accuracy"] is agrees


def test_fresh_weights_are_judged_by_size_alone(study):
    (record,) = study.records
    fresh = record.variant.model_copy(update={"init": "random"})
    records = (record.model_copy(update={"variant": fresh}),)
    lines = judged(hold_against_paper(study.model_copy(update={"records": records})))
    assert (lines["Parameters (M)"], lines["Accuracy"]) == (True, None)


def test_scores_on_other_rows_are_not_judged(study):
    (record,) = study.records
    two_classes = record.dataset.model_copy(update={"class_names": ("no", "yes")})
    assert judged(hold_against_paper(with_dataset(study, two_classes)))["Accuracy"] is None
    test = record.dataset.test.model_copy(update={"fingerprint": "0" * 32})
    other = with_dataset(study, record.dataset.model_copy(update={"test": test}))
    assert judged(hold_against_study(study, other))["Accuracy"] is None


def test_a_study_agrees_with_itself(study):
    assert False not in judged(hold_against_study(study, study)).values()


def test_studies_without_a_common_model_are_told(tmp_path):
    one = a_study(tmp_path, name="one", variants=(("a", 0.9),))
    two = a_study(tmp_path, name="two", variants=(("b", 0.9),))
    with pytest.raises(StoreError, match=r"want a model that .*two has too, found a"):
        verify_study(one, str(two))

import numpy as np
import pytest

from agnews_ray.data.splits import select_train_and_validation, stratified_sample


def test_shares_are_kept_to_the_row():
    labels = np.repeat([0, 1, 2], [50, 30, 20]).astype(np.int16)
    rows = stratified_sample(labels, 10, np.random.default_rng(0))
    assert np.bincount(labels[rows]).tolist() == [5, 3, 2]
    assert (np.diff(rows) > 0).all()


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_as_many_rows_as_asked_for(count):
    labels = np.array([0, 0, 0, 1, 1, 2, 2], dtype=np.int16)
    assert stratified_sample(labels, count, np.random.default_rng(0)).size == count


def test_more_rows_than_there_are_is_an_error():
    with pytest.raises(ValueError, match="want 0 to 2"):
        stratified_sample(np.array([0, 1], dtype=np.int16), 3, np.random.default_rng(0))


def as_before(labels, count, rng):
    """The rows of rounding alone, as they were drawn before a class was sure of a row."""
    classes, sizes = np.unique(labels, return_counts=True)
    exact = sizes * (count / labels.size)
    quotas = np.floor(exact).astype(np.int64)
    quotas[np.argsort(quotas - exact, kind="stable")[: count - quotas.sum()]] += 1
    drawn = [
        rng.permutation(np.flatnonzero(labels == one))[:quota]
        for one, quota in zip(classes, quotas, strict=True)
    ]
    return quotas, np.sort(np.concatenate(drawn))


def unbalanced(num_classes, num_rows):
    shares = 1 / np.arange(1, num_classes + 1)
    rng = np.random.default_rng(1)
    more = rng.choice(num_classes, size=num_rows - num_classes, p=shares / shares.sum())
    return rng.permutation(np.append(np.arange(num_classes), more)).astype(np.int16)


@pytest.mark.parametrize(("num_classes", "count"), [(4, 40), (30, 30), (30, 45), (43, 400)])
def test_each_class_keeps_a_row_and_other_samples_stay_as_they_were(num_classes, count):
    labels = unbalanced(num_classes, 2000)
    before, same = as_before(labels, count, np.random.default_rng(3))
    rows = stratified_sample(labels, count, np.random.default_rng(3))
    counts = np.bincount(labels[rows], minlength=num_classes)
    assert rows.size == count
    assert counts.min() >= 1
    if before.min() >= 1:
        assert rows.tolist() == same.tolist()
    else:  # what the small classes were given was taken a row at a time
        assert (counts[before > 0] <= before[before > 0]).all()


def test_fewer_rows_than_classes_are_those_of_rounding():
    labels = unbalanced(30, 2000)
    rows = stratified_sample(labels, 20, np.random.default_rng(3))
    assert rows.tolist() == as_before(labels, 20, np.random.default_rng(3))[1].tolist()


@pytest.mark.parametrize("fraction", [0.05, 0.3, 0.9])
def test_validation_leaves_a_row_of_each_class_to_train_on(fraction):
    labels = unbalanced(43, 300)
    train, validation = select_train_and_validation(labels, None, fraction, 42)
    assert np.unique(labels[train]).size == 43
    assert validation.size == min(round(300 * fraction), 300 - 43)
    assert not set(train) & set(validation)


def test_a_validation_cut_that_takes_no_last_row_is_as_it_was():
    labels = np.repeat([0, 1, 2], [50, 30, 20]).astype(np.int16)
    _, validation = select_train_and_validation(labels, None, 0.1, 42)
    assert validation.tolist() == as_before(labels, 10, np.random.default_rng(42))[1].tolist()

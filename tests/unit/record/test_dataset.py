from agnews_ray.record.dataset import DatasetRecord, SplitRecord


def split_of(**changes):
    facts = {
        "files": ("a.csv",),
        "num_rows": 10,
        "num_selected": 8,
        "num_empty": 0,
        "class_counts": (5, 5),
        "fingerprint": "a" * 20,
    }
    return SplitRecord(**facts | changes)


def dataset_of(**changes):
    facts = {
        "source": "a",
        "kind": "csv",
        "text_columns": ("text",),
        "label_column": "label",
        "label_kind": "names",
        "class_names": ("no", "yes"),
        "train": split_of(),
        "test": split_of(fingerprint="b" * 20),
        "num_validation": 0,
    }
    return DatasetRecord(**facts | changes)


def test_validation_rows_from_train_are_not_trained_with():
    assert dataset_of(num_validation=3).num_train == 5


def test_a_fingerprint_names_every_split():
    assert dataset_of().fingerprint == f"{'a' * 16}-{'b' * 16}"
    whole = dataset_of(validation=split_of(fingerprint="c" * 20))
    assert whole.fingerprint.endswith("c" * 16)

from agnews_ray.data.sample import sample_by_length, sample_evenly
from agnews_ray.data.scan import scan_dataset
from agnews_ray.spec.data import DataSpec


def test_texts_are_spread_from_the_shortest_to_the_longest_without_empty_ones(tmp_path):
    texts = ["", " ", *("x" * length for length in (9, 1, 30, 4, 20, 2))]
    rows = "\n".join(f'"{text}",{"ab"[i % 2]}' for i, text in enumerate(texts))
    for split in ("train", "test"):
        (tmp_path / f"{split}.csv").write_text(f"text,label\n{rows}\n")
    test = scan_dataset(DataSpec(source=str(tmp_path)), tmp_path).test
    assert [(row, len(text)) for row, text in sample_by_length(test, 3)] == [
        (3, 1),
        (5, 4),
        (4, 30),
    ]
    assert len(sample_by_length(test, 99)) == 6


def test_rows_at_equal_distances_are_from_the_whole_split(news_folder):
    train = scan_dataset(DataSpec(source=str(news_folder)), news_folder).train
    assert sample_evenly(train, 4)["row"].to_pylist() == [0, 10, 20, 30]


def test_of_a_small_split_every_row_is_in_the_sample(news_folder):
    test = scan_dataset(DataSpec(source=str(news_folder)), news_folder).test
    assert sample_evenly(test, 99)["row"].to_pylist() == [0, 1, 2, 3]

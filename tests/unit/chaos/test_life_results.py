"""Results are compared by the byte, and what is left is named."""

from agnews_ray.chaos.life_results import COMPARED, differing, steps_repeated, temporary, unfinished
from agnews_ray.record.finished import to_json
from tests.fakes.records import a_record, an_attempt


def a_trial(trials, name, content=b"same"):
    for file in ("record.json", *COMPARED):
        path = trials / name / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def test_equal_results_have_no_line(tmp_path):
    for folder in ("one", "two"):
        a_trial(tmp_path / folder, "a")
    (tmp_path / "two" / "a" / "record.json").write_text("another time")
    assert differing(tmp_path / "one", tmp_path / "two") == ()


def test_what_differs_is_named(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    for name in "ab":
        a_trial(one, name)
    a_trial(two, "b", b"else")
    a_trial(two, "c")
    assert differing(one, two) == (
        "a is missing",
        "c is one too many",
        "b/artifact/model.safetensors differs",
        "b/predictions.parquet differs",
    )


def test_unfinished_files_are_found(tmp_path):
    for name in ("study/.checkpoints/a", "study/trials/a/.record.json.1-2.partial", "study/ok"):
        (tmp_path / name).mkdir(parents=True)
    assert unfinished(tmp_path) == (
        "study/.checkpoints",
        "study/trials/a/.record.json.1-2.partial",
    )


def test_temporary_files_are_found(tmp_path):
    (tmp_path / "x").touch()
    assert temporary(tmp_path) == ("x",)
    assert temporary(tmp_path / "none") == ()


def test_steps_made_again_are_added_up(tmp_path):
    assert steps_repeated(tmp_path) is None
    steps = [(0, 30), (25, 60), (60, 100)]
    attempts = tuple(an_attempt(first, last) for first, last in steps)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "record.json").write_text(to_json(a_record(attempts=attempts)))
    assert steps_repeated(tmp_path) == 5

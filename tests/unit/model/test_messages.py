"""A refusal is one short line, whatever stands in it."""

import pytest

from agnews_ray.model.messages import clipped, refused


@pytest.mark.parametrize("length", [1, 90, 5000])
def test_a_refusal_is_one_line_of_at_most_400_characters(length):
    long = "word\n" * length
    line = str(refused(f"/folder{long}/model", long, long, long))
    assert len(line) <= 400
    assert "\n" not in line
    assert line.startswith("model '/folder")


def test_what_was_found_gives_way_to_the_rest():
    error = refused("owner/name", "safetensors weights", "x" * 5000, "convert it once")
    assert (error.where, error.wanted, error.hint) == (
        "model 'owner/name'",
        "safetensors weights",
        "convert it once",
    )
    assert error.found.endswith("x…")
    assert len(error.found) > 250


def test_a_long_path_keeps_its_start_and_the_models_own_name():
    where = refused(f"/start/{'x' * 500}/name", "a", "b", "c").where
    assert where.startswith("model '/start/x")
    assert where.endswith("x/name'")
    assert len(where) == len("model ''") + 88


@pytest.mark.parametrize(
    ("name", "shown"), [("it's", '''model "it's"'''), ("a\nb", r"model 'a\nb'")]
)
def test_a_quote_or_a_line_break_in_a_name_is_shown(name, shown):
    assert refused(name, "a", "b", "c").where == shown


@pytest.mark.parametrize(
    ("text", "line"), [(" a\n  b ", "a b"), ("123456", "123456"), ("1234567", "12345…")]
)
def test_a_text_is_clipped_only_where_it_is_too_long(text, line):
    assert clipped(text, 6) == line

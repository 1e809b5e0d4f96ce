"""What is read from a YAML file, and what is refused with its line."""

import pytest
import yaml

from agnews_ray.errors import SpecError
from agnews_ray.spec.yaml_text import plain_value, read_yaml, write_yaml


@pytest.fixture
def read(tmp_path):
    path = tmp_path / "job.yaml"

    def run(content, **how):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_yaml(path, **how)

    return run


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("8", 8),
        ("-3", -3),
        ("0", 0),
        ("2e-5", 2e-5),  # text to YAML 1.1, and how everybody writes a learning rate
        ("1E5", 1e5),
        (".5", 0.5),
        ("2.0e-5", 2e-5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("y", "y"),
        ("1.2.3", "1.2.3"),
        ("google-bert/bert-base", "google-bert/bert-base"),
    ],
)
def test_a_plain_word_is_what_every_reader_takes_it_for(text, value):
    found = plain_value(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("no", "read as false or as text"),
        ("Yes", "read as true or as text"),
        ("on", "read as true or as text"),
        ("OFF", "read as false or as text"),
        ("010", "read as 8 or as 10"),
        ("08", "read as 8"),
        ("0o10", "read as 8"),
        ("0x10", "read as 16"),
        ("0b1", "read as 1 or as text"),
        ("1_000", "read as 1000 or as text"),
        ("1:30", "read as 90 or as text"),
        (".inf", "read as inf or as text"),
        (".nan", "read as nan or as text"),
        ("2024-01-01", "read as a date or as text"),
        ("=", "read as a YAML symbol or as text"),
    ],
)
def test_what_readers_of_yaml_take_for_different_things_is_refused(text, readings):
    with pytest.raises(ValueError, match=readings) as caught:
        plain_value(text)
    assert f"quote it: {text!r}" in str(caught.value)


def test_all_such_words_are_told_at_once_each_with_its_line(read):
    with pytest.raises(SpecError) as caught:
        read("name: no\nseeds: [1, 010]\n")
    assert [problem[:16] for problem in caught.value.problems] == [
        "line 1: no is re",
        "line 2: 010 is r",
    ]


def test_quoted_they_are_text(read):
    assert read("name: 'no'\nmodels: [\"2024\", '010']\n") == {
        "name": "no",
        "models": ["2024", "010"],
    }


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("a: 1\nb: 2\na: 3\n", "a stands in line 1 and again in line 3; keep one"),
        ("r:\n  lr: 1\n  lr: 2\n", "lr stands in line 2 and again in line 3"),
        ("r:\n\tnum_epochs: 1\n", "line 2 is indented with a tab; use spaces"),
        ("r:\n  a: 1\n\tb: 2\n", "line 3 is indented with a tab; use spaces"),
        ("a:\tb\n", "line 1 has a tab between its words; use spaces"),
        ("a: 1\nb: caf\xe9\n".encode("latin-1"), "want UTF-8, found byte 0xe9 in line 2"),
        ("a: 1\n".encode("utf-16"), "want UTF-8, found UTF-16; save it as UTF-8"),
        ("a: 1\n".encode("utf-32"), "want UTF-8, found UTF-32"),
        (b"a: \x00\n", "bytes that are not text"),
        ("a: 1\nb: \x07\n", "line 2: want text, found the control character U+0007"),
        ("a: 1\n---\nb: 2\n", "line 2: want one document, found another after ---"),
        ("a: !!python/object/apply:os.system [ls]\n", "want no tag, found !!python/object/apply"),
        ("a: !!int '8'\n", "line 1: want no tag, found !!int"),
        ("a: !own 8\n", "line 1: want no tag, found !own"),
        ("1: 2\n", "line 1: want a name as key, found '1'"),
        ("? [a]\n: 3\n", "line 1: want a name as key, found a collection"),
        ("a: &x {n: 1}\nb: {<<: *x}\n", "line 2: << is not merged here"),
        ("a: [1\n", "want YAML, found a syntax error"),
        ("a: b: c\n", "line 1: want YAML, found a syntax error (mapping values"),
        ("[" * 5000, "want at most 20 levels"),
        ("a: &x [*x]\n", "want at most 20 levels"),
        (b"#" * (1 << 20) + b"\n", "want a file of at most 1 MiB"),
        ("a: " + "9" * 4500, "line 1: want a number of at most 18 digits, found 4,500"),
        ("a: " + "9" * 101, "line 1: want a number of at most 18 digits, found 101"),
    ],
)
def test_what_cannot_be_meant_is_one_line_with_its_place(read, content, expected):
    with pytest.raises(SpecError) as caught:
        read(content)
    (problem,) = caught.value.problems
    assert expected in problem


def test_a_few_lines_of_aliases_do_not_become_billions_of_values(read):
    lines = ["a0: &a0 [x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(SpecError, match="10,000 values"):
        read("\n".join(lines))


def test_an_alias_may_repeat_what_was_said(read):
    assert read("a: &x {n: 1}\nb: *x\n") == {"a": {"n": 1}, "b": {"n": 1}}


@pytest.mark.parametrize("content", ["a: é\n", "\ufeffa: é\n", "a: é\r\n"])
def test_a_byte_order_mark_or_windows_line_ends_change_nothing(read, content):
    assert read(content) == {"a": "é"}


def test_a_file_for_another_program_is_read_as_yaml_1_1(read):
    assert read("a: no\n1: 010\nb: &x {n: 1}\nc: {<<: *x}\n", is_ours=False) == {
        "a": False,
        1: 8,
        "b": {"n": 1},
        "c": {"n": 1},
    }


@pytest.mark.parametrize("content", ["a: 1\na: 2\n", "a:\n\tb: 1\n", b"a: \xe9\n"])
def test_though_what_nobody_can_mean_is_refused_there_too(read, content):
    with pytest.raises(SpecError):
        read(content, is_ours=False)


NASTY = [
    *["no", "Yes", "010", "08", "0o10", "0x1F", "1e5", "1E-5", "2024", "1_000", "1:30", ".inf"],
    *["2024-01-01", "null", "~", "", "=", "<<", "true", "- a", "a: b", "# c", "&a", "*a", "!t"],
    *["'", '"', "a\tb", "a\nb", " a ", "é", "\u2028", "%", "@", "+.5", "5.e3", "-08"],
    *["\x85", "a\x85", "\u2029 b", "\u2028\n\u2028", "\ufeff", "\x1b[2J", "9" * 5000],
]


@pytest.mark.parametrize("text", NASTY)
def test_any_text_is_written_so_that_it_is_read_again_here_and_by_pyyaml(read, text):
    written = write_yaml({"a": text, "b": [text]})
    assert read(written) == yaml.safe_load(written) == {"a": text, "b": [text]}


@pytest.mark.parametrize("number", [8, -3, 2e-5, 1e-8, 0.1, 1e22, True, False, 10**17])
def test_numbers_are_written_so_that_they_are_read_again(read, number):
    written = write_yaml({"a": number})
    assert read(written) == yaml.safe_load(written) == {"a": number}

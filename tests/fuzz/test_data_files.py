"""Data files: the rows that were written, or a line; never another row."""

import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from agnews_ray.data.scan import scan_dataset
from agnews_ray.spec.data import DataSpec
from tests.fuzz.properties import read_or_refused
from tests.fuzz.strategies import damaged
from tests.fuzz.tables import COMPRESSORS, ENCODINGS, TEXT_ENDINGS, WRITERS, packed, rows

WORDS = "café müde señor naïve façade größer the oil of , ; | \" ' €5 über très".split()
LATIN = st.lists(st.sampled_from(WORDS), min_size=3, max_size=9).map(" ".join)
SOME = [(f'row {i}: "Oil, gas" rose; {i}%\nin é', "ab"[i % 2]) for i in range(12)]
FILES = {name: (ending, write(SOME)) for name, (ending, write) in WRITERS.items()}


def rows_of(name: str, content: bytes, **settings: object) -> list[tuple[str, str]]:
    """Read a lone file as a study does: all its rows, in file order."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(content)
        return read_all(DataSpec(source=str(path), **settings), Path(folder, "cache"))


def read_all(spec: DataSpec, cache: Path) -> list[tuple[str, str]]:
    """Read all rows of a source, train and test, in the order of their numbers."""
    cache.mkdir(exist_ok=True)
    scanned = scan_dataset(spec, cache)
    found = {}
    for split in (scanned.train, scanned.test, scanned.validation):
        if split.num_rows:
            table = split.table().to_pydict()
            for row, text, label in zip(table["row"], table["text"], table["label"], strict=True):
                found[split.files, row] = (text, scanned.record.class_names[label])
    return [found[key] for key in sorted(found)]


@given(st.sampled_from(sorted(WRITERS)), rows(), st.sampled_from(sorted(COMPRESSORS)))
def test_what_programs_write_is_read_back(writer, written, compression):
    ending, write = WRITERS[writer]
    compression = compression if ending in TEXT_ENDINGS else ""
    content = COMPRESSORS[compression](write(written), f"data{ending}")
    name = f"data{ending}{compression}"
    found = read_or_refused("data, as programs write it", lambda: rows_of(name, content))
    if found is not None:
        assert found == written


@given(
    st.sampled_from([name for name, (ending, _) in WRITERS.items() if ending in TEXT_ENDINGS]),
    rows(),
    st.sampled_from(ENCODINGS),
)
def test_what_is_written_in_another_encoding_is_read_back(writer, written, encoding):
    ending, write = WRITERS[writer]
    content = write(written).decode().encode(encoding)
    found = read_or_refused(f"data, {encoding}", lambda: rows_of(f"data{ending}", content))
    if found is not None:
        assert found == written


@given(rows(LATIN), st.booleans())
def test_what_old_programs_write_is_read_back(written, is_stated):
    content = WRITERS["csv"][1](written).decode().encode("cp1252")
    stated = {"encoding": "cp1252"} if is_stated else {}
    found = read_or_refused("data, cp1252", lambda: rows_of("data.csv", content, **stated))
    if found is not None:
        assert found == written


@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_damaged_file(name, data):
    ending, content = FILES[name]
    broken = data.draw(damaged(content))
    read_or_refused(f"data, {ending}, damaged", lambda: rows_of(f"data{ending}", broken))


@given(st.sampled_from(sorted(COMPRESSORS)[1:]), st.data())
def test_a_damaged_compressed_file(compression, data):
    content = data.draw(damaged(COMPRESSORS[compression](FILES["csv"][1], "data.csv")))
    read_or_refused("data, compressed, damaged", lambda: rows_of(f"data.csv{compression}", content))


MEMBERS = st.sampled_from(
    "train.csv test.csv a/train.csv ../outside.csv /tmp/outside.csv a/../../x.csv README.md "
    "dataset_info.json state.json classes.txt .csv con.csv x/y".split()
)


@given(
    st.sampled_from((".zip", ".tar", ".tgz")),
    st.dictionaries(MEMBERS, st.just(FILES["csv"][1]) | st.binary(max_size=50), min_size=1),
    st.booleans(),
    st.data(),
)
def test_an_archive_with_odd_names(kind, members, is_damaged, data):
    content = packed(kind, members)
    content = data.draw(damaged(content)) if is_damaged else content
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "in", "side")
        place.mkdir(parents=True)
        path = place / f"data{kind}"
        path.write_bytes(content)
        spec = DataSpec(source=str(path))
        read_or_refused("data, archive", lambda: read_all(spec, place / "cache"))
        assert [p.name for p in Path(folder).iterdir()] == ["in"]
        assert [p.name for p in Path(folder, "in").iterdir()] == ["side"]
        assert {p.name for p in place.iterdir()} == {path.name, "cache"}

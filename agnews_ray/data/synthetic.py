"""A synthetic news corpus of four topics, generated from a seed: for the demo, not a benchmark."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from agnews_ray.data.cached import cache_key
from agnews_ray.errors import DataError

CLASS_NAMES = ("World", "Sports", "Business", "Sci/Tech")
SCRAPS = ("#39;s", "&lt;b&gt;...&lt;/b&gt;", "(Reuters)", "\\", "#36;", "(AP) --", "quot;", "&amp;")
ONSETS = [
    "b",
    "br",
    "ch",
    "d",
    "dr",
    "f",
    "fl",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "pr",
    "qu",
    "r",
    "s",
    "sl",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
]
NUCLEI = ["a", "ai", "e", "ea", "i", "io", "o", "ou", "u"]
CODAS = ["", "l", "n", "nd", "r", "rt", "s", "st", "m"]
CHUNK_ROWS = 8192

GENERATOR_VERSION = 1
"""The version of generated corpora, which are kept; raised whenever this code makes other rows from
the same settings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticSpec:
    """Settings of the generator; written ``synthetic:train=4000,test=1000,seed=7``."""

    train: int = 4000
    """The number of train rows."""
    test: int = 1000
    """The number of test rows."""
    seed: int = 7
    """The seed of the vocabulary and the rows."""
    noise: float = 0.02
    """The share of rows, in train and test, whose label is replaced by a random one."""

    @classmethod
    def parse(cls, source: str) -> "SyntheticSpec":
        """Read the settings after ``synthetic:``.

        Args:
            source: comma-separated ``key=value`` pairs, possibly none.

        Returns:
            The settings.

        Raises:
            DataError: an unknown key, or a value out of range.
        """
        known = {name: type(value) for name, value in dataclasses.asdict(cls()).items()}
        values = {}
        for pair in filter(None, source.partition(":")[2].split(",")):
            key, _, value = pair.partition("=")
            try:
                values[key.strip()] = known[key.strip()](value)
            except (KeyError, ValueError) as error:
                wanted = f"key=value pairs of {', '.join(known)}"
                raise DataError(source, wanted, repr(pair), "fix the source") from error
        spec = cls(**values)
        if (
            min(spec.train, spec.test) < len(CLASS_NAMES)
            or spec.seed < 0
            or not 0 <= spec.noise < 1
        ):
            wanted = f"at least {len(CLASS_NAMES)} rows a split, seed >= 0, noise in [0, 1)"
            raise DataError(source, wanted, spec.canonical(), "fix the source")
        return spec

    @property
    def class_names(self) -> tuple[str, ...]:
        """The topics of AG News."""
        return CLASS_NAMES

    def key(self) -> str:
        """The name of the cache folder."""
        return cache_key(
            dataclasses.asdict(self), GENERATOR_VERSION, ["numpy"]
        )  # it draws the rows

    def canonical(self) -> str:
        """The settings as text, with every one written out."""
        pairs = dataclasses.asdict(self).items()
        return "synthetic:" + ",".join(f"{key}={value}" for key, value in pairs)


def write_synthetic(spec: SyntheticSpec, folder: Path) -> None:
    """Generate ``train.parquet`` and ``test.parquet``.

    Each topic has its own words, words shared with one neighbour, and words shared by all; in each
    group a few are frequent. Topics therefore overlap, as Business and Sci/Tech do in AG News.

    Args:
        spec: settings.
        folder: the folder to write; it is created if missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for split, num_rows in (("train", spec.train), ("test", spec.test)):
        rng = np.random.default_rng([spec.seed, split == "test"])
        schema = pa.schema({"text": pa.string(), "label": pa.int8()})
        with pq.ParquetWriter(folder / f"{split}.parquet", schema) as writer:
            for texts, labels in _chunks(spec, num_rows, rng):
                columns = [pa.array(texts), pa.array(labels, pa.int8())]
                writer.write_batch(pa.record_batch(columns, schema))


def _chunks(
    spec: SyntheticSpec, num_rows: int, rng: np.random.Generator
) -> Iterator[tuple[list[str], NDArray[np.int64]]]:
    words = _vocabulary(np.random.default_rng(spec.seed))
    for start in range(0, num_rows, CHUNK_ROWS):
        count = min(CHUNK_ROWS, num_rows - start)
        topics = (np.arange(count) + start) % len(CLASS_NAMES)
        rng.shuffle(topics)
        texts = [_text(int(topic), words, rng) for topic in topics]
        is_noisy = rng.random(count) < spec.noise
        labels = np.where(is_noisy, rng.integers(0, len(CLASS_NAMES), count), topics)
        yield texts, labels


def _vocabulary(rng: np.random.Generator) -> list[str]:
    """Make 3,000 different pronounceable words."""
    words: dict[str, None] = {}
    while len(words) < 3000:
        syllables = rng.integers(1, 4)
        word = "".join(
            ONSETS[rng.integers(len(ONSETS))]
            + NUCLEI[rng.integers(len(NUCLEI))]
            + CODAS[rng.integers(len(CODAS))]
            for _ in range(syllables)
        )
        words[word] = None
    return list(words)


def _text(topic: int, words: list[str], rng: np.random.Generator) -> str:
    """Draw one text: about 40 words, as in AG News, a few of which show the topic."""
    length = int(np.clip(rng.normal(38, 10), 8, 120))
    own, shared, common = 300, 300, 600
    kinds = rng.random(length)
    skewed = rng.random(length) ** 2.5  # few words are frequent, most are rare
    neighbour = (topic + rng.integers(0, 2)) % len(CLASS_NAMES)
    picked = []
    for kind, place in zip(kinds, skewed, strict=True):
        if kind < OWN_SHARE:
            picked.append(words[topic * own + int(place * own)])
        elif kind < OWN_SHARE + SHARED_SHARE:
            picked.append(words[1200 + neighbour * shared + int(place * shared)])
        else:
            picked.append(words[2400 + int(place * common)])
    if rng.random() < SCRAP_SHARE:
        picked.insert(int(rng.integers(0, length)), SCRAPS[rng.integers(len(SCRAPS))])
    picked[0] = picked[0].capitalize()
    return " ".join(picked) + "."


OWN_SHARE = 0.10
"""The share of words drawn from the topic's own list."""
SHARED_SHARE = 0.15
"""The share of words drawn from a list that two neighbouring topics share."""
SCRAP_SHARE = 0.38
"""The share of rows with an escape artefact, as counted in AG News's test split."""

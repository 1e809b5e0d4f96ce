"""Checkpoints: what was kept is read back; what is damaged is named, and the one before is used."""

import tempfile
from pathlib import Path

import torch
from hypothesis import given
from hypothesis import strategies as st

from agnews_ray.engine.state_file import read_parts, write_part
from agnews_ray.record.checkpoints import CheckpointFolder
from tests.fuzz.properties import read_or_refused
from tests.fuzz.strategies import damaged, texts

TENSORS = {"a": torch.arange(6.0).reshape(2, 3), "b": torch.zeros(0)}


def a_state(step):
    """A state with what each kind of field holds."""
    return {
        "num_steps": 9,
        "num_done": step,
        "num_epochs": 0,
        "weights": TENSORS,
        "means": TENSORS,
        "squares": TENSORS,
        "scalars": {"loss_scale": torch.tensor(2.0)},
        "words": {},
        "random": [{"cpu": torch.get_rng_state()}],
        "log": {"loss": torch.tensor([0.5] * step)},
    }


def keep(folder, step):
    name = folder.name_at(step)
    folder.write_part(
        name, 0, lambda path: write_part(path, a_state(step), {"One": {"seen": step}})
    )
    folder.complete(name, step, 1)
    return name


def newest(folder, said):
    with folder.newest(said.append) as found:
        if found is None:
            return None
        saved = read_parts(found.parts)
        return found.step, saved["state"]["num_done"], saved["callbacks"]["One"]["seen"]


with tempfile.TemporaryDirectory() as scratch:
    made = CheckpointFolder(scratch, "t-1", "a1")
    NEWEST = keep(made, 2)
    FILES = {
        path.relative_to(Path(scratch, NEWEST)).as_posix(): path.read_bytes()
        for path in Path(scratch, NEWEST).rglob("*")
        if path.is_file()
    }


@given(
    st.sampled_from(sorted(FILES)).flatmap(
        lambda name: st.tuples(st.just(name), damaged(FILES[name]))
    )
)
def test_a_damaged_checkpoint_is_never_read_as_another(change):
    name, content = change
    with tempfile.TemporaryDirectory() as scratch:
        folder, said = CheckpointFolder(scratch, "t-1", "a1"), []
        keep(folder, 1)
        keep(folder, 2)
        Path(scratch, NEWEST, name).write_bytes(content)
        found = read_or_refused("checkpoints, damaged", lambda: newest(folder, said))
        if found == (2, 2, 2):  # what changed was not part of it, such as a space
            assert not said
        else:
            assert found == (1, 1, 1)
            assert len(said) == 1


@given(damaged(FILES["rank-0/state.safetensors"]))
def test_a_part_with_the_right_checksum_but_other_content(content):
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "part")
        path.write_bytes(content)
        read_or_refused("checkpoints, other content", lambda: read_parts([path]))


TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | texts(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts(), inner, max_size=3),
    max_leaves=8,
)


@given(TREES)
def test_what_callbacks_kept_is_read_back(tree):
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch, "part")
        write_part(path, a_state(1), {"One": {"tree": tree}})
        found = read_or_refused("checkpoints, read back", lambda: read_parts([path]))
        assert found["callbacks"]["One"]["tree"] == tree

"""Cluster files: findings, or a line."""

import tempfile
from pathlib import Path

import yaml
from hypothesis import given
from hypothesis import strategies as st

from agnews_ray.cluster.cluster_file import check_cluster_file
from tests.fuzz.properties import read_or_refused
from tests.fuzz.strategies import changed, damaged

FILES = [path.read_bytes() for path in sorted(Path(__file__).parents[2].glob("cluster*.yaml"))]


def check(content: bytes) -> list[str]:
    """Check a file's content, and write its findings in words."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cluster.yaml")
        path.write_bytes(content)
        return [str(finding) for finding in check_cluster_file(path)]


@given(st.sampled_from(FILES).flatmap(damaged))
def test_a_damaged_cluster_file(content):
    found = read_or_refused("cluster file, damaged", lambda: check(content))
    assert found is None or found


@given(st.sampled_from([yaml.safe_load(one) for one in FILES]).flatmap(changed))
def test_a_cluster_file_with_other_values(content):
    written = yaml.safe_dump(content).encode("utf-8", "surrogatepass")
    found = read_or_refused("cluster file, other values", lambda: check(written))
    assert found is None or found

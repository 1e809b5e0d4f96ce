from pathlib import Path

import pytest
import yaml

from agnews_ray.cluster.cluster_file import check_cluster_file
from agnews_ray.errors import ClusterError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def check(tmp_path, monkeypatch):
    """Check a file made from cluster.yaml by a change; the worst finding by name."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".agnews-ray").mkdir()
    (tmp_path / ".agnews-ray" / "token").touch()
    (tmp_path / "requirements.lock").write_bytes((ROOT / "requirements.lock").read_bytes())

    def run(change=lambda content: None, file="cluster.yaml"):
        text = (ROOT / file).read_text()
        for kind in ("BUCKET", "GROUP", "IMAGE", "PROJECT"):
            text = text.replace(f"YOUR-{kind}", "ours")
        content = yaml.safe_load(text)
        change(content)
        path = tmp_path / "made.yaml"
        path.write_text(yaml.safe_dump(content))
        order = ["ok", "warning", "error"]
        found = sorted(check_cluster_file(path), key=lambda one: order.index(one.level))
        return {one.name: one for one in found}

    return run


@pytest.mark.parametrize("file", ["cluster.yaml", "cluster-gcp.yaml"])
def test_our_files_are_right_once_they_are_filled_in(check, file):
    found = check(file=file)
    assert {one.level for one in found.values()} == {"ok"}, found


@pytest.mark.parametrize("file", ["cluster.yaml", "cluster-gcp.yaml"])
def test_our_files_say_what_is_to_be_filled_in(file):
    found = {one.name: one for one in check_cluster_file(ROOT / file)}
    assert found["placeholders"].level == "error"
    assert "YOUR-BUCKET" in found["placeholders"].found


def head(content):
    return content["available_node_types"]["head"]


def t4(content):
    return content["available_node_types"]["t4"]


@pytest.mark.parametrize(
    ("change", "name", "level", "text"),
    [
        (lambda c: c.update(max_wrkers=3), "ray's schema", "error", "max_wrkers"),
        (lambda c: c.update(max_workers="many"), "ray's schema", "error", "max_workers"),
        (lambda c: c.update(head_node_type="none"), "ray's schema", "error", "head_node_type"),
        (lambda c: c["provider"].update(regoin="x"), "provider", "error", "regoin"),
        (
            lambda c: t4(c)["node_config"].pop("SecurityGroupIds"),
            "ssh",
            "error",
            "open to everyone",
        ),
        (lambda c: head(c)["resources"].update(GPU=1), "head", "warning", "costs money all day"),
        (lambda c: t4(c)["resources"].pop("GPU"), "t4", "warning", "no GPU named"),
        (lambda c: t4(c).update(min_workers=2), "t4", "warning", "2 always run"),
        (lambda c: c.update(idle_timeout_minutes=600), "idle time", "warning", "600 minutes"),
        (lambda c: c["docker"].update(head_image="rayproject/ray-ml:2.60.0"), "image", "error", ""),
        (lambda c: c["docker"].update(worker_image="rayproject/ray:latest"), "image", "error", ""),
        (lambda c: c["docker"].update(head_image="rayproject/ray:2.9.0"), "image", "error", ""),
        (
            lambda c: c.update(setup_commands=["pip install torch==2.0.0 transformers==4.0.0"]),
            "packages",
            "error",
            "torch 2.0.0 there",
        ),
        (lambda c: c.update(file_mounts={"/a": "~/none"}), "file mounts", "error", "~/none"),
        (
            lambda c: c.update(worker_start_ray_commands=["ray start --address=$RAY_HEAD_IP:6379"]),
            "token",
            "error",
            "worker_start_ray_commands",
        ),
        (
            lambda c: c.update(
                head_start_ray_commands=[
                    c["head_start_ray_commands"][1].replace("127.0.0.1", "0.0.0.0")
                ]
            ),
            "dashboard",
            "error",
            "0.0.0.0",
        ),
    ],
)
def test_what_is_wrong_is_found(check, change, name, level, text):
    one = check(change)[name]
    assert one.level == level
    assert text in one.found
    assert one.hint


def test_what_cannot_be_read_is_an_error_with_its_place(tmp_path):
    path = tmp_path / "c.yaml"
    with pytest.raises(ClusterError, match="want a readable cluster file"):
        check_cluster_file(path)
    path.write_text("a: [1\nb: 2\n")
    with pytest.raises(ClusterError, match="line 2: want YAML, found a syntax error"):
        check_cluster_file(path)
    path.write_text("- a\n")
    with pytest.raises(ClusterError, match="want a mapping, found list"):
        check_cluster_file(path)

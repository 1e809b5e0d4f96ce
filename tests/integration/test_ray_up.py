"""The README's recipe, line by line: `ray up` over SSH to two hosts, a study, `ray down`."""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import psutil
import pytest

from tests.integration.clusters import children, free_ports, kill
from tests.integration.conftest import ROOT
from tests.integration.hosts import Hosts, why_not
from tests.integration.test_cluster import predictions

pytestmark = pytest.mark.integration

RECIPE = re.search(
    r"## On a cluster\n.*?```\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
)[1].splitlines()

CLUSTER = """
cluster_name: agnews-ray-test
provider: {{type: local, head_ip: {head}, worker_ips: [{worker}]}}
auth: {{ssh_user: root, ssh_private_key: {key}}}
file_mounts: {{~/.agnews-ray: ~/.agnews-ray}}
setup_commands: ["true transformers=={transformers}"]
head_start_ray_commands:
  - ray stop
  - >-
    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$HOME/.agnews-ray/token
    AGNEWS_RAY_STORAGE={storage} GOMP_SPINCOUNT=0 HF_HUB_OFFLINE=1;
    AUTOSCALER_UPDATE_INTERVAL_S=1
    ray start --head --port=6379 --dashboard-host=127.0.0.1 --num-cpus=3
    --object-store-memory=200000000 --autoscaling-config=~/ray_bootstrap_config.yaml
worker_start_ray_commands:
  - ray stop
  - >-
    export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$HOME/.agnews-ray/token
    GOMP_SPINCOUNT=0 HF_HUB_OFFLINE=1;
    ray start --address=$RAY_HEAD_IP:6379 --num-cpus=3 --object-store-memory=200000000
"""


class Laptop:
    """The user's side: this machine, with a home, a folder and a shell of its own."""

    def __init__(self, folder, hosts):
        self.folder = folder
        head, worker = hosts.addresses
        (folder / "cluster.yaml").write_text(
            CLUSTER.format(
                head=head,
                worker=worker,
                key=hosts.key,
                storage=folder / "storage",
                transformers=version("transformers"),
            )
        )
        shutil.copytree(ROOT / "jobs", folder / "jobs")
        (self.port,) = free_ports(1)
        kept = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        self._environment = kept | {
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "RAY_UP_enable_autoscaler_v2": "0",  # the second one knows no `local` provider
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        self.said = {}

    def follow(self, line):
        """Run a line of the recipe; what it exports is there for the next ones."""
        line = line.replace("8265", str(self.port))
        if line.startswith("ray dashboard"):
            line = line.replace("cluster.yaml &", f"--port {self.port} cluster.yaml &")
        keep = "status=$?; export -p > exported; exit $status"
        script = f"source ./exported 2>/dev/null; {line}\n{keep}"
        # Into a file: a pipe would stay open as long as ssh keeps its connection.
        with (self.folder / "output").open("w+") as output:
            done = subprocess.run(
                ["bash", "-c", script],
                cwd=self.folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=300,
            )
            output.seek(0)
            text = output.read()
        assert done.returncode == 0, f"{line}\n{text}"
        if line.startswith("ray dashboard"):
            self._wait()
        return text

    def end_forwarding(self):
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if "dashboard" in words and str(self.port) in words:
                for one in [*children(process), process]:
                    kill(one)

    def _wait(self):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            with socket.socket() as door:
                if door.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.1)


@pytest.fixture
def hosts():
    if reason := why_not():
        pytest.skip(reason)
    with Hosts(2) as made:
        yield made


def test_the_recipe_of_the_readme(hosts, tmp_path, demo):
    laptop = Laptop(tmp_path, hosts)
    try:
        said = {line.split("#")[0].strip(): laptop.follow(line) for line in RECIPE[:-1]}
    finally:
        laptop.end_forwarding()
    followed = said["agnews-ray submit jobs/demo.yaml --follow"]
    assert followed.count("done  ") == 2
    assert "SUCCEEDED" in followed
    assert predictions(tmp_path / "runs" / "demo") == predictions(demo.folder / "runs" / "demo")
    assert "distilbert-demo" in said["agnews-ray compare runs/demo"]
    doctor = said["agnews-ray doctor jobs/demo.yaml"]
    assert all(f"{address}:" in doctor for address in hosts.addresses)
    # `ray down` stops the head only, and a worker takes minutes to notice.
    hosts.run(hosts.addresses[1], "source ~/.bashrc; ray stop")
    assert RECIPE[-1].startswith("ray down")
    laptop.follow(RECIPE[-1])
    end = time.monotonic() + 30
    while (left := rays_processes(hosts)) and time.monotonic() < end:
        time.sleep(0.5)
    assert left == []


def rays_processes(hosts):
    """What runs on the hosts, but for the loop in which `ray dashboard` keeps its SSH open."""
    return [words for words in hosts.processes() if "sleep 86400" not in words]

"""Does the queue keep a large cluster busy, while nodes join and leave? A simulation with Ray.

    python benchmarks/scale_queue.py [--nodes 4] [--gpus 50] [--trials 1000] [--seconds 15]

Starts a real Ray head and nodes that only claim GPUs. Each trial of `run/queue.py` reserves a GPU
by a placement group, as Ray Train does, holds it for a while and gives it back; no process runs
in it, as 200 workers would not fit on this machine. Every `--turn` seconds a node is killed or
another joins; a trial whose node left starts again. Once a second the slots are counted that trials
hold: of the GPUs that Ray has now, while trials wait. Prints a line for every 10 seconds, then the
share of slots taken, the driver's memory, threads and CPU, and the number of repeated trials.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["RAY_enable_metrics_collection"] = "0"  # noqa: SIM112  # Ray's spelling
os.environ["RAY_raylet_start_wait_time_s"] = "300"  # noqa: SIM112  # on a busy machine
os.environ["RAY_health_check_period_ms"] = "1000"  # noqa: SIM112

import ray  # noqa: E402
from ray.cluster_utils import Cluster  # noqa: E402
from ray.util import placement_group_table, remove_placement_group  # noqa: E402
from ray.util.placement_group import placement_group  # noqa: E402

from agnews_ray.cli.screen import SilentScreen  # noqa: E402
from agnews_ray.cluster.membership import ClusterRoom  # noqa: E402
from agnews_ray.plan.trials import PlannedTrial  # noqa: E402
from agnews_ray.record.schema import TrialRecord  # noqa: E402
from agnews_ray.run.queue import run_trials  # noqa: E402
from agnews_ray.run.told import TrialProgress  # noqa: E402
from agnews_ray.run.trial_source import PlannedTrials  # noqa: E402
from tests.fakes.predictions import a_trial  # noqa: E402
from tests.fakes.records import a_record  # noqa: E402

STORE_BYTES = 80 << 20
"""The object store of a node, nearly the smallest that Ray takes."""


class Sleeper:
    """Runs trials that hold a GPU and sleep.

    Args:
        seconds: the mean time that a trial holds its GPU; each takes 0.5 to 1.5 times that.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self.holding: dict[str, str] = {}
        """The node of each trial that holds a GPU."""
        self.alive: set[str] = set()
        """The nodes that Ray has, which the meter asks once a second."""
        self.num_done = self.num_repeated = 0

    def run(self, trial: PlannedTrial, _data: object, _started_at: float) -> TrialRecord:
        """Hold a GPU for a while; again if its node leaves."""
        while not self._hold(trial.trial_id):
            self.num_repeated += 1
        self.num_done += 1
        return a_record(trial_id=trial.trial_id, seed=trial.seed)

    def _hold(self, trial_id: str) -> bool:
        group = placement_group([{"GPU": 1}])
        try:
            while not group.wait(5):
                pass
            node = node_of(group)
            if node is None:
                return False
            with self._lock:
                self.holding[trial_id] = node
            end = time.monotonic() + self._seconds * (0.5 + random.Random(trial_id).random())
            while time.monotonic() < end:
                time.sleep(0.5)
                if self.alive and node not in self.alive:
                    break
            return node_of(group) == node
        finally:
            with self._lock:
                self.holding.pop(trial_id, None)
            remove_placement_group(group)

    def num_held(self) -> int:
        """Count the trials that hold a GPU of a node that is there."""
        with self._lock:
            return sum(node in self.alive for node in self.holding.values())

    def stop_idle(self, _num_trials: int) -> None:
        """There are no workers."""

    def progress(self, _trial_ids: Iterable[str]) -> list[TrialProgress]:
        """Nothing is told."""
        return []


def node_of(group: Any) -> str | None:
    """Return the node that has a group's GPU now."""
    table = placement_group_table(group)
    return table["bundles_to_node_id"].get(0) if table["state"] == "CREATED" else None


class Turns(threading.Thread):
    """Lets nodes leave and join in turns.

    Args:
        cluster: the cluster.
        num_gpus: GPUs that a node claims.
        every_s: the seconds between turns.
    """

    def __init__(self, cluster: Cluster, num_gpus: int, every_s: float) -> None:
        super().__init__(daemon=True)
        self._cluster, self._num_gpus, self._every_s = cluster, num_gpus, every_s
        self.ended = threading.Event()
        self.num_left = self.num_joined = 0

    def run(self) -> None:
        """Take turns until the end."""
        while not self.ended.wait(self._every_s):
            nodes = list(self._cluster.worker_nodes)
            self._cluster.remove_node(nodes[0], allow_graceful=False)
            self.num_left += 1
            if not self.ended.wait(self._every_s):
                add_node(self._cluster, self._num_gpus)
                self.num_joined += 1


def add_node(cluster: Cluster, num_gpus: int) -> None:
    """Start a node that claims GPUs and has no CPU, so that no worker is started beforehand."""
    cluster.add_node(
        num_cpus=0, num_gpus=num_gpus, object_store_memory=STORE_BYTES, include_dashboard=False
    )


class Meter(threading.Thread):
    """Counts taken slots once a second.

    Args:
        sleeper: the runner.
        num_trials: of the study.
    """

    def __init__(self, sleeper: Sleeper, num_trials: int) -> None:
        super().__init__(daemon=True)
        self._sleeper, self._num_trials = sleeper, num_trials
        self._process = psutil.Process()
        self.ended = threading.Event()
        self.taken = self.there = 0
        self.peak_mib = self.peak_threads = 0

    def run(self) -> None:
        """Count until the end; the seconds before all slots were first asked for do not count."""
        since = time.monotonic()
        print("\nseconds   GPUs  taken   done  driver MiB  threads  CPU %")
        self._process.cpu_percent()
        for number in range(100_000):
            if self.ended.wait(1):
                return
            nodes = [node for node in ray.nodes() if node["Alive"]]
            self._sleeper.alive = {node["NodeID"] for node in nodes}
            gpus = int(sum(node["Resources"].get("GPU", 0) for node in nodes))
            taken = self._sleeper.num_held()
            mib, threads = self._process.memory_info().rss >> 20, self._process.num_threads()
            self.peak_mib, self.peak_threads = (
                max(mib, self.peak_mib),
                max(threads, self.peak_threads),
            )
            waiting = self._num_trials - self._sleeper.num_done - taken
            if waiting > gpus // 4:  # else there are not enough trials for all slots
                self.taken, self.there = self.taken + taken, self.there + gpus
            if number % 10 == 9:
                print(
                    f"{time.monotonic() - since:7.0f} {gpus:6} {taken:6} "
                    f"{self._sleeper.num_done:6} {mib:11} {threads:8} "
                    f"{self._process.cpu_percent():6.0f}",
                    flush=True,
                )


def main() -> None:
    """Start the cluster, run the trials and print what was counted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--gpus", type=int, default=50, help="GPUs that each node claims")
    parser.add_argument("--trials", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=15.0, help="mean length of a trial")
    parser.add_argument("--turn", type=float, default=12.0, help="seconds between turns")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="agr-") as folder:
        head = {"num_cpus": 0, "object_store_memory": STORE_BYTES, "include_dashboard": False}
        cluster = Cluster(initialize_head=True, head_node_args=head | {"temp_dir": folder})
        known = set(psutil.pids())
        try:
            for _ in range(options.nodes):
                add_node(cluster, options.gpus)
            used = [psutil.Process(pid).memory_info().rss for pid in set(psutil.pids()) - known]
            print(f"a node takes about {sum(used) / options.nodes / 2**20:.0f} MiB")
            ray.init(address=cluster.address, log_to_driver=False)
            simulate(cluster, options)
        finally:
            ray.shutdown()
            cluster.shutdown()


def simulate(cluster: Cluster, options: argparse.Namespace) -> None:
    """Run the trials on the cluster and print what was counted."""
    trials = [a_trial("sleeper", seed) for seed in range(options.trials)]
    sleeper = Sleeper(options.seconds)
    turns, meter = Turns(cluster, options.gpus, options.turn), Meter(sleeper, len(trials))
    before, since = psutil.Process().cpu_times(), time.monotonic()
    meter.start()
    turns.start()
    outcome = run_trials(
        PlannedTrials(trials),
        sleeper,
        lambda _: None,
        ClusterRoom("cuda", 1),
        time.time(),
        SilentScreen(),
    )
    turns.ended.set()
    meter.ended.set()
    turns.join()
    after, wall = psutil.Process().cpu_times(), time.monotonic() - since
    cpu = after.user + after.system - before.user - before.system
    print(f"finished {len(outcome.finished)}, failed {len(outcome.failed)}, in {wall:.0f} s")
    print(f"nodes left {turns.num_left}, joined {turns.num_joined}, trials repeated "
          f"{sleeper.num_repeated}")  # fmt: skip
    print(
        f"slots taken while trials waited: {meter.taken / max(1, meter.there):.1%} (wanted >= 95 %)"
    )
    print(f"driver: at most {meter.peak_mib} MiB and {meter.peak_threads} threads, "
          f"{cpu:.0f} s CPU ({cpu / wall:.0%} of a core)")  # fmt: skip


if __name__ == "__main__":
    main()

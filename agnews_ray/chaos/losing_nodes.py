"""Run as a program: a cluster of a head without CPUs and two nodes, by Ray's own utility.

``python -m agnews_ray.chaos.losing_nodes PORT`` prints a line once the cluster stands; at each line
on standard input a node is lost and another one joins; it ends with its standard input.
"""

import sys
from typing import Any

from agnews_ray.chaos.node_pair import free_ports

NODE_CPUS = 3
"""The logical CPUs of a node: for a trial's worker and Ray's data tasks."""


def main(port: int) -> None:
    """Be the cluster, until standard input ends."""
    import ray.cluster_utils

    utility: Any = ray.cluster_utils  # no type information
    # Agents that accept jobs need a port each: all nodes are on this machine.
    head = {"num_cpus": 0, "include_dashboard": True, "dashboard_host": "127.0.0.1"}
    ports = {"dashboard_port": port, "dashboard_agent_listen_port": free_ports(1)[0]}
    cluster = utility.Cluster(initialize_head=True, connect=False, head_node_args=head | ports)

    def joined() -> Any:
        return cluster.add_node(num_cpus=NODE_CPUS, dashboard_agent_listen_port=free_ports(1)[0])

    nodes = [joined(), joined()]
    cluster.wait_for_nodes()
    _say("up")
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(0), allow_graceful=False)
        nodes.append(joined())
        _say("lost one")
    cluster.shutdown()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]))

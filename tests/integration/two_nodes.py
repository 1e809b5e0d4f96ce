"""Run as a program: a cluster by Ray's own utility, of a head without CPUs and two nodes.

    python -m tests.integration.two_nodes DASHBOARD_PORT

Prints a line once it stands; each line on stdin takes a node away; it ends with its stdin.
"""

import sys

from ray.cluster_utils import Cluster

from tests.integration.clusters import free_ports


def main():
    head = {
        "num_cpus": 0,
        "include_dashboard": True,
        "dashboard_host": "127.0.0.1",
        "dashboard_port": int(sys.argv[1]),
    }
    # Agents that accept jobs need a port each; all nodes are on this machine, and other Rays too.
    first, *others = free_ports(3)
    head["dashboard_agent_listen_port"] = first
    cluster = Cluster(initialize_head=True, connect=False, head_node_args=head)
    nodes = [cluster.add_node(num_cpus=3, dashboard_agent_listen_port=port) for port in others]
    cluster.wait_for_nodes()
    sys.stdout.write("up\n")
    sys.stdout.flush()
    for _ in sys.stdin:
        cluster.remove_node(nodes.pop(), allow_graceful=False)
        sys.stdout.write("removed\n")
        sys.stdout.flush()
    cluster.shutdown()


if __name__ == "__main__":
    main()

"""cluster.yaml through Ray's own AWS provider, against a cloud that is made up in this process."""

import re
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import pytest
import yaml
from moto import mock_aws
from ray.autoscaler._private import commands
from ray.autoscaler._private.aws import config as aws_config
from ray.autoscaler._private.aws import utils as aws_utils
from ray.autoscaler._private.providers import _get_node_provider

ROOT = Path(__file__).parents[2]
FILE = ROOT / "cluster.yaml"
REGION = "us-west-2"
IMAGE = "ami-0123456789abcdef0"
EVERYBODY = {"0.0.0.0/0", "::/0"}


@dataclass
class Cloud:
    """What the made-up account holds after `ray up` and one worker of each type."""

    machines: dict[str, dict[str, Any]]
    """By node type."""
    disks: dict[str, list[tuple[str, int, str]]]
    """By node type: device, GiB, kind."""
    ssh: set[str]
    """Networks from which port 22 of any machine can be reached."""
    groups: list[str]
    roles: list[str]
    profiles: list[str]
    head: dict[str, Any] = field(repr=False)
    """What the head's set-up was told."""


def bring_up(text, home):
    """Do what `ray up` does until its first SSH connection, and launch each worker type once."""
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        _isolate(patch, home)
        ec2, iam = boto3.client("ec2"), boto3.client("iam")
        iam.create_instance_profile(InstanceProfileName="agnews-ray")
        text = text.replace("sg-YOUR-GROUP", _make_group(ec2)).replace("ami-YOUR-IMAGE", IMAGE)
        told: dict[str, Any] = {}
        patch.setattr(commands, "NodeUpdaterThread", _updater(told))
        config = commands._bootstrap_config(yaml.safe_load(text), no_config_cache=True)
        commands.get_or_create_head_node(config, str(FILE), False, False, True, None)
        provider = _get_node_provider(config["provider"], config["cluster_name"])
        for name, kind in config["available_node_types"].items():
            if name != config["head_node_type"]:
                tags = {"ray-node-kind": "worker", "ray-user-node-type": name}
                provider.create_node(kind["node_config"], tags, 1)
        return _look(ec2, iam, told)


def _isolate(patch, home):
    def refuse(*arguments):
        raise AssertionError(f"reached for the network: {arguments[1:]}")

    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN", "AWS_REGION"):
        patch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        patch.setenv(name, "made-up")
    patch.setenv("AWS_DEFAULT_REGION", REGION)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    patch.setenv("HOME", str(home))
    patch.setattr(socket.socket, "connect", refuse)
    patch.chdir(ROOT)
    token = home / ".agnews-ray" / "token"
    token.parent.mkdir(parents=True)
    token.write_text("made-up")
    for cached in (
        aws_utils.resource_cache,
        aws_utils.client_cache,
        aws_config._get_subnets_or_die,
    ):
        cached.cache_clear()


def _updater(told):
    class Updater:
        """Replaces the thread that goes on over SSH."""

        exitcode = 0

        def __init__(self, **arguments):
            told.update(arguments)

        def start(self):
            pass

        def join(self):
            pass

    return Updater


def _look(ec2, iam, told):
    machines, disks, used = {}, {}, set()
    for reservation in ec2.describe_instances()["Reservations"]:
        (machine,) = reservation["Instances"]
        tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
        machines[tags["ray-user-node-type"]] = machine
        used |= {group["GroupId"] for group in machine["SecurityGroups"]}
        ids = [disk["Ebs"]["VolumeId"] for disk in machine["BlockDeviceMappings"]]
        disks[tags["ray-user-node-type"]] = [
            (volume["Attachments"][0]["Device"], volume["Size"], volume["VolumeType"])
            for volume in ec2.describe_volumes(VolumeIds=ids)["Volumes"]
        ]
    return Cloud(
        machines=machines,
        disks=disks,
        ssh=_who_may_connect(ec2.describe_security_groups(GroupIds=sorted(used)), 22),
        groups=sorted(g["GroupName"] for g in ec2.describe_security_groups()["SecurityGroups"]),
        roles=[role["RoleName"] for role in iam.list_roles()["Roles"]],
        profiles=[
            p["InstanceProfileName"] for p in iam.list_instance_profiles()["InstanceProfiles"]
        ],
        head=told,
    )


def _who_may_connect(answer, port):
    rules = [rule for group in answer["SecurityGroups"] for rule in group["IpPermissions"]]
    return {
        network
        for rule in rules
        if rule["IpProtocol"] == "-1" or rule["FromPort"] <= port <= rule["ToPort"]
        for network in (
            *(found["CidrIp"] for found in rule["IpRanges"]),
            *(found["CidrIpv6"] for found in rule["Ipv6Ranges"]),
        )
    }


def _make_group(ec2):
    (vpc,) = ec2.describe_vpcs()["Vpcs"]
    group = ec2.create_security_group(
        GroupName="agnews-ray", Description="agnews-ray", VpcId=vpc["VpcId"]
    )["GroupId"]
    everything_inside = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": group}]}
    ssh = {
        "IpProtocol": "tcp",
        "FromPort": 22,
        "ToPort": 22,
        "IpRanges": [{"CidrIp": "203.0.113.7/32"}],
    }
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[everything_inside, ssh])
    return group


@pytest.fixture(scope="module")
def as_it_is(tmp_path_factory):
    return bring_up(FILE.read_text(), tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def with_spot(tmp_path_factory):
    """The lines that the file has commented out."""
    text = FILE.read_text().replace("# InstanceMarketOptions", "InstanceMarketOptions")
    text = re.sub(r"(?m)^  # (t4-on-demand:|  .*)$", r"  \1", text)
    return bring_up(text, tmp_path_factory.mktemp("home"))


def test_a_head_without_a_gpu_and_a_t4_worker_start(as_it_is):
    found = {name: machine["InstanceType"] for name, machine in as_it_is.machines.items()}
    assert found == {"head": "m5.xlarge", "t4": "g4dn.xlarge"}


@pytest.mark.parametrize("name", ["head", "t4"])
def test_a_machine_is_made_as_the_file_says(as_it_is, name):
    machine = as_it_is.machines[name]
    assert machine["IamInstanceProfile"]["Arn"].endswith(":instance-profile/agnews-ray")
    assert as_it_is.disks[name] == [("/dev/sda1", 140, "gp3")]
    assert "InstanceLifecycle" not in machine
    assert machine["KeyName"].startswith("ray-autoscaler")


def test_no_role_is_made_that_may_do_everything(as_it_is):
    assert as_it_is.roles == []
    assert as_it_is.profiles == ["agnews-ray"]


def test_ssh_is_open_to_nobody_but_the_address_of_the_group(as_it_is):
    assert not as_it_is.ssh & EVERYBODY
    assert as_it_is.ssh == {"203.0.113.7/32"}
    assert as_it_is.groups == ["agnews-ray", "default"]


def test_only_workers_become_spot_machines(with_spot):
    found = {n: machine.get("InstanceLifecycle") for n, machine in with_spot.machines.items()}
    assert found == {"head": None, "t4": "spot", "t4-on-demand": None}


def test_the_fallback_is_the_same_machine(with_spot):
    assert with_spot.machines["t4-on-demand"]["InstanceType"] == "g4dn.xlarge"
    assert with_spot.disks["t4-on-demand"] == with_spot.disks["t4"]


def test_the_head_starts_ray_with_a_token_and_a_private_dashboard(as_it_is):
    (start,) = [c for c in as_it_is.head["ray_start_commands"] if "ray start" in c]
    assert "RAY_AUTH_MODE=token" in start
    assert "RAY_AUTH_TOKEN_PATH=$HOME/.agnews-ray/token" in start
    assert "--dashboard-host=127.0.0.1" in start
    assert "/home/ray/.agnews-ray" in as_it_is.head["file_mounts"]
    assert not any("nightly" in command for command in as_it_is.head["setup_commands"])

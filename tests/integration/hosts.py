"""Hosts made on this machine: addresses, processes and an SSH server of their own.

A host is a network and a process namespace in which sshd is process 1. All hang on one switch: a
bridge in one more namespace. The kernel ends them with the process that made them, and their links
with them, so that no host is left however a test ends. They share this machine's file system, but
for root's home and Ray's folder in /tmp.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

TOOLS = ("ip", "nsenter", "rsync", "setpriv", "ssh", "ssh-keygen", "sshd", "unshare", "uptime")
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
NAMESPACES = ("--net", "--pid", "--fork", "--kill-child", "--mount-proc")

SWITCH = "ip link add lan type bridge && ip link set lan up && echo made && exec sleep infinity"

# Waits for its network card. Ray finds its own address by the default route. The ssh client looks
# for `~` in /etc/passwd.
HOST = """set -e
echo made
until ip addr add {address}/24 dev card 2>/dev/null; do sleep 0.05; done
ip link set lo up && ip link set card up && ip route add default via {gateway}
mount -t tmpfs none /run && mkdir /run/sshd
mount --bind {home}/passwd /etc/passwd
mkdir -p /tmp/ray && mount --bind {home}/ray /tmp/ray
echo up
exec {sshd} -D -e -f /dev/null -h {key} -o AuthorizedKeysFile={key}.pub -o PidFile=none \\
  -o StrictModes=no -o UsePAM=no -o PasswordAuthentication=no
"""


def why_not():
    """Say why hosts cannot be made on this machine; None where they can."""
    if not sys.platform.startswith("linux") or os.geteuid():
        return "making hosts needs Linux and root"
    if missing := [tool for tool in TOOLS if not shutil.which(tool, path=PATH)]:
        return f"making hosts needs {', '.join(missing)}"
    trial = "ip link add one type veth peer name two && ip link add lan type bridge"
    done = _run("unshare", *NAMESPACES, "sh", "-c", trial, check=False)
    return f"no hosts can be made here: {done.stderr.strip()}" if done.returncode else None


class Hosts:
    """Some hosts, running inside the `with` block, and the key that opens them."""

    def __init__(self, count):
        # 198.18.0.0/15 is set aside for tests of networks.
        self._network = f"198.{18 + os.getpid() // 256 % 2}.{os.getpid() % 256}"
        self.addresses = [f"{self._network}.{i + 2}" for i in range(count)]
        self._card = f"lab{os.getpid()}"
        self._started = []

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="hosts-"))
        self.key = self.folder / "key"
        try:
            _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))
            switch = self._start("--net", script=SWITCH)
            self._plug_in(self._card, os.getpid(), switch, "here")
            _run("ip", "addr", "add", f"{self._network}.1/24", "dev", self._card)
            _run("ip", "link", "set", self._card, "up")
            for address in self.addresses:
                self._start_host(address, switch)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._started):
            if process.poll() is None:
                for one in psutil.Process(process.pid).children() or [process]:
                    one.kill()
            process.communicate()
        while self._card in psutil.net_if_addrs():  # the kernel takes a moment
            time.sleep(0.05)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, address, command):
        """Run a shell command on a host, over SSH."""
        options = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR"
        words = f"ssh -i {self.key} {options} root@{address}".split()
        return _run(*words, command).stdout

    def processes(self):
        """The command lines of all that runs on the hosts, but for sshd."""
        own = {_namespace(one.pid, "pid_for_children") for one in self._started[1:]}
        found = []
        for process in psutil.process_iter():
            try:
                if _namespace(process.pid, "pid") in own and not process.name().startswith("sshd"):
                    found.append(" ".join(process.cmdline()).strip() or process.name())
            except (psutil.Error, OSError):
                continue
        return found

    def _start_host(self, address, switch):
        home = self.folder / address.rpartition(".")[2]
        (home / "ray").mkdir(parents=True)
        (home / ".bashrc").write_text(f"export PATH={Path(sys.executable).parent}:$PATH\n")
        users = Path("/etc/passwd").read_text().splitlines()
        others = [user for user in users if not user.startswith("root:")]
        (home / "passwd").write_text("\n".join([f"root:x:0:0:root:{home}:/bin/bash", *others, ""]))
        sshd, gateway = shutil.which("sshd", path=PATH), f"{self._network}.1"
        script = HOST.format(address=address, gateway=gateway, home=home, key=self.key, sshd=sshd)
        host = self._start(*NAMESPACES, script=script)
        self._plug_in("card", host, switch, f"port{home.name}")
        self._await_line()
        while not _answers(address):
            if self._started[-1].poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())
            time.sleep(0.02)

    def _start(self, *namespaces, script):
        with (self.folder / "log").open("a") as log:
            process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", "unshare", *namespaces, "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={"PATH": PATH},
            )
        self._started.append(process)
        self._await_line()
        return process.pid

    def _await_line(self):
        if not self._started[-1].stdout.readline():
            raise RuntimeError((self.folder / "log").read_text())

    def _plug_in(self, card, pid, switch, port):
        """Lay a cable from a network card of that process's host to a port of the switch."""
        ends = f"{card} netns {pid} type veth peer name {port} netns {switch}"
        _run("ip", "link", "add", *ends.split())
        _run(*f"nsenter --net --target {switch} ip link set {port} master lan up".split())


def _answers(address):
    with socket.socket() as one:
        return one.connect_ex((address, 22)) == 0


def _namespace(pid, kind):
    return Path(f"/proc/{pid}/ns/{kind}").readlink()


def _run(*words, check=True):
    return subprocess.run(words, check=check, capture_output=True, text=True, env={"PATH": PATH})

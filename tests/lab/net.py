"""Hosts with addresses of their own: network namespaces on one bridge.

Every namespace is called postroad-PID-NAME; those of a run that was killed are taken away by the
next one. A socket belongs to the namespace it was made in, so `with host.entered()` round the call
that makes it is all that a peer in this very process needs.
"""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

V4, V4_BITS, V6, V6_BITS = "10.77", 16, "fd77:", 64
CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
PREFIX = "postroad-"
ETC = Path("/etc/netns")


def can_be_made():
    """Can a namespace be made here, and entered? Some containers forbid the one, a root directory
    that is no mount point the other."""
    name = f"{PREFIX}{os.getpid()}-try"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        return False
    entered = subprocess.run(["ip", "netns", "exec", name, "true"], capture_output=True).returncode == 0
    ip("netns", "del", name)
    return entered


def ip(*args, inside=None):
    subprocess.run(["ip", *(["-n", inside] if inside else []), *map(str, args)], check=True)


def enter_namespace(path):
    with open(path) as f:
        if LIBC.setns(f.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {path}")


def ipv4_of(number):
    return f"{V4}.{number >> 8}.{number & 255}"


def ipv6_of(number):
    return f"{V6}:{number:x}"


class Host:
    """One namespace with an IPv4 and an IPv6 address (or one of them)."""

    def __init__(self, net, name, number, ipv4=True, ipv6=True):
        self.name, self.space = name, f"{PREFIX}{os.getpid()}-{name}"
        self.ipv4 = ipv4_of(number) if ipv4 else None
        self.ipv6 = ipv6_of(number) if ipv6 else None
        self.addresses = [a for a in (self.ipv4, self.ipv6) if a]
        ip("netns", "add", self.space)
        outer, inner = f"v{number}", "eth0"
        ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.space,
           inside=net.space)
        ip("link", "set", outer, "master", "lan", "up", inside=net.space)
        ip("link", "set", "lo", "up", inside=self.space)
        for address in self.addresses:
            self.add_address(address)
        ip("link", "set", inner, "up", inside=self.space)

    def add_address(self, address):
        bits = V6_BITS if ":" in address else V4_BITS
        ip("address", "add", f"{address}/{bits}", "dev", "eth0",
           *(["nodad"] if ":" in address else []), inside=self.space)

    @property
    def prefix(self):
        """What stands before a command that is to run on this host."""
        return ["ip", "netns", "exec", self.space]

    @property
    def etc(self):
        """Files here lie over those of /etc for commands that run on this host."""
        folder = ETC / self.space
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @contextlib.contextmanager
    def entered(self):
        """Sockets that this thread makes meanwhile are this host's."""
        with open("/proc/thread-self/ns/net") as back:
            enter_namespace(f"/run/netns/{self.space}")
            try:
                yield self
            finally:
                if LIBC.setns(back.fileno(), CLONE_NEWNET):
                    raise OSError(ctypes.get_errno(), "setns back")

    def listen(self, address, port, backlog=200):
        with self.entered():
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            return socket.create_server((address, port), family=family, backlog=backlog)

    def connect(self, address, port=25, timeout=60):
        with self.entered():
            return socket.create_connection((address, port), timeout=timeout)

    def remove(self):
        remove_namespace(self.space)


class Net:
    """The bridge, and all hosts on it."""

    def __init__(self):
        remove_left_over()
        self.space, self.hosts = f"{PREFIX}{os.getpid()}-lan", {}
        ip("netns", "add", self.space)
        ip("link", "add", "lan", "type", "bridge", inside=self.space)
        ip("link", "set", "lan", "up", inside=self.space)

    def host(self, name, number, **families):
        self.hosts[name] = Host(self, name, number, **families)
        return self.hosts[name]

    def close(self):
        for host in self.hosts.values():
            host.remove()
        remove_namespace(self.space)


def processes_in(space):
    done = subprocess.run(["ip", "netns", "pids", space], capture_output=True, text=True)
    return [int(pid) for pid in done.stdout.split() if int(pid) != os.getpid()]


def remove_namespace(space):
    """With all that still runs in it."""
    if not Path(f"/run/netns/{space}").exists():
        return
    for pid in processes_in(space):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    ip("netns", "del", space)
    shutil.rmtree(ETC / space, ignore_errors=True)
    with contextlib.suppress(OSError):
        ETC.rmdir()


def remove_left_over():
    """Namespaces of test runs that are no more."""
    for path in Path("/run/netns").glob(f"{PREFIX}*-*"):
        pid = path.name.removeprefix(PREFIX).split("-")[0]
        if pid.isdigit() and not Path(f"/proc/{pid}").exists():
            remove_namespace(path.name)

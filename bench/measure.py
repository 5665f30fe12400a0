"""CPU seconds and sync calls of a tree of processes, from outside."""
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
SYNC_CALLS = "fsync,fdatasync,syncfs,sync_file_range,msync,sync"


def read_processes():
    """{pid: (parent, CPU ticks of itself and of the children it has reaped)}"""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue
            found[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    return found


def tree(root):
    processes = read_processes()
    pids, grown = {root}, True
    while grown:
        more = {p for p, (parent, _) in processes.items() if parent in pids} - pids
        pids |= more
        grown = bool(more)
    return {p: processes[p][1] for p in pids if p in processes}


def cpu_seconds(roots):
    return sum(sum(tree(root).values()) for root in roots) / TICK


class SyncCounter:
    """Counts the sync calls of all processes below `roots` while it is entered."""

    def __init__(self, roots):
        self.roots, self.count = roots, 0

    def __enter__(self):
        self.output = tempfile.NamedTemporaryFile("r", suffix=".strace")
        pids = [p for root in self.roots for p in tree(root)]
        self.strace = subprocess.Popen(
            ["strace", "-f", "-qq", "-e", f"trace={SYNC_CALLS}", "-e", "signal=none",
             "-o", self.output.name, *(x for p in pids for x in ("-p", str(p)))],
            stderr=subprocess.DEVNULL)
        time.sleep(1.0)  # strace says nowhere that it has attached to all
        return self

    def __exit__(self, *exc):
        self.strace.send_signal(signal.SIGINT)
        self.strace.wait(20)
        self.count = len(re.findall(r"^\d+ +\w+\(", self.output.read(), re.M))
        self.output.close()

"""CPU seconds and sync calls of a tree of processes, from outside."""
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path

TICK = os.sysconf("SC_CLK_TCK")
SYNC_CALLS = ("fsync", "fdatasync", "syncfs", "sync_file_range", "msync", "sync")
PERF_EVENTS = [x for call in SYNC_CALLS for x in ("-e", f"syscalls:sys_enter_{call}")]


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
    """Counts the sync calls made while it is entered.

    perf counts them in the kernel, of the whole machine: nothing else may sync meanwhile.
    Where the kernel has no such events strace counts, of all processes below `roots`; it
    stops them at each system call, so that messages meet less often to share a sync.
    """

    def __init__(self, roots):
        self.roots, self.count = roots, 0
        self.output = tempfile.NamedTemporaryFile("r", suffix=".syncs")
        self.by_perf = subprocess.run(["perf", "stat", *PERF_EVENTS, "true"], capture_output=True).returncode == 0

    def command(self):
        if self.by_perf:
            return ["perf", "stat", "-a", "-x", ",", "-o", self.output.name, *PERF_EVENTS]
        pids = [p for root in self.roots for p in tree(root)]
        return ["strace", "-f", "-qq", "-e", f"trace={','.join(SYNC_CALLS)}", "-e", "signal=none",
                "-o", self.output.name, *(x for p in pids for x in ("-p", str(p)))]

    def __enter__(self):
        self.counter = subprocess.Popen(self.command(), stderr=subprocess.DEVNULL)
        time.sleep(1.0)  # neither says when it has begun
        return self

    def __exit__(self, *exc):
        self.counter.send_signal(signal.SIGINT)
        try:
            self.counter.wait(20)
        except subprocess.TimeoutExpired:
            self.counter.kill()
            raise
        text = self.output.read()
        if self.by_perf:
            self.count = sum(int(line.split(",")[0]) for line in text.splitlines() if "sys_enter" in line)
        else:
            self.count = len(re.findall(r"^\d+ +\w+\(", text, re.M))
        self.output.close()

"""./dev crash kill|disk [ROUNDS] - does every message that got 250 lie in its mailbox exactly once?

kill   a random Postroad process, master among them, gets kill -9 at a random
       moment, ROUNDS times, under 16 sessions of load; then all of them at once.
       A round counts when a process that ran was killed.
disk   spool and store lie on two loop mounts of ext4; in each round one of
       them, or both, loses everything that was not synced (EXT4_IOC_SHUTDOWN
       without flushing its journal), the server is killed, the file systems are
       checked and mounted again

Prints its seed; SEED= repeats one. Needs root for `disk`. tests/e2e/test_crash.py
runs a few rounds of both.
"""
import argparse
import collections
import ctypes
import fcntl
import os
import random
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from load import Load  # noqa: E402

EXT4_IOC_SHUTDOWN, NO_LOG_FLUSH = 0x8004587D, 2
CLONE_NEWNS = 0x20000
MASTER_SHARE = 0.08  # of the kills: one program among twelve


class Ledger:
    """What was promised, over all rounds."""

    def __init__(self):
        self.targets, self.acknowledged = {}, set()

    def add(self, load, before=None):
        self.targets.update(load.targets)
        self.acknowledged |= {t for t, at in list(load.acks.items())
                              if before is None or at < before}

    def compare(self, mailboxes):
        """Everything that is wrong, as texts."""
        wrong = []
        for address, subjects in mailboxes.items():
            found = collections.Counter(subjects)
            wrong += [f"{t} is {n} times in {address}" for t, n in found.items() if n > 1]
            wrong += [f"{t} was never sent to {address}" for t in found
                      if address not in self.targets.get(t, ())]
            wrong += [f"{t} got 250 and is not in {address}" for t in self.acknowledged
                      if address in self.targets[t] and t not in found]
        return wrong


def read_mailbox(port, address):
    """The Subject of every message, by POP3 with all commands in one go."""
    import socket
    with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
        lines = s.makefile("rb")
        lines.readline()
        s.sendall(f"USER {address}\r\nPASS secret\r\nSTAT\r\n".encode())
        answers = [lines.readline() for _ in range(3)]
        if not answers[1].startswith(b"+OK"):
            raise OSError(f"{address}: {answers}")
        count, subjects = int(answers[2].split()[1]), []
        for first in range(1, count + 1, 100):
            last = min(first + 100, count + 1)
            s.sendall("".join(f"TOP {n} 0\r\n" for n in range(first, last)).encode())
            for _ in range(first, last):
                subjects += read_subject(lines)
        s.sendall(b"QUIT\r\n")
        return subjects


def read_subject(lines):
    found = []
    status = lines.readline()
    if not status.startswith(b"+OK"):
        raise OSError(f"TOP: {status!r}")
    while (line := lines.readline()) not in (b".\r\n", b""):
        if line.startswith(b"Subject: "):
            found.append(line[9:].strip().decode())
    return found


def wait_empty_queue(server, seconds=120):
    """All of it: until the spool is looked through, qmgr says that it does not know all."""
    harness.wait_until(lambda: b'"total": 0, "complete": true' in
                       server.command("--json", "queue", "stats", check=False).stdout,
                       seconds, "an empty queue")


def check(server, ledger, when):
    harness.wait_until(lambda: b'"complete": true' in
                       server.command("--json", "queue", "stats", check=False).stdout,
                       120, "a queue that knows all")
    server.command("queue", "flush", "--all")
    wait_empty_queue(server)
    mailboxes = {a: read_mailbox(server.ports["pop3"], a) for a in server.accounts}
    wrong = ledger.compare(mailboxes)
    total = sum(map(len, mailboxes.values()))
    print(f"{when}: {len(ledger.acknowledged)} acknowledged, {len(ledger.targets)} tried, "
          f"{total} in mailboxes, {len(wrong)} wrong", flush=True)
    for text in wrong[:20]:
        print("  " + text)
    return not wrong


def make_server(options, folder=None, **where):
    server = harness.Postroad(build=options.build, folder=folder, **where, settings={
        "auth_without_tls": "yes", "restart_pause_max_s": "1"})
    server.start()
    server.accounts = [f"box{n}@example.org" for n in range(options.accounts)]
    for address in server.accounts:
        server.add_account(address)
    return server


def ends_logged(server, since):
    """{pid: "signal=9"} of all programs whose end master has logged behind that byte of the log."""
    with open(server.log, "rb") as log:
        log.seek(since)
        found = re.findall(r" (?:process|logger)\.end .*?\bpid=(\d+) (?:signal|status)=(\d+)",
                           log.read().decode(errors="replace"))
    return {int(pid): int(how) for pid, how in found}


def kill_child(server, rng, program=None):
    """kill -9 of a program that runs (of that kind), once there is one; its name, when that is how it ended."""
    def kill():
        if server.process.poll() is not None:
            raise SystemExit(f"master ended with {server.process.returncode}\n{server.tail(15)}")
        victims = {p: name for p, name in server.pids(program).items()
                   if p != server.process.pid}
        if not victims:
            return None
        pid, since = rng.choice(sorted(victims)), server.log.stat().st_size
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            return None
        harness.wait_until(lambda: ends_logged(server, since).get(pid) == signal.SIGKILL,
                           20, f"the end of {victims[pid]} {pid}")
        return victims[pid]
    return harness.wait_until(kill, 20, "a program to kill")


def wait_for_promise(load):
    """Before the first crash: what was never promised cannot be lost."""
    harness.wait_until(lambda: load.acks, 60, "the first message that is acknowledged")


def close(server):
    """When something went wrong, its log stays."""
    if sys.exc_info()[0]:
        kept = shutil.copy(server.log, f"/tmp/postroad-crash-{os.getpid()}.log")
        print(f"the log is kept in {kept}", flush=True)
    server.close()


def kill_master(server):
    """Its programs end, and the next master starts them anew."""
    server.process.kill()
    if server.process.wait(10) != -signal.SIGKILL:
        raise SystemExit(f"master ended by itself\n{server.tail(15)}")
    server.start()
    return "master"


def run_kill(options, rng):
    ledger, killed = Ledger(), collections.Counter()
    server = make_server(options)
    try:
        load = Load(server.ports["smtp"], server.accounts, 0, options.seed)
        wait_for_promise(load)
        for _ in range(options.rounds):
            time.sleep(rng.uniform(0.05, options.pause))
            kill = kill_master if rng.random() < MASTER_SHARE else lambda s: kill_child(s, rng)
            killed[kill(server)] += 1
        server.kill()
        load.stop()
        ledger.add(load)
        print(f"killed {sum(killed.values())}: "
              + ", ".join(f"{n} {k}" for k, n in sorted(killed.items())), flush=True)
        server.start()
        faults = [how for how in ends_logged(server, 0).values() if how not in (0, signal.SIGKILL)]
        if faults:
            print(f"programs ended by themselves: {faults}")
        return check(server, ledger, "after all were killed") and not faults
    finally:
        close(server)


def leave_mounts():
    """From here on nobody else's mount namespace copies what this process mounts, and so keeps it after umount.

    There is no way back: setns() would undo a chroot, too.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    # It fails in a chroot whose root is no mount, which has none of its own to share.
    subprocess.run(["mount", "--make-rprivate", "/"], stderr=subprocess.DEVNULL)


class Disk:
    """An ext4 that can lose its power: image, loop mount, shutdown, mount again."""

    def __init__(self, base, name, megabytes=16000):
        self.image, self.mount = base / f"{name}.image", base / name
        self.mount.mkdir()
        subprocess.run(["truncate", "-s", f"{megabytes}M", self.image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True)
        self.attach()

    def attach(self):
        subprocess.run(["mount", "-o", "loop", self.image, self.mount], check=True)
        self.mount.chmod(0o755)

    def lose_power(self):
        mounts = Path("/proc/mounts").read_text()
        if not any(line.startswith("/dev/loop") and f" {self.mount} " in line
                   for line in mounts.splitlines()):
            raise SystemExit(f"{self.mount} is no loop mount: refusing to shut it down")
        fd = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
        finally:
            os.close(fd)

    def detach(self):
        harness.wait_until(lambda: subprocess.run(
            ["umount", self.mount], capture_output=True).returncode == 0, 20, "umount")

    def revive(self):
        self.detach()
        subprocess.run(["e2fsck", "-p", self.image], capture_output=True)
        self.attach()


def run_disk(options, rng):
    """In a process of its own: see leave_mounts()."""
    leave_mounts()
    base = Path(tempfile.mkdtemp(prefix="postroad-crash-", dir="/var/tmp"))
    base.chmod(0o755)
    disks = [Disk(base, "spool-disk"), Disk(base, "mail-disk")]
    ledger, good, server = Ledger(), True, None
    try:
        server = make_server(options, spool=disks[0].mount / "spool", mail=disks[1].mount / "mail")
        for number in range(options.rounds):
            load = Load(server.ports["smtp"], server.accounts, number, options.seed)
            if not ledger.acknowledged:
                wait_for_promise(load)
            time.sleep(rng.uniform(0.1, options.pause))
            dying = rng.choice((disks[:1], disks[1:], disks, disks))
            before = time.monotonic()
            for disk in dying:
                disk.lose_power()
            time.sleep(rng.choice((0, 0.05, 0.3)))
            server.kill()
            load.stop()
            ledger.add(load, before)
            for disk in disks:
                disk.revive()
            server.start()
            if number % options.every == options.every - 1 or number == options.rounds - 1:
                good = check(server, ledger, f"crash {number + 1}") and good
        return good
    finally:
        if server:
            close(server)
        for disk in disks:
            disk.detach()
        shutil.rmtree(base, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=("kill", "disk"))
    parser.add_argument("rounds", type=int, nargs="?", default=200)
    parser.add_argument("--pause", type=float, default=1.0, help="longest wait between crashes, s")
    parser.add_argument("--accounts", type=int, default=20)
    parser.add_argument("--every", type=int, default=20, help="disk: look into the mailboxes after so many")
    parser.add_argument("--build", default=harness.TOP / "build/release")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that mounts are taken down
    options.seed = os.environ.get("SEED") or str(time.time_ns())
    print(f"SEED={options.seed}", flush=True)
    run = run_kill if options.kind == "kill" else run_disk
    return 0 if run(options, random.Random(options.seed)) else 1


if __name__ == "__main__":
    sys.exit(main())

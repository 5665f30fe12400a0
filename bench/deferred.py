"""./dev bench queue - a queue full of mail for a domain that is dead

MESSAGES (20,000 when not said; --messages 200000) wait for a domain whose server refuses
every connection. Measured on a journaled ext4 of one's own, Postroad beside Postfix:

  MB            memory of the queue manager, resident
  first page    seconds until the list's first hundred messages are there
  restart       seconds from the start until the queue is complete and mail flows
  messages/s    other mail passed on, before the dead mail and beside it

Postfix is measured with 20,000 at most.
"""
import argparse
import json
import statistics
import subprocess
import time
from pathlib import Path

import disk
import ending
import measure
import relay
import sinks
from sinks import harness

DEAD = "dead.example.com"
PAGE = 100
POSTFIX_MAX = 20000
SESSIONS = 16


def resident_megabytes(pid):
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def program_pid(root, name):
    """Of the one process below `root` whose command is `name`."""
    for pid in measure.tree(root):
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0].decode()
        if command.rsplit("/", 1)[-1] == name:
            return pid
    raise SystemExit(f"no process {name}")


class Postroad(sinks.PostroadRelay):
    def __init__(self, where, sink, dead_port):
        super().__init__(where, sink, sections=f'route "{DEAD}" {{ to = "[127.0.0.1]:{dead_port}" }}\n')

    def stats(self):
        return json.loads(self.server.command("--json", "queue", "stats", check=False).stdout or b"{}")

    def waiting(self):
        found = self.stats()
        return found.get("total", 0) if found.get("complete") else -1

    def memory(self):
        return resident_megabytes(program_pid(self.server.process.pid, "postroad-qmgr"))

    def first_page(self):
        done = subprocess.run([self.server.build / "bin/postroad", "--config", self.server.config, "queue", "list",
                               "--limit", str(PAGE)], capture_output=True, check=True)
        return done.stdout.count(b"\n")

    def restart(self, wanted):
        self.server.stop()
        started = time.monotonic()
        self.server.start()
        harness.wait_until(lambda: self.waiting() >= wanted, 120, "the whole queue")
        return time.monotonic() - started


class Postfix(sinks.PostfixRelay):
    def __init__(self, where, sink, dead_port):
        super().__init__(where, sink, f"transport_maps = inline:{{{{ {DEAD}=smtp:[127.0.0.1]:{dead_port} }}}}\n")

    def waiting(self):
        """In the deferred queue; what is still being tried does not count."""
        return sum(1 for _ in (self.base / "queue/deferred").glob("*/*"))

    def memory(self):
        return resident_megabytes(program_pid(self.postfix_pid, "qmgr"))

    def first_page(self):
        done = subprocess.run(["sh", "-c", f"postqueue -c {self.etc} -j | head -n {PAGE}"],
                              capture_output=True, check=True)
        return done.stdout.count(b"\n")

    def restart(self, wanted):
        self.stop_postfix()
        started = time.monotonic()
        subprocess.run(["postfix", "-c", self.etc, "start"], check=True, capture_output=True)
        pid = self.base / "queue/pid/master.pid"
        harness.wait_until(pid.exists, 20, "postfix")
        self.postfix_pid = int(pid.read_text())
        return time.monotonic() - started


def seconds(run):
    started = time.monotonic()
    run()
    return time.monotonic() - started


def speed(server, sink, options):
    runs = [relay.measure_round(server, sink, options)["messages/s"] for _ in range(options.repeat)]
    return statistics.median(runs)


def fill(server, n):
    """That many messages for the dead domain, all of them tried."""
    wanted = relay.load(server.port, SESSIONS, n, recipient=f"box@{DEAD}", size=1024)
    harness.wait_until(lambda: server.waiting() >= wanted, 600, "all deferred")
    return wanted


def measure_server(make, where, n, options):
    sink = sinks.SmtpSink(where)
    server = None
    try:
        server = make(where, sink, harness.free_ports(1)[0])
        figures = {"before/s": speed(server, sink, options)}
        wanted = fill(server, n)
        figures["beside/s"] = speed(server, sink, options)
        figures["MB"] = server.memory()
        figures["first page"] = statistics.median(seconds(server.first_page) for _ in range(5))
        figures["restart"] = server.restart(wanted)
        figures["MB again"] = server.memory()
        return figures
    finally:
        if server:
            server.close()
        sink.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=20000, help="that wait")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="", help="measure only the servers whose name contains this")
    options = parser.parse_args()
    options.dead, options.messages = options.messages, 1600
    options.sessions, options.keep = SESSIONS, True
    rows = ("before/s", "beside/s", "MB", "first page", "restart", "MB again")
    print(f"{'':24}" + "".join(f"{c:>12}" for c in rows))
    with disk.Ext4(12000) as where:
        for make, most in ((Postroad, options.dead), (Postfix, POSTFIX_MAX)):
            if options.only not in make.name:
                continue
            n = min(options.dead, most)
            figures = measure_server(make, where, n, options)
            print(f"{make.name + f', {n} wait':24}" + "".join(f"{figures[c]:12.3f}" for c in rows), flush=True)
    return 0


if __name__ == "__main__":
    ending.run(main)

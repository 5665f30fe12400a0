"""./dev bench relay - passing mail on, Postroad beside Postfix

smtp-source -> server -> a sink, 16 sessions, 4 KB messages, all on one journaled ext4 (a
loop mount of one's own) with syncs on; plain to smtp-sink, and by TLS to bench/tls_sink.c. Printed are
medians of five rounds:

  messages/s   from the first connection until the last message is at the sink
  CPU s/1000   user and system seconds of all the server's processes

The sink's count is compared with what was sent: nothing may be missing or come twice.
"""
import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import disk
import ending
import measure
import sinks

RECIPIENT = "box@example.net"
SESSION_MESSAGES = 100  # a server may close a session after so many


def load(port, sessions, messages, keep=True, sender="sender@example.net", recipient=RECIPIENT, size=4096):
    """About `messages` in all, over that many connections at once; the number that was sent."""
    rounds = -(-messages // sessions // SESSION_MESSAGES)
    each = messages // sessions // rounds
    one = ["smtp-source", "-s", "1", "-m", str(each), "-l", str(size), *(["-d"] if keep else []),
           "-f", sender, "-t", recipient, f"127.0.0.1:{port}"]
    script = f'for i in $(seq {rounds}); do "$@" || exit 1; done'
    running = [subprocess.Popen(["sh", "-c", script, "sh", *one]) for _ in range(sessions)]
    if any([p.wait() for p in running]):
        raise SystemExit("smtp-source failed")
    return each * rounds * sessions


def wait_for(sink, wanted, seconds=120):
    end = time.monotonic() + seconds
    while sink.count() < wanted:
        if time.monotonic() > end:
            raise SystemExit(f"{sink.count()} of {wanted} messages after {seconds} s")
        time.sleep(0.01)


def measure_round(server, sink, options):
    before, cpu, started = sink.count(), measure.cpu_seconds(server.roots()), time.monotonic()
    n = load(server.port, options.sessions, options.messages, options.keep)
    accepted = time.monotonic() - started
    wait_for(sink, before + n)
    took = time.monotonic() - started
    time.sleep(1.0)  # background work belongs to the bill; what comes twice would come now
    if sink.count() != before + n:
        raise SystemExit(f"{server.name}: {n} messages sent, {sink.count() - before} came")
    return {"messages/s": n / took, "accepted/s": n / accepted,
            "CPU s/1000": (measure.cpu_seconds(server.roots()) - cpu) * 1000 / n}


def measure_server(make, sink, where, options):
    server = make(where, sink)
    try:
        before = sink.count()
        wait_for(sink, before + load(server.port, options.sessions, options.sessions * 20, options.keep))
        runs = [measure_round(server, sink, options) for _ in range(options.repeat)]
        return {key: statistics.median(r[key] for r in runs) for key in runs[0]}
    finally:
        server.close()


def print_row(name, figures):
    print(f"{name:26}" + "".join(f"{value:14.3f}" if value < 10 else f"{value:14.0f}" for value in figures.values()),
          flush=True)


def compare(how, ours, theirs):
    faster, cheaper = ours["messages/s"] / theirs["messages/s"], theirs["CPU s/1000"] / ours["CPU s/1000"]
    print(f"{how}: {faster:.1f} times Postfix's messages/s, 1/{cheaper:.1f} of its CPU a message")
    return faster >= 5 and cheaper >= 5


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--messages", type=int, default=3200, help="in a round")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--reconnect", dest="keep", action="store_false",
                        help="a new connection for every message")
    parser.add_argument("--only", default="", help="measure only the servers whose name contains this")
    parser.add_argument("--tls", choices=("yes", "no", "both"), default="both")
    options = parser.parse_args()
    results = {}
    print(f"{'':26}{'messages/s':>14}{'accepted/s':>14}{'CPU s/1000':>14}")
    with disk.Ext4() as where, tempfile.TemporaryDirectory(prefix="postroad-sink-") as folder:
        for how, make_sink in (("plain", sinks.SmtpSink), ("TLS", sinks.TlsSink)):
            if options.tls == ("no" if how == "TLS" else "yes"):
                continue
            sink = make_sink(Path(folder))
            try:
                for make in (sinks.PostroadRelay, sinks.PostfixRelay):
                    if options.only in make.name:
                        results[how, make.name] = measure_server(make, sink, where, options)
                        print_row(f"{make.name}, {how}", results[how, make.name])
            finally:
                sink.close()
    print()
    good = [compare(how, figures, results[how, "postfix"]) for (how, name), figures in results.items()
            if name == "postroad" and (how, "postfix") in results]
    return 0 if all(good) else 1


if __name__ == "__main__":
    ending.run(main)

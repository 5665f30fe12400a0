"""./dev crash relay [ROUNDS] - does every message that got 250 arrive at the next server?

A random Postroad process, master among them, gets kill -9 at a random moment, ROUNDS times, while 16
sessions send mail that goes on to a server which records all it takes (tests/peers); then all of them
at once. Nothing acknowledged may be missing there. A message may come twice only when its transaction
was between that server's 250 and the note of it: then a program that carries the result was killed at that
moment, and qmgr said replay=1 of the message when it handed it out again. Each one is shown.

Prints its seed; SEED= repeats one.
"""
import argparse
import collections
import os
import random
import re
import signal
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
import peers  # noqa: E402
from crash import MASTER_SHARE, close, ends_logged, kill_child, kill_master, wait_empty_queue, wait_for_promise  # noqa: E402
from load import Load  # noqa: E402

ADDRESSES = [f"box{n}@example.net" for n in range(20)]
CARRIERS = ("remote", "qmgr", "master", "all")  # whose end can leave a result without a note
KEPT_BYTES = 4096
NEAR_S = 1.0


def start_peer():
    listening = socket.create_server(("127.0.0.1", 0), backlog=200)
    return peers.Peer(listening, keep_bytes=KEPT_BYTES), listening.getsockname()[1]


def start_server(options, port):
    server = harness.Postroad(
        build=options.build, sections=f'route "*" {{ to = "[127.0.0.1]:{port}" tls = "none" }}\n',
        settings={"trusted_networks": '{"127.0.0.0/8"}', "restart_pause_max_s": "1",
                  "queue_retry_min": '"1s"', "queue_retry_max": '"2s"'})
    return server.start()


class Copies:
    """What the peer took: {(token, address): [message]}."""

    def __init__(self, peer):
        self.found = collections.defaultdict(list)
        for message in peer.messages:
            token = re.search(rb"^Subject: (\S+)", message.content, re.M)[1].decode()
            for recipient in message.recipients:
                self.found[token, recipient].append(message)

    def missing(self, load):
        return [f"{token} got 250 and never came to {address}" for token in load.acks
                for address in load.targets[token] if (token, address) not in self.found]

    def twice(self):
        return {key: copies for key, copies in self.found.items() if len(copies) > 1}


def queue_id(message):
    found = re.search(rb"\bid (\w+)", message.content)
    return found[1].decode() if found else "?"


def distance(message, begun, ended):
    """Between the answer to a message and a kill, both of which take their time on a machine with other work."""
    answered = message.acknowledged_at or message.at
    return max(0, message.at - ended, begun - answered)


def explain(server, copies, kills):
    """Why a message came more than once, as a text; "" when nothing explains it."""
    replays = server.logged("queue.relayed", f"id={queue_id(copies[0])} ", "replay=1")
    whys = []
    for message in copies[:-1]:
        program, gap = min(((program, distance(message, begun, ended)) for program, begun, ended in kills),
                           key=lambda near: near[1])
        if gap > NEAR_S:
            return ""
        whys.append(f"{program} was killed within {gap * 1000:.0f} ms of the 250")
    if len(replays) < len(copies) - 1:
        whys.append("no replay in the log")
    return ", ".join(whys)


def kill_round(server, rng, kills):
    kill = kill_master if rng.random() < MASTER_SHARE else lambda s: kill_child(s, rng)
    before = time.monotonic()
    kills.append((kill(server), before, time.monotonic()))


def check(server, peer, load, kills):
    copies = Copies(peer)
    wrong = copies.missing(load) + [f"the peer saw {text}" for text in peer.wrong[:5]]
    carriers = [kill for kill in kills if kill[0] in CARRIERS]
    twice = collections.defaultdict(list)
    for (token, _), found in sorted(copies.twice().items()):
        twice[token, queue_id(found[0]), explain(server, found, carriers)].append(len(found))
    for (token, name, why), counts in twice.items():
        print(f"  {token} {name} came {max(counts)} times for {len(counts)}: {why or 'nothing explains it'}")
        if not why:
            wrong.append(f"{token} came {max(counts)} times")
    print(f"{len(load.acks)} acknowledged, {len(load.targets)} tried, {len(peer.messages)} transactions taken, "
          f"{len(twice)} messages came twice, {len(wrong)} wrong", flush=True)
    for text in wrong[:20]:
        print("  " + text)
    return not wrong


def run_relay(options, rng):
    peer, port = start_peer()
    server, kills = None, []
    try:
        server = start_server(options, port)
        load = Load(server.ports["smtp"], ADDRESSES, 0, options.seed, options.sessions)
        wait_for_promise(load)
        for _ in range(options.rounds):
            time.sleep(rng.uniform(0.05, options.pause))
            kill_round(server, rng, kills)
        before = time.monotonic()
        server.kill()
        kills.append(("all", before, time.monotonic()))
        load.stop()
        counts = collections.Counter(program for program, _, _ in kills[:options.rounds])
        print(f"killed {options.rounds}: " + ", ".join(f"{n} {k}" for k, n in sorted(counts.items())), flush=True)
        server.start()
        harness.wait_until(lambda: b'"complete": true' in
                           server.command("--json", "queue", "stats", check=False).stdout, 120, "a queue that knows all")
        server.command("queue", "flush", "--all")
        wait_empty_queue(server)
        faults = [how for how in ends_logged(server, 0).values() if how not in (0, signal.SIGKILL)]
        if faults:
            print(f"programs ended by themselves: {faults}")
        return check(server, peer, load, kills) and not faults
    finally:
        if server:
            close(server)
        peer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=200)
    parser.add_argument("--pause", type=float, default=1.0, help="longest wait between crashes, s")
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--build", default=harness.TOP / "build/release")
    options = parser.parse_args()
    options.seed = os.environ.get("SEED") or str(time.time_ns())
    print(f"SEED={options.seed}", flush=True)
    return 0 if run_relay(options, random.Random(options.seed)) else 1


if __name__ == "__main__":
    sys.exit(main())

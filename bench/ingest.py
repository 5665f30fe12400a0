"""./dev bench ingest - taking and delivering mail, Postroad beside Postfix + Dovecot

Every server stands on the same journaled ext4 (a loop mount of one's own) with
its syncs on, and takes the same load: SESSIONS copies of Postfix's smtp-source
at once, 4 KB messages to 100 accounts. Printed are medians of five rounds:

  accepted/s   answered with 250, from the first connection to the last answer
  delivered/s  readable in mailboxes, over the time until the last one is
  CPU s/1000   user and system seconds of all the server's processes
  syncs        sync calls a message, counted in a round of its own

smtp-sink, which stores nothing, shows what the load generator allows.
"""
import argparse
import statistics
import subprocess
import time

import disk
import ending
import measure
import peers

LOAD_S = 300    # the longest that a round of sending may take
STALLED_S = 60  # without a message more in the mailboxes


def load(port, sessions, rounds, keep):
    """sessions * rounds * 100 messages; each round of a session goes once through all accounts."""
    one = ["smtp-source", "-N", "-s", "1", "-m", str(peers.ACCOUNTS), "-l", "4096",
           *(["-d"] if keep else []), "-f", "sender@example.net", "-t", f"box@{peers.DOMAIN}",
           f"127.0.0.1:{port}"]
    script = f'for i in $(seq {rounds}); do "$@" || exit 1; done'
    running = [subprocess.Popen(["sh", "-c", script, "sh", *one]) for _ in range(sessions)]
    end = time.monotonic() + LOAD_S
    if any([p.wait(max(0.1, end - time.monotonic())) for p in running]):
        raise TimeoutError("smtp-source failed: the server did not take what it was sent")
    return sessions * rounds * peers.ACCOUNTS


def wait_delivered(peer, wanted):
    """Until all is in mailboxes; a server that brings nothing more for STALLED_S has lost something."""
    seen, since = -1, time.monotonic()
    while (got := peer.delivered()) < wanted:
        if got > seen:
            seen, since = got, time.monotonic()
        if time.monotonic() > since + STALLED_S:
            raise TimeoutError(f"{peer.name}: {got} of {wanted} messages are in mailboxes, "
                               f"and for {STALLED_S} s no more came")
        time.sleep(0.02 if peer.name == "postroad" else 0.1)
    return time.monotonic()


def measure_round(peer, sessions, rounds, keep):
    before, cpu = getattr(peer, "expected", 0), measure.cpu_seconds(peer.roots())
    started = time.monotonic()
    n = load(peer.port, sessions, rounds, keep)
    accepted = time.monotonic() - started
    figures = {"accepted/s": n / accepted}
    if hasattr(peer, "delivered"):
        peer.expected = before + n
        figures["delivered/s"] = n / (wait_delivered(peer, peer.expected) - started)
    time.sleep(0.5)  # background work belongs to the bill as well
    figures["CPU s/1000"] = (measure.cpu_seconds(peer.roots()) - cpu) * 1000 / n
    return figures


def count_syncs(peer, sessions, keep):
    with measure.SyncCounter(peer.roots()) as counter:
        n = load(peer.port, sessions, 1, keep)
        peer.expected += n
        wait_delivered(peer, peer.expected)
        time.sleep(1.5)
    return counter.count / n


def warm_up(peer, options):
    """One message to each account first: Dovecot's LMTP processes that make the same mailbox at the
    same time fail ("Mailbox already exists"), and Postfix tries again after five minutes only."""
    peer.expected = 0
    for sessions in (1, options.sessions):
        peer.expected += load(peer.port, sessions, 1, options.keep)
        if hasattr(peer, "delivered"):
            wait_delivered(peer, peer.expected)


def measure_peer(make, where, options, rounds):
    peer = make(where)
    try:
        warm_up(peer, options)
        runs = [measure_round(peer, options.sessions, rounds, options.keep)
                for _ in range(options.repeat)]
        figures = {key: statistics.median(r[key] for r in runs) for key in runs[0]}
        if hasattr(peer, "delivered"):
            figures["syncs"] = count_syncs(peer, options.sessions, options.keep)
            if peer.check() != peer.expected:
                raise SystemExit(f"{peer.name}: {peer.check()} messages in mailboxes, "
                                 f"{peer.expected} were sent")
        return peer.name, figures
    except (TimeoutError, subprocess.TimeoutExpired) as error:
        raise SystemExit(f"{error}{ending.show_logs(peer)}") from error
    finally:
        peer.close()


COLUMNS = ("accepted/s", "delivered/s", "CPU s/1000", "syncs")


def print_table(results):
    print(f"{'':26}" + "".join(f"{c:>14}" for c in COLUMNS))
    for name, figures in results:
        print(f"{name:26}" + "".join(
            f"{figures[c]:14.3f}" if c in figures and figures[c] < 10 else
            f"{figures[c]:14.0f}" if c in figures else f"{'-':>14}" for c in COLUMNS))


def print_ratios(results):
    by_name = dict(results)
    ours, sink = by_name["postroad"], by_name["smtp-sink"]
    others = [f for n, f in results if n.startswith("postfix")]
    if others:
        best = max(f["delivered/s"] for f in others)
        cheapest = min(f["CPU s/1000"] for f in others)
        print(f"delivered/s: {ours['delivered/s'] / best:.1f} times the better Postfix + Dovecot")
        print(f"CPU a message: 1/{cheapest / ours['CPU s/1000']:.1f} of the cheaper one's")
    print(f"accepted/s: {ours['accepted/s'] / sink['accepted/s']:.2f} of smtp-sink's")
    print(f"sync calls a message: {ours['syncs']:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3, help="rounds of 100 a session and run")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--reconnect", dest="keep", action="store_false",
                        help="a new connection for every message")
    parser.add_argument("--only", help="measure only the peers whose name contains this")
    options = parser.parse_args()
    makers = {"smtp-sink": peers.Sink, "postroad": peers.PostroadPeer,
              "postfix+dovecot sdbox": lambda d: peers.PostfixDovecot(d, "sdbox"),
              "postfix+dovecot maildir": lambda d: peers.PostfixDovecot(d, "maildir")}
    results = []
    with disk.Ext4() as where:
        for name, make in makers.items():
            if options.only and options.only not in name:
                continue
            slow = name.startswith("postfix")
            results.append(measure_peer(make, where, options,
                                        options.rounds if not slow else 1))
            print_table(results[-1:])
    print()
    print_table(results)
    if not options.only:
        print_ratios(results)


if __name__ == "__main__":
    ending.run(main)

"""./dev bench imap_huge - one mailbox of a million messages

Filled by APPEND and COPY. Printed are: SELECT by the first session after a restart (page cache
warm), by a second session, again in the same session; the memory of all imapd processes (private
and shared parts, proportionally) with one and with ten sessions that have it selected.
"""
import argparse
import time

import disk
import ending
import imap_client
import imap_peers
import letters
from idle import memory_bytes

SEED = 20_000  # messages that are appended; the others are copies


def fill(peer, messages):
    client = imap_client.Client(peer.port)
    client.login(imap_peers.ACCOUNT)
    client.run(b"CREATE huge")
    for first in range(0, SEED, 1000):
        client.append("INBOX", letters.messages(first, 1000))
    client.run(b"SELECT INBOX")
    for _ in range(messages // SEED):
        client.run(b"COPY 1:* huge")
    client.close()


def selected(peer):
    client = imap_client.Client(peer.port)
    client.login(imap_peers.ACCOUNT)
    started = time.perf_counter()
    client.run(b"SELECT huge")
    return client, time.perf_counter() - started


def imapd_memory(peer):
    return memory_bytes(peer.server.pids("imapd")) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=1_000_000)
    options = parser.parse_args()
    with disk.Ext4() as where:
        peer = imap_peers.PostroadImap(where, {"account_connections_max": "100"})
        try:
            fill(peer, options.messages)
            peer.server.stop()
            peer.server.start()
            client, first = selected(peer)
            print(f"first SELECT        {first * 1000:8.1f} ms")
            print(f"memory              {imapd_memory(peer):8.1f} MB")
            others = [selected(peer) for _ in range(9)]
            print(f"second session      {min(taken for _, taken in others) * 1000:8.1f} ms")
            print(f"same session again  {min(client.timed(b'SELECT huge') for _ in range(5)) * 1000:8.1f} ms")
            print(f"FETCH 1:* FLAGS     {client.timed(b'FETCH 1:* FLAGS') * 1000:8.1f} ms")
            print(f"memory, 10 sessions {imapd_memory(peer):8.1f} MB")
        finally:
            peer.close()


if __name__ == "__main__":
    ending.run(main)

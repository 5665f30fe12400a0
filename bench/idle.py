"""./dev bench idle - many clients that wait, and how fast they log in; Postroad beside Dovecot

SESSIONS connections under TLS, each logged in, with its INBOX selected, in IDLE. Printed is the
memory that they cost over all processes of the server: proportional set size, less what the
server took before. Then logins: connect, handshake, LOGIN, LOGOUT, as fast as WORKERS clients
can; the same certificate type (P-256) and the same stored hash (yescrypt, as crypt(3) makes it)
for every server. Dovecot runs in its high-performance mode; "hibernate" has imap_hibernate_timeout
at 1 s besides.
"""
import argparse
import asyncio
import concurrent.futures
import resource
import socket
import ssl
import subprocess
import time
from pathlib import Path

import disk
import ending
import imap_peers
import measure

HIBERNATE = """
imap_hibernate_timeout = 1 s
service imap {
  unix_listener imap-master {
    mode = 0666
  }
}
service imap-hibernate {
  client_limit = 20000
  unix_listener imap-hibernate {
    mode = 0666
  }
}
"""


def memory_bytes(roots):
    """Proportional set size of all processes below `roots`."""
    total = 0
    for root in roots:
        for pid in measure.tree(root):
            try:
                text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except OSError:
                continue
            total += sum(int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:"))
    return total * 1024


async def command(reader, writer, tag, text):
    writer.write(b"%s %s\r\n" % (tag, text))
    while not (line := await reader.readline()).startswith(tag):
        if not line:
            raise SystemExit("the server closed a connection")
    if not line.startswith(tag + b" OK"):
        raise SystemExit(f"the server said {line!r}")


async def idle_one(port, context, gate):
    async with gate:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        await reader.readline()
        await command(reader, writer, b"a", b"LOGIN %s secret" % imap_peers.ACCOUNT.encode())
        await command(reader, writer, b"b", b"SELECT INBOX")
        writer.write(b"c IDLE\r\n")
        if not (await reader.readline()).startswith(b"+"):
            raise SystemExit("no IDLE")
    return writer


async def idle_all(peer, sessions):
    context = ssl._create_unverified_context()
    gate = asyncio.Semaphore(16)
    before = memory_bytes(peer.roots())
    writers = await asyncio.gather(*(idle_one(peer.tls_port, context, gate) for _ in range(sessions)))
    await asyncio.sleep(5)  # hibernation takes its second
    after = memory_bytes(peer.roots())
    for writer in writers:
        writer.transport.abort()
    return (after - before) / sessions


def log_in_for(port, seconds):
    """Logins one after another, without resuming a TLS session."""
    n, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        context = ssl._create_unverified_context()
        with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as tls:
            lines = tls.makefile("rb")
            lines.readline()
            tls.sendall(b"a LOGIN %s secret\r\nb LOGOUT\r\n" % imap_peers.ACCOUNT.encode())
            while not (line := lines.readline()).startswith(b"a "):
                if not line:
                    raise SystemExit("the server closed a connection")
            if not line.startswith(b"a OK"):
                raise SystemExit(f"the server said {line!r}")
            lines.read()
        n += 1
    return n


def logins_per_second(peer, workers, seconds):
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        started = time.monotonic()
        counts = list(pool.map(log_in_for, [peer.tls_port] * workers, [seconds] * workers))
        return sum(counts) / (time.monotonic() - started)


def yescrypt():
    made = subprocess.run(["mkpasswd", "-m", "yescrypt", "secret"], capture_output=True, check=True)
    return made.stdout.decode().strip()


def make_dovecot(where, extra):
    peer = imap_peers.DovecotImap(where, "sdbox", extra)
    peer.write_users("{CRYPT}" + yescrypt())
    return peer


def make_postroad(where):
    return imap_peers.PostroadImap(where, {"account_connections_max": "100000"})


def measure_peer(make, name, options):
    with disk.Ext4() as where:
        peer = make(where)
        try:
            rate = logins_per_second(peer, options.workers, options.seconds)
            each = asyncio.run(idle_all(peer, options.sessions))
            print(f"{name:24}{each / 1024:12.1f} KB a session{rate:12.1f} logins/s", flush=True)
        finally:
            peer.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sessions", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--only", help="measure only the peers whose name contains this")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    makers = {"postroad": make_postroad, "dovecot": lambda d: make_dovecot(d, ""),
              "dovecot hibernate": lambda d: make_dovecot(d, HIBERNATE)}
    for name, make in makers.items():
        if not options.only or options.only in name:
            measure_peer(make, name, options)


if __name__ == "__main__":
    ending.run(main)

"""./dev bench directory - a directory of very many accounts

A server with --accounts accounts (a million) in --domains domains, filled by rows of a dump as `postroad
directory copy` would; then RCPTs for accounts by chance, one after the other, over one SMTP session:

  lookup p50, p99   microseconds of one RCPT and its answer: the way through smtpd is in them
  authd             memory that it has resident, at the most
  list              seconds of `postroad account list` for all, and for one domain

"cold" is after authd was started anew: its own cache is empty, the kernel has the file. With --postgresql
the accounts are in a PostgreSQL of one's own. With --copy they are copied from Berkeley DB to one, and back:
seconds, and the most memory that the command had.
"""
import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import ending
import peers

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import harness  # noqa: E402

ROOMY = {"smtp_idle_commands_max": 1000000, "smtp_transactions_max": 1000000, "recipients_max": 50000}


def build():
    release = Path(peers.release())
    subprocess.run(["cmake", "--build", release, "--target", "bench_directory_fill"], check=True,
                   capture_output=True)
    client = Path(tempfile.mkdtemp()) / "rcpt_client"
    subprocess.run(["cc", "-O2", "-o", client, Path(__file__).with_name("rcpt_client.c")], check=True)
    return release / "libexec/bench_directory_fill", client


def memory_mb(server, key="VmHWM"):
    pid = next(iter(server.pids("authd")))
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith(key)).split()[1]) / 1024


def lookups(server, client, options, rounds):
    done = subprocess.run([client, str(server.ports["smtp"]), str(options.domains), str(options.accounts),
                           str(rounds), str(options.seed)], check=True, capture_output=True)
    return [int(n) for n in done.stdout.split()]


def print_row(what, *figures):
    print(f"{what:28}" + "".join(f"{f:>14}" for f in figures), flush=True)


def print_lookups(what, found):
    print_row(what, *(f"{n} us" for n in found))


def timed(server, *args):
    start = time.monotonic()
    done = subprocess.run([server.build / "bin/postroad", "--config", server.config, *args], check=True,
                          capture_output=True)
    return time.monotonic() - start, done.stdout.count(b"\n") - 1


def timed_alone(server, *args):
    """Seconds, and megabytes at the most, of a command while the server is down."""
    start = time.monotonic()
    process = subprocess.Popen([server.build / "bin/postroad", "--config", server.config, *args],
                               stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise AssertionError(f"{args}: {status}")
    return f"{time.monotonic() - start:.1f} s", f"{used.ru_maxrss / 1024:.0f} MB"


def filled(server, fill, options):
    start = time.monotonic()
    subprocess.run([fill, server.run / "control/authd", str(options.domains), str(options.accounts)], check=True)
    seconds = time.monotonic() - start
    print_row("filled in", f"{seconds:.1f} s", f"{options.accounts / seconds:.0f} /s")


def measure(server, fill, client, options):
    filled(server, fill, options)
    server.stop()
    server.start()
    print_row("", "p50", "p99", "max")
    print_lookups("first lookups, cold", lookups(server, client, options, options.rounds))
    print_lookups("the same ones again", lookups(server, client, options, options.rounds))
    seconds, rows = timed(server, "account", "list")
    print_row("list of all", f"{seconds:.1f} s", f"{rows} rows")
    seconds, rows = timed(server, "account", "list", "d7.example")
    print_row("list of one domain", f"{seconds:.2f} s", f"{rows} rows")
    print_row("authd, at the most", f"{memory_mb(server):.0f} MB")


def measure_copies(server, fill, options):
    filled(server, fill, options)
    server.stop()
    server.command("directory", "init")
    copy = "directory", "copy", "--from"
    print_row("copied to PostgreSQL", *timed_alone(server, *copy, "berkeley", "--to", "postgresql"))
    for path in (server.folder / "directory").iterdir():
        path.unlink()
    print_row("and back", *timed_alone(server, *copy, "postgresql", "--to", "berkeley"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--accounts", type=int, default=1000000)
    parser.add_argument("--domains", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")))
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--postgresql", action="store_true")
    where.add_argument("--copy", action="store_true")
    options = parser.parse_args()
    fill, client = build()
    if not options.postgresql and not options.copy:
        with harness.Postroad(build=peers.release(), settings=ROOMY, domains=()) as server:
            server.start()
            measure(server, fill, client, options)
        return
    import postgres
    with postgres.Postgres() as database, harness.Postroad(build=peers.release(), domains=(), settings={
            **ROOMY, "directory": "postgresql" if options.postgresql else "berkeley",
            "postgresql_connection": f'"{database.connection()}"'}) as server:
        if options.postgresql:
            server.command("directory", "init")
        server.start()
        if options.copy:
            measure_copies(server, fill, options)
        else:
            measure(server, fill, client, options)


if __name__ == "__main__":
    ending.run(main)

"""./dev crash imap [ROUNDS] - is every message that an OK promised where it was promised?

A random Postroad process, master among them, gets kill -9 at a random moment, ROUNDS times, while
sessions APPEND, COPY and MOVE; then all of them at once. What was answered with OK is in its
mailbox exactly once, and no uid was ever seen on two messages. Then index, summaries and texts of
all accounts are deleted: what is rebuilt must answer the same.

Prints its seed; SEED= repeats one.
"""
import argparse
import collections
import imaplib
import os
import random
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from crash import MASTER_SHARE, kill_child, kill_master  # noqa: E402
from imap_load import MAILBOXES, Ledger, Load, subjects  # noqa: E402

ACCOUNTS = [f"box{n}@example.org" for n in range(4)]
QUESTIONS = (("FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE PREVIEW SAVEDATE EMAILID)"),
             ("FETCH", "1:*", "(BODY.PEEK[HEADER] BODY.PEEK[HEADER.FIELDS (SUBJECT FROM)])"),
             ("SEARCH", None, "TEXT", "word"), ("SEARCH", None, "SUBJECT", "-1-"),
             ("SORT", "(SUBJECT)", "UTF-8", "ALL"), ("THREAD", "REFERENCES", "UTF-8", "ALL"))


def log_in(server, address):
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=60)
    client.login(address, "secret")
    return client


def placed(server, address):
    """{mailbox: [(uid, token)]}"""
    client, found = log_in(server, address), {}
    for name in MAILBOXES:
        kind, data = client.select(name, readonly=True)
        found[name] = subjects(client, "1:*") if kind == "OK" and data != [b"0"] else []
        for uid, _ in found[name]:
            assert uid > 0
    client.logout()
    return found


def compare(ledger, address, found):
    """Everything that is wrong, as texts."""
    counts = {name: collections.Counter(token for _, token in rows) for name, rows in found.items()}
    wrong = [f"{address}: {token} is {n} times in {name}"
             for name, tokens in counts.items() for token, n in tokens.items() if n > 1]
    for (owner, token), letter in ledger.letters.items():
        if owner != address:
            continue
        at = tuple(counts[name][token] for name in MAILBOXES)
        inbox, copies, moved = at
        allowed = {"no": (0,), "perhaps": (0, 1), "yes": (1,)}
        if (inbox + moved not in allowed[letter.appended] or copies not in allowed[letter.copied]
                or moved not in allowed[letter.moved]):
            wrong.append(f"{address}: {token} appended {letter.appended}, copied {letter.copied}, "
                         f"moved {letter.moved}, but is at {at}")
    return wrong


def check(server, ledger):
    wrong = list(ledger.wrong)
    for address in ACCOUNTS:
        found = placed(server, address)
        for name, rows in found.items():
            for (owner, box, _, uid), token in ledger.uids.items():
                if owner == address and box == name and (uid, token) not in rows:
                    if dict(rows).get(uid, token) != token:
                        wrong.append(f"{address} {name}: uid {uid} was {token}")
        wrong += compare(ledger, address, found)
    print(f"{ledger.acknowledged()} appends acknowledged of {len(ledger.letters)}, {len(ledger.uids)} uids seen, "
          f"{len(wrong)} wrong", flush=True)
    for text in wrong[:20]:
        print("  " + text)
    return not wrong


def answers(server):
    """What every mailbox answers to all questions."""
    found = {}
    for address in ACCOUNTS:
        client = log_in(server, address)
        for name in MAILBOXES:
            kind, data = client.select(name, readonly=True)
            if kind != "OK" or data == [b"0"]:
                continue
            for verb, *arguments in QUESTIONS:
                ask = {"FETCH": client.fetch, "SEARCH": client.search, "SORT": client.sort,
                       "THREAD": client.thread}[verb]
                found[address, name, verb, *arguments] = ask(*arguments)
        client.logout()
    return found


def forget_derived(server):
    """Deletes all that is made from journal and data; how many files."""
    derived = [path for pattern in ("index", "summary.*", "text.*") for path in server.mail.glob(f"*/*/{pattern}")]
    for path in derived:
        path.unlink()
    return len(derived)


def check_rebuilt(server):
    before = answers(server)
    server.stop()
    files = forget_derived(server)
    server.start()
    after = answers(server)
    differ = [key for key in before if before[key] != after.get(key)]
    print(f"{files} derived files deleted, {len(before)} questions asked again, {len(differ)} answers differ")
    for key in differ[:20]:
        print(f"  {key}")
    return not differ and files > 0


def run(options, rng):
    ledger, killed = Ledger(), collections.Counter()
    with harness.Postroad(build=options.build, settings={
            "auth_without_tls": "yes", "auth_delay_s": "0", "restart_pause_max_s": "1"}) as server:
        server.start()
        for address in ACCOUNTS:
            server.add_account(address)
        load = Load(server.ports["imap"], ACCOUNTS, ledger, options.seed)
        harness.wait_until(ledger.acknowledged, 60, "the first APPEND that is acknowledged")
        for _ in range(options.rounds):
            time.sleep(rng.uniform(0.05, options.pause))
            kill = kill_master if rng.random() < MASTER_SHARE else lambda s: kill_child(s, rng, options.program or None)
            killed[kill(server)] += 1
        server.kill()
        load.stop()
        print(f"killed {sum(killed.values())}: "
              + ", ".join(f"{n} {k}" for k, n in sorted(killed.items())), flush=True)
        server.start()
        return check(server, ledger) and check_rebuilt(server)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rounds", type=int, nargs="?", default=100)
    parser.add_argument("--pause", type=float, default=0.5, help="longest time between two kills")
    parser.add_argument("--program", default="imapd", help="what is killed; \"\" is any")
    parser.add_argument("--build", default=os.environ.get("POSTROAD_BUILD", harness.TOP / "build/release"))
    options = parser.parse_args()
    options.seed = int(os.environ.get("SEED", random.randrange(1 << 32)))
    print(f"seed {options.seed}")
    sys.exit(0 if run(options, random.Random(options.seed)) else 1)


if __name__ == "__main__":
    main()

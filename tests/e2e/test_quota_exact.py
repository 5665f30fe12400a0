"""Quotas are exact: random operations by all ways into a mailbox, counted along by the test, then
compared with what GETQUOTA says, what RCPT takes and refuses to the byte, what `postroad mailbox
usage` says, and a recount of every message over IMAP.

A short form by default; QUOTA=full does 10,000 operations. SEED= repeats one.
"""
import imaplib
import json
import os
import poplib
import random
import re
import smtplib
import threading

import pytest

import harness
from conftest import PASSWORD
from test_imap_clients import letter, must

OPERATIONS = 10000 if os.environ.get("QUOTA") == "full" else 300
CHECK_EVERY = 50 if OPERATIONS > 1000 else 15
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))
QUOTA = 300 << 10

WHO = "me@example.org"
NAMES = ["INBOX", "One", "Two", "Three/Deep", "Vier"]


@pytest.fixture(scope="module")
def server():
    with harness.Postroad(settings={"auth_without_tls": "yes", "auth_delay_s": "0", "smtp_greet_delay_ms": "0",
                                    "smtp_errors_delay": "10000", "smtp_errors_max": "10000",
                                    "quota_warning_percent": "0", "quota_warning_last_percent": "0",
                                    "deliver_sync_interval_ms": "1"}) as s:
        s.start()
        s.add_account(WHO, PASSWORD, "300k")
        s.add_account("you@example.org", PASSWORD)
        s.command("alias", "add", "alias@example.org", WHO)
        s.command("alias", "add", "both@example.org", WHO, "you@example.org")
        yield s


def imap(server):
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    client.login(WHO, PASSWORD)
    return client


def smtp(server):
    client = smtplib.SMTP("127.0.0.1", server.ports["smtp"], "test.example")
    client.ehlo()
    return client


class Full(Exception):
    """[OVERQUOTA]"""


def done(answer):
    kind, data = answer
    if kind == "NO" and b"[OVERQUOTA]" in data[0]:
        raise Full
    assert kind == "OK", data
    return data


class Play:
    """The account as the test has it in mind: {mailbox: {uid: bytes}}."""

    def __init__(self, server, rng):
        self.server, self.rng = server, rng
        self.boxes = {"INBOX": {}}
        self.clients = [imap(server) for _ in range(3)]
        self.n = 0
        self.counts = {}
        for _, name in self.listed():
            self.boxes.setdefault(name, {})

    # --- the state

    @property
    def used(self):
        return sum(sum(box.values()) for box in self.boxes.values())

    @property
    def messages(self):
        return sum(len(box) for box in self.boxes.values())

    def fits(self, size):
        return self.used + size <= QUOTA

    def listed(self):
        for row in must(self.clients[0].list()):
            flags, name = re.match(rb'\((.*?)\) "." "?([^"]*)"?$', row).groups()
            if b"\\NonExistent" not in flags and b"\\Noselect" not in flags:
                yield flags, name.decode()

    def any_box(self, filled=False):
        names = [name for name, box in sorted(self.boxes.items()) if box or not filled]
        return self.rng.choice(names) if names else None

    def client(self, name=None):
        client = self.rng.choice(self.clients)
        if name:
            must(client.select(f'"{name}"'))
        return client

    def some(self, name):
        uids = sorted(self.boxes[name])
        return self.rng.sample(uids, self.rng.randint(1, min(len(uids), 6)))

    def text(self):
        self.n += 1
        size = self.rng.choice([10, 700, 3000, 9000])
        return letter("exact", self.n, "x" * self.rng.randint(1, size) + "\r\n")

    # --- operations; what one does to the state is known before or told by the server

    def append(self):
        name, text = self.any_box(), self.text()
        fits = self.fits(len(text))
        try:
            data = done(self.client().append(f'"{name}"', None, None, text))
        except Full:
            assert not fits, f"{self.used} + {len(text)} fits into {QUOTA}"
            return
        assert fits, f"{self.used} + {len(text)} does not fit into {QUOTA}"
        self.boxes[name][int(re.search(rb"APPENDUID \d+ (\d+)", data[0]).group(1))] = len(text)

    def copy_or_move(self, verb):
        source, to = self.any_box(filled=True), self.any_box()
        if source is None or (verb == "MOVE" and source == to):
            return
        uids = self.some(source)
        size = sum(self.boxes[source][uid] for uid in uids)
        fits = verb == "MOVE" or self.fits(size)
        client = self.client(source)
        client.untagged_responses.clear()
        try:
            data = done(client.uid(verb, ",".join(map(str, uids)), f'"{to}"'))
        except Full:
            assert not fits, f"{self.used} + {size} fits into {QUOTA}"
            return
        assert fits, f"{self.used} + {size} does not fit into {QUOTA}"
        texts = [d for d in data + client.response("COPYUID")[1] if d]
        found = re.search(rb"(?:COPYUID )?\d+ ([\d,:]+) ([\d,:]+)", b" ".join(texts))
        for old, new in zip(numbers(found.group(1)), numbers(found.group(2))):
            self.boxes[to][new] = self.boxes[source][old]
            if verb == "MOVE":
                del self.boxes[source][old]

    def copy(self):
        self.copy_or_move("COPY")

    def move(self):
        self.copy_or_move("MOVE")

    def expunge(self):
        name = self.any_box(filled=True)
        if name is None:
            return
        uids, client = self.some(name), self.client(name)
        must(client.uid("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", "(\\Deleted)"))
        if self.rng.random() < 0.5:
            must(client.expunge())
        else:
            must(client.uid("EXPUNGE", ",".join(map(str, uids))))
        for uid in uids:
            del self.boxes[name][uid]

    def flags(self):
        name = self.any_box(filled=True)
        if name:
            must(self.client(name).uid("STORE", ",".join(map(str, self.some(name))), "FLAGS", "(\\Seen)"))

    def create(self):
        name = f"M{self.rng.randrange(8)}"
        if name not in self.boxes:
            must(self.client().create(name))
            self.boxes[name] = {}

    def delete(self):
        name = self.any_box()
        if name != "INBOX" and name.startswith("M"):
            self.unselect(name)
            must(self.clients[0].delete(f'"{name}"'))
            del self.boxes[name]

    def rename(self):
        name, to = self.any_box(), f"M{self.rng.randrange(8, 16)}"
        if to in self.boxes or not name.startswith(("M", "INBOX")):
            return
        self.unselect(name)
        must(self.clients[0].rename(f'"{name}"', to))
        sizes = sorted(self.boxes.pop(name).values())
        if name == "INBOX":
            self.boxes[name] = {}
        self.boxes[to] = self.looked(to)
        assert sorted(self.boxes[to].values()) == sizes

    def unselect(self, name):
        for client in self.clients:
            must(client.select('"One"'))

    def looked(self, name, whole=False):
        """What is in the mailbox, as IMAP says; `whole`: by reading it."""
        client = self.clients[0]
        if must(client.select(f'"{name}"', readonly=True)) == [b"0"]:
            return {}
        found = {}
        for row in must(client.uid("FETCH", "1:*", "(BODY.PEEK[])" if whole else "(RFC822.SIZE)")):
            if whole and isinstance(row, tuple):
                found[int(re.search(rb"UID (\d+)", row[0]).group(1))] = len(row[1])
            elif not whole:
                found[int(re.search(rb"UID (\d+)", row).group(1))] = int(re.search(rb"SIZE (\d+)", row).group(1))
        return found

    def pop3(self):
        client = poplib.POP3("127.0.0.1", self.server.ports["pop3"], timeout=120)
        client.user(WHO)
        client.pass_(PASSWORD)
        uids = sorted(self.boxes["INBOX"])
        assert client.stat() == (len(uids), sum(self.boxes["INBOX"].values()))
        gone = self.rng.sample(range(len(uids)), min(len(uids), self.rng.randrange(4)))
        for i in gone:
            client.dele(i + 1)
        client.quit()
        for i in gone:
            del self.boxes["INBOX"][uids[i]]

    def smtp(self):
        text, to = self.text(), self.rng.choice([WHO, "me+x@example.org", "alias@example.org"])
        known = set(self.boxes["INBOX"])
        with smtp(self.server) as client:
            client.mail("s@example.net", [f"SIZE={len(text)}"])
            code, _ = self.settled(lambda: client.rcpt(to), 250 if self.fits(len(text)) else 552)
            if code == 552:
                return
            code, said = client.data(text)
            assert code == 250, said

        def delivered():
            found = self.looked("INBOX")
            return found if set(found) - known else None
        self.boxes["INBOX"] = harness.wait_until(delivered, what="the message in INBOX")

    def settled(self, rcpt, want):
        """authd hears of a change when the client does; give it a moment to be the second."""
        answer = [None]

        def as_wanted():
            answer[0] = rcpt()
            return answer[0][0] == want
        try:
            harness.wait_until(as_wanted, what="the answer to RCPT")
        except TimeoutError:
            raise AssertionError(f"RCPT said {answer[0]}, not {want}; {self.used} of {QUOTA} used") from None
        return answer[0]

    def compact(self):
        self.server.command("mailbox", "compact", WHO)

    def side_by_side(self):
        """Three sessions at once, each in a mailbox of its own."""
        names = ["One", "Two", "Vier"]
        texts = [[self.text() for _ in range(4)] for _ in names]
        if not self.fits(sum(len(t) for each in texts for t in each)):
            return
        results = [None] * 3

        def work(i):
            found = {}
            for k, text in enumerate(texts[i]):
                data = done(self.clients[i].append(names[i], None, None, text))
                uid = int(re.search(rb"APPENDUID \d+ (\d+)", data[0]).group(1))
                if k % 2:
                    found[uid] = len(text)
                    continue
                must(self.clients[i].select(names[i]))
                must(self.clients[i].uid("STORE", str(uid), "+FLAGS.SILENT", "(\\Deleted)"))
                must(self.clients[i].uid("EXPUNGE", str(uid)))
            results[i] = found
        threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert None not in results
        for name, found in zip(names, results):
            self.boxes[name].update(found)

    def restart(self):
        """One program is killed; what it knew of use is to be known again."""
        name = self.rng.choice(["authd", "local"])
        for pid in self.server.pids(name):
            os.kill(pid, 9)
            seen = len(self.server.logged("master.started", f"program={name}"))
            harness.wait_until(lambda: len(self.server.logged("master.started", f"program={name}")) > seen
                               or len(self.server.pids(name)) > 0, what="its start")
        self.clients = [imap(self.server) for _ in range(3)] if name == "authd" else self.clients

    # --- checks

    def check(self):
        client = self.client()
        row = must(client.getquota('""'))[0]
        storage, limit, count = map(int, re.search(rb"STORAGE (\d+) (\d+) MESSAGE (\d+)", row).groups())
        assert (storage, limit, count) == ((self.used + 1023) // 1024, QUOTA >> 10, self.messages)
        self.check_rcpt()

    def check_rcpt(self):
        """To the byte: so much fits, one more does not."""
        room = QUOTA - self.used
        with smtp(self.server) as client:
            for size, want in ((room, 250 if room > 0 else 552), (room + 1, 552), (1, 250 if room > 0 else 552)):
                for to in (WHO, "alias@example.org"):
                    client.mail("s@example.net", [f"SIZE={max(size, 1)}"])
                    self.settled(lambda: client.rcpt(to), want)
                    client.rset()

    def check_usage(self):
        row = json.loads(self.server.command("--json", "mailbox", "usage", WHO).stdout)
        assert (row["size"], row["messages"]) == (self.used, self.messages)

    def recount(self):
        names = {name for _, name in self.listed()}
        assert names >= {name for name, box in self.boxes.items() if box}
        for name in sorted(names):
            assert self.looked(name, whole=True) == self.boxes.get(name, {}), name
        found = self.server.command("--json", "mailbox", "verify", WHO)
        assert json.loads(found.stdout or b"[]") == []


def numbers(text):
    for part in text.decode().split(","):
        first, _, last = part.partition(":")
        yield from range(int(first), int(last or first) + 1)


OPS = {"append": 20, "copy": 12, "move": 12, "expunge": 14, "flags": 4, "create": 4, "delete": 4, "rename": 2,
       "pop3": 4, "smtp": 14, "compact": 1, "side_by_side": 1}


def test_count_is_exact_after_random_operations(server):
    rng = random.Random(SEED)
    print(f"SEED={SEED}")
    play = Play(server, rng)
    for name in NAMES[1:]:
        if name not in play.boxes:
            must(play.clients[0].create(f'"{name}"'))
            play.boxes[name] = {}
    verbs, weights = list(OPS), list(OPS.values())
    for n in range(OPERATIONS):
        verb = rng.choices(verbs, weights)[0]
        try:
            getattr(play, verb)()
        except AssertionError as e:
            raise AssertionError(f"operation {n}, {verb}, SEED={SEED}: {e}") from e
        if n % CHECK_EVERY == 0:
            play.check()
        if n % (CHECK_EVERY * 10) == 0:
            play.check_usage()
    play.check()
    play.check_usage()
    play.recount()
    # The operator's commands write to the mailbox and tell nobody: authd looks again by itself.
    mbox = server.folder / "in.mbox"
    mbox.write_bytes(b"From s@example.net Sat Mar  1 10:00:00 2025\n" + letter("mbox", 1).replace(b"\r\n", b"\n"))
    os.chmod(mbox, 0o644)
    server.command("mailbox", "import", WHO, str(mbox))
    for _, name in play.listed():
        play.boxes[name] = play.looked(name)
    assert play.messages == json.loads(server.command("--json", "mailbox", "usage", WHO).stdout)["messages"]
    harness.wait_until(lambda: agrees(play), what="authd knows of the import")
    killed = {pid for program in ("authd", "local") for pid in server.pids(program)}
    for pid in killed:
        os.kill(pid, 9)
    harness.wait_until(lambda: all(set(server.pids(p)) - killed for p in ("authd", "local")), what="their restart")
    play.clients = [harness.wait_until(lambda: try_imap(server), what="a login")]
    play.check()
    assert not server.logged("bounce.made")


def agrees(play):
    """Does RCPT go by what is there, to the byte? Not one that the test waits for."""
    room = QUOTA - play.used
    with smtp(play.server) as client:
        for size, want in ((room, 250), (room + 1, 552)) if room > 0 else ((1, 552),):
            client.mail("s@example.net", [f"SIZE={size}"])
            if client.rcpt(WHO)[0] != want:
                return False
            client.rset()
    return True


def try_imap(server):
    try:
        return imap(server)
    except (OSError, imaplib.IMAP4.error):
        return None


def test_full_mailbox_is_refused_at_rcpt_by_every_way(server):
    """By its address, a detail, an alias, a forward, a list; where there is room besides it is taken for that."""
    server.add_account("gone@example.org", PASSWORD)
    server.command("account", "forward", "gone@example.org", WHO)
    server.add_account("kept@example.org", PASSWORD)
    server.command("account", "forward", "kept@example.org", WHO, "--keep")
    server.command("list", "add", "list@example.org")
    server.command("list", "set", "list@example.org", f"members={WHO}")
    client = imap(server)
    for _ in range(100):
        kind, _ = client.append("INBOX", None, None, letter("fill", 1, "x" * 20000 + "\r\n"))
        if kind == "NO":
            break
    for _ in range(2000):
        kind, _ = client.append("INBOX", None, None, letter("fill", 2, "x\r\n"))
        if kind == "NO":
            break
    assert kind == "NO"
    before = len(server.logged("bounce.made"))
    with smtp(server) as c:
        for to, want in ((WHO, 552), ("me+x@example.org", 552), ("alias@example.org", 552),
                         ("gone@example.org", 552), ("list@example.org", 552),
                         ("both@example.org", 250), ("kept@example.org", 250)):
            c.mail("s@example.net", ["SIZE=3000"])
            code, said = c.rcpt(to)
            assert code == want, (to, said)
            assert code == 250 or said.startswith(b"5.2.2")
            c.rset()
    assert len(server.logged("bounce.made")) == before

"""postroad backup and restore against a running server: what was acknowledged is there, every
generation can be had again, and clients are not confused."""
import fcntl
import imaplib
import json
import os
import poplib
import random
import signal
import smtplib
import ssl
import subprocess
import threading
import time
from datetime import datetime, timezone

import pytest

from harness import Postroad, wait_until

ADDRESS = "you@example.org"
BIG = os.environ.get("BACKUP") == "full"  # 50,000 messages, against cp -a


def insecure():
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def login(p, address=ADDRESS, password="secret"):
    m = imaplib.IMAP4("127.0.0.1", p.ports["imap"])
    m.starttls(insecure())
    m.login(address, password)
    return m


def append(m, mailbox, n, flags="", size=200):
    text = f"Subject: number {n}\r\nMessage-ID: <{n}@example.org>\r\n\r\n" + "x" * size + "\r\n"
    kind, data = m.append(mailbox, flags, None, text.encode())
    assert kind == "OK", data


def answers(m, mailbox):
    """What a client would hold: validity, and uid -> flags and bytes."""
    kind, data = m.select(mailbox, readonly=True)
    assert kind == "OK", data
    validity = int(m.response("UIDVALIDITY")[1][0])
    modseq = int(m.response("HIGHESTMODSEQ")[1][0])
    uidnext = int(m.response("UIDNEXT")[1][0])
    messages = {}
    kind, data = m.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE BODY.PEEK[])") \
        if int(m.untagged_responses.get("EXISTS", [b"0"])[0] or 0) >= 0 else (None, [])
    for item in data:
        if isinstance(item, tuple):
            head = item[0].decode()
            uid = int(head.split("UID ")[1].split(" ")[0].rstrip(")"))
            flags = frozenset(head.split("FLAGS (")[1].split(")")[0].split()) - {"\\Recent"}
            date = head.split('INTERNALDATE "')[1].split('"')[0]
            messages[uid] = (flags, date, item[1])
    return {"validity": validity, "modseq": modseq, "uidnext": uidnext, "messages": messages}


def backup(p, folder, *options):
    return json.loads(p.command("--json", "backup", folder, *options).stdout)


def restored(folder, *options):
    """Another installation with everything from the backup, to be started."""
    other = Postroad()
    return other, other.command("restore", folder, *options)


def verify(p, folder, good=True):
    done = p.command("--json", "backup", "verify", folder, check=False)
    assert (done.returncode == 0) == good, done.stdout + done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def postroad():
    with Postroad() as p:
        p.start()
        p.add_account(ADDRESS)
        yield p


def test_restored_installation_answers_as_before(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    m = login(p)
    m.create("Work/Deep")
    for n in range(20):
        append(m, "INBOX" if n % 2 else "Work/Deep", n, "(\\Flagged $Label)" if n % 3 == 0 else "")
    m.select("INBOX")
    m.uid("STORE", "1", "+FLAGS", "(\\Seen \\Deleted)")
    m.uid("STORE", "4", "+FLAGS", "(\\Deleted)")
    m.expunge()
    before = {box: answers(m, box) for box in ("INBOX", "Work/Deep")}
    first = backup(p, folder)
    assert first["generation"] == 1
    append(m, "INBOX", 100)
    second = backup(p, folder)
    assert second["copied"] < first["copied"]
    verify(p, folder)
    other, done = restored(folder, "--generation", "1")
    with other:
        other.start()
        m = login(other)
        for box, was in before.items():
            now = answers(m, box)
            assert now["messages"] == was["messages"]
            assert now["validity"] == was["validity"]
            assert now["modseq"] >= was["modseq"] and now["uidnext"] >= was["uidnext"]
        other.add_account("new@example.org")
        ids = [a["id"] for a in json.loads(other.command("--json", "account", "list").stdout)]
        assert len(set(ids)) == 2
        append(m, "INBOX", 101)
        assert max(answers(m, "INBOX")["messages"]) > before["INBOX"]["uidnext"] + 1000
        assert json.loads(other.command("--json", "mailbox", "verify", ADDRESS).stdout) == []
        # A backup of what was restored goes on in the same folder.
        third = backup(other, folder)
        assert third["generation"] == 3
        verify(other, folder)


def test_resynchronising_client_hears_what_is_not_as_it_knew(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    m = login(p)
    for n in range(5):
        append(m, "INBOX", n)
    backup(p, folder)
    for n in range(5, 8):
        append(m, "INBOX", n)
    m.select("INBOX")
    m.uid("STORE", "2", "+FLAGS", "(\\Flagged)")
    knew = answers(m, "INBOX")
    m.logout()
    other, _ = restored(folder)
    with other:
        other.start()
        m = login(other)
        m.capabilities = (*m.capabilities, "ENABLE")  # imaplib asks before the login only
        m.enable("QRESYNC")
        kind, _ = m._simple_command(
            "SELECT", "INBOX", f"(QRESYNC ({knew['validity']} {knew['modseq']}))")
        assert kind == "OK"
        vanished = b" ".join(d for d in m.untagged_responses.get("VANISHED", []) if d)
        fetched = b" ".join(d for d in m.untagged_responses.get("FETCH", []) if d)
        assert vanished.startswith(b"(EARLIER) 6:")
        assert all(b"UID %d " % uid in fetched for uid in range(1, 6))
        assert b"\\Flagged" not in fetched


@pytest.mark.only_in("release")
def test_increments_copy_what_changed(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    p.add_account("other@example.org")
    for address in (ADDRESS, "other@example.org"):
        m = login(p, address)
        for n in range(30):
            append(m, "INBOX", n, size=20000)
    first = backup(p, folder, "--no-queue")
    idle = backup(p, folder, "--no-queue")
    assert idle["changed"] == 0 and idle["copied"] < 20000  # settings, keys, accounts
    m = login(p)
    append(m, "INBOX", 100, size=50000)
    grown = backup(p, folder, "--no-queue")
    assert grown["changed"] == 1
    assert 50000 < grown["copied"] - idle["copied"] < 60000
    assert first["copied"] > 1200000


@pytest.mark.only_in("release")
def test_expired_generations_go_with_what_only_they_needed(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    m = login(p)
    for n in range(20):
        append(m, "INBOX", n, size=10000)
    backup(p, folder)
    m.select("INBOX")
    m.uid("STORE", "1:10", "+FLAGS", "(\\Deleted)")
    m.expunge()
    p.command("mailbox", "compact", ADDRESS, "--all")
    backup(p, folder)
    names = {f.name for f in (folder / "mail").rglob("data.*")}
    assert len(names) == 2
    backup(p, folder, "--keep", "2")
    assert [g["generation"] for g in
            json.loads(p.command("--json", "backup", "list", folder).stdout)] == [2, 3]
    assert len(list((folder / "mail").rglob("data.*"))) == 1
    verify(p, folder)
    other, _ = restored(folder, "--generation", "2")
    with other:
        other.start()
        assert len(answers(login(other), "INBOX")["messages"]) == 10


def test_damage_is_found_and_named(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    m = login(p)
    for n in range(3):
        append(m, "INBOX", n)
    backup(p, folder)
    verify(p, folder)
    for victim in [*(folder / "mail").rglob("*.1"), folder / "generations/1/directory",
                   folder / "generations/1/manifest"]:
        good = victim.read_bytes()
        bad = bytearray(good)
        bad[len(bad) // 2] ^= 1
        victim.write_bytes(bad)
        found = verify(p, folder, good=False)
        assert any(victim.name in f["file"] for f in found), (victim, found)
        victim.unlink()
        done = p.command("backup", "verify", folder, check=False)
        assert done.returncode == 1
        victim.write_bytes(good)
    verify(p, folder)


def test_damaged_list_of_the_last_generation_stops_no_backup(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    append(login(p), "INBOX", 1)
    backup(p, folder)
    manifest = folder / "generations/1/manifest"
    for damage in (len(manifest.read_bytes()) // 2, 3):
        bad = bytearray(manifest.read_bytes())
        bad[damage] ^= 1
        manifest.write_bytes(bad)
        last = backup(p, folder)["generation"]
        done = p.command("backup", "verify", folder, "--generation", str(last))
        assert b" 0 findings" in done.stdout
        manifest = folder / f"generations/{last}/manifest"


def test_accounts_and_mailboxes_come_back_alone(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    m = login(p)
    m.create("Work")
    for n in range(4):
        append(m, "Work", n, "(\\Flagged)")
    append(m, "INBOX", 50)
    work = answers(m, "Work")
    inbox = answers(m, "INBOX")
    backup(p, folder)
    # One mailbox, beside what there is.
    m.delete("Work")
    append(m, "INBOX", 51)
    p.command("restore", folder, "--account", ADDRESS, "--mailbox", "Work")
    m = login(p)
    back = answers(m, "Restored/Work")
    assert sorted(v for v in back["messages"].values()) == \
        sorted(v for v in work["messages"].values())
    p.command("restore", folder, "--account", ADDRESS, "--mailbox", "Work", "--into", "Again")
    assert len(answers(m, "Again")["messages"]) == 4
    # All of it below a folder.
    p.command("restore", folder, "--account", ADDRESS, "--into", "Old")
    assert len(answers(m, "Old/INBOX")["messages"]) == 1
    # All of it in place of what there is.
    now = answers(m, "INBOX")
    p.command("restore", folder, "--account", ADDRESS, "--replace")
    m = login(p)
    replaced = answers(m, "INBOX")
    assert replaced["messages"] == inbox["messages"]
    assert replaced["validity"] == inbox["validity"]
    assert replaced["modseq"] > now["modseq"] and replaced["uidnext"] > now["uidnext"]
    assert answers(m, "Work")["messages"] == work["messages"]
    assert m.select("Again")[0] == "NO"
    # And one that is gone.
    p.command("account", "remove", ADDRESS)
    p.command("restore", folder, "--account", ADDRESS)
    m = login(p)
    assert answers(m, "Work")["messages"] == work["messages"]
    assert json.loads(p.command("--json", "mailbox", "verify", ADDRESS).stdout) == []


def test_replaced_account_is_left_by_all_who_had_it_open(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    append(login(p), "INBOX", 1, "(\\Flagged)")
    backup(p, folder)
    idle, other = login(p), login(p)
    p.add_account("other@example.org")
    neighbour = login(p, "other@example.org")
    with smtplib.SMTP("127.0.0.1", p.ports["smtp"]) as s:  # local has the account open
        s.sendmail("far@example.net", [ADDRESS], "Subject: later\r\n\r\nx\r\n")
    wait_until(lambda: idle.select("INBOX")[1] == [b"2"], what="the delivery")
    idle.send(b"x IDLE\r\n")
    assert idle.readline().startswith(b"+")
    other.select("INBOX")
    pop = poplib.POP3("127.0.0.1", p.ports["pop3"])
    pop.stls(insecure())
    pop.user(ADDRESS)
    pop.pass_("secret")
    assert pop.stat()[0] == 2
    p.command("restore", folder, "--account", ADDRESS, "--replace")
    lines = [*iter(idle.readline, b"")]
    assert any(line.startswith(b"* BYE") for line in lines), lines
    with pytest.raises((imaplib.IMAP4.abort, OSError)):
        for _ in range(100):  # what was said before the end is answered with it
            other.uid("STORE", "1:*", "+FLAGS", "(\\Deleted)")
    with pytest.raises((poplib.error_proto, OSError)):
        pop.dele(1)
        pop.quit()
    assert neighbour.noop()[0] == "OK"
    m = login(p)
    found = answers(m, "INBOX")["messages"]
    assert [flags for flags, _, _ in found.values()] == [{"\\Flagged"}]
    with smtplib.SMTP("127.0.0.1", p.ports["smtp"]) as s:
        s.sendmail("far@example.net", [ADDRESS], "Subject: after\r\n\r\nx\r\n")
    wait_until(lambda: m.select("INBOX")[1] == [b"2"], what="the next delivery")
    assert json.loads(p.command("--json", "mailbox", "verify", ADDRESS).stdout) == []


def test_nothing_that_is_in_use_is_overwritten(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    append(login(p), "INBOX", 1)
    backup(p, folder)
    done = p.command("restore", folder, check=False)
    assert done.returncode == 1 and b"runs" in done.stderr
    p.stop()
    done = p.command("restore", folder, check=False)
    assert done.returncode == 1 and b"not empty" in done.stderr
    (tmp_path / "full").mkdir()
    (tmp_path / "full/file").write_text("mine")
    done = p.command("backup", tmp_path / "full", check=False)
    assert done.returncode == 1 and b"no backup" in done.stderr


def test_queued_mail_comes_back(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    p.command("queue", "pause")
    with smtplib.SMTP("127.0.0.1", p.ports["submission"]) as s:
        s.starttls(context=insecure())
        s.login(ADDRESS, "secret")
        for n in range(5):
            s.sendmail(ADDRESS, ["far@example.net"], f"Subject: {n}\r\n\r\nx\r\n")
    listed = {q["id"] for q in json.loads(p.command("--json", "queue", "list").stdout)}
    assert len(listed) == 5
    backup(p, folder)
    other, done = restored(folder)
    assert b"second time" in done.stderr
    with other:
        other.start()
        wait_until(lambda: {q["id"] for q in json.loads(
            other.command("--json", "queue", "list").stdout)} == listed, 20, "the queue")


# --- the past ---------------------------------------------------------------------------------

def test_mailbox_as_it_was_a_moment_ago(postroad):
    p = postroad
    m = login(p)
    m.create("Work")
    for n in range(5):
        append(m, "INBOX", n)
        append(m, "Work", n)
    m.select("INBOX")
    m.uid("STORE", "2", "+FLAGS", "(\\Flagged)")
    time.sleep(1.1)  # what is compacted is known to the second
    then = datetime.now(timezone.utc).isoformat()
    m.uid("STORE", "2", "-FLAGS", "(\\Flagged)")
    m.uid("STORE", "1:3", "+FLAGS", "(\\Deleted)")
    m.expunge()
    m.delete("Work")
    rows = json.loads(p.command("--json", "mailbox", "restore", ADDRESS, "--at", then,
                                "--dry-run").stdout)
    assert {(r["mailbox"], r["brought_back"]) for r in rows} == {("INBOX", 3), ("Work", 5)}
    p.command("mailbox", "restore", ADDRESS, "inbox", "--at", then)
    back = answers(m, "INBOX")["messages"]
    assert sorted(back) == [4, 5, 6, 7, 8]
    assert back[7][0] == {"\\Flagged"}
    p.command("mailbox", "restore", ADDRESS, "Work", "--at", then)
    assert len(answers(m, "Work")["messages"]) == 5
    p.command("mailbox", "restore", ADDRESS, "INBOX", "--at", then, "--into", "Old")
    assert len(answers(m, "Old")["messages"]) == 5
    again = json.loads(p.command("--json", "mailbox", "restore", ADDRESS, "INBOX", "--at",
                                 then).stdout)
    assert again[0]["brought_back"] == 0
    done = p.command("mailbox", "restore", ADDRESS, "--at", "tomorrow", check=False)
    assert done.returncode == 2


# --- crash and truth ----------------------------------------------------------------------------

class Load:
    """Clients that append, mark, expunge, and an operator who compacts; what was acknowledged,
    by when."""

    def __init__(self, p, accounts, seed):
        self.p, self.accounts, self.random = p, accounts, random.Random(seed)
        self.stopping = threading.Event()
        self.acknowledged = {a: {} for a in accounts}  # number -> time of the OK
        self.removed = {a: {} for a in accounts}       # number -> time before the expunge
        self.slowest = 0.0
        self.threads = [threading.Thread(target=self.client, args=(a, self.random.random()))
                        for a in accounts]
        self.threads.append(threading.Thread(target=self.operator))
        self.failed = []

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for t in self.threads:
            t.join()
        assert not self.failed, self.failed

    def client(self, address, seed):
        try:
            self.play(address, random.Random(seed))
        except Exception as e:  # a thread's exception would go unseen
            self.failed.append(repr(e))

    def play(self, address, rng):
        m, n, uids = login(self.p, address), 0, {}
        m.select("INBOX")
        while not self.stopping.is_set():
            start = time.monotonic()
            append(m, "INBOX", n, size=rng.randrange(100, 20000))
            self.slowest = max(self.slowest, time.monotonic() - start)
            self.acknowledged[address][n] = time.time()
            m.noop()
            n += 1
            if rng.random() < 0.3:
                uid = rng.randrange(1, n + 1)
                m.uid("STORE", str(uid), "+FLAGS", "(\\Flagged)")
            if rng.random() < 0.1:
                uid = rng.randrange(1, n + 1)
                self.removed[address].setdefault(uid - 1, time.time())
                m.uid("STORE", str(uid), "+FLAGS", "(\\Deleted)")
                m.expunge()

    def operator(self):
        while not self.stopping.wait(0.3):
            for a in self.accounts:
                self.p.command("mailbox", "compact", a, "--all", check=False)


def check_truth(load, address, messages, began, ended):
    """A state that existed: what was acknowledged before is there, unless it may have been
    removed; in order, without a hole that nobody made."""
    got = {int(v[2].split(b"number ")[1].split(b"\r")[0]) for v in messages.values()}
    acknowledged, removed = load.acknowledged[address], load.removed[address]
    for n, when in acknowledged.items():
        if when < began and n not in removed:
            assert n in got, f"{address}: {n}, acknowledged {began - when:.3f} s before, is lost"
    top = max(got, default=-1)
    for n in range(top):
        assert n in got or n in removed, f"{address}: {n} is missing below {top}"
    for n in got:
        assert n not in removed or removed[n] > began - 60
        assert n not in acknowledged or acknowledged[n] < ended + 5


@pytest.mark.only_in("release")
def test_backup_under_load_is_a_state_that_was(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print("SEED", seed)
    accounts = [f"a{i}@example.org" for i in range(3)]
    for a in accounts:
        p.add_account(a)
    spans = []
    with Load(p, accounts, seed) as load:
        for _ in range(4):
            time.sleep(load.random.random())
            began = time.time()
            backup(p, folder)
            spans.append((began, time.time()))
    print(f"slowest APPEND {load.slowest * 1000:.0f} ms")
    verify(p, folder)
    for generation, (began, ended) in enumerate(spans, 1):
        other, _ = restored(folder, "--generation", str(generation))
        with other:
            other.start()
            for a in accounts:
                check_truth(load, a, answers(login(other, a), "INBOX")["messages"], began, ended)


def test_killed_backup_is_none_and_the_next_goes_on(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    seed = int(os.environ.get("SEED", random.randrange(10**6)))
    print("SEED", seed)
    rng = random.Random(seed)
    m = login(p)
    for n in range(40):
        append(m, "INBOX", n, size=100000)
    whole = 0
    for n in range(8):
        process = subprocess.Popen([p.build / "bin/postroad", "--config", p.config, "backup", folder],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(timeout=rng.random() * 0.4)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
        append(m, "INBOX", 40 + n)
        if folder.joinpath("postroad-backup").exists():
            listed = json.loads(p.command("--json", "backup", "list", folder).stdout) \
                if folder.joinpath("generations").exists() else []
            assert all(g["state"] == "whole" for g in listed)
            if listed:
                whole = len(listed)
                verify(p, folder)
    last = backup(p, folder)
    assert last["generation"] == whole + 1
    verify(p, folder)
    want = answers(m, "INBOX")["messages"]
    other, _ = restored(folder)
    with other:
        other.start()
        assert answers(login(other), "INBOX")["messages"] == want


class LockWaits:
    """How long somebody who wants to deliver waits for an account's lock."""

    def __init__(self, lock):
        self.lock, self.longest = lock, 0.0
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.probe)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.thread.join()

    def probe(self):
        with open(self.lock) as f:
            while not self.stopping.is_set():
                start = time.monotonic()
                fcntl.flock(f, fcntl.LOCK_EX)
                self.longest = max(self.longest, time.monotonic() - start)
                fcntl.flock(f, fcntl.LOCK_UN)
                time.sleep(0.0005)


@pytest.mark.skipif(not BIG, reason="BACKUP=full")
def test_fifty_thousand_messages_take_as_long_as_copying_them(postroad, tmp_path):
    p, folder = postroad, tmp_path / "backup"
    box = p.folder / "maildir"
    for sub in ("cur", "new", "tmp"):
        (box / sub).mkdir(parents=True)
    body = "x" * 3500
    for n in range(50000):
        (box / f"cur/{n}.h:2,S").write_text(f"Subject: {n}\n\n{body}\n")
    p.command("mailbox", "import", ADDRESS, box)
    os.sync()
    start = time.monotonic()
    subprocess.run(["cp", "-a", p.mail, tmp_path / "copy"], check=True)
    os.sync()
    copied = time.monotonic() - start
    with LockWaits(next(p.mail.rglob("lock"))) as waits:
        start = time.monotonic()
        first = backup(p, folder)
        took = time.monotonic() - start
    start = time.monotonic()
    backup(p, folder)
    again = time.monotonic() - start
    print(f"backup {took:.2f} s ({first['copied']} bytes), cp -a {copied:.2f} s, nothing new "
          f"{again:.2f} s, lock waited for at most {waits.longest * 1000:.1f} ms")
    assert took < 3 * copied + 2 and again < 2 and waits.longest < 0.1
    start = time.monotonic()
    other, _ = restored(folder)
    print(f"restored in {time.monotonic() - start:.2f} s")
    with other:
        other.start()
        assert login(other).select("INBOX")[1] == [b"50000"]

"""Mailboxes in and out: what Dovecot served, Postroad serves, and the other way round.

TRANSFER=full takes 100 mailboxes with 50,000 messages instead of a few.
"""
import base64
import contextlib
import grp
import hashlib
import imaplib
import json
import mailbox as mailboxes
import os
import poplib
import pty
import pwd
import random
import re
import shutil
import signal
import smtplib
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from conftest import PASSWORD, client_tls, harness

FULL = os.environ.get("TRANSFER") == "full"
SEED = int(os.environ.get("SEED", random.randrange(1 << 30)))
BOXES, MESSAGES = (100, 50_000) if FULL else (12, 300)
ACCOUNT = "a@example.org"

pytestmark = pytest.mark.skipif(not shutil.which("dovecot"), reason="needs Dovecot")

# --- a tree as Dovecot has it ----------------------------------------------------------------

NAMES = ["INBOX", "Drafts", "Sent", "Junk", "Trash", "Archive", "Entw\u00fcrfe", "A & B", "Lists", "Lists.a",
         "Lists.a.deep", "\u65e5\u672c\u8a9e"]


def utf7(name):
    """Modified UTF-7 [RFC3501 5.1.3]."""
    out = ""
    for part in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", name):
        if part.isascii():
            out += part.replace("&", "&-")
        else:
            out += "&" + base64.b64encode(part.encode("utf-16-be")).decode().rstrip("=").replace("/", ",") + "-"
    return out


LINES = [bytes(random.Random(i).choices(b"abcdefgh .>From", k=i % 70)) for i in range(500)] + [
    b"From here", b">From there", b".", b""]


def letter(rng, n):
    lines = [b"Received: from x by y; Sat, 1 Mar 2025 10:00:00 +0000", b"From: s@example.net",
             b"To: a@example.org", b"Subject: letter %d" % n, b"Message-ID: <%d@example.net>" % n,
             b"Date: Sat, 1 Mar 2025 10:%02d:%02d +0000" % (n // 60 % 60, n % 60), b""]
    lines += rng.choices(LINES, k=rng.randrange(1, 60))
    return b"\n".join(lines) + b"\n"


def make_tree(folder, rng):
    """A Maildir++ that Dovecot has not seen yet; it gives the UIDs."""
    names = NAMES + [f"Box{i:03}" for i in range(BOXES - len(NAMES))]
    for k, name in enumerate(names):
        box = folder if name == "INBOX" else folder / ("." + utf7(name))
        for part in ("cur", "new", "tmp"):
            (box / part).mkdir(parents=True, exist_ok=True)
        (box / "dovecot-keywords").write_text("0 NonJunk\n1 $Label1\n2 work\n")
        for i in range(MESSAGES // BOXES):
            n = k * 10000 + i
            text, flags = letter(rng, n), "".join(sorted(rng.sample("DFRSTabc", rng.randrange(4))))
            crlf = len(text) + text.count(b"\n")
            base = f"{1500000000 + n}.M{n % 1000000}P7.old,S={len(text)},W={crlf}"
            path = box / "new" / base if rng.random() < 0.1 else box / "cur" / f"{base}:2,{flags}"
            path.write_bytes(text)
            os.utime(path, (1600000000 + n, 1600000000 + n))
    (folder / "subscriptions").write_text("V\t2\n\n" + "".join(
        utf7(n).replace(".", "\t") + "\n" for n in names if n != "Trash") + "gone\n")
    return names


class Dovecot:
    """Debian's, in a directory of its own, on free ports."""

    def __init__(self, folder, mail, where=""):
        self.folder = folder
        folder.mkdir()
        folder.chmod(0o755)
        self.ports = dict(zip(("imaps", "pop3s"), harness.free_ports(2)))
        user = pwd.getpwnam("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
        group = grp.getgrgid(user.pw_gid).gr_name
        for top, dirs, files in os.walk(mail):
            for name in [".", *dirs, *files]:
                if os.geteuid() == 0:
                    os.chown(Path(top) / name, user.pw_uid, user.pw_gid)
        self.tls = harness.make_certificate(folder)
        (folder / "users").write_text(f"{ACCOUNT}:{{PLAIN}}{PASSWORD}::::::\n")
        (folder / "users").chmod(0o644)
        login = f"default_login_user = {user.pw_name}\ndefault_internal_user = {user.pw_name}\n" \
            if os.geteuid() != 0 else ""
        self.conf = folder / "dovecot.conf"
        self.conf.write_text(f"""
protocols = imap pop3
listen = 127.0.0.1
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/dovecot.log
ssl = yes
ssl_cert = <{self.tls[0]}
ssl_key = <{self.tls[1]}
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{mail}{where}
mail_uid = {user.pw_name}
mail_gid = {group}
mail_max_userip_connections = 0
{login}
namespace inbox {{
  inbox = yes
  separator = /
}}
passdb {{
  driver = passwd-file
  args = {folder}/users
}}
userdb {{
  driver = static
  args = uid={user.pw_name} gid={group} home={folder}
}}
service imap-login {{
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {self.ports["imaps"]}
  }}
}}
service pop3-login {{
  inet_listener pop3 {{
    port = 0
  }}
  inet_listener pop3s {{
    port = {self.ports["pop3s"]}
  }}
}}
""")
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.conf],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until(lambda: (folder / "run/master.pid").exists(), what="dovecot")
        harness.wait_until(self.answers, 60, "dovecot's login")

    def answers(self):
        try:
            client = imaplib.IMAP4_SSL("localhost", self.ports["imaps"], ssl_context=client_tls(self))
            client.login(ACCOUNT, PASSWORD)
            client.logout()
            return True
        except (OSError, imaplib.IMAP4.error):
            return False

    def close(self):
        subprocess.run(["doveadm", "-c", self.conf, "stop"], capture_output=True)
        self.process.wait(20)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


# --- what a client sees ----------------------------------------------------------------------


def uidls(server):
    poplib._MAXLINE = 1 << 20
    client = poplib.POP3_SSL("localhost", server.ports["pop3s"], context=client_tls(server))
    client.user(ACCOUNT)
    client.pass_(PASSWORD)
    found = client.uidl()[1]
    client.quit()
    return found


def look(server, account=ACCOUNT, extra=""):
    """{mailbox: (UIDVALIDITY, UIDNEXT, [(uid, flags, date, extra, digest)])} and what is subscribed."""
    client = imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=client_tls(server))
    client.login(account, PASSWORD)
    found = {}
    for row in client.list()[1]:
        if b"\\NoSelect" in row or b"\\Noselect" in row:
            continue
        name = row.split(b' "/" ')[1].strip(b'"')
        status = client.status(b'"%s"' % name, "(UIDNEXT UIDVALIDITY MESSAGES)")[1][0]
        numbers = dict(re.findall(rb"(UIDNEXT|UIDVALIDITY|MESSAGES) (\d+)", status))
        assert client.select(b'"%s"' % name, readonly=True)[0] == "OK"
        messages = []
        if numbers[b"MESSAGES"] != b"0":
            for part in client.fetch("1:*", f"(UID FLAGS INTERNALDATE {extra} BODY.PEEK[])")[1]:
                if isinstance(part, tuple):
                    head = part[0]
                    flags = set(re.search(rb"FLAGS \(([^)]*)\)", head)[1].split()) - {b"\\Recent"}
                    messages.append((int(re.search(rb"UID (\d+)", head)[1]), frozenset(flags),
                                     re.search(rb'INTERNALDATE "([^"]*)"', head)[1],
                                     re.findall(rb'(?:SAVEDATE|EMAILID) (\S+)', head),
                                     hashlib.sha256(part[1]).hexdigest()))
        found[name] = (numbers[b"UIDVALIDITY"], numbers[b"UIDNEXT"], messages)
    subscribed = {row.split(b' "/" ')[1].strip(b'"') for row in client.lsub()[1] if row}
    client.logout()
    return found, subscribed


MBSYNC = """
IMAPAccount there
Host localhost
Port {port}
User {account}
Pass {password}
SSLType IMAPS
CertificateFile {certificate}
PipelineDepth 50

IMAPStore far
Account there

MaildirStore near
Path {folder}/
Inbox {folder}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge None
SyncState *
"""


def mbsync(server, folder):
    """Runs it; [(far added, changed, gone), (near the same)] by its own count."""
    rc = folder.parent / "mbsyncrc"
    rc.write_text(MBSYNC.format(port=server.ports["imaps"], account=ACCOUNT, password=PASSWORD, folder=folder,
                                certificate=server.tls[0]))
    ours, its = pty.openpty()  # it counts at a terminal only
    process = subprocess.Popen(["mbsync", "-c", rc, "all"], stdin=its, stdout=its, stderr=its)
    os.close(its)
    text = ""
    try:
        while piece := os.read(ours, 65536):
            text += piece.decode(errors="replace")
    except OSError:
        pass  # the terminal was closed: it has ended
    os.close(ours)
    assert process.wait(60) == 0, text[-3000:]
    counts = re.findall(r"[FN]: \+(\d+)/\d+ \*(\d+)/\d+ #(\d+)/\d+", text)
    assert len(counts) >= 2, text[-3000:]
    return [tuple(map(int, c)) for c in counts[-2:]]


def tree(folder):
    """{path: digest} of all mail files; states change their text, not their name."""
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(folder.rglob("*")) if p.is_file() and p.parent.name in ("cur", "new")}


# --- tests -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server():
    with harness.Postroad(settings={"auth_delay_s": "0"}) as s:
        s.start()
        s.add_account(ACCOUNT, PASSWORD)
        yield s


@pytest.fixture(scope="module")
def open_folder():
    """Makes folders that other users get into. Those of pytest lie in one that every start of pytest closes to them."""
    with contextlib.ExitStack() as made:
        def make():
            folder = Path(made.enter_context(tempfile.TemporaryDirectory(prefix="postroad-transfer-")))
            folder.chmod(0o755)
            return folder
        yield make


@pytest.fixture(scope="module")
def moved(server, open_folder):
    """An account that Dovecot served, with what clients saw and kept, and what the import said."""
    folder = open_folder()
    print("SEED", SEED)
    mail, near = folder / "mail", folder / "near"
    make_tree(mail, random.Random(SEED))
    near.mkdir()
    with Dovecot(folder / "dovecot", mail) as dovecot:
        mbsync(dovecot, near)
        seen = look(dovecot)
        ids = uidls(dovecot)
    before = tree(near)
    began = time.monotonic()
    done = server.command("--json", "mailbox", "import", ACCOUNT, mail)
    print(f"{MESSAGES} messages in {time.monotonic() - began:.1f} s")
    return {"mail": mail, "near": near, "seen": seen, "uidls": ids, "tree": before,
            "rows": json.loads(done.stdout), "errors": done.stderr.decode()}


def test_everything_is_as_dovecot_had_it(server, moved):
    boxes, subscribed = look(server)
    theirs, there = moved["seen"]
    for name, box in theirs.items():
        assert boxes[name][:2] == box[:2], name
        assert [(m[0], m[1], m[2], m[4]) for m in boxes[name][2]] == \
            [(m[0], m[1], m[2], m[4]) for m in box[2]], name
    assert there <= subscribed
    assert sum(row["imported"] for row in moved["rows"]) == sum(len(b[2]) for b in theirs.values())
    assert all(row["verified"] == row["imported"] and row["uids"] == "kept" for row in moved["rows"])


def test_mbsync_transfers_nothing_anew(server, moved):
    assert mbsync(server, moved["near"]) == [(0, 0, 0), (0, 0, 0)]
    assert tree(moved["near"]) == moved["tree"]
    assert len(moved["tree"]) == MESSAGES // BOXES * BOXES


def test_unique_ids_are_those_dovecot_gave(server, moved):
    assert uidls(server) == moved["uidls"]


def test_again_imports_nothing(server, moved):
    rows = json.loads(server.command("--json", "mailbox", "import", ACCOUNT, moved["mail"]).stdout)
    assert sum(row["imported"] for row in rows) == 0
    assert sum(row["known"] for row in rows) == MESSAGES // BOXES * BOXES


@pytest.mark.parametrize("form", ["maildir", "mbox", "eml"])
def test_export_comes_in_again_the_same(server, moved, form, tmp_path):
    other, out = f"{form}@example.org", tmp_path / "out"
    server.add_account(other, PASSWORD)
    server.command("mailbox", "export", ACCOUNT, out, "--format", form)
    again = server.command("--json", "mailbox", "export", ACCOUNT, out, "--format", form)
    assert json.loads(again.stdout)["written"] == 0
    server.command("mailbox", "import", other, out)
    ours, theirs = look(server, extra="SAVEDATE EMAILID"), look(server, other, "SAVEDATE EMAILID")
    for name, box in ours[0].items():
        assert theirs[0].get(name) == box, name
    assert theirs == ours


def test_dovecot_serves_what_was_exported(server, moved, open_folder):
    folder = open_folder()
    server.command("mailbox", "export", ACCOUNT, folder / "mail")
    ours, subscribed = look(server)
    with Dovecot(folder / "dovecot", folder / "mail") as dovecot:
        theirs, there = look(dovecot)
        assert uidls(dovecot) == uidls(server)
        log = (folder / "dovecot/dovecot.log").read_text()
    assert theirs == ours
    assert there == subscribed
    assert "Error" not in log and "Warning" not in log, log


def test_import_goes_on_where_it_was_cut_off(server, moved):
    account = "cut@example.org"
    server.add_account(account, PASSWORD)
    command = [server.build / "bin/postroad", "--config", server.config, "mailbox", "import", account,
               moved["mail"]]
    rng = random.Random(SEED)
    for wait in (rng.uniform(0, 0.5) for _ in range(30 if FULL else 6)):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait(10)
    server.command("mailbox", "import", account, moved["mail"])
    assert server.command("mailbox", "verify", account).stdout.endswith(b" 0 findings\n")
    boxes, _ = look(server, account)
    assert {n: b for n, b in boxes.items() if n in moved["seen"][0]} == moved["seen"][0]


def small_tree(folder, boxes=("", ".Work"), n=6):
    for k, box in enumerate(boxes):
        for part in ("cur", "new", "tmp"):
            (folder / box / part).mkdir(parents=True)
        (folder / box / "dovecot-keywords").write_text("0 work\n")
        for i in range(n):
            base = f"{1500000000 + 10 * k + i}.M1P1.old"
            (folder / box / "cur" / f"{base}:2,{'S' * (i % 2)}{'a' * (i % 3 == 0)}").write_bytes(
                b"Subject: %d of %d\n\nbody\n" % (i, k))


def test_a_second_run_brings_the_account_level(server, open_folder):
    account, folder = "level@example.org", open_folder()
    mail = folder / "mail"
    server.add_account(account, PASSWORD)
    small_tree(mail)

    def bring(*options):
        done = server.command("--json", "mailbox", "import", account, mail, *options)
        return {c: sum(row[c] for row in json.loads(done.stdout))
                for c in ("imported", "known", "changed", "gone", "kept", "failed", "new_uids")}
    with Dovecot(folder / "dovecot", mail) as dovecot:
        seen = look(dovecot)[0]
        assert bring()["imported"] == 12
        assert {n: b for n, b in look(server, account)[0].items() if n in seen} == seen
        there = imaplib.IMAP4_SSL("localhost", dovecot.ports["imaps"], ssl_context=client_tls(dovecot))
        there.login(ACCOUNT, PASSWORD)
        there.select("INBOX")
        there.uid("STORE", "1,2", "+FLAGS", "(\\Answered later)")
        there.uid("STORE", "4", "-FLAGS", "(\\Seen work)")
        assert there.uid("MOVE", "5", "Work")[0] == "OK"
        there.uid("STORE", "6", "+FLAGS", "(\\Deleted)")
        there.expunge()
        there.append("INBOX", "(\\Flagged)", None, b"Subject: new\r\n\r\nnew\r\n")
        there.logout()
        assert bring("--dry-run") == {"imported": 2, "known": 10, "changed": 3, "gone": 2, "kept": 0, "failed": 0,
                                      "new_uids": 0}
        assert bring("--delete-gone") == {"imported": 2, "known": 10, "changed": 3, "gone": 2, "kept": 0,
                                          "failed": 0, "new_uids": 0}
        theirs = look(dovecot)[0]
        ours = {n: b for n, b in look(server, account)[0].items() if n in theirs}
        assert ours == theirs
        here = imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=client_tls(server))
        here.login(account, PASSWORD)
        here.select("INBOX")
        here.uid("STORE", "1", "-FLAGS", "(\\Answered)")
        here.logout()
    assert bring("--delete-gone") == {"imported": 0, "known": 12, "changed": 0, "gone": 0, "kept": 0, "failed": 0,
                                      "new_uids": 0}
    assert b"\\Answered" not in look(server, account)[0][b"INBOX"][2][0][1]


@pytest.mark.only_in("release")  # what is read is read in unit tests, too; here it is where Dovecot puts it
@pytest.mark.parametrize("layout", ["", ":LAYOUT=fs"])
def test_control_stands_where_dovecot_puts_it(server, open_folder, layout):
    account, folder = f"control{len(layout)}@example.org", open_folder()
    mail, control = folder / "mail", folder / "control"
    server.add_account(account, PASSWORD)
    small_tree(mail, ("", "Work" if layout else ".Work"), 3)
    control.mkdir()
    control.chmod(0o777)
    with Dovecot(folder / "dovecot", mail, f"{layout}:CONTROL={control}") as dovecot:
        there = imaplib.IMAP4_SSL("localhost", dovecot.ports["imaps"], ssl_context=client_tls(dovecot))
        there.login(ACCOUNT, PASSWORD)
        for box in ("INBOX", "Work"):
            there.append(box, None, None, b"Subject: gone\r\n\r\n")
            there.select(box)
            there.uid("STORE", "1", "+FLAGS", "(another \\Deleted)")
            there.uid("STORE", "2", "+FLAGS", "(another)")
            there.expunge()
        there.subscribe("Work")
        there.logout()
        seen, subscribed = look(dovecot)
        ids = uidls(dovecot)
    assert not (mail / "dovecot-uidlist").exists() and len(ids) == 3
    server.command("mailbox", "import", account, mail, "--control", control)
    ours, names = look(server, account)
    assert {n: b for n, b in ours.items() if n in seen} == seen
    assert b"Work" in names & subscribed


def test_dbox_is_told_what_to_do(server, tmp_path):
    (tmp_path / "mdbox/mailboxes/INBOX/dbox-Mails").mkdir(parents=True)
    (tmp_path / "mdbox/storage").mkdir()
    for place in ("", "mdbox", "mdbox/mailboxes/INBOX"):
        done = server.command("mailbox", "import", ACCOUNT, tmp_path / place, check=False)
        assert done.returncode == 1
        assert b"doveadm backup -u USER maildir:DIR" in done.stderr


def test_mail_that_arrives_meanwhile_stands_behind(server, moved):
    account = "busy@example.org"
    server.add_account(account, PASSWORD)
    command = [server.build / "bin/postroad", "--config", server.config, "mailbox", "import", account,
               moved["mail"]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    sent = 0
    while (process.poll() is None and sent < 8) or sent < 3:
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as smtp:
            smtp.sendmail("x@example.net", account, f"Subject: new {sent}\r\n\r\nnew\r\n")
        sent += 1
    assert process.wait(60) == 0
    theirs = moved["seen"][0][b"INBOX"]

    def arrived():
        box = look(server, account)[0][b"INBOX"]
        return box if len(box[2]) == len(theirs[2]) + sent else None
    box = harness.wait_until(arrived, what="all mail")
    old = {m[4]: m[0] for m in theirs[2]}
    assert box[0] == theirs[0]
    for message in box[2]:
        if message[0] < int(theirs[1]):
            assert old[message[4]] == message[0]  # never another message under a UID that clients know
    assert set(old) <= {m[4] for m in box[2]}


def test_courier_and_layout_fs(server, tmp_path):
    account = "fs@example.org"
    server.add_account(account, PASSWORD)
    tmp_path.chmod(0o755)
    for box in (".", "Work", "Work/2020"):
        for part in ("cur", "new", "tmp"):
            (tmp_path / "m" / box / part).mkdir(parents=True)
        (tmp_path / "m" / box / "cur/1500000000.a.host:2,S").write_bytes(b"Subject: x\n\nbody\n")
        (tmp_path / "m" / box / "courierimapuiddb").write_text("1 1234567 90\n77 1500000000.a.host\n")
    server.command("mailbox", "import", account, tmp_path / "m")
    boxes, _ = look(server, account)
    for name in (b"INBOX", b"Work", b"Work/2020"):
        assert boxes[name][:2] == (b"1234567", b"90")
        assert [m[0] for m in boxes[name][2]] == [77]


def test_mbox_of_others(server, tmp_path):
    """Python's own mailbox module writes it."""
    account = "python@example.org"
    server.add_account(account, PASSWORD)
    box = mailboxes.mbox(tmp_path / "Work")
    for i in range(5):
        message = mailboxes.mboxMessage(b"Subject: %d\n\nbody\nFrom here\n>From there\n" % i)
        message.set_flags("RFA"[:i % 4])
        message.set_from("x@y", time.gmtime(1600000000 + i))
        box.add(message)
    box.close()
    server.command("mailbox", "import", account, tmp_path, "--into", "Old")
    boxes, _ = look(server, account)
    found = boxes[b"Old/Work"][2]
    assert [m[1] for m in found] == [frozenset(f) for f in (
        (), (b"\\Seen",), (b"\\Seen", b"\\Flagged"), (b"\\Seen", b"\\Flagged", b"\\Answered"), ())]
    assert found[0][2] == b"13-Sep-2020 12:26:40 +0000"
    want = hashlib.sha256(b"Subject: 0\r\n\r\nbody\r\nFrom here\r\nFrom there\r\n").hexdigest()
    assert found[0][4] == want


def test_what_is_not_there_is_said(server, tmp_path):
    done = server.command("mailbox", "import", ACCOUNT, tmp_path, check=False)
    assert done.returncode == 1
    assert b"no Maildir, mbox or .eml" in done.stderr
    assert server.command("mailbox", "import", ACCOUNT, tmp_path, "--format", "x", check=False).returncode == 2

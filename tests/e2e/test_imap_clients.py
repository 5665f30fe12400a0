"""IMAP clients that people use, over STARTTLS and TLS, unchanged."""
import email
import imaplib
import mailbox as mailboxes
import os
import pty
import re
import select
import subprocess
import time
import uuid

import pytest

from conftest import PASSWORD, client_tls

MBSYNC_MESSAGES = int(os.environ.get("MBSYNC_MESSAGES", "600"))

WAYS = ["starttls", "tls"]


@pytest.fixture
def account(server):
    """A fresh account for each test."""
    address = f"u{uuid.uuid4().hex[:12]}@example.org"
    server.add_account(address, PASSWORD)
    return address


def login(server, account, way="tls"):
    context = client_tls(server)
    if way == "tls":
        client = imaplib.IMAP4_SSL("localhost", server.ports["imaps"], ssl_context=context)
    else:
        client = imaplib.IMAP4("localhost", server.ports["imap"])
        client.starttls(context)
    client.login(account, PASSWORD)
    return client


def must(answer):
    kind, data = answer
    assert kind == "OK", data
    return data


def letter(token, n=0, body="hello\r\n"):
    return (f"From: s@example.net\r\nTo: u@example.org\r\nSubject: {token} {n}\r\n"
            f"Message-ID: <{token}.{n}@example.net>\r\nDate: Sat, 1 Mar 2025 10:00:{n % 60:02} +0000\r\n"
            f"\r\n{body}").encode()


def put(client, token, n, mailbox="INBOX", first=0):
    """n messages in one APPEND, literals not waited for."""
    tag = client._new_tag()
    parts = [tag + b" APPEND " + mailbox.encode()]
    for i in range(first, first + n):
        text = letter(token, i)
        parts.append(b' () "01-Mar-2025 10:00:%02d +0000" {%d+}\r\n%s' % (i % 60, len(text), text))
    client.send(b"".join(parts) + b"\r\n")
    must(client._command_complete("APPEND", tag))


def contents(client, mailbox="INBOX"):
    """{message id: flags} of a mailbox, \\Recent left out."""
    if must(client.select(mailbox, readonly=True)) == [b"0"]:
        return {}
    found = {}
    for row in must(client.fetch("1:*", "(FLAGS BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)])")):
        if isinstance(row, tuple):
            flags = set(re.search(rb"FLAGS \(([^)]*)\)", row[0]).group(1).decode().split()) - {"\\Recent"}
            found[email.message_from_bytes(row[1])["Message-ID"]] = flags
    return found


def run(*command, env=None, ok=(0,)):
    done = subprocess.run(command, capture_output=True, timeout=300, env=dict(os.environ, **(env or {})))
    assert done.returncode in ok, done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")
    return done


# --- Python's imaplib ---------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_imaplib_day_of_work(server, account, way):
    token = uuid.uuid4().hex
    client = login(server, account, way)
    boxes = b"\n".join(must(client.list()))
    for use in (b"\\Drafts", b"\\Sent", b"\\Archive", b"\\Junk", b"\\Trash"):
        assert use in boxes
    must(client.create("Work/2025"))
    must(client.subscribe("Work/2025"))
    must(client.append("Work/2025", "(\\Seen)", None, letter(token)))
    must(client.select("Work/2025"))
    assert must(client.search(None, "SUBJECT", token)) == [b"1"]
    assert must(client.fetch("1", "(BODY[])"))[0][1] == letter(token)
    must(client.copy("1", "INBOX"))
    must(client.store("1", "+FLAGS", "(\\Deleted)"))
    must(client.expunge())
    assert contents(client) == {f"<{token}.0@example.net>": {"\\Seen"}}
    must(client.rename("Work/2025", "Work/Old"))
    must(client.delete("Work/Old"))
    client.logout()


# --- curl ------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_curl(server, account, way, tmp_path):
    token = uuid.uuid4().hex
    url = {"tls": f"imaps://localhost:{server.ports['imaps']}",
           "starttls": f"imap://localhost:{server.ports['imap']}"}[way]
    common = ["curl", "-sS", "--ssl-reqd", "--cacert", server.tls[0], "-u", f"{account}:{PASSWORD}"]
    (tmp_path / "letter").write_bytes(letter(token))
    run(*common, "-T", tmp_path / "letter", f"{url}/INBOX")
    assert b"Archive" in run(*common, url).stdout
    assert run(*common, f"{url}/INBOX?SUBJECT%20{token}").stdout.split() == [b"*", b"SEARCH", b"1"]
    assert run(*common, f"{url}/INBOX;UID=1").stdout == letter(token)
    assert run(*common, f"{url}/INBOX;UID=1;SECTION=TEXT").stdout == b"hello\r\n"
    assert b"FLAGS (\\Seen" in run(*common, f"{url}/INBOX", "-X", "FETCH 1 FLAGS").stdout


# --- mbsync: both sides change, both end alike ---------------------------------------------------


MBSYNC = """
IMAPAccount there
Host localhost
Port {port}
User {account}
Pass {password}
SSLType {ssl}
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
Expunge Both
SyncState *
"""


def maildir_contents(folder):
    flags = {"S": "\\Seen", "F": "\\Flagged", "R": "\\Answered", "D": "\\Draft", "T": "\\Deleted"}
    found = {}
    for message in mailboxes.Maildir(folder, create=False):
        found[message["Message-ID"]] = {flags[f] for f in message.get_flags()}
    return found


def change_near(folder):
    box = mailboxes.Maildir(folder, create=False)
    for key in sorted(box.keys()):
        message = box[key]
        n = int(message["Subject"].split()[1])
        if n % 11 == 5:
            box.remove(key)
        elif n % 5 == 3:
            message.add_flag("F")
            message.set_subdir("cur")
            box[key] = message
    for n in range(3):
        fresh = mailboxes.MaildirMessage(letter("near", n).replace(b"\r\n", b"\n"))
        fresh.set_subdir("cur")
        box.add(fresh)


def change_far(client, n):
    must(client.select("INBOX"))
    must(client.store(",".join(str(i) for i in range(1, n, 3)), "+FLAGS.SILENT", "(\\Seen)"))
    must(client.store(",".join(str(i) for i in range(2, n, 7)), "+FLAGS.SILENT", "(\\Deleted)"))
    must(client.expunge())
    put(client, "far", 3)


@pytest.mark.parametrize("way", WAYS)
def test_mbsync_both_sides_end_alike(server, account, way, tmp_path):
    folder, rc = tmp_path / "near", tmp_path / "rc"
    folder.mkdir()
    rc.write_text(MBSYNC.format(port=server.ports["imaps" if way == "tls" else "imap"], account=account,
                                password=PASSWORD, folder=folder, certificate=server.tls[0],
                                ssl="IMAPS" if way == "tls" else "STARTTLS"))
    client = login(server, account, way)
    for first in range(0, MBSYNC_MESSAGES, 500):
        put(client, "start", min(500, MBSYNC_MESSAGES - first), first=first)
    sync = ["mbsync", "-q", "-c", rc, "all"]
    run(*sync)
    assert len(maildir_contents(folder / "INBOX")) == MBSYNC_MESSAGES
    for _ in range(2):
        change_near(folder / "INBOX")
        change_far(client, len(contents(client)))
        run(*sync)
        run(*sync)
        assert contents(client) == maildir_contents(folder / "INBOX")
    client.logout()


# --- offlineimap -----------------------------------------------------------------------------------


OFFLINEIMAP = """
[general]
accounts = here
metadata = {folder}/meta
[Account here]
localrepository = near
remoterepository = far
[Repository near]
type = Maildir
localfolders = {folder}/mail
[Repository far]
type = IMAP
remotehost = localhost
remoteport = {port}
remoteuser = {account}
remotepass = {password}
ssl = {ssl}
starttls = {starttls}
sslcacertfile = {certificate}
"""


@pytest.mark.parametrize("way", WAYS)
def test_offlineimap(server, account, way, tmp_path):
    token = uuid.uuid4().hex
    rc = tmp_path / "rc"
    (tmp_path / "mail").mkdir()
    rc.write_text(OFFLINEIMAP.format(folder=tmp_path, port=server.ports["imaps" if way == "tls" else "imap"],
                                     account=account, password=PASSWORD, certificate=server.tls[0],
                                     ssl="yes" if way == "tls" else "no",
                                     starttls="yes" if way == "starttls" else "no"))
    client = login(server, account, way)
    put(client, token, 20)
    sync = ["offlineimap", "-o", "-u", "quiet", "-c", rc]
    run(*sync, env={"HOME": str(tmp_path)})
    box = mailboxes.Maildir(tmp_path / "mail/INBOX", create=False)
    assert len(box) == 20
    key = sorted(box.keys(), key=lambda k: int(box[k]["Subject"].split()[1]))[4]
    message = box[key]
    message.add_flag("F")
    message.set_subdir("cur")
    box[key] = message
    must(client.select("INBOX"))
    must(client.store("1:2", "+FLAGS", "(\\Deleted)"))
    must(client.expunge())
    run(*sync, env={"HOME": str(tmp_path)})
    assert contents(client) == maildir_contents(tmp_path / "mail/INBOX")
    assert "\\Flagged" in contents(client)[f"<{token}.4@example.net>"]
    client.logout()


# --- neomutt: a screen and keys --------------------------------------------------------------------------


def on_a_screen(command, env, seconds=60):
    """Runs a program that wants a terminal to its end; what it drew."""
    pid, fd = pty.fork()
    if pid == 0:
        os.execvpe(command[0], command, dict(os.environ, **env))
    drawn, end = b"", time.monotonic() + seconds
    while time.monotonic() < end:
        if select.select([fd], [], [], 0.2)[0]:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                piece = b""
            if not piece:
                break
            drawn += piece
    else:
        os.kill(pid, 9)
    status = os.waitpid(pid, 0)[1]
    assert status == 0, drawn.decode(errors="replace")[-2000:]
    return drawn


@pytest.mark.parametrize("way", WAYS)
def test_neomutt_reads_flags_moves_and_deletes(server, account, way, tmp_path):
    token = uuid.uuid4().hex
    scheme, port = ("imaps", server.ports["imaps"]) if way == "tls" else ("imap", server.ports["imap"])
    client = login(server, account, way)
    put(client, token, 4)
    rc = tmp_path / "rc"
    rc.write_text(f"""
set folder = "{scheme}://localhost:{port}"
set imap_user = "{account}"
set imap_pass = "{PASSWORD}"
set certificate_file = "{server.tls[0]}"
set ssl_starttls = yes
set ssl_force_tls = yes
set imap_idle = no
set confirmappend = no
set confirmcreate = no
set delete = yes
set move = no
set wait_key = no
set mark_old = no
set quit = yes
set imap_delim_chars = "/"
push "<limit>all<enter><first-entry><display-message><exit><first-entry><flag-message>\
<save-message>=Archive<enter><last-entry><delete-message><sync-mailbox><quit>"
""")
    on_a_screen(["neomutt", "-n", "-F", str(rc), "-f", f"{scheme}://localhost:{port}/INBOX"],
                {"HOME": str(tmp_path), "TERM": "xterm", "LC_ALL": "C.UTF-8"})
    assert contents(client) == {f"<{token}.0@example.net>": {"\\Seen", "\\Flagged"},
                                f"<{token}.2@example.net>": set()}
    assert set(contents(client, "Archive")) == {f"<{token}.1@example.net>"}
    client.logout()


# --- fetchmail ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_fetchmail_imap(server, account, way, tmp_path):
    token = uuid.uuid4().hex
    client = login(server, account, way)
    put(client, token, 3)
    got, rc = tmp_path / "got", tmp_path / "rc"
    tls = {"starttls": "sslproto TLS1+ sslcertck", "tls": "ssl sslcertck"}[way]
    port = server.ports["imaps" if way == "tls" else "imap"]
    rc.write_text(f'poll localhost protocol imap port {port} user "{account}" password "{PASSWORD}" '
                  f'{tls} sslcertfile "{server.tls[0]}" mda "cat >> {got}"\n')
    rc.chmod(0o600)
    run("fetchmail", "-f", rc, "--nosyslog", "-i", tmp_path / "ids", "--pidfile", tmp_path / "pid")
    assert got.read_bytes().count(b"Subject: " + token.encode()) == 3
    assert contents(client) == {}
    client.logout()


# --- imapfilter ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_imapfilter(server, account, way, tmp_path):
    token = uuid.uuid4().hex
    client = login(server, account, way)
    put(client, token, 5)
    secure = "ssl = 'auto'," if way == "tls" else ""
    (tmp_path / "rules.lua").write_text(f"""
options.timeout = 60
options.starttls = {'true' if way == 'starttls' else 'false'}
box = IMAP {{ server = 'localhost', port = {server.ports['imaps' if way == 'tls' else 'imap']},
             username = '{account}', password = '{PASSWORD}', {secure} }}
box.INBOX:contain_subject('{token} 1'):move_messages(box['Archive'])
box.INBOX:contain_subject('{token} 2'):mark_flagged()
box.INBOX:contain_subject('{token} 3'):delete_messages()
""")
    run("imapfilter", "-t", server.tls[0], "-c", tmp_path / "rules.lua", env={"HOME": str(tmp_path)})
    assert contents(client) == {f"<{token}.0@example.net>": set(), f"<{token}.2@example.net>": {"\\Flagged"},
                                f"<{token}.4@example.net>": set()}
    assert set(contents(client, "Archive")) == {f"<{token}.1@example.net>"}
    client.logout()

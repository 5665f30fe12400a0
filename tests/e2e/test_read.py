"""Real POP3 clients read back byte for byte what was sent, after the trace headers."""
import poplib
import smtplib
import subprocess
import uuid

import pytest

from conftest import PASSWORD, client_tls
from wire import Wire


def send(server, text, to="a@example.org"):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.sendmail("s@example.net", [to], text)


MESSAGES = {
    "plain": b"Subject: %s\r\n\r\nhello\r\n",
    "dots": b"Subject: %s\r\n\r\n.\r\n..\r\n.hidden\r\n\r\n.\r\n",
    "8 bit": b"Subject: %s\r\n\r\n" + bytes(range(128, 256)) + b"\r\n",
    "no body": b"Subject: %s\r\n",
    "no header": b"\r\n%s\r\n",
    "long line": b"Subject: %s\r\n\r\n" + b"x" * 60000 + b"\r\n",
    "spaces at the end": b"Subject: %s   \r\n\r\n  \r\n \t\r\nx \r\n",
    "empty lines at the end": b"Subject: %s\r\n\r\nx\r\n\r\n\r\n\r\n",
}


@pytest.mark.parametrize("kind", MESSAGES)
def test_poplib_reads_the_same_bytes(server, mailbox, kind):
    token = uuid.uuid4().hex
    text = MESSAGES[kind] % token.encode()
    send(server, text)
    got = mailbox("a").wait_for(token.encode())[0]
    head = got[:-len(text)]
    assert got.endswith(text)
    assert head.startswith(b"Return-Path: <s@example.net>\r\nDelivered-To: a@example.org\r\nReceived: ")
    assert head.endswith(b"\r\n") and b"\r\n\r\n" not in head


def clear(server, mailbox, name):
    mailbox(name).messages(clear=True)


@pytest.mark.parametrize("way", ["plain", "stls", "tls"])
def test_fetchmail(server, mailbox, tmp_path, way):
    token = uuid.uuid4().hex
    clear(server, mailbox, "b")
    send(server, f"Subject: {token}\r\n\r\nfetch me\r\n".encode(), "b@example.org")
    mailbox("b").wait_for(token.encode())
    got, rc = tmp_path / "got", tmp_path / "rc"
    tls = {"plain": "sslproto ''", "stls": "sslproto TLS1+ sslcertck", "tls": "ssl sslcertck"}[way]
    port = server.ports["pop3s" if way == "tls" else "pop3"]
    rc.write_text(f'poll localhost protocol pop3 port {port} uidl user "b@example.org" password "{PASSWORD}" '
                  f'{tls} sslcertfile "{server.tls[0]}" mda "cat >> {got}"\n')
    rc.chmod(0o600)
    done = subprocess.run(["fetchmail", "-f", rc, "--nosyslog", "-i", tmp_path / "ids", "--pidfile",
                           tmp_path / "pid"], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert token.encode() in got.read_bytes() and b"fetch me" in got.read_bytes()
    assert mailbox("b").messages() == []


@pytest.mark.parametrize("auth", ["user", "plain", "login", "scram-sha-256"])
def test_mpop(server, mailbox, tmp_path, auth):
    token = uuid.uuid4().hex
    clear(server, mailbox, "c")
    send(server, f"Subject: {token}\r\n\r\nmpop\r\n".encode(), "c@example.org")
    mailbox("c").wait_for(token.encode())
    done = subprocess.run(
        ["mpop", "--host=localhost", f"--port={server.ports['pop3']}", "--tls=on", "--tls-starttls=on",
         f"--tls-trust-file={server.tls[0]}", f"--auth={auth}", "--user=c@example.org",
         f"--passwordeval=echo {PASSWORD}", f"--delivery=mbox,{tmp_path}/mbox", "--keep=off",
         f"--uidls-file={tmp_path}/uidls"], capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert token.encode() in (tmp_path / "mbox").read_bytes()
    assert mailbox("c").messages() == []


@pytest.mark.parametrize("way", ["plain", "stls", "tls"])
def test_curl(server, mailbox, way):
    token = uuid.uuid4().hex
    clear(server, mailbox, "d")
    text = f"Subject: {token}\r\n\r\n.curl\r\n".encode()
    send(server, text, "d@example.org")
    mailbox("d").wait_for(token.encode())
    scheme, port = ("pop3s", "pop3s") if way == "tls" else ("pop3", "pop3")
    done = subprocess.run(
        ["curl", "--silent", "--show-error", "--cacert", server.tls[0], "--user", f"d@example.org:{PASSWORD}",
         *(["--ssl-reqd"] if way == "stls" else []), f"{scheme}://localhost:{server.ports[port]}/1"],
        capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith(text)


def test_uidl_stays_and_deletes_happen_at_quit_only(server, mailbox):
    clear(server, mailbox, "e")
    tokens = [uuid.uuid4().hex for _ in range(3)]
    for token in tokens:
        send(server, f"Subject: {token}\r\n\r\nx\r\n".encode(), "e@example.org")
        mailbox("e").wait_for(token.encode())

    def login():
        client = poplib.POP3_SSL("localhost", server.ports["pop3s"], context=client_tls(server))
        client.user("e@example.org")
        client.pass_(PASSWORD)
        return client

    client = login()
    before = client.uidl()[1]
    client.dele(2)
    client.close()  # no QUIT: nothing is deleted
    client = login()
    assert client.uidl()[1] == before
    client.dele(1)
    client.rset()
    client.dele(3)
    client.quit()
    client = login()
    assert [u.split()[1] for u in client.uidl()[1]] == [u.split()[1] for u in before[:2]]
    client.quit()


def test_capa_and_pipelining(server):
    with Wire(server.ports["pop3"]) as wire:
        assert wire.lines.readline().startswith(b"+OK")
        wire.send(b"CAPA\r\n")
        capa = set()
        while (line := wire.lines.readline().strip()) != b".":
            capa.add(line.split()[0])
        assert {b"TOP", b"USER", b"UIDL", b"SASL", b"STLS", b"PIPELINING", b"RESP-CODES",
                b"AUTH-RESP-CODE", b"UTF8", b"IMPLEMENTATION", b"EXPIRE"} <= capa
        wire.send(f"USER e@example.org\r\nPASS {PASSWORD}\r\nSTAT\r\nNOOP\r\nQUIT\r\n".encode())
        assert [wire.lines.readline()[:3] for _ in range(5)] == [b"+OK"] * 5
        assert wire.lines.readline() == b""


def test_wrong_password_and_unknown_user_are_told_alike(server):
    answers = set()
    for user, password in (("a@example.org", "wrong"), ("nobody@example.org", "wrong")):
        with Wire(server.ports["pop3"]) as wire:
            wire.lines.readline()
            wire.send(f"USER {user}\r\nPASS {password}\r\n".encode())
            wire.lines.readline()
            answers.add(wire.lines.readline())
    assert len(answers) == 1 and answers.pop().startswith(b"-ERR [AUTH]")

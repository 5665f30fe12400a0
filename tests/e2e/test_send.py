"""Real clients send in every way there is; the message arrives as it was sent."""
import smtplib
import subprocess
import uuid

import pytest

from conftest import PASSWORD, client_tls
from wire import Wire, greeted


def body(token, extra=""):
    """Complete, so that nothing is added to it where users send (test_submission.py has what is)."""
    return (f"From: s@example.net\r\nTo: a@example.org\r\nSubject: {token}\r\n"
            f"Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{token}@example.net>\r\n"
            f"\r\nHello {token}\r\n{extra}")


def run(*args, stdin=None):
    done = subprocess.run(args, input=stdin, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
    return done.stdout.decode()


def swaks(server, port, token, *options):
    run("swaks", "--server", "127.0.0.1", "--port", str(server.ports[port]), "--to", "a@example.org",
        "--from", "a@example.org", "--h-Subject", token, "--silent", "2", *options)


SWAKS_WAYS = {
    "plain": ("smtp", ()),
    "starttls": ("smtp", ("--tls",)),
    "tls": ("submissions", ("--tlsc", "--auth", "PLAIN")),
    "auth plain": ("submission", ("--tls", "--auth", "PLAIN")),
    "auth login": ("submission", ("--tls", "--auth", "LOGIN")),
    "auth plain without tls": ("submission", ("--auth", "PLAIN")),
    "pipelined": ("smtp", ("--pipeline",)),
    "helo": ("smtp", ("--protocol", "SMTP")),
}


@pytest.mark.parametrize("way", SWAKS_WAYS)
def test_swaks(server, mailbox, way):
    token, (port, options) = uuid.uuid4().hex, SWAKS_WAYS[way]
    if "--auth" in options:
        options += ("--auth-user", "a@example.org", "--auth-password", PASSWORD)
    swaks(server, port, token, *options)
    assert len(mailbox("a").wait_for(token.encode())) == 1


@pytest.mark.parametrize("way", ["plain", "starttls", "tls", "login"])
def test_smtplib(server, mailbox, way):
    token = uuid.uuid4().hex
    text = body(token, "..dots\r\n.\r\n. \r\n")
    if way == "tls":
        client = smtplib.SMTP_SSL("localhost", server.ports["submissions"], context=client_tls(server))
    else:
        port = server.ports["submission" if way == "login" else "smtp"]
        client = smtplib.SMTP("localhost", port)
    with client:
        if way in ("starttls", "login"):
            client.starttls(context=client_tls(server))
        if way in ("tls", "login"):
            client.login("a@example.org", PASSWORD)
        client.sendmail("a@example.org" if way in ("tls", "login") else "s@example.net",
                        ["a@example.org"], text.encode())
    assert mailbox("a").wait_for(token.encode())[0].endswith(text.encode())


@pytest.mark.parametrize("auth", ["plain", "login", "scram-sha-256"])
@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_msmtp(server, mailbox, auth, tls):
    token = uuid.uuid4().hex
    port = server.ports["submission" if tls == "starttls" else "submissions"]
    run("msmtp", "--host=localhost", f"--port={port}", "--tls=on",
        f"--tls-starttls={'on' if tls == 'starttls' else 'off'}", f"--tls-trust-file={server.tls[0]}",
        f"--auth={auth}", "--user=a@example.org", f"--passwordeval=echo {PASSWORD}",
        "--from=a@example.org", "a@example.org", stdin=body(token).replace("\r\n", "\n").encode())
    assert mailbox("a").wait_for(token.encode())


@pytest.mark.parametrize("way", ["smtp", "starttls", "smtps", "plain", "login"])
def test_curl(server, mailbox, tmp_path, way):
    token = uuid.uuid4().hex
    (tmp_path / "mail").write_bytes(body(token).encode())
    port = server.ports[{"smtp": "smtp", "smtps": "submissions"}.get(way, "submission")]
    url = f"{'smtps' if way == 'smtps' else 'smtp'}://localhost:{port}"
    login = () if way == "smtp" else ("--user", f"a@example.org:{PASSWORD}")
    mechanism = ("--login-options", f"AUTH={way.upper()}") if way in ("plain", "login") else ()
    run("curl", "--silent", "--show-error", "--url", url, "--cacert", str(server.tls[0]),
        *(() if way in ("smtp", "smtps") else ("--ssl-reqd",)), *login, *mechanism,
        "--mail-from", "a@example.org", "--mail-rcpt", "a@example.org",
        "--upload-file", str(tmp_path / "mail"))
    assert mailbox("a").wait_for(token.encode())[0].endswith(body(token).encode())


def transaction(wire, rcpt="a@example.org", params=""):
    assert wire.say(f"MAIL FROM:<s@example.net>{params}").startswith("250")
    assert wire.say(f"RCPT TO:<{rcpt}>").startswith("250")


def test_8bit(server, mailbox):
    token = uuid.uuid4().hex
    text = body(token, "Grüße, ünïcode, \u2603\r\n").encode() + bytes(range(128, 256)) + b"\r\n"
    with greeted(server.ports["smtp"]) as wire:
        transaction(wire, params=" BODY=8BITMIME")
        wire.say("DATA")
        assert wire.say(text + b".\r\n").startswith("250 2.0.0")
    assert mailbox("a").wait_for(token.encode())[0].endswith(text)


def test_smtputf8_address(server):
    token = uuid.uuid4().hex
    server.add_account("jürgen@example.org", PASSWORD)
    with greeted(server.ports["smtp"]) as wire:
        assert wire.say("MAIL FROM:<grüße@bücher.example> SMTPUTF8".encode() + b"\r\n").startswith("250")
        assert wire.say("RCPT TO:<jürgen@example.org>".encode() + b"\r\n").startswith("250")
        wire.say("DATA")
        reply = wire.say(body(token).encode() + b".\r\n")
        assert reply.startswith("250")
    with greeted(server.ports["smtp"]) as wire:
        wire.say("MAIL FROM:<s@example.net>")
        assert wire.say("RCPT TO:<jürgen@example.org>".encode() + b"\r\n").startswith("553 5.6.7")
    assert server.wait_logged("local.delivered", f"id={reply.split()[-1]} ")


def test_bdat_in_pieces_of_every_kind(server, mailbox):
    token = uuid.uuid4().hex
    text = body(token, ".\r\n..\r\n.x\r\n").encode()
    with greeted(server.ports["smtp"]) as wire:
        transaction(wire)
        for at in range(0, len(text), 7):
            piece = text[at:at + 7]
            assert wire.say(f"BDAT {len(piece)}\r\n".encode() + piece).startswith("250")
        assert wire.say("BDAT 0 LAST").startswith("250 2.0.0")
    assert mailbox("a").wait_for(token.encode())[0].endswith(text)


def test_everything_in_one_packet(server, mailbox):
    token = uuid.uuid4().hex
    text = body(token).encode()
    with Wire(server.ports["smtp"]) as wire:
        assert wire.reply().startswith("220")
        wire.say("EHLO x")
        wire.send(b"MAIL FROM:<s@example.net>\r\nRCPT TO:<a@example.org>\r\nRCPT TO:<nobody@example.org>\r\n"
                  + f"BDAT {len(text)} LAST\r\n".encode() + text + b"NOOP\r\nQUIT\r\n")
        codes = [wire.reply()[:3] for _ in range(6)]
    assert codes == ["250", "250", "550", "250", "250", "221"]
    assert mailbox("a").wait_for(token.encode())


def test_byte_by_byte(server, mailbox):
    token = uuid.uuid4().hex
    text = body(token).encode()
    with Wire(server.ports["smtp"]) as wire:
        assert wire.reply().startswith("220")
        for part in (b"EHLO x\r\n", b"MAIL FROM:<s@example.net>\r\n", b"RCPT TO:<a@example.org>\r\n",
                     b"DATA\r\n", text + b".\r\n", b"QUIT\r\n"):
            for n in range(len(part)):
                wire.send(part[n:n + 1])
            assert wire.reply()[0] in "23"
    assert mailbox("a").wait_for(token.encode())[0].endswith(text)


def test_40_megabytes(server, mailbox):
    token = uuid.uuid4().hex
    line = b"0123456789" * 7 + b"\r\n"
    text = body(token).encode() + line * (40 * 1024 * 1024 // len(line))
    with greeted(server.ports["smtp"]) as wire:
        transaction(wire, rcpt="b@example.org", params=f" SIZE={len(text)}")
        wire.say("DATA")
        assert wire.say(text + b".\r\n").startswith("250 2.0.0")
    assert mailbox("b").wait_for(token.encode(), seconds=120)[0].endswith(text)


def test_1000_recipients_of_one_message(server, mailbox):
    token = uuid.uuid4().hex
    with greeted(server.ports["smtp"]) as wire:
        wire.say("MAIL FROM:<s@example.net>")
        wire.send(b"".join(f"RCPT TO:<c+{n}@example.org>\r\n".encode() for n in range(1000)))
        assert {wire.reply()[:3] for _ in range(1000)} == {"250"}
        assert wire.say("RCPT TO:<c+1000@example.org>").startswith("452 4.5.3")
        wire.say("DATA")
        assert wire.say(body(token).encode() + b".\r\n").startswith("250 2.0.0")
    assert len(mailbox("c").wait_for(token.encode(), count=1000, seconds=120)) == 1000


def test_lmtp_has_a_reply_for_each_recipient(server, mailbox):
    token = uuid.uuid4().hex
    server.write_config(lmtp_socket='"lmtp"')
    server.reload()
    path = server.run / "lmtp"
    with Wire(None, unix=path) as wire:
        assert wire.reply().startswith("220")
        assert wire.say("LHLO x").startswith("250")
        transaction(wire, rcpt="d@example.org")
        assert wire.say("RCPT TO:<e@example.org>").startswith("250")
        wire.say("DATA")
        assert wire.say(body(token).encode() + b".\r\n").startswith("250")
        assert wire.reply().startswith("250")
    assert mailbox("d").wait_for(token.encode()) and mailbox("e").wait_for(token.encode())

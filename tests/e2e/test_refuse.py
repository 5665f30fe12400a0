"""What must not come in gets the right code, costs nothing, and leaves nothing behind."""
import smtplib
import uuid

import pytest

import harness
from conftest import PASSWORD, Mailbox, client_tls
from wire import Wire, greeted, in_data


def codes(wire, *lines):
    return [wire.say(line)[:9] for line in lines]


MX_ROWS = {
    "unknown user": (["MAIL FROM:<s@example.net>", "RCPT TO:<nobody@example.org>"], "550 5.1.1"),
    "relay without login": (["MAIL FROM:<s@example.net>", "RCPT TO:<x@example.com>"], "550 5.7.1"),
    "relay by source route": (["MAIL FROM:<s@example.net>", "RCPT TO:<@example.org:x@example.com>"],
                              "550 5.7.1"),
    "relay by percent": (["MAIL FROM:<s@example.net>", "RCPT TO:<x%example.com@example.org>"],
                         "550 5.1.1"),
    "declared too large": (["MAIL FROM:<s@example.net> SIZE=99999999999"], "552 5.3.4"),
    "no brackets": (["MAIL FROM:s@example.net"], "501 5.5."),
    "unknown parameter": (["MAIL FROM:<s@example.net> FOO=BAR"], "555 5.5.4"),
    "RCPT before MAIL": (["RCPT TO:<a@example.org>"], "503 5.5.1"),
    "DATA without recipient": (["MAIL FROM:<s@example.net>", "DATA"], "503 5.5.1"),
    "unknown command": (["FROB"], "500 5.5."),
    "nested MAIL": (["MAIL FROM:<s@example.net>", "MAIL FROM:<s@example.net>"], "503 5.5.1"),
    "NUL in a command": ([b"MAIL FROM:<s\0@example.net>\r\n"], "50"),
    "UTF-8 without SMTPUTF8": (["MAIL FROM:<grüße@example.net>"], "553 5.6.7"),
    "BDAT before RCPT": ([b"BDAT 5\r\nhello"], "503 5.5.1"),
}


@pytest.mark.parametrize("row", MX_ROWS)
def test_port_25(server, row):
    lines, want = MX_ROWS[row]
    with greeted(server.ports["smtp"]) as wire:
        assert codes(wire, *lines)[-1].startswith(want)
        assert wire.say("RSET").startswith("250")


def test_submission_needs_a_login(server):
    with greeted(server.ports["submission"]) as wire:
        assert wire.say("MAIL FROM:<a@example.org>").startswith("530 5.7.0")


def test_login_may_not_use_a_foreign_sender(server):
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], context=client_tls(server)) as client:
        client.login("a@example.org", PASSWORD)
        assert client.mail("b@example.org")[0] == 553
        assert client.mail("a+tag@example.org")[0] == 250
        client.rset()
        assert client.mail("")[0] == 250


def test_wrong_password_is_refused(server):
    with smtplib.SMTP_SSL("localhost", server.ports["submissions"], context=client_tls(server)) as client:
        with pytest.raises(smtplib.SMTPAuthenticationError) as caught:
            client.login("a@example.org", "wrong")
        assert caught.value.smtp_code == 535


def test_disabled_account(server):
    server.add_account("off@example.org", PASSWORD)
    server.command("account", "disable", "off@example.org")
    with greeted(server.ports["smtp"]) as wire:
        assert codes(wire, "MAIL FROM:<s@example.net>", "RCPT TO:<off@example.org>")[-1] == "550 5.2.1"
    server.command("account", "enable", "off@example.org")
    with greeted(server.ports["smtp"]) as wire:
        assert codes(wire, "MAIL FROM:<s@example.net>", "RCPT TO:<off@example.org>")[-1].startswith("250")


def test_over_quota(server):
    server.add_account("small@example.org", PASSWORD, quota="10k")
    with greeted(server.ports["smtp"]) as wire:
        assert codes(wire, "MAIL FROM:<s@example.net> SIZE=20000",
                     "RCPT TO:<small@example.org>")[-1] == "552 5.2.2"
        wire.say("RSET")
        wire.say("MAIL FROM:<s@example.net>")
        assert wire.say("RCPT TO:<small@example.org>").startswith("250")
        wire.say("DATA")
        assert wire.say(b"Subject: fill\r\n\r\n" + b"x" * 70 + b"\r\n" + (b"y" * 70 + b"\r\n") * 200
                        + b".\r\n").startswith("250")
    Mailbox(server, "small@example.org").wait_for(b"fill")

    def refused():
        with greeted(server.ports["smtp"]) as again:
            return codes(again, "MAIL FROM:<s@example.net>", "RCPT TO:<small@example.org>")[-1] == "552 5.2.2"
    harness.wait_until(refused, what="over quota at RCPT")


def test_too_large_without_declaring_it():
    with harness.Postroad(settings={"message_bytes_max": '"100K"', "auth_without_tls": "yes"}) as server:
        server.start()
        server.add_account("a@example.org", PASSWORD)
        line = b"x" * 98 + b"\r\n"
        for over, want in ((0, "250"), (1, "552 5.3.4")):
            head = b"Subject: x\r\n\r\n"
            text = head + line * ((102400 - len(head)) // 100)
            text += b"y" * (102400 - len(text) - 2 + over) + b"\r\n"
            with in_data(server.ports["smtp"]) as wire:
                assert wire.say(text + b".\r\n").startswith(want)
                assert wire.say("NOOP").startswith("250")
            with greeted(server.ports["smtp"]) as wire:
                codes(wire, "MAIL FROM:<s@example.net>", "RCPT TO:<a@example.org>")
                assert wire.say(f"BDAT {len(text)} LAST\r\n".encode() + text).startswith(want)
        assert len(Mailbox(server, "a@example.org").wait_for(b"Subject", count=2)) == 2


def test_ten_megabyte_line(server, mailbox):
    token = uuid.uuid4().hex
    with in_data(server.ports["smtp"]) as wire:
        reply = wire.say(f"Subject: {token}\r\n\r\n".encode() + b"z" * (10 << 20) + b"\r\n.\r\n")
        assert reply.startswith("552")
        assert wire.say("NOOP").startswith("250")
    assert not any(token.encode() in m for m in mailbox("a").messages())


def test_ten_megabyte_command(server):
    with greeted(server.ports["smtp"]) as wire:
        try:
            wire.send(b"A" * (10 << 20) + b"\r\n")
            assert wire.reply().startswith("500 5.5.")
        except (BrokenPipeError, ConnectionResetError):
            pass
    with greeted(server.ports["smtp"]) as wire:
        assert wire.say("NOOP").startswith("250")


def test_nul_in_a_message(server, mailbox):
    token = uuid.uuid4().hex
    with in_data(server.ports["smtp"]) as wire:
        assert wire.say(f"Subject: {token}\r\n\r\na\0b\r\n.\r\n".encode())[0] == "5"
        assert wire.say("NOOP").startswith("250")
    assert not any(token.encode() in m for m in mailbox("a").messages())


def test_mail_loop(server):
    head = b"".join(b"Received: from x by y; Mon, 1 Jan 2024 00:00:00 +0000\r\n" for _ in range(51))
    with in_data(server.ports["smtp"]) as wire:
        assert wire.say(head + b"Subject: loop\r\n\r\nx\r\n.\r\n").startswith("554 5.4.6")


def test_starttls_injection_closes(server):
    with greeted(server.ports["smtp"]) as wire:
        wire.send(b"STARTTLS\r\nMAIL FROM:<s@example.net>\r\n")
        answer = wire.rest()
        assert b"250" not in answer and answer.count(b"\r\n") <= 1


def test_stls_injection_closes(server):
    with Wire(server.ports["pop3"]) as wire:
        wire.lines.readline()
        wire.send(b"STLS\r\nCAPA\r\n")
        assert b"TOP" not in wire.rest()


def test_early_talker_is_refused():
    with harness.Postroad(settings={"limits_exempt": "{}", "smtp_greet_delay_ms": "60000"}) as server:
        server.start()
        with Wire(server.ports["smtp"]) as wire:
            wire.send(b"EHLO early\r\n")
            assert wire.reply().startswith("554 5.5.1")
            assert wire.rest() == b""


@pytest.mark.parametrize("line", ["EHLO x", "STARTTLS", "AUTH PLAIN"])
def test_pipelining_behind_commands_that_must_be_last(server, line):
    port = server.ports["submission" if line.startswith("AUTH") else "smtp"]
    with Wire(port) as wire:
        wire.reply()
        if line != "EHLO x":
            wire.say("EHLO x")
        wire.send(line.encode() + b"\r\nNOOP\r\nNOOP\r\n")
        assert wire.rest().count(b"250 ") <= 1


def test_command_flood_ends(server):
    with greeted(server.ports["smtp"]) as wire:
        try:
            for _ in range(3):
                wire.send(b"FROB\r\n" * 1000)
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert wire.rest().count(b"\r\n") < 100
    with greeted(server.ports["smtp"]) as wire:
        assert wire.say("NOOP").startswith("250")


def test_connections_of_one_client_are_limited():
    with harness.Postroad(settings={"limits_exempt": "{}", "client_connections_max": "5",
                                    "smtpd_processes": "1"}) as server:
        server.start()
        held = [greeted(server.ports["smtp"]) for _ in range(5)]
        with Wire(server.ports["smtp"]) as wire:
            assert wire.reply().startswith("421 4.7.0")
        held.pop().close()
        harness.wait_until(lambda: Wire(server.ports["smtp"]).reply().startswith("220"), what="room again")
        for wire in held:
            wire.close()

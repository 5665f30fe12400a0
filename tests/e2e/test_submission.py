"""What users send: headers are mended on the ports for users only; and mail that an alias leads
to another server goes out in the name of an address here, whose reports find their way back."""
import re
import smtplib
import uuid
from email import message_from_bytes, policy
from email.utils import parsedate_to_datetime

import pytest

import harness
from conftest import PASSWORD, Mailbox, client_tls
from test_remote import Sink, wait_messages
from wire import Wire, greeted

BARE = "From: a@example.org\r\nTo: a@example.org\r\nSubject: {}\r\n{}\r\nHello\r\n"
BCC = "Bcc: secret@example.net,\r\n other@example.net\r\nResent-Bcc: x@example.net\r\n"


def parsed(mail):
    return message_from_bytes(mail, policy=policy.default)


def login(server, port="submission"):
    if port == "submissions":
        client = smtplib.SMTP_SSL("localhost", server.ports[port], context=client_tls(server))
    else:
        client = smtplib.SMTP("localhost", server.ports[port])
        client.starttls(context=client_tls(server))
    client.login("a@example.org", PASSWORD)
    return client


def send(server, port, text):
    if port == "local":
        with Wire(None, unix=server.run / "submit") as wire:
            assert wire.reply().startswith("220")
            for line in ("EHLO c", "MAIL FROM:<a@example.org>", "RCPT TO:<a@example.org>"):
                assert wire.say(line).startswith("250")
            assert wire.say("DATA").startswith("354")
            assert wire.say(text.encode() + b".\r\n").startswith("250")
        return
    with smtplib.SMTP("localhost", server.ports["smtp"]) if port == "smtp" else login(server, port) as client:
        client.sendmail("a@example.org", ["a@example.org"], text.encode())


@pytest.mark.parametrize("port", ["submission", "submissions", "local"])
def test_headers_are_mended(server, mailbox, port):
    token = uuid.uuid4().hex
    send(server, port, BARE.format(token, BCC))
    mail = mailbox("a").wait_for(token.encode())[0]
    found = parsed(mail)
    assert not found["Bcc"] and not found["Resent-Bcc"] and b"other@example.net" not in mail
    assert parsedate_to_datetime(found["Date"]).tzinfo
    assert re.fullmatch(r"<\d+\.[0-9a-v]{13}@mx\.example\.org>", found["Message-ID"])
    assert found["Subject"] == token and mail.endswith(b"\r\n\r\nHello\r\n")


def test_mail_of_other_servers_is_left_as_it_is(server, mailbox):
    token = uuid.uuid4().hex
    send(server, "smtp", BARE.format(token, BCC))
    assert mailbox("a").wait_for(token.encode())[0].endswith(BARE.format(token, BCC).encode())


@pytest.mark.parametrize("way", ["data", "bdat"])
def test_a_large_message_is_else_the_same(server, mailbox, way):
    token = uuid.uuid4().hex
    head = f"Subject: {token}\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\nMessage-ID: <{token}>\r\n".encode()
    text = b"\r\n" + b"".join(b"%07d Bcc: a line of text\r\n" % i for i in range(100000))
    with greeted(server.ports["submission"]) as wire:
        wire.say("STARTTLS")
        wire.start_tls(client_tls(server))
        wire.say("EHLO c")
        assert wire.say("AUTH PLAIN AGFAZXhhbXBsZS5vcmcAc2VjcmV0").startswith("235")
        if way == "data":
            for line in ("MAIL FROM:<a@example.org>", "RCPT TO:<a@example.org>", "DATA"):
                wire.say(line)
            assert wire.say(head + BCC.encode() + text + b".\r\n").startswith("250")
        else:  # all at once, cut within a name and within a field
            whole = head + BCC.encode() + text
            cuts = [0, len(head) + 2, len(head) + 30, len(whole)]
            wire.send(b"MAIL FROM:<a@example.org>\r\nRCPT TO:<a@example.org>\r\n" + b"".join(
                b"BDAT %d%s\r\n%s" % (to - at, b" LAST" if to == len(whole) else b"", whole[at:to])
                for at, to in zip(cuts, cuts[1:])))
            assert all(wire.reply().startswith("250") for _ in range(5))
    assert mailbox("a").wait_for(token.encode())[0].endswith(head + text)


def test_where_a_user_is_can_be_hidden():
    with harness.Postroad(settings={"submission_hide_client": "yes", "auth_without_tls": "yes"}) as own:
        own.start()
        own.add_account("a@example.org", PASSWORD)
        client = login(own)
        client.ehlo("home.example")
        client.sendmail("a@example.org", ["a@example.org"], BARE.format("x", "").encode())
        send(own, "smtp", BARE.format("y", ""))
        mails = harness.wait_until(lambda: len(m := Mailbox(own, "a@example.org").messages()) == 2 and m, what="mail")
        shown = {parsed(m)["Subject"]: parsed(m)["Received"] for m in mails}
        assert "home.example" not in shown["x"] and "127.0.0.1" not in shown["x"] and "by mx.example.org" in shown["x"]
        assert "[127.0.0.1]" in shown["y"]


# --- forwards to other servers


@pytest.fixture
def forwarder():
    """A server whose alias out@example.org leads to joe@far.example, and all other servers in one."""
    with Sink() as sink:
        with harness.Postroad(sections=f'route "*" {{ to = "[127.0.0.1]:{sink.port}" }}\n',
                              settings={"sts": "no", "queue_retry_min": "1", "queue_retry_max": "2"}) as own:
            own.start()
            own.add_account("a@example.org", PASSWORD)
            own.command("alias", "add", "out@example.org", "joe@far.example")
            yield own, sink


def envelope(server, sender, recipient):
    """The reply to RCPT, or to the message."""
    with greeted(server.ports["smtp"]) as wire:
        assert wire.say(f"MAIL FROM:<{sender}>").startswith("250")
        reply = wire.say(f"RCPT TO:<{recipient}>")
        if not reply.startswith("250"):
            return reply
        wire.say("DATA")
        return wire.say("Subject: x\r\n\r\nx\r\n.")


def senders(sink):
    return [re.search("<(.*)>", c)[1] for c in sink.commands if c.startswith("MAIL")]


def test_a_forward_has_a_sender_of_ours_and_its_reports_come_back(forwarder):
    own, sink = forwarder
    assert envelope(own, "ann@near.example", "out@example.org").startswith("250")
    wait_messages(sink)
    rewritten = senders(sink)[0]
    assert re.fullmatch(r"SRS0=[A-Z2-7]{8}=[A-Z2-7]{2}=near\.example=ann@example\.org", rewritten)
    assert sink.messages[0][0] == ["joe@far.example"]

    assert envelope(own, "", rewritten.lower()).startswith("250")
    wait_messages(sink, 2)
    assert sink.messages[1][0] == ["ann@near.example"] and senders(sink)[1] == ""
    assert envelope(own, "", rewritten.replace("ann@", "eve@")).startswith("550 5.7.1")
    assert envelope(own, "", "eve@near.example").startswith("550 5.7.1")


def test_senders_of_ours_and_the_null_sender_are_kept(forwarder):
    own, sink = forwarder
    assert envelope(own, "a@example.org", "out@example.org").startswith("250")
    assert envelope(own, "", "out@example.org").startswith("250")
    wait_messages(sink, 2)
    assert sorted(senders(sink)) == ["", "a@example.org"]


def test_a_changed_key_is_honoured_beside_the_old_one(forwarder):
    own, sink = forwarder
    keys = own.folder / "directory" / "srs_keys"
    assert keys.stat().st_mode & 0o777 == 0o600
    envelope(own, "ann@near.example", "out@example.org")
    wait_messages(sink)
    keys.write_text("a key of our own choice\n" + keys.read_text())
    own.reload()
    assert envelope(own, "", senders(sink)[0]).startswith("250")
    wait_messages(sink, 2)
    envelope(own, "ann@near.example", "out@example.org")
    wait_messages(sink, 3)
    assert senders(sink)[2].startswith("SRS0=") and senders(sink)[2] != senders(sink)[0]


def test_a_loop_of_forwards_through_two_servers_ends():
    """Each hop adds a Received field; at hops_max the message is refused, and its sender told once."""
    common = {"sts": "no", "queue_retry_min": "1", "queue_retry_max": "2", "hops_max": "12"}
    with Sink() as sink, harness.Postroad(domains=("a.example",), hostname="mx.a.example", settings=common) as a, \
            harness.Postroad(domains=("b.example",), hostname="mx.b.example", settings=common) as b:
        for own, other, domain in (a, b, "b.example"), (b, a, "a.example"):
            own.sections = (f'route "{domain}" {{ to = "[127.0.0.1]:{other.ports["smtp"]}" tls = may }}\n'
                            f'route "*" {{ to = "[127.0.0.1]:{sink.port}" }}\n')
            own.write_config()
            own.start()
        a.command("alias", "add", "loop@a.example", "loop@b.example")
        b.command("alias", "add", "loop@b.example", "loop@a.example")
        assert envelope(a, "ann@near.example", "loop@a.example").startswith("250")
        recipients, report = wait_messages(sink, seconds=60)[0]
        assert recipients == ["ann@near.example"] and b"5.4.6" in report
        harness.wait_until(lambda: sum(len(own.logged("smtp.accepted", "loop@")) for own in (a, b)) >= 13, what="13 hops")
        harness.wait_until(lambda: any(own.logged("remote.delivered", "ann@near.example") for own in (a, b)), what="end")
        assert len(sink.messages) == 1
        assert sum(len(own.logged("smtp.accepted", "loop@")) for own in (a, b)) == 13


# --- routes


def test_check_warns_of_passwords_that_everybody_can_read():
    with harness.Postroad(sections='route "*" { to = "smtp.example" user = me password = secret }\n') as own:
        own.config.chmod(0o644)
        done = own.command("check")
        assert b"has passwords of routes" in done.stderr and b"secret" not in done.stderr
        own.config.chmod(0o600)
        assert b"passwords" not in own.command("check").stderr


def test_routes_change_by_a_reload(forwarder):
    own, sink = forwarder
    with Sink() as other:
        envelope(own, "ann@near.example", "out@example.org")
        wait_messages(sink)
        own.sections += f'route "far.example" {{ to = "[127.0.0.1]:{other.port}" }}\n'
        own.write_config()
        own.reload()
        envelope(own, "ann@near.example", "out@example.org")
        wait_messages(other)
        assert len(sink.messages) == 1


def test_what_an_account_has_sent_counts_after_a_restart():
    with harness.Postroad(settings={"submission_messages_per_day_max": "2"}) as own:
        own.start()
        own.add_account("a@example.org", PASSWORD)
        for _ in range(2):
            send(own, "submission", BARE.format(uuid.uuid4().hex, ""))
        own.wait_logged("queue.done", count=2)
        assert not own.logged("queue.limited")
        own.stop()
        own.start()
        for _ in range(2):  # at midnight a little of the day before counts no more
            send(own, "submission", BARE.format(uuid.uuid4().hex, ""))
        own.wait_logged("queue.limited", "login=a@example.org")

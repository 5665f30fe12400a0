"""Answers that accounts give by themselves, forwards, and the owner of a list, end to end.

The world outside is a scripted server; the route * leads to it.
"""
import email
import email.policy
import os
import re
import smtplib
import time
import uuid

import pytest

import harness
from conftest import PASSWORD, Mailbox
from test_bounce import Scripted

ME, YOU = "me@example.org", "you@example.org"


@pytest.fixture(scope="module")
def outside():
    with Scripted(("8BITMIME", "SMTPUTF8")) as server:
        yield server


@pytest.fixture(scope="module")
def server(outside):
    route = f'route "*" {{ to = "[127.0.0.1]:{outside.port}" tls = none }}'
    with harness.Postroad(settings={"auth_without_tls": "yes", "auth_delay_s": "0", "smtp_greet_delay_ms": "0",
                                    "deliver_sync_interval_ms": "1", "queue_retry_min": "1"},
                          sections=route) as s:
        s.start()
        for address in (ME, YOU):
            s.add_account(address, PASSWORD)
        yield s


@pytest.fixture
def sender():
    """An address outside that nobody has answered yet."""
    return f"s{uuid.uuid4().hex[:10]}@there.example"


@pytest.fixture
def away(server):
    """ME answers; and not any more afterwards."""
    reply_on(server, ME)
    yield
    server.command("account", "reply", ME, "off")


def reply_on(server, address, *options):
    server.command("account", "reply", address, "on", "--subject", "Away: $subject", "--text",
                   "Ich bin bis Montag nicht da.\nGrüße", *options)


def send(server, sender, to=ME, header="", named=None, port="smtp"):
    """A message with a token in its subject; the token."""
    token = uuid.uuid4().hex
    text = (f"From: {sender}\r\nTo: {named or to}\r\nSubject: {token}\r\nMessage-ID: <{token}@there.example>\r\n"
            f"{header}\r\nhello\r\n")
    with smtplib.SMTP("127.0.0.1", server.ports[port], "there.example") as client:
        if port == "submission":
            client.login(sender, PASSWORD)
        client.sendmail(sender, [to] if isinstance(to, str) else to, text)
    return token


def finished(server, token):
    """The queue is done with the message."""
    def done():
        ids = {m.group(1) for line in server.logged(token) for m in [re.search(r"\bid=(\w+)", line)] if m}
        return ids and all(server.logged("queue.done", f"id={i}") for i in ids)
    harness.wait_until(done, what="the end of the message")


def answers(outside, sender):
    return [email.message_from_bytes(data, policy=email.policy.default)
            for _, recipients, data in outside.taken if any(f"<{sender}>" in r for r in recipients)]


def answer_of(outside, sender):
    return harness.wait_until(lambda: answers(outside, sender), what=f"an answer to {sender}")[0]


def test_who_writes_is_answered_once(server, outside, sender, away):
    token = send(server, sender)
    letter = answer_of(outside, sender)
    assert letter["From"].addresses[0].addr_spec == ME
    assert letter["To"].addresses[0].addr_spec == sender
    assert letter["Subject"] == f"Away: {token}"
    assert letter["In-Reply-To"] == letter["References"] == f"<{token}@there.example>"
    assert letter["Auto-Submitted"] == "auto-replied"
    assert letter.get_content_type() == "text/plain" and letter.get_param("format") == "flowed"
    assert letter.get_content().splitlines() == ["Ich bin bis Montag nicht da.", "Grüße"]
    assert [s for s, r, _ in outside.taken if any(f"<{sender}>" in x for x in r)] == [""]
    assert Mailbox(server, ME).wait_for(token.encode())
    finished(server, send(server, sender))
    finished(server, send(server, sender.upper()))
    assert len(answers(outside, sender)) == 1
    assert not answers(outside, sender.upper())


NONE = {
    "bulk": {"header": "Precedence: bulk\r\n"},
    "list": {"header": "List-Id: <l.there.example>\r\n"},
    "automatic": {"header": "Auto-Submitted: auto-generated\r\n"},
    "suppressed": {"header": "X-Auto-Response-Suppress: OOF\r\n"},
    "not named": {"named": "others@there.example"},
}


@pytest.mark.parametrize("name", NONE)
def test_some_mail_is_not_answered(server, outside, sender, away, name):
    token = send(server, sender, **NONE[name])
    finished(server, token)
    assert Mailbox(server, ME).wait_for(token.encode())
    assert server.wait_logged("bounce.no_reply", sender)
    assert not answers(outside, sender)


@pytest.mark.parametrize("program", ["MAILER-DAEMON", "owner-list", "list-request", "noreply", "list-bounces+x=y"])
def test_programs_are_not_answered(server, outside, away, program):
    sender = f"{program}@{uuid.uuid4().hex[:8]}.example"
    finished(server, send(server, sender))
    assert not answers(outside, sender)


def test_null_sender_is_not_answered(server, outside, away):
    before = len(outside.taken)
    finished(server, send(server, ""))
    assert len(outside.taken) == before


def test_answer_keeps_to_its_dates(server, outside, sender):
    def day(days):
        return time.strftime("%Y-%m-%d", time.gmtime(time.time() + days * 86400))
    for dates in (("--from", day(2)), ("--from", day(-5), "--until", day(-2))):
        reply_on(server, ME, *dates)
        finished(server, send(server, sender))
        assert not answers(outside, sender)
    reply_on(server, ME, "--from", day(-2), "--until", day(2))
    send(server, sender)
    assert answer_of(outside, sender)
    server.command("account", "reply", ME, "off")


def test_answer_off_is_none(server, outside, sender):
    server.command("account", "reply", ME, "off")
    finished(server, send(server, sender))
    assert not answers(outside, sender)


def test_two_that_answer_do_not_loop(server, outside, away):
    reply_on(server, YOU)
    token = send(server, YOU, ME, port="submission")
    letter = Mailbox(server, YOU).wait_for(f"Away: {token}".encode())
    assert len(letter) == 1 and b"Return-Path: <>" in letter[0]
    finished(server, token)
    time.sleep(0.5)
    assert not [m for m in Mailbox(server, ME).messages() if b"Away: Away" in m]
    server.command("account", "reply", YOU, "off")


def test_alias_is_answered_as_the_account(server, outside, sender, away):
    server.command("alias", "add", "alias@example.org", ME)
    send(server, sender, "alias@example.org")
    assert answer_of(outside, sender)["From"].addresses[0].addr_spec == ME


def test_success_is_told_of_the_mailbox_alone(server, outside, sender, away):
    """The answer makes no list of the address, and is in no report."""
    token = uuid.uuid4().hex
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], "there.example") as client:
        client.sendmail(sender, [ME], f"To: {ME}\r\nSubject: {token}\r\n\r\nx\r\n", rcpt_options=["NOTIFY=SUCCESS"])
    letters = harness.wait_until(lambda: len(answers(outside, sender)) >= 2 and answers(outside, sender), what="both")
    [report] = [m for m in letters if m.get_content_type() == "multipart/report"]
    assert report.as_string().count("Action: ") == 1 and "Action: delivered" in report.as_string()


def test_crash_of_bounce_makes_no_second_answer(server, outside, sender, away):
    send(server, sender)
    assert answer_of(outside, sender)
    for pid in server.pids("bounce"):
        os.kill(pid, 9)
    harness.wait_until(lambda: server.pids("bounce"), what="its start")
    finished(server, send(server, sender))
    assert len(answers(outside, sender)) == 1


def test_forward_keeps_a_copy_answers_and_hides_the_sender(server, outside, sender, away):
    server.command("account", "forward", ME, f"f{sender}", "--keep")
    token = send(server, sender)
    def forwarded():
        return [t for t in outside.taken if any(f"f{sender}" in r for r in t[1])]
    [(from_, _, data)] = harness.wait_until(forwarded, what="the forward")
    assert from_.startswith("SRS0=") and from_.endswith("@example.org") and token.encode() in data
    assert Mailbox(server, ME).wait_for(token.encode())
    assert answer_of(outside, sender)
    server.command("account", "forward", ME, f"g{sender}")
    token = send(server, f"x{sender}")
    assert answer_of(outside, f"x{sender}")
    harness.wait_until(lambda: [t for t in outside.taken if any(f"g{sender}" in r for r in t[1])], what="the forward")
    finished(server, token)
    assert not [m for m in Mailbox(server, ME).messages() if token.encode() in m]
    server.command("account", "forward", ME, "off")


def test_list_with_an_owner_sends_under_its_name(server, outside, sender, away):
    """Members on both sides; the owner hears of what fails, and no member answers to the list."""
    server.command("list", "add", "list@example.org")
    server.command("list", "set", "list@example.org", f"owner={YOU}", f"members={ME},m{sender},no{sender}")
    token = send(server, sender, "list@example.org")
    def relayed():
        return [t for t in outside.taken if any(f"m{sender}" in r for r in t[1])]
    [(from_, _, _)] = harness.wait_until(relayed, what="the member outside")
    assert from_ == YOU
    assert f"Return-Path: <{YOU}>".encode() in Mailbox(server, ME).wait_for(token.encode())[0]
    bounce = Mailbox(server, YOU).wait_for(f"no{sender}".encode())[0]
    assert b"multipart/report" in bounce
    finished(server, token)
    assert not answers(outside, sender)

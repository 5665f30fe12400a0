"""Four mail servers on hosts of their own send each other mail in all directions (tests/lab).

Two Postroads, Debian's Postfix and Exim, signed DNS. All mail is sent first; each test then looks for
its own, so the whole takes little longer than the slowest of them. LAB=full also sends between
Postfix and Exim, which proves the lab itself.
"""
import itertools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from lab import lab as laboratory  # noqa: E402

FULL = os.environ.get("LAB") == "full"
NAMES = ("a", "b", "postfix", "exim")
OURS = ("a", "b")
UTF8 = ("SMTPUTF8", "BODY=8BITMIME")


@dataclass(frozen=True)
class Kind:
    """One way to send: to which variant of the domain (lab/station.py), with what, and its fate."""
    name: str
    variant: str = ""
    tls: bool = True
    verified: bool = False
    delivered: bool = True
    box: str = "box"
    mail_options: tuple = ()
    rcpt_options: tuple = ()
    report: str = ""  # the Action that a report to the sender names


KINDS = (
    Kind("plain", "-plain", tls=False),
    Kind("tls", "-tls"),
    Kind("dane", verified=True),
    Kind("dane wrong", "-wrong", delivered=False),
    Kind("utf8", box="p\u00f6st", mail_options=UTF8),
    Kind("dsn", mail_options=("RET=HDRS", "ENVID={token}"), rcpt_options=("NOTIFY=SUCCESS",),
         report="Action: delivered"),
)
ROWS = [(sender, receiver, kind)
        for sender, receiver in itertools.permutations(NAMES, 2) if FULL or {sender, receiver} & set(OURS)
        for kind in KINDS]


def letter(token, sender, recipient):
    return (f"From: <{sender}>\r\nTo: <{recipient}>\r\nSubject: {token} gr\u00fc\u00dfe\r\n"
            f"Message-ID: <{token}@client.test>\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n\r\n"
            f".a line with a dot\r\n{token}\r\n").encode()


def send(net, row, token):
    sender, receiver, kind = row
    station = net[sender]
    sender = f"{kind.box}@{station.domain}"
    recipient = f"{kind.box}@{receiver}{kind.variant}.test"
    content = letter(token, sender, recipient)
    if not kind.mail_options[:1] == UTF8[:1]:
        content = content.decode().encode("ascii", "replace")
    station.send(sender, [recipient], content, [o.format(token=token) for o in kind.mail_options],
                 kind.rcpt_options)


@pytest.fixture(scope="module")
def net():
    missing = laboratory.missing()
    if missing:
        pytest.skip(missing)
    plain = "".join(f'route "{name}-plain.test" {{ tls = "none" }}\n' for name in NAMES)
    with laboratory.Lab(NAMES, sections=plain) as started:
        for name in OURS:
            started[name].server.command("alias", "add", f"onward@{name}.test", "box@exim.test")
            started[name].server.command("alias", "add", f"astray@{name}.test", "nobody@exim.test")
        started.tokens = {row: laboratory.token() for row in ROWS}
        for row, token in started.tokens.items():
            send(started, row, token)
        yield started


def row_name(row):
    return f"{row[0]}-{row[1]}-{row[2].name.replace(' ', '_')}"


def text_of(message):
    return message.decode("utf-8", "replace").replace("\r\n", "\n")


@pytest.mark.parametrize("row", ROWS, ids=row_name)
def test_lab_mail_has_its_fate(net, row):
    sender, receiver, kind = row
    token, domain = net.tokens[row], f"{receiver}{kind.variant}.test"
    if not kind.delivered:
        assert net[sender].wait_deferred(domain), net[sender].log()[-3000:]
        assert not net[receiver].received(token)
        return
    found = net[receiver].wait_received(token)
    assert found, f"nothing came; {net[sender].deferred(domain)}"
    copies = [m for m in found if b"multipart/report" not in m]
    assert len(copies) == 1
    check_message(net, row, text_of(copies[0]))
    if kind.report:
        reports = net[sender].wait_received(token, also=b"multipart/report")
        assert len(reports) == 1
        assert kind.report.lower() in text_of(reports[0]).lower()


def check_message(net, row, text):
    sender, receiver, kind = row
    last_hop = text[text.index("Received:"):].split("Received:")[1].lower()
    assert ("esmtps" in last_hop or "smtps" in last_hop) == kind.tls, last_hop
    assert "\n.a line with a dot\n" in text
    if kind.box != "box":
        assert "gr\u00fc\u00dfe" in text
    if kind.verified:
        harness.wait_until(lambda: net[sender].verified(f"{receiver}.test"), what="a server that was verified")


@pytest.mark.parametrize("name", OURS)
def test_lab_forward_goes_on_under_our_own_name_and_its_bounce_comes_back(net, name):
    token = laboratory.token()
    net["postfix"].send("box@postfix.test", [f"onward@{name}.test"],
                        letter(token, "box@postfix.test", f"onward@{name}.test").decode().encode("ascii", "replace"))
    found = net["exim"].wait_received(token)
    assert len(found) == 1
    path = next(line for line in text_of(found[0]).splitlines() if line.startswith("Return-path:"))
    path = path.split("<")[1].split(">")[0]
    assert path.endswith(f"@{name}.test") and path.lower().startswith("srs0")
    back = laboratory.token()
    net["exim"].send("", [path], f"From: <>\r\nSubject: {back}\r\n\r\nundeliverable\r\n")
    assert len(net["postfix"].wait_received(back)) == 1


@pytest.mark.parametrize("name", OURS)
def test_lab_forward_that_is_refused_is_told_to_the_first_sender(net, name):
    token = laboratory.token()
    net["postfix"].send("box@postfix.test", [f"astray@{name}.test"],
                        letter(token, "box@postfix.test", f"astray@{name}.test").decode().encode("ascii", "replace"))
    reports = net["postfix"].wait_received(token, also=b"multipart/report")
    assert len(reports) == 1
    assert "action: failed" in text_of(reports[0]).lower()


def test_lab_every_message_is_there_once(net):
    for row, token in net.tokens.items():
        copies = [m for m in net[row[1]].received(token) if b"multipart/report" not in m]
        assert len(copies) <= 1, row_name(row)

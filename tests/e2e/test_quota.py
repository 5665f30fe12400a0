"""Quotas of accounts and of domains: refused at RCPT, never bounced, exact after every change, told of at
80 and 95 percent; a change reaches the sessions that are open."""
import imaplib
import json
import smtplib

import pytest

import harness
from conftest import PASSWORD

LINE = b"x" * 98 + b"\r\n"


@pytest.fixture(scope="module")
def server():
    with harness.Postroad(settings={"auth_without_tls": "yes", "auth_delay_s": "0"},
                          domains=("example.org", "small.example")) as s:
        s.start()
        for name in "abcd":
            s.add_account(f"{name}@example.org", PASSWORD)
        for name in "xyz":
            s.add_account(f"{name}@small.example", PASSWORD)
        yield s


def rcpt(server, address, size=0, sender="s@elsewhere.example"):
    """The reply to RCPT of a message that says to have `size` bytes."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.ehlo()
        client.mail(sender, [f"SIZE={size}"] if size else [])
        code, text = client.rcpt(address)
        return code, text.decode()


def send(server, address, size, subject="m"):
    text = f"Subject: {subject}\r\n\r\n".encode() + LINE * (size // len(LINE))
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.sendmail("s@elsewhere.example", [address], text)


def imap(server, address):
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    client.login(address, PASSWORD)
    return client


def used(server, address):
    return json.loads(server.command("--json", "mailbox", "usage", address).stdout)


def wait_messages(server, address, n):
    return harness.wait_until(lambda: (u := used(server, address)) and int(u["messages"]) >= n and u,
                              what=f"{n} messages in {address}")


def delete_all(server, address):
    client = imap(server, address)
    client.select()
    client.store("1:*", "+FLAGS.SILENT", r"(\Deleted)")
    client.expunge()
    client.logout()


def wait_code(server, address, code, size=0):
    return harness.wait_until(lambda: rcpt(server, address, size)[0] == code, what=f"{code} for {address}")


def test_the_first_session_of_an_account_has_its_quota(server):
    server.command("account", "quota", "a@example.org", "1M")
    client = imap(server, "a@example.org")
    _, found = client.getquotaroot("INBOX")
    assert found[1] == [b'"" (STORAGE 0 1024 MESSAGE 0 4294967295)']
    client.logout()


def test_a_change_of_quota_reaches_sessions_that_are_open(server):
    server.command("account", "quota", "b@example.org", "none")
    client = imap(server, "b@example.org")
    message = b"Subject: a\r\n\r\n" + LINE * 30
    assert client.append("INBOX", None, None, message)[0] == "OK"
    server.command("account", "quota", "b@example.org", "4k")
    harness.wait_until(lambda: client.getquota('""')[0] == "OK", what="quota in the session")
    answer = client.append("INBOX", None, None, message)
    assert answer[0] == "NO" and b"[OVERQUOTA]" in answer[1][0]
    server.command("account", "quota", "b@example.org", "none")
    harness.wait_until(lambda: client.append("INBOX", None, None, message)[0] == "OK", what="no quota")
    client.logout()


def test_over_quota_is_refused_at_rcpt_until_there_is_room(server):
    server.command("account", "quota", "c@example.org", "20k")
    assert rcpt(server, "c@example.org", 19000)[0] == 250
    code, text = rcpt(server, "c@example.org", 21000)
    assert code == 552 and text.startswith("5.2.2")
    send(server, "c@example.org", 15000)
    wait_messages(server, "c@example.org", 1)
    wait_code(server, "c@example.org", 552, 8000)
    delete_all(server, "c@example.org")
    wait_code(server, "c@example.org", 250, 8000)


def test_a_domain_has_no_more_than_its_quota(server):
    server.command("domain", "set", "small.example", "quota_bytes=100k")
    assert rcpt(server, "x@small.example", 99000)[0] == 250
    code, text = rcpt(server, "y@small.example", 110000)
    assert code == 552 and text.startswith("5.2.2")
    for name in "xyz":
        send(server, f"{name}@small.example", 25000)
    for name in "xyz":
        wait_messages(server, f"{name}@small.example", 1)
    # Whoever it is for: the sum is what counts.
    for name in "xyz":
        wait_code(server, f"{name}@small.example", 552, 40000)
        assert rcpt(server, f"{name}@small.example", 10000)[0] == 250
    delete_all(server, "x@small.example")
    wait_code(server, "y@small.example", 250, 40000)
    # A new account counts as well, and an account that goes no longer does.
    server.add_account("w@small.example", PASSWORD)
    send(server, "w@small.example", 30000)
    wait_messages(server, "w@small.example", 1)
    wait_code(server, "y@small.example", 552, 40000)
    server.command("account", "remove", "w@small.example")
    wait_code(server, "y@small.example", 250, 40000)
    server.command("domain", "set", "small.example", "quota_bytes=none")


def test_account_show_tells_what_is_used(server):
    send(server, "z@small.example", 5000)
    wait_messages(server, "z@small.example", 2)

    def look():
        found = json.loads(server.command("--json", "account", "show", "z@small.example").stdout)
        return found if found.get("used_messages") == 2 else None
    shown = harness.wait_until(look, what="use that authd knows of")
    assert shown["used_bytes"] == int(used(server, "z@small.example")["size"])


def test_a_message_may_be_too_big_for_a_mailbox(server):
    server.command("domain", "set", "small.example", "message_bytes_max=50k")
    assert rcpt(server, "z@small.example", 51200)[0] == 250
    code, text = rcpt(server, "z@small.example", 51201)
    assert code == 552 and text.startswith("5.3.4")
    server.command("account", "set", "z@small.example", "message_bytes_max=10k")
    assert rcpt(server, "z@small.example", 10241)[0] == 552
    assert rcpt(server, "y@small.example", 10241)[0] == 250


def test_imap_shows_and_keeps_to_the_quota_of_a_domain(server):
    server.command("account", "quota", "y@small.example", "none")
    first, other = imap(server, "y@small.example"), imap(server, "z@small.example")
    used_now = sum(int(used(server, f"{name}@small.example")["size"]) for name in "xyz")
    message = b"Subject: a\r\n\r\n" + LINE * 100
    limit = (used_now + 3 * len(message) + 1100) // 1024 * 1024
    server.command("domain", "set", "small.example", f"quota_bytes={limit}")
    harness.wait_until(lambda: first.getquota('"Domain small.example"')[0] == "OK", what="the root of the domain")
    _, (roots, quotas) = first.getquotaroot("INBOX")
    assert roots == [b'INBOX "Domain small.example"']
    assert quotas == [f'"Domain small.example" (STORAGE {(used_now + 1023) // 1024} {limit // 1024})'.encode()]
    # Whoever of the domain stores it, and by APPEND or COPY.
    for client in (first, other):
        assert client.append("INBOX", None, None, message)[0] == "OK"
    first.select()
    last = other.select()[1][0].decode()
    assert other.copy(last, "Archive")[0] == "OK"
    answers = [client.append("INBOX", None, None, message) for client in (first, other)]
    for status, text in answers:
        assert status == "NO" and b"[OVERQUOTA]" in text[0]
    status, text = first.copy(first.search(None, "ALL")[1][0].split()[-1].decode(), "Archive")
    assert status == "NO" and b"[OVERQUOTA]" in text[0]
    code, text = rcpt(server, "y@small.example", len(message))
    assert code == 552 and text.startswith("5.2.2")
    delete_all(server, "z@small.example")
    harness.wait_until(lambda: first.append("INBOX", None, None, message)[0] == "OK", what="room in the domain")
    server.command("domain", "set", "small.example", "quota_bytes=none")
    harness.wait_until(lambda: first.getquota('"Domain small.example"')[0] == "NO", what="no root")
    assert other.append("INBOX", None, None, message)[0] == "OK"
    for client in (first, other):
        client.logout()


def notices(server, address):
    client = imap(server, address)
    client.select(readonly=True)
    _, found = client.search(None, "HEADER", "Auto-Submitted", "auto-generated")
    texts = [client.fetch(n, "(BODY.PEEK[])")[1][0][1] for n in found[0].split()]
    client.logout()
    return texts


def test_owners_are_told_once_at_80_and_at_95_percent(server):
    address = "d@example.org"
    server.command("account", "quota", address, "100k")
    send(server, address, 70000)
    wait_messages(server, address, 1)
    assert not notices(server, address)
    send(server, address, 13000)
    harness.wait_until(lambda: len(notices(server, address)) == 1, what="notice of 80 percent")
    send(server, address, 2000)
    harness.wait_until(lambda: int(used(server, address)["messages"]) == 4, what="four messages")
    assert len(notices(server, address)) == 1
    send(server, address, 12000)
    harness.wait_until(lambda: len(notices(server, address)) == 2, what="notice of 95 percent")
    assert len(server.wait_logged("quota.notice", address, count=2)) == 2
    # Below it is forgotten, and told again.
    delete_all(server, address)
    wait_code(server, address, 250, 90000)
    send(server, address, 85000)
    harness.wait_until(lambda: len(notices(server, address)) == 1, what="a second notice of 80 percent")


def test_what_was_told_outlives_a_restart(server):
    address = "d@example.org"
    before = len(server.logged("quota.notice", address))
    server.stop()
    server.start()
    send(server, address, 1000)
    harness.wait_until(lambda: int(used(server, address)["messages"]) == 3, what="three messages")
    assert rcpt(server, address)[0] == 250
    assert len(server.logged("quota.notice", address)) == before


def test_nobody_was_told_of_a_bounce(server):
    assert not server.logged("bounce.made")

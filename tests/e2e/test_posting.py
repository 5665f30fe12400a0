"""Who may write to a distribution list: answered at RCPT, by the sender and the login."""
import smtplib

import pytest

import harness
from conftest import PASSWORD, Mailbox


@pytest.fixture(scope="module")
def server():
    with harness.Postroad(settings={"auth_without_tls": "yes", "auth_delay_s": "0"}) as s:
        s.start()
        for name in "abc":
            s.add_account(f"{name}@example.org", PASSWORD)
        s.command("list", "add", "all@example.org", "members=a@example.org,b@example.org")
        yield s


def rcpt(server, sender, login=None):
    """Code and first word of the reply to RCPT."""
    with smtplib.SMTP("127.0.0.1", server.ports["submission" if login else "smtp"]) as client:
        client.ehlo()
        if login:
            client.login(login, PASSWORD)
        client.mail(sender)
        code, text = client.rcpt("all@example.org")
        return code, text.decode().split()[0]


A, C, STRANGER = "a@example.org", "c@example.org", "x@elsewhere.example"
YES, NO = (250, "2.1.5"), (550, "5.7.2")


@pytest.mark.parametrize("rule, sender, login, answer", [
    (["posting=anyone"], STRANGER, None, YES),
    (["posting=members"], STRANGER, None, NO),
    (["posting=members"], C, C, NO),
    (["posting=members"], A, A, YES),
    (["posting=authenticated"], STRANGER, None, NO),
    (["posting=authenticated"], C, C, YES),
    (["posting=sender", "poster=c@example.org"], A, A, NO),
    (["posting=sender", "poster=c@example.org"], C, C, YES),
], ids=lambda v: " ".join(v) if isinstance(v, list) else None)
def test_posting_rule(server, rule, sender, login, answer):
    server.command("list", "set", "all@example.org", *rule)
    assert rcpt(server, sender, login) == answer


def test_members_get_the_mail(server):
    server.command("list", "set", "all@example.org", "posting=anyone")
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.sendmail(STRANGER, ["all@example.org"], b"Subject: to all of you\r\n\r\nHello\r\n")
    for name in "ab":
        Mailbox(server, f"{name}@example.org").wait_for(b"to all of you")
    assert not Mailbox(server, "c@example.org").messages()

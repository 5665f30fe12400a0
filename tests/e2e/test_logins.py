"""Logins beyond a right password: sessions of a closed account end, passwords for one program, who was
here last, and administrators of domains who are ordinary users of the machine."""
import base64
import hashlib
import imaplib
import json
import os
import poplib
import smtplib
import subprocess

import pytest

import harness
from conftest import PASSWORD
from test_scram import Scram, smtp_auth


@pytest.fixture(scope="module")
def server():
    with harness.Postroad(settings={"auth_without_tls": "yes", "auth_delay_s": "0"},
                          domains=("example.org", "theirs.example", "moved.example")) as s:
        s.start()
        for name in ("a", "b", "c", "boss"):
            s.add_account(f"{name}@example.org", PASSWORD)
        s.add_account("x@theirs.example", PASSWORD)
        yield s


def smtp(server, address, password=PASSWORD):
    client = smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=120)
    client.ehlo()
    client.login(address, password)
    return client


def imap(server, address, password=PASSWORD):
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    client.login(address, password)
    return client


def pop3(server, address, password=PASSWORD):
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=120)
    client.user(address)
    client.pass_(password)
    return client


CLOSINGS = {
    "disable": lambda s: s.command("account", "disable", "b@example.org"),
    "passwd": lambda s: s.command("account", "passwd", "b@example.org", "--password-stdin", stdin=b"other\n"),
    "remove": lambda s: s.command("account", "remove", "b@example.org"),
}
OPENINGS = {
    "disable": lambda s: s.command("account", "enable", "b@example.org"),
    "passwd": lambda s: s.command("account", "passwd", "b@example.org", "--password-stdin",
                                  stdin=PASSWORD.encode() + b"\n"),
    "remove": lambda s: s.add_account("b@example.org", PASSWORD),
}


@pytest.mark.parametrize("how", CLOSINGS)
@pytest.mark.parametrize("when", ["idle", "in a message"])
def test_a_closed_account_ends_submission(server, how, when):
    client, other = smtp(server, "b@example.org"), smtp(server, "a@example.org")
    if when != "idle":
        assert client.mail("b@example.org")[0] == 250
        assert client.rcpt("a@example.org")[0] == 250
        assert client.docmd("DATA")[0] == 354
        client.send(b"Subject: never\r\n\r\nthe beginning\r\n")
    try:
        CLOSINGS[how](server)
        code, text = client.getreply()
        assert code == 421 and text.startswith(b"4.7.0")
        with pytest.raises((smtplib.SMTPServerDisconnected, OSError)):
            client.mail("b@example.org")
        assert other.noop()[0] == 250
    finally:
        OPENINGS[how](server)
    assert smtp(server, "b@example.org").noop()[0] == 250


def app_password(server, address, label, *scope):
    out = server.command("--json", "account", "password", "add", address, label, *scope).stdout
    return json.loads(out)["password"]


def app_passwords(server, address):
    out = server.command("--json", "account", "password", "list", address).stdout
    return {row["label"]: row for row in json.loads(out)}


def test_a_password_for_one_program_lets_that_program_in(server):
    mail, phone = (app_password(server, "c@example.org", "mail", "--scope", "smtp,imap"),
                   app_password(server, "c@example.org", "phone", "--scope", "pop3"))
    imap(server, "c@example.org", mail).logout()
    smtp(server, "c@example.org", mail).quit()
    pop3(server, "c@example.org", phone).quit()
    with pytest.raises(poplib.error_proto):
        pop3(server, "c@example.org", mail)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        smtp(server, "c@example.org", phone)
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, "c@example.org", phone)
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, "a@example.org", mail)
    imap(server, "c@example.org").logout()
    harness.wait_until(lambda: app_passwords(server, "c@example.org")["mail"]["last_use"], what="last use")
    server.command("account", "password", "remove", "c@example.org", "mail")
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, "c@example.org", mail)


def test_who_was_here_last(server):
    assert not shown(server, "x@theirs.example").get("last_login")
    imap(server, "x@theirs.example").logout()
    found = harness.wait_until(lambda: (r := shown(server, "x@theirs.example")).get("last_login") and r,
                               what="last login")
    assert found["last_service"] == "imap" and found["last_address"] == "127.0.0.1"


def shown(server, address):
    return json.loads(server.command("--json", "account", "show", address).stdout)


# --- passwords that came from elsewhere

def crypted(flag, password):
    return subprocess.run(["openssl", "passwd", flag, password], check=True, text=True, capture_output=True).stdout.strip()


def ssha(password):
    salt = os.urandom(4)
    return "{SSHA}" + base64.b64encode(hashlib.sha1(password.encode() + salt).digest() + salt).decode()


def scram(server, address, password):
    with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=30) as client:
        client.ehlo()
        return smtp_auth(client, "SCRAM-SHA-256", Scram(address, password))


@pytest.fixture(scope="module")
def imported(server, tmp_path_factory):
    """Accounts of another system, by the scheme that their passwords are kept in."""
    path = tmp_path_factory.mktemp("import") / "users"
    made = {"sha512crypt": crypted("-6", "old secret"), "md5crypt": crypted("-1", "old secret"),
            "ssha": ssha("old secret")}
    path.write_text("".join(f"{name}@moved.example:{text}::::::\n" for name, text in made.items()))
    server.command("import", "dovecot-passwd", path)
    return path


@pytest.mark.parametrize("scheme", ["sha512crypt", "md5crypt", "ssha"])
def test_an_imported_password_becomes_ours_at_the_first_login(server, imported, scheme):
    address = f"{scheme}@moved.example"
    assert shown(server, address)["password_scheme"] == scheme
    assert scram(server, address, "old secret") == 535
    with pytest.raises(imaplib.IMAP4.error):
        imap(server, address, "wrong")
    assert shown(server, address)["password_scheme"] == scheme
    client = imap(server, address, "old secret")
    harness.wait_until(lambda: shown(server, address)["password_scheme"] == "yescrypt", what="our own form")
    assert scram(server, address, "old secret") == 235
    assert scram(server, address, "wrong") == 535
    imap(server, address, "old secret").logout()
    # Nobody had to leave for it.
    assert client.noop()[0] == "OK"
    client.logout()
    assert len(server.wait_logged("auth.upgraded", address, f"scheme={scheme}")) == 1


def test_an_import_is_repeatable_when_passwords_became_ours(server, imported):
    imap(server, "ssha@moved.example", "old secret").logout()
    harness.wait_until(lambda: shown(server, "ssha@moved.example")["password_scheme"] == "yescrypt", what="our own form")
    assert server.command("import", "dovecot-passwd", imported, check=False).returncode == 0
    imap(server, "ssha@moved.example", "old secret").logout()


# --- administrators of domains

def as_nobody():
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)


def ask_as(server, who, *args, password=PASSWORD, more=b""):
    """`postroad --as`, by an ordinary user of the machine."""
    return subprocess.run([server.build / "bin/postroad", "--config", server.config, "--as", who, *args],
                          input=password.encode() + b"\n" + more, capture_output=True, timeout=120,
                          preexec_fn=as_nobody)


@pytest.fixture(scope="module")
def administered(server):
    server.command("domain", "set", "example.org", "administrators=boss@example.org", "accounts_max=7",
                   "account_quota_bytes=10M")
    yield server


def test_an_administrator_has_the_run_of_the_domain(administered):
    server = administered
    assert ask_as(server, "boss@example.org", "account", "list", "example.org").returncode == 0
    done = ask_as(server, "boss@example.org", "account", "add", "new@example.org", "--password-stdin", more=b"new\n")
    assert done.returncode == 0, done.stderr
    imap(server, "new@example.org", "new").logout()
    for args in (["account", "set", "new@example.org", "name=New"],
                 ["account", "quota", "new@example.org", "5M"],
                 ["alias", "add", "info@example.org", "new@example.org"],
                 ["list", "add", "all@example.org", "members=new@example.org,a@example.org"],
                 ["account", "show", "new@example.org"]):
        done = ask_as(server, "boss@example.org", *args)
        assert done.returncode == 0, (args, done.stderr)
    assert shown(server, "new@example.org")["name"] == "New"
    assert ask_as(server, "boss@example.org", "list", "remove", "all@example.org").returncode == 0
    assert ask_as(server, "boss@example.org", "alias", "remove", "info@example.org").returncode == 0


@pytest.mark.parametrize("args", [
    ["account", "show", "x@theirs.example"],
    ["account", "list"],
    ["account", "list", "theirs.example"],
    ["account", "disable", "x@theirs.example"],
    ["account", "quota", "a@example.org", "20M"],
    ["account", "quota", "a@example.org", "none"],
    ["alias", "add", "y@theirs.example", "a@example.org"],
    ["domain", "set", "example.org", "accounts_max=100"],
    ["domain", "add", "third.example"],
    ["domain", "remove", "theirs.example"],
    ["queue", "list"],
], ids=" ".join)
def test_an_administrator_has_nothing_else(administered, args):
    done = ask_as(administered, "boss@example.org", *args)
    assert done.returncode in (1, 2) and done.stderr, done.stdout
    assert shown(administered, "a@example.org").get("quota_bytes") in (0, None, "none")


def test_limits_of_the_domain_hold_for_its_administrator(administered):
    done = [ask_as(administered, "boss@example.org", "account", "add", f"n{i}@example.org", "--password-stdin",
                   more=b"new\n").returncode for i in range(3)]
    assert done == [0, 0, 1]
    for i in range(2):
        assert ask_as(administered, "boss@example.org", "account", "remove", f"n{i}@example.org").returncode == 0


def test_who_is_no_administrator_gets_nothing(administered):
    assert ask_as(administered, "a@example.org", "account", "list", "example.org").returncode == 1
    done = ask_as(administered, "boss@example.org", "account", "list", "example.org", password="wrong")
    assert done.returncode == 1 and b"password" in done.stderr
    assert administered.wait_logged("directory.login", "result=refused")

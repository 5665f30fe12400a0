"""What the directory's objects do to mail: forwards, replies' fields, lists, groups, domain aliases, limits;
asked for by the command with the server up and down."""
import json
import smtplib
import uuid

import pytest

import harness
from conftest import PASSWORD, Mailbox


@pytest.fixture(scope="module")
def server():
    with harness.Postroad(settings={"auth_without_tls": "yes"}) as s:
        s.start()
        for name in ("a", "b", "c"):
            s.add_account(f"{name}@example.org", PASSWORD)
        yield s


def shown(server, *args):
    return json.loads(server.command("--json", *args).stdout)


def send(server, to, sender="s@example.net", login=None):
    """Sends one message; its token, or the code of the refusal."""
    token = uuid.uuid4().hex[:12]
    port = "submission" if login else "smtp"
    with smtplib.SMTP("127.0.0.1", server.ports[port]) as client:
        client.ehlo()
        if login:
            client.login(login, PASSWORD)
        try:
            client.sendmail(sender, [to], f"From: {sender}\r\nSubject: {token}\r\n\r\nx\r\n")
        except smtplib.SMTPRecipientsRefused as refused:
            return refused.recipients[to][0]
    return token


def has(server, account, token):
    return any(token.encode() in m for m in Mailbox(server, account).messages())


def arrives(server, account, token):
    assert isinstance(token, str), token
    Mailbox(server, account).wait_for(token.encode())


@pytest.fixture(autouse=True)
def forget(server):
    yield
    for kind in ("list", "group"):
        for row in shown(server, kind, "list"):
            server.command(kind, "remove", row[kind])
    for row in shown(server, "alias", "list"):
        server.command("alias", "remove", row["alias"], check=False)
    server.command("account", "forward", "a@example.org", "off")


def test_forward_moves_mail_and_can_keep_it(server):
    server.command("account", "forward", "a@example.org", "b@example.org")
    account = shown(server, "account", "show", "a@example.org")
    assert account["forward"] == ["b@example.org"] and not account["forward_keep"]
    moved = send(server, "a@example.org")
    arrives(server, "b@example.org", moved)
    server.command("account", "forward", "a@example.org", "b@example.org", "--keep")
    kept = send(server, "a@example.org")
    arrives(server, "b@example.org", kept)
    arrives(server, "a@example.org", kept)
    assert not has(server, "a@example.org", moved)
    server.command("account", "forward", "a@example.org", "off")
    assert shown(server, "account", "show", "a@example.org")["forward"] == []


def test_list_takes_mail_of_its_members_only(server):
    server.command("group", "add", "staff@example.org", "a@example.org", "b@example.org")
    server.command("list", "add", "all@example.org", "members=group:staff@example.org", "posting=members",
                   "owner=c@example.org")
    assert send(server, "all@example.org") == 550
    token = send(server, "all@example.org", sender="b@example.org")
    arrives(server, "a@example.org", token)
    arrives(server, "b@example.org", token)
    server.command("list", "member", "add", "all@example.org", "c@example.org")
    server.command("group", "member", "remove", "staff@example.org", "b@example.org")
    token = send(server, "all@example.org", sender="c@example.org")
    arrives(server, "c@example.org", token)
    assert send(server, "all@example.org", sender="b@example.org") == 550
    server.command("list", "set", "all@example.org", "posting=authenticated")
    assert send(server, "all@example.org", sender="c@example.org") == 550
    token = send(server, "all@example.org", sender="b@example.org", login="b@example.org")
    arrives(server, "c@example.org", token)
    found = shown(server, "list", "show", "all@example.org")
    assert found["members"] == ["group:staff@example.org", "c@example.org"]
    assert found["posting"] == "authenticated" and found["owner"] == "c@example.org"


def test_domain_alias_has_the_same_addresses(server):
    server.command("domain", "add", "example.net", "alias_of=example.org")
    try:
        arrives(server, "a@example.org", send(server, "a+x@example.net"))
        assert send(server, "nobody@example.net") == 550
        Mailbox(server, "a@example.net").messages()
        assert server.command("account", "add", "z@example.net", "--password-stdin", stdin=b"x\n",
                              check=False).returncode == 2
        assert server.command("domain", "remove", "example.org", check=False).returncode == 1
    finally:
        server.command("domain", "remove", "example.net")


def limits_hold(server):
    domain = f"{uuid.uuid4().hex[:8]}.example"
    server.command("domain", "add", domain, "accounts_max=1", "account_quota_bytes=1M")
    server.add_account(f"one@{domain}", PASSWORD)
    assert shown(server, "account", "show", f"one@{domain}")["quota_bytes"] == 1 << 20
    done = server.command("account", "add", f"two@{domain}", "--password-stdin", stdin=b"x\n", check=False)
    assert done.returncode == 1 and "accounts_max" in done.stderr.decode()
    done = server.command("account", "set", f"one@{domain}", "quota_bytes=2M", check=False)
    assert done.returncode == 1 and "account_quota_bytes" in done.stderr.decode()
    server.command("account", "set", f"one@{domain}", "quota_bytes=4k", "name=Éva One")
    server.command("domain", "set", domain, f"administrators+=one@{domain}", "delimiters=-", "accounts_max=none")
    found = shown(server, "domain", "show", domain)
    assert found["administrators"] == [f"one@{domain}"] and found["accounts_max"] == 0
    assert shown(server, "account", "show", f"one@{domain}")["name"] == "Éva One"
    server.command("account", "remove", f"one@{domain}")
    server.command("domain", "remove", domain)


def test_limits_of_a_domain(server):
    limits_hold(server)


def test_limits_of_a_domain_while_the_server_is_down(server):
    server.stop()
    try:
        limits_hold(server)
    finally:
        server.start()


WRONG = {
    "field": (("account", "set", "a@example.org", "colour=blue"), 2, "has no field 'colour'"),
    "no value": (("account", "set", "a@example.org", "name"), 2, "is not FIELD=VALUE"),
    "secret": (("account", "set", "a@example.org", "password=x"), 2, "has no field 'password'"),
    "size": (("account", "set", "a@example.org", "quota_bytes=much"), 2, "is a size"),
    "choice": (("list", "add", "l@example.org", "posting=some"), 2, "anyone members sender authenticated"),
    "date": (("account", "reply", "a@example.org", "on", "--until", "tomorrow"), 2, "2026-12-24"),
    "on": (("account", "reply", "a@example.org", "maybe"), 2, "on or off"),
    "member": (("list", "add", "l@example.org", "members=nobody@example.org"), 1, "neither an account"),
    "group": (("list", "add", "l@example.org", "members=group:no@example.org"), 1, "there is no group"),
    "domain": (("list", "add", "l@elsewhere.example",), 1, "postroad domain add"),
    "plus": (("account", "set", "a@example.org", "name+=x"), 2, "is set with name="),
    "scope": (("account", "password", "add", "a@example.org", "x", "--scope", "ftp"), 2, "smtp imap pop3"),
    "gone": (("group", "show", "no@example.org"), 1, "there is no group"),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_say_what_to_do(server, name):
    args, status, words = WRONG[name]
    done = server.command(*args, check=False)
    assert done.returncode == status and words in done.stderr.decode(), done.stderr


def test_reply_fields_come_back_as_they_were_set(server):
    server.command("account", "reply", "a@example.org", "on", "--subject", "Away", "--text", "Back soon\nYours",
                   "--from", "2026-01-02", "--until", "2026-02-03T04:05:06Z")
    found = shown(server, "account", "show", "a@example.org")
    assert found["reply_enabled"] and found["reply_subject"] == "Away" and found["reply_text"] == "Back soon\nYours"
    assert (found["reply_from"], found["reply_until"]) == ("2026-01-02T00:00:00Z", "2026-02-03T04:05:06Z")
    server.command("account", "reply", "a@example.org", "off")
    assert not shown(server, "account", "show", "a@example.org")["reply_enabled"]


def test_show_tells_what_is_used(server):
    arrives(server, "c@example.org", send(server, "c@example.org"))
    found = harness.wait_until(lambda: (r := shown(server, "account", "show", "c@example.org")).get("used_bytes")
                               and r, what="use")
    assert found["used_bytes"] > 0


def test_tables_for_people(server):
    server.command("alias", "add", "info@example.org", "a@example.org", "x@elsewhere.example")
    assert server.command("alias", "show", "info@example.org").stdout.decode().split() == [
        "alias", "target", "info@example.org", "a@example.org", "info@example.org", "x@elsewhere.example"]
    text = server.command("domain", "show", "example.org").stdout.decode()
    assert "\nenabled" in text and "accounts_max" in text

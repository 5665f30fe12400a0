"""postroad itself: directory, queue, mailboxes, trace; with the server up and down; exit statuses."""
import json
import os
import signal
import smtplib
import subprocess
import uuid

import pytest

import harness
from conftest import PASSWORD, Mailbox


@pytest.fixture(scope="module")
def own():
    [closed] = harness.free_ports(1)
    with harness.Postroad(settings={"auth_without_tls": "yes", "sts": "no"},
                          sections=f'route "*" {{ to = "[127.0.0.1]:{closed}" }}\n') as server:
        server.start()
        server.add_account("a@example.org", PASSWORD)
        yield server


def listed(server, *args):
    return json.loads(server.command("--json", *args).stdout)


def send(server, to, token, sender="s@example.net"):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.sendmail(sender, [to], f"Subject: {token}\r\nMessage-ID: <{token}@test>\r\n\r\nx\r\n")


def directory_works(server):
    token = uuid.uuid4().hex[:8]
    domain, user = f"{token}.example", f"u@{token}.example"
    server.command("domain", "add", domain)
    server.add_account(user, "one")
    server.command("account", "quota", user, "10G")
    server.command("account", "passwd", user, "--password-stdin", stdin=b"two\n")
    server.command("alias", "add", f"all@{domain}", user, "a@example.org", "out@elsewhere.example")
    server.command("alias", "add", f"@{domain}", user)
    [row] = [d for d in listed(server, "domain", "list") if d["domain"] == domain]
    assert row["enabled"]
    [account] = listed(server, "account", "list", domain)
    assert account["account"] == user and account["quota"] == 10 << 30 and account["enabled"]
    assert listed(server, "account", "show", user)["account"] == user
    assert len(listed(server, "alias", "list", domain)) == 4
    assert server.command("domain", "remove", domain, check=False).returncode == 1
    server.command("alias", "remove", f"all@{domain}")
    server.command("alias", "remove", f"@{domain}", user)
    server.command("account", "remove", user)
    server.command("domain", "remove", domain)
    assert domain not in [d["domain"] for d in listed(server, "domain", "list")]


def test_directory_while_the_server_runs(own):
    directory_works(own)


def test_listing_that_fails_prints_nothing():
    with harness.Postroad() as server:  # never started: there is no directory yet
        done = server.command("--json", "account", "list", check=False)
        assert (done.returncode, done.stdout) == (1, b"") and b"postroad run" in done.stderr


def test_directory_while_it_is_down(own):
    own.stop()
    done = own.command("--json", "status", check=False)
    assert (done.returncode, done.stdout) == (1, b"") and b"postroad run" in done.stderr
    directory_works(own)
    own.start()


def test_domains_of_the_settings_are_there_after_a_reload_and_a_start(own):
    def there():
        return {row["domain"] for row in listed(own, "domain", "list")}

    def remove(domain):
        return own.command("domain", "remove", domain).stderr.decode()
    own.domains = ("example.org", "later.example", "soon.example")
    own.write_config()
    own.reload()
    for domain in own.domains[1:]:
        own.wait_logged("directory.domain.made", domain)
    assert set(own.domains) <= there()
    assert "take it out there" in remove("later.example") and "later.example" not in there()
    own.stop()
    own.start()
    assert "later.example" in there()
    own.domains = ("example.org",)
    own.write_config()
    own.reload()
    assert {"later.example", "soon.example"} <= there()
    assert remove("later.example") == remove("soon.example") == ""


WRONG = {
    "no command": ((), 2), "unknown command": (("frob",), 2), "unknown verb": (("queue", "frob"), 2),
    "too few": (("account", "add"), 2), "too many": (("status", "x"), 2),
    "unknown option": (("queue", "list", "--frob"), 2), "bad id": (("queue", "show", "x"), 2),
    "bad address": (("account", "disable", "not an address"), 2),
    "no such account": (("account", "disable", "nobody@example.org"), 1),
    "no such message": (("queue", "show", "0000000000001"), 1),
    "bad size": (("account", "quota", "a@example.org", "many"), 2),
    "nothing picked": (("queue", "hold"), 2), "no trace": (("trace", "nothing-of-that-name"), 1),
    "help": (("help",), 0), "check": (("check",), 0),
}


@pytest.mark.parametrize("row", WRONG)
def test_exit_status(own, row):
    args, status = WRONG[row]
    done = own.command(*args, check=False)
    assert done.returncode == status, done.stderr
    assert status == 0 or done.stderr



SAID = {
    "an option of all commands behind one": (("account", "list", "--json"), 2, "postroad --json"),
    "no such noun": (("acount", "list"), 2, "`postroad help`"),
    "a noun without its verb": (("account",), 2, "account add"),
    "no such setting": (("settings", "nonsense"), 1, "nonsense"),
}


@pytest.mark.parametrize("row", SAID)
def test_what_to_do_is_said(own, row):
    args, status, words = SAID[row]
    done = own.command(*args, check=False)
    assert done.returncode == status and words in done.stderr.decode()
    assert len(done.stderr.splitlines()) < 30


def test_no_limit_is_called_so(own):
    own.add_account("free@example.org")
    assert "none" in own.command("mailbox", "usage", "free@example.org").stdout.decode()
    assert listed(own, "mailbox", "usage", "free@example.org")["quota"] == 0
    [row] = [r for r in own.command("account", "list").stdout.decode().splitlines() if r.startswith("free@")]
    assert "none" in row.split()
    shown = dict(line.split(maxsplit=1) for line in
                 own.command("account", "show", "free@example.org").stdout.decode().splitlines() if len(line.split()) > 1)
    assert shown["quota_bytes"] == "none" and shown["used_bytes"] == "0 B"


@pytest.mark.skipif(os.geteuid() != 0, reason="nobody but root has what others cannot read")
def test_check_finds_a_table_that_authd_cannot_read(own):
    table, settings = own.folder / "only-root", own.folder / "table.conf"
    table.write_text("a b\n")
    settings.write_text(own.config.read_text() + f'table "t" {{ type = "text" file = "{table}" }}\n')
    for mode, status in (0o600, 1), (0o644, 0):
        table.chmod(mode)
        done = subprocess.run([own.build / "bin/postroad", "--config", settings, "check"], capture_output=True,
                              timeout=harness.PATIENCE_S)
        assert done.returncode == status and (b"Permission denied" in done.stderr) == (status == 1), done.stderr


def test_export_wants_a_place(own, tmp_path):
    own.add_account("out@example.org")
    send(own, "out@example.org", "out")
    Mailbox(own, "out@example.org").wait_for(b"out")
    done = own.command("mailbox", "export", "out@example.org", tmp_path / "none/there", check=False)
    assert done.returncode == 1 and b"must be there" in done.stderr


def test_nothing_to_restore_is_told(own):
    own.add_account("whole@example.org")
    send(own, "whole@example.org", "whole")
    Mailbox(own, "whole@example.org").wait_for(b"whole")
    done = own.command("mailbox", "restore", "whole@example.org", "--at", "1h ago")
    assert b"nothing" in done.stdout


def test_aliases_deliver_to_each_account_once(own):
    own.add_account("b@example.org", PASSWORD)
    own.command("alias", "add", "team@example.org", "a@example.org", "b@example.org")
    own.command("alias", "add", "all@example.org", "team@example.org", "a@example.org")
    token = uuid.uuid4().hex
    send(own, "all@example.org", token)
    for name in "ab":
        assert len(Mailbox(own, f"{name}@example.org").wait_for(token.encode())) == 1


def test_catch_all_and_plus_address(own):
    own.command("domain", "add", "catch.example")
    own.command("alias", "add", "@catch.example", "a@example.org")
    tokens = [uuid.uuid4().hex for _ in range(2)]
    send(own, "whoever@catch.example", tokens[0])
    send(own, "a+detail@example.org", tokens[1])
    for token in tokens:
        assert Mailbox(own, "a@example.org").wait_for(token.encode())


def test_mail_to_outside_waits_and_obeys(own):
    import base64
    from wire import greeted
    with greeted(own.ports["submission"]) as wire:
        login = base64.b64encode(f"\0a@example.org\0{PASSWORD}".encode()).decode()
        assert wire.say(f"AUTH PLAIN {login}").startswith("235")
        wire.say("MAIL FROM:<a@example.org>")
        assert wire.say("RCPT TO:<x@outside.example>").startswith("250")
        wire.say("DATA")
        reply = wire.say(b"Subject: out\r\n\r\nx\r\n.\r\n")
    queue_id = reply.split()[-1]

    def status():
        rows = [r for r in listed(own, "queue", "list") if r["id"] == queue_id]
        return rows[0]["status"] if rows else None
    harness.wait_until(lambda: status() == "deferred", what="deferred")
    shown = listed(own, "queue", "show", queue_id)
    [recipient] = shown["recipients"]
    assert recipient["address"] == recipient["given"] == "x@outside.example" and recipient["state"] == "waiting"
    assert shown["sender"] == "a@example.org" and "Subject: out" in shown["headers"]
    own.command("queue", "hold", queue_id)
    assert status() == "held"
    own.stop()
    own.start()
    assert harness.wait_until(status, what="the queue again") == "held"
    own.command("queue", "release", queue_id)
    harness.wait_until(lambda: status() == "deferred", what="deferred again")
    own.command("queue", "flush", "--to", "outside.example")
    # One that is being tried just now cannot be.
    harness.wait_until(lambda: own.command("queue", "requeue", queue_id, check=False).returncode == 0, what="requeue")
    harness.wait_until(lambda: status() == "deferred", what="deferred after requeue")
    stats = listed(own, "queue", "stats")
    assert stats["total"] >= 1 and stats["complete"] is True
    [row] = [r for r in stats["domains"] if r["domain"] == "outside.example"]
    assert row["under_5m"] == row["total"] >= 1
    own.command("queue", "remove", queue_id)
    assert status() is None


def test_mailbox_commands(own):
    token = uuid.uuid4().hex
    send(own, "a@example.org", token + "\r\nX-Filler: " + "x" * 50000)
    Mailbox(own, "a@example.org").wait_for(token.encode())
    boxes = {b["mailbox"]: b for b in listed(own, "mailbox", "list", "a@example.org")}
    assert {"INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"} <= set(boxes)
    assert boxes["INBOX"]["messages"] == listed(own, "mailbox", "usage", "a@example.org")["messages"] > 0
    assert listed(own, "mailbox", "verify", "a@example.org") == []
    before = Mailbox(own, "a@example.org").messages()
    Mailbox(own, "a@example.org").messages(clear=True)
    done = listed(own, "mailbox", "compact", "a@example.org", "--all")
    assert done["after"] < done["before"] and done["dropped"] >= len(before)
    assert Mailbox(own, "a@example.org").messages() == []
    assert listed(own, "mailbox", "verify", "a@example.org") == []


def test_damage_is_named_and_confined(own):
    own.add_account("d@example.org", PASSWORD)
    tokens = [uuid.uuid4().hex for _ in range(3)]
    for token in tokens:
        send(own, "d@example.org", token)
        Mailbox(own, "d@example.org").wait_for(token.encode())
    number = listed(own, "account", "show", "d@example.org")["id"]
    [data] = own.mail.glob(f"*/{number:016x}/data.*")
    raw = data.read_bytes()
    at = raw.index(tokens[1].encode())
    with open(data, "r+b") as f:
        f.seek(at)
        f.write(b"X")
    done = own.command("--json", "mailbox", "verify", "d@example.org", check=False)
    assert done.returncode == 1
    [finding] = json.loads(done.stdout)
    assert finding["mailbox"] == "INBOX" and finding["uid"] == 2


def test_trace_shows_the_way_from_connect_to_mailbox(own):
    token = uuid.uuid4().hex
    send(own, "a@example.org", token)
    Mailbox(own, "a@example.org").wait_for(token.encode())

    def events_of(what):
        return listed(own, "trace", what) if own.command("trace", what, check=False).returncode == 0 else []

    def names_of(what):
        return [e["event"] for e in events_of(what)]
    harness.wait_until(lambda: "local.delivered" in names_of(f"<{token}@test>"), what="the delivery in the log")
    events = events_of(f"<{token}@test>")
    assert {"smtp.connect", "smtp.accepted"} <= {e["event"] for e in events}
    queue_id = next(e["fields"]["id"] for e in events if e["event"] == "smtp.accepted")
    harness.wait_until(lambda: "queue.done" in names_of(queue_id), what="the end of it")
    assert len(listed(own, "trace", "a@example.org")) >= len(events)



JOURNAL = """#!/bin/sh
[ -e {log} ] || exit 1
sed 's/Z / {host}postroad[7]: /' {log}
"""


@pytest.mark.parametrize("log_to", ["journal", "stderr"])
def test_trace_reads_the_journal(own, tmp_path, monkeypatch, log_to):
    token = uuid.uuid4().hex
    send(own, "a@example.org", token)
    [accepted] = own.wait_logged("smtp.accepted", token)
    queue_id = accepted.split(" id=")[1].split()[0]
    own.wait_logged("local.delivered", queue_id)
    program, log = tmp_path / "journalctl", own.log

    def trace(*options):
        command = [own.build / "bin/postroad", "--config", settings, *options, "trace", queue_id]
        return subprocess.run(command, capture_output=True, timeout=harness.PATIENCE_S)
    settings = tmp_path / "postroad.conf"
    settings.write_text(own.config.read_text().replace(str(own.log), log_to))
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    # The name of the machine may be there, and may look like an event.
    for host in "", "mail.example.org ":
        program.write_text(JOURNAL.format(log=log, host=host))
        program.chmod(0o755)
        events = [e["event"] for e in json.loads(trace("--json").stdout)]
        assert "smtp.accepted" in events and "local.delivered" in events, events
    program.write_text(JOURNAL.format(log=tmp_path / "none", host=""))
    done = trace()
    assert done.returncode == 1 and b"path of a file" in done.stderr


def test_status_and_reload(own):
    programs = {row["program"] for row in listed(own, "status")}
    assert {"smtpd", "spoold", "qmgr", "local", "authd", "gate", "pop3d"} <= programs
    assert any(row["name"] for row in listed(own, "metrics"))
    own.write_config(smtp_idle_timeout_s='"7m"')
    own.command("reload")
    own.config.write_text(own.config.read_text() + "frob = 1\n")
    assert own.command("reload", check=False).returncode == 1
    done = own.command("check", check=False)
    assert done.returncode == 1 and b"postroad.conf:" in done.stderr and b"frob" in done.stderr
    own.write_config()
    own.command("reload")


def test_stop_command(own):
    own.command("stop")
    assert own.process.wait(harness.PATIENCE_S) == 0
    assert own.command("status", check=False).returncode == 1
    own.start()


def test_queue_says_when_it_does_not_know_all(own):
    """A new qmgr has not looked through the spool while spoold does not say where it ends."""
    [spoold], [qmgr] = own.pids("spoold"), own.pids("qmgr")
    harness.freeze(spoold)
    try:
        os.kill(qmgr, signal.SIGKILL)
        harness.wait_until(lambda: own.pids("qmgr") and qmgr not in own.pids("qmgr"), what="a new qmgr")
        done = harness.wait_until(
            lambda: (d := own.command("--json", "queue", "stats", check=False)).stdout and d, what="an answer")
        assert done.returncode == 75 and json.loads(done.stdout)["complete"] is False
        assert b"not all" in done.stderr
    finally:
        os.kill(spoold, signal.SIGCONT)
    harness.wait_until(lambda: own.command("queue", "stats", check=False).returncode == 0, what="all of it")

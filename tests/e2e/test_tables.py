"""Lookup tables, made by Postfix's own postmap: the same answers as its, and what they do to mail."""
import json
import os
import random
import shutil
import select
import signal
import smtplib
import string
import subprocess
import time

import pytest

import harness
import postgres
from conftest import PASSWORD, Mailbox
from dns_server import DnsServer
from test_remote import Sink

pytestmark = pytest.mark.skipif(not shutil.which("postmap"), reason="needs Postfix's postmap")
SEED = int(os.environ.get("SEED", random.randrange(1 << 32)))


# --- the same answers as postmap ------------------------------------------------------------

class Tables:
    """Tables of every type, and a Postroad that does not run but can be asked for them."""

    def __init__(self, folder):
        self.folder, self.types = folder, {}
        # postmap runs as whoever owns the source.
        folder.chmod(0o755)

    def add(self, name, kind, text):
        (self.folder / name).write_text(text)
        self.types[name] = kind
        if kind in ("hash", "btree"):
            subprocess.run(["postmap", *self.flags.get(name, ()), f"{kind}:{self.folder / name}"], check=True)

    flags = {"hash_nul": ["-N"], "hash_none": ["-n"], "btree_nul": ["-N"], "btree_none": ["-n"]}

    def sections(self):
        return "\n".join(f'table "{n}" {{ type = "{k}" file = "{self.folder / n}" }}'
                         for n, k in self.types.items())

    def postfix(self, name, keys):
        """{key: value} as postmap has it"""
        kind = {"text": "texthash"}.get(self.types[name], self.types[name])
        done = subprocess.run(["postmap", "-q", "-", f"{kind}:{self.folder / name}"],
                              input="\n".join(keys).encode(), capture_output=True)
        assert b"fatal" not in done.stderr, done.stderr
        return answers(done.stdout)


def answers(output):
    """{key: value}; a pattern may have taken half of a letter"""
    return dict(line.split("\t", 1) for line in output.decode(errors="surrogateescape").splitlines())


def asked(server, name, keys):
    done = server.command("table", "query", name, "-", stdin="\n".join(keys).encode(), check=False)
    assert not done.stderr, done.stderr
    return answers(done.stdout)


def some(r, letters, most):
    return "".join(r.choice(letters) for _ in range(r.randint(1, most)))


def random_keys(r, n):
    words = ["a", "b", "info", "Sales", "x+y", "ö", "mail", "q"]
    domains = ["example.org", "mail.example.org", "EXAMPLE.net", "org", "ü.example"]
    return [r.choice([
        f"{r.choice(words)}@{r.choice(domains)}", r.choice(domains), r.choice(words),
        f"{r.choice(words)}@", f"10.{r.randint(0, 3)}.{r.randint(0, 3)}.{r.randint(0, 9)}",
        f"2001:db8:{r.randint(0, 3):x}::{r.randint(0, 9):x}", some(r, "abc.@+\\\"", 8)]) for _ in range(n)]


def random_text(r):
    lines = []
    for key in dict.fromkeys(k.lower() for k in random_keys(r, 60)):
        if key.count('"') % 2 or "\\" in key or key.startswith("#"):
            continue
        lines.append(f"{key if r.random() < 0.8 else key.upper()}{r.choice([' ', '  ', chr(9)])}"
                     f"{some(r, string.ascii_letters, 9)}{r.choice(['', ' ', ' two words'])}")
        if r.random() < 0.1:
            lines.append(r.choice(["# comment", "", "   goes on", "\tagain", "  # comment"]))
    return "\n".join(lines) + "\n"


def random_rules(r, pattern, depth=0):
    lines = []
    for _ in range(r.randint(1, 6)):
        negated = r.choice(["", "", "", "!"])
        if depth < 3 and r.random() < 0.2:
            lines += [f"{r.choice(['if', 'IF'])} {negated}{pattern(r)[0]}", *random_rules(r, pattern, depth + 1), "endif"]
        else:
            text, groups = pattern(r)
            result = some(r, string.ascii_letters, 6)
            if groups and not negated:
                result += r.choice(["$1", "${1}x", "$(1) $$", " $1 end"])
            lines.append(f"{negated}{text} {result}")
    return lines


def random_pattern(r):
    text = r.choice(["^a", "(b|c)", "org$", "[a-c]+", "(info|sales)@", r"\.", "^([a-z]|ö)", "(x)?y", "@(mail\\.)?", "q*", "é|ö"])
    return f"/{text}/{r.choice(['', '', 'i', 'ii', 'm'])}", text.count("(") > 0


def random_network(r):
    if r.random() < 0.4:
        return r.choice(["2001:db8::/32", f"2001:db8:{r.randint(0, 3)}::/48", "::/0", f"[2001:db8:1::{r.randint(0, 9)}]"]), False
    return r.choice(["10.0.0.0/8", f"10.{r.randint(0, 3)}.0.0/16", f"10.1.{r.randint(0, 3)}.0/24", "0.0.0.0/0",
                     f"10.1.1.{r.randint(0, 9)}"]), False


def test_answers_are_those_of_postmap(tmp_path):
    print(f"SEED={SEED}")
    r = random.Random(SEED)
    for parent in (tmp_path, *tmp_path.parents[:2]):
        parent.chmod(0o755)
    tables = Tables(tmp_path)
    for name in ("text", "hash", "btree", *Tables.flags):
        tables.add(name, name.split("_")[0], random_text(r))
    for name in ("regexp", "pcre"):
        for i in range(4):
            tables.add(f"{name}{i}", name, "\n".join(random_rules(r, random_pattern)) + "\n")
    for i in range(4):
        tables.add(f"cidr{i}", "cidr", "\n".join(random_rules(r, random_network)) + "\n")
    keys = list(dict.fromkeys(random_keys(r, 400)))
    found = 0
    with harness.Postroad(sections=tables.sections(), tls=None) as server:
        for name in tables.types:
            want = tables.postfix(name, keys)
            assert asked(server, name, keys) == want, name
            found += len(want)
    assert found > 500


# --- what they do to mail --------------------------------------------------------------------

POSTMAPPED = {
    "senders": "bad@spam.example REJECT 5.7.1 No spam\nspam.example DUNNO\nevil.example 554 Evil\n<> OK\nlater.example DEFER 4.7.9 Come back\n"
               "hold.example HOLD look at it\naway.example REDIRECT b@example.org\ncopy.example BCC c@example.org\n"
               "marked.example PREPEND X-Marked: by its sender, with quite a few words that do not fit into one single line\n"
               "permit.example DEFER_IF_PERMIT Try later\nreject.example DEFER_IF_REJECT 4.2.1 Perhaps later\n"
               "nowhere.example REDIRECT nobody-there@example.org\nwarned.example WARN so it is\nhangup.example 521 Go\n",
    "recipients": "held@example.org HOLD\nmarked@example.org PREPEND X-For: marked\nboth@example.org DUNNO\nvoid@example.org DISCARD\nteam@example.org OK\na@example.org DUNNO\nclosed@ REJECT Closed\n",
    "virtual": "info@example.org a@example.org, b@example.org\nold@example.org c@example.org\nloop1@example.org loop2@example.org\n"
               "loop2@example.org loop1@example.org\nshop d\n@alias.example @example.org\nnobody@example.org nothing@example.org\n"
               "held@example.org d@example.org\nmarked@example.org d@example.org\n",
    "logins": "sales@example.org a@example.org, b@example.org\n",
}


def address_of(sink):
    return f"[127.0.0.1]:{sink.port}"


@pytest.fixture(scope="module")
def sink():
    with Sink() as s:
        yield s


@pytest.fixture(scope="module")
def lmtp():
    with Sink(lmtp=True) as s:
        yield s


@pytest.fixture(scope="module")
def server(sink, lmtp):
    with harness.Postroad(domains=("example.org", "alias.example"), settings={
            "auth_without_tls": "yes", "auth_delay_s": "0", "smtp_greet_delay_ms": "0", "remote_tls": '"none"'}) as s:
        folder = s.folder / "tables"
        folder.mkdir()
        folder.chmod(0o755)
        s.tables = folder
        for name, text in POSTMAPPED.items():
            (folder / name).write_text(text)
            subprocess.run(["postmap", f"hash:{folder / name}"], check=True)
        (folder / "helo").write_text("/^(spammer)\\./ REJECT you are a $1\n/^(noted)\\./ PREPEND X-Helo: $1\n")
        (folder / "clients").write_text("127.0.0.9 REJECT Not from there\n")
        (folder / "routes").write_text(f"far.example smtp:{address_of(sink)}\nby-lmtp.example lmtp:inet:{address_of(lmtp)}\n.below.example smtp:{address_of(sink)}\n"
                                       "gone.example error:5.1.2 no such place\n")
        kinds = {**dict.fromkeys(POSTMAPPED, "hash"), "helo": "pcre", "clients": "cidr", "routes": "text"}
        s.sections = "\n".join(f'table "{n}" {{ type = "{k}" file = "{folder / n}" }}' for n, k in kinds.items())
        s.write_config(client_access='{"clients"}', helo_access='{"helo"}', sender_access='{"senders"}',
                       recipient_access='{"recipients"}', alias_tables='{"virtual"}', route_tables='{"routes"}',
                       sender_tables='{"logins"}')
        s.start()
        for name in "abcd":
            s.add_account(f"{name}@example.org", PASSWORD)
        yield s


def rcpt(server, sender, recipient, helo="client.example", source="127.0.0.1", login=None):
    """Code and text of the answer at RCPT."""
    with smtplib.SMTP(source_address=(source, 0)) as client:
        client.connect("127.0.0.1", server.ports["submission" if login else "smtp"])
        client.ehlo(helo)
        if login:
            client.login(login, PASSWORD)
        code, text = client.mail(sender)
        if code != 250:
            return f"MAIL {code} {text.decode()}"
        code, text = client.rcpt(recipient)
        return f"{code} {text.decode()}"


def send(server, recipient, text, sender="x@outside.example"):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        return client.sendmail(sender, [recipient], f"Subject: {text}\r\n\r\nhello\r\n".encode())


@pytest.mark.parametrize("what, want", [
    (dict(sender="bad@spam.example", recipient="a@example.org"), "554 5.7.1 No spam"),
    (dict(sender="good@spam.example", recipient="a@example.org"), "250"),
    (dict(sender="x@sub.evil.example", recipient="a@example.org"), "554 5.7.1 Evil"),
    (dict(sender="x@later.example", recipient="a@example.org"), "450 4.7.9 Come back"),
    (dict(sender="x@fine.example", recipient="closed+box@example.org"), "554 5.7.1 Closed"),
    (dict(sender="x@fine.example", recipient="a@example.org", helo="spammer.example"), "554 5.7.1 you are a spammer"),
    (dict(sender="x@fine.example", recipient="a@example.org", source="127.0.0.9"), "554 5.7.1 Not from there"),
    (dict(sender="", recipient="a@example.org"), "250"),
    (dict(sender="x@permit.example", recipient="a@example.org"), "450 4.7.1 Try later"),
    (dict(sender="x@permit.example", recipient="void@example.org"), "450 4.7.1 Try later"),
    (dict(sender="x@permit.example", recipient="nobody@example.org"), "550 5.1.1"),
    (dict(sender="x@permit.example", recipient="closed@example.org"), "554 5.7.1 Closed"),
    (dict(sender="x@reject.example", recipient="a@example.org"), "250"),
    (dict(sender="x@reject.example", recipient="nobody@example.org"), "450 4.2.1 Perhaps later"),
    (dict(sender="x@reject.example", recipient="closed@example.org"), "450 4.2.1 Perhaps later"),
    (dict(sender="x@reject.example", recipient="x@far.example"), "450 4.2.1 Perhaps later"),
    (dict(sender="x@nowhere.example", recipient="a@example.org"), "451"),
    (dict(sender="x@away.example", recipient="nobody@example.org"), "550 5.1.1"),
    (dict(sender="x@hangup.example", recipient="a@example.org"), "521 5.7.1 Go"),
    (dict(sender="x@fine.example", recipient="nobody@example.org"), "550 5.1.1"),
    (dict(sender="x@fine.example", recipient="loop1@example.org"), "451"),
    (dict(sender="x@fine.example", recipient="x@far.example"), "550 5.7.1 Relaying denied"),
    (dict(sender="a@example.org", recipient="x@gone.example", login="a@example.org"), "550 5.1.2 no such place"),
    (dict(sender="a@example.org", recipient="a@example.org", login="a@example.org", helo="spammer.example"), "250"),
    (dict(sender="sales@example.org", recipient="a@example.org", login="b@example.org"), "250"),
    (dict(sender="sales@example.org", recipient="a@example.org", login="c@example.org"), "MAIL 553 5.7.1"),
    (dict(sender="c@example.org", recipient="a@example.org", login="c@example.org"), "250"),
], ids=lambda v: None if isinstance(v, str) else "-".join(v.values()) or "-")
def test_answer_at_rcpt(server, what, want):
    assert rcpt(server, **what).startswith(want)


def test_aliases_come_before_accounts(server):
    send(server, "info@example.org", "to-both")
    send(server, "old+box@example.org", "with-detail")
    send(server, "shop@example.org", "bare")
    send(server, "a@alias.example", "other-domain")
    Mailbox(server, "a@example.org").wait_for(b"to-both")
    Mailbox(server, "b@example.org").wait_for(b"to-both")
    assert b"c+box@example.org" in Mailbox(server, "c@example.org").wait_for(b"with-detail")[0]
    Mailbox(server, "d@example.org").wait_for(b"bare")
    Mailbox(server, "a@example.org").wait_for(b"other-domain")


def test_discarded_mail_is_taken_and_forgotten(server):
    send(server, "void@example.org", "into-the-void")
    send(server, "a@example.org", "after-the-void")
    Mailbox(server, "a@example.org").wait_for(b"after-the-void")
    server.wait_logged("smtp.discarded", "rcpt=void@example.org")
    waiting = json.loads(server.command("--json", "queue", "list").stdout)
    assert not any("void@example.org" in row["recipients"] for row in waiting)


def swaks(server, sender, recipients, subject, helo="client.example"):
    done = subprocess.run(["swaks", "--server", "127.0.0.1", "--port", str(server.ports["smtp"]), "--helo", helo, "--from", sender,
                           "--to", ",".join(recipients), "--header", f"Subject: {subject}", "--body", "hello"],
                          capture_output=True, timeout=60)
    assert done.returncode == 0, done.stdout


def queued(server):
    return json.loads(server.command("--json", "queue", "list").stdout)


def head(message):
    return message.split(b"\r\n\r\n")[0].decode()


def has(server, who, needle):
    return any(needle in m for m in Mailbox(server, f"{who}@example.org").messages())


@pytest.mark.parametrize("sender, recipients", [
    ("x@hold.example", ["a@example.org", "b@example.org"]), ("x@fine.example", ["a@example.org", "held@example.org"])],
    ids=["sender", "one recipient"])
def test_held_mail_waits_for_its_release_as_a_whole(server, sender, recipients):
    subject = f"held-from-{sender}"
    swaks(server, sender, recipients, subject)
    rows = harness.wait_until(lambda: [r for r in queued(server) if r["status"] == "held" and sender == r["sender"]], what="it is held")
    assert len(rows) == 1 and "access table" in rows[0]["reason"], rows
    server.wait_logged("smtp.changed", f"id={rows[0]['id']}", "held=1")
    assert not has(server, "a", subject.encode())
    server.command("queue", "release", rows[0]["id"])
    for recipient in recipients:
        Mailbox(server, recipient.replace("held@", "d@")).wait_for(subject.encode())
    harness.wait_until(lambda: not [r for r in queued(server) if r["id"] == rows[0]["id"]], what="it is gone")


def test_held_mail_outlives_a_restart(server):
    swaks(server, "x@hold.example", ["a@example.org"], "held-over-night")
    row = harness.wait_until(lambda: [r for r in queued(server) if r["status"] == "held"], what="it is held")[0]
    server.stop()
    server.start()
    rows = [r for r in queued(server) if r["id"] == row["id"]]
    assert [r["status"] for r in rows] == ["held"]
    server.command("queue", "release", row["id"])
    Mailbox(server, "a@example.org").wait_for(b"held-over-night")


def test_redirected_mail_goes_to_nobody_else(server):
    swaks(server, "x@away.example", ["a@example.org", "held@example.org"], "redirected")
    row = harness.wait_until(lambda: [r for r in queued(server) if r["status"] == "held"], what="both actions hold")[0]
    server.command("queue", "release", row["id"])
    Mailbox(server, "b@example.org").wait_for(b"redirected")
    server.wait_logged("smtp.changed", "redirect=b@example.org")
    for who in "acd":
        assert not has(server, who, b"redirected")


def test_a_copy_goes_once_and_the_header_does_not_tell(server):
    swaks(server, "x@copy.example", ["a@example.org", "b@example.org"], "copied")
    message = Mailbox(server, "c@example.org").wait_for(b"copied")[0]
    Mailbox(server, "a@example.org").wait_for(b"copied")
    Mailbox(server, "b@example.org").wait_for(b"copied")
    assert len(Mailbox(server, "c@example.org").wait_for(b"copied")) == 1
    assert b"c@example.org" not in head(message).encode().split(b"Received:", 1)[1]


def test_fields_of_several_tables_come_before_the_message(server):
    swaks(server, "x@marked.example", ["a@example.org", "marked@example.org"], "prepended", helo="noted.example")
    for who in "ad":
        lines = head(Mailbox(server, f"{who}@example.org").wait_for(b"prepended")[0])
        fields = lines.replace("\r\n ", " ")
        assert fields.count("X-Helo: noted\r\n") == fields.count("X-For: marked\r\n") == 1
        assert "X-Marked: by its sender, with quite a few words that do not fit into one single line\r\n" in fields
        assert max(map(len, lines.split("\r\n"))) <= 100
        assert fields.index("X-Helo") < fields.index("X-Marked") < fields.index("X-For") < fields.index("Received:")


def test_a_warning_is_in_the_log(server):
    assert rcpt(server, "x@warned.example", "a@example.org").startswith("250")
    server.wait_logged("access.action", 'action="WARN so it is"', "from=x@warned.example")


def test_an_address_that_leads_nowhere_is_in_the_log(server):
    assert rcpt(server, "x@nowhere.example", "a@example.org").startswith("451")
    server.wait_logged("smtp.no_target", "address=nobody-there@example.org")


@pytest.mark.parametrize("action, why", [
    ("FILTER smtp:[127.0.0.1]:10024", "needs a content filter"), ("reject_unknown_sender_domain", "restriction of Postfix"),
    ("PREPEND no header", "needs a header field"), ("REDIRECT somebody", "needs one address"), ("my_class", "restriction class")])
def test_what_is_not_known_is_told_with_its_line(server, action, why):
    clients = server.tables / "helo"
    before = clients.read_text()
    clients.write_text(f"# first\n/^x$/ DUNNO\n/^y$/ {action}\n")
    checked = server.command("check", check=False)
    clients.write_text(before)
    assert checked.returncode == 1
    assert f"{clients}:3: " in checked.stderr.decode() and why in checked.stderr.decode()


def test_routes_of_tables_are_taken(server, sink):
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as client:
        client.login("a@example.org", PASSWORD)
        for domain in ("far.example", "deep.below.example"):
            client.sendmail("a@example.org", [f"x@{domain}"], f"Subject: {domain}\r\n\r\nhello\r\n".encode())
    for domain in (b"far.example", b"deep.below.example"):
        harness.wait_until(lambda d=domain: any(d in str(m).encode() for m in sink.messages), what=domain)


def test_route_of_a_table_may_lead_to_lmtp(server, lmtp):
    with smtplib.SMTP("127.0.0.1", server.ports["submission"]) as client:
        client.login("a@example.org", PASSWORD)
        client.sendmail("a@example.org", ["x@by-lmtp.example"], b"Subject: lmtp\r\n\r\nhello\r\n")
    harness.wait_until(lambda: lmtp.messages, what="the message")
    assert lmtp.messages[0][0] == ["x@by-lmtp.example"] and lmtp.commands[0].startswith("LHLO ")


def rewrite(server, name, text):
    """As an operator does it: the file, then postmap."""
    (server.tables / name).write_text(text)
    subprocess.run(["postmap", f"hash:{server.tables / name}"], check=True)


def test_a_changed_table_is_taken_up_by_itself(server):
    rewrite(server, "recipients", POSTMAPPED["recipients"] + "b@example.org REJECT New rule\n")
    harness.wait_until(lambda: rcpt(server, "x@fine.example", "b@example.org").startswith("554 5.7.1 New rule"))
    rewrite(server, "recipients", POSTMAPPED["recipients"])
    harness.wait_until(lambda: rcpt(server, "x@fine.example", "b@example.org").startswith("250"))


def test_a_table_that_breaks_is_used_as_it_was(server):
    routes = server.tables / "routes"
    before = routes.read_text()
    routes.write_text(before + "bad.example uucp:nowhere\n")
    harness.wait_until(lambda: rcpt(server, "a@example.org", "x@gone.example", login="a@example.org") and
                       server.logged("table.problem", "table=routes"), 20, "the problem in the log")
    line = server.logged("table.problem", "table=routes", "line=5")[0]
    assert "uucp:nowhere" in line
    assert rcpt(server, "a@example.org", "x@gone.example", login="a@example.org").startswith("550 5.1.2")
    checked = server.command("check", check=False)
    assert checked.returncode == 1
    assert f"{routes}:5: \"uucp:nowhere\" is no route" in checked.stderr.decode()
    routes.write_text(before)


def test_operator_asks_tables(server):
    assert server.command("table", "query", "virtual", "info@example.org").stdout == b"a@example.org, b@example.org\n"
    assert server.command("table", "query", "virtual", "nothing", check=False).returncode == 1
    assert server.command("table", "query", "helo", "spammer.x").stdout == b"REJECT you are a spammer\n"
    wrong = server.command("table", "query", "nowhere", "x", check=False)
    assert wrong.returncode == 1 and b'no table "nowhere"' in wrong.stderr
    rows = {row["table"]: row for row in json.loads(server.command("--json", "table", "list").stdout)}
    assert rows["virtual"]["type"] == "hash" and rows["virtual"]["ready"] and rows["virtual"]["asked"] > 0
    assert rows["routes"]["entries"] == 4
    assert "clients" in server.command("table", "list").stdout.decode()


def test_reload_takes_new_tables(server):
    (server.tables / "more").write_text("127.0.0.8 REJECT More\n")
    server.sections += f'\ntable "more" {{ type = "cidr" file = "{server.tables / "more"}" }}'
    server.write_config(client_access='{"clients", "more"}')
    server.command("reload")
    harness.wait_until(lambda: rcpt(server, "x@fine.example", "a@example.org", source="127.0.0.8").startswith("554 5.7.1 More"))
    assert rcpt(server, "x@fine.example", "a@example.org").startswith("250")


# --- names of clients --------------------------------------------------------------------------

NAMES = """
11 PTR mx.good.example.
12 PTR mx.good.example.
14 PTR mx.broken.example.
15 PTR mx.broken.example.
16 PTR lost.good.example.
16 PTR two.good.example.
17 PTR spam.bad.example.
18 PTR mx.good.example.
18 PTR gone.broken.example.
"""
CLIENTS = """mx.good.example PREPEND X-Name: by name
good.example PREPEND X-Name: by parent
bad.example REJECT Bad name
unknown REJECT Who are you
127.0.0.11 REJECT Not by address
127.0.0.13 OK
"""


@pytest.fixture(scope="module")
def dns():
    server = DnsServer()
    with server:
        server.zone("127.in-addr.arpa", NAMES.replace(" PTR", ".0.0 PTR"))
        server.zone("good.example", "mx A 127.0.0.11\ntwo A 127.0.0.16")
        server.zone("bad.example", "spam A 127.0.0.17")
        server.zone("broken.example", "mx A 127.0.0.14", signed=True, fault="broken")
        server.start()
        yield server


@pytest.fixture(scope="module")
def named(dns):
    with harness.Postroad(settings={
            "auth_without_tls": "yes", "smtp_greet_delay_ms": "0", "dns_servers": f'{{"{dns.address}@{dns.port}"}}', "client_name_timeout_s": "5",
            "trusted_networks": '{"127.0.0.18/32"}'}) as s:
        anchor = s.folder / "anchor"
        anchor.write_text(dns.trust_anchor + "\n")
        anchor.chmod(0o644)
        clients = s.folder / "clients"
        clients.write_text(CLIENTS)
        (s.folder / "nets").write_text("127.0.0.15 REJECT Not from there\n")
        s.folder.chmod(0o755)
        subprocess.run(["postmap", f"hash:{clients}"], check=True)
        s.sections = f'table "nets" {{ type = "cidr" file = "{s.folder}/nets" }}\ntable "clients" {{ type = "hash" file = "{clients}" }}'
        s.write_config(client_access='{"nets", "clients"}', dns_trust_anchor=f'"{anchor}"')
        s.start()
        s.add_account("a@example.org", PASSWORD)
        yield s


@pytest.mark.parametrize("source, want", [
    ("127.0.0.11", "250"), ("127.0.0.12", "554 5.7.1 Who are you"), ("127.0.0.13", "554 5.7.1 Who are you"),
    ("127.0.0.14", "450 4.7.25 Your host name"), ("127.0.0.15", "554 5.7.1 Not from there"), ("127.0.0.16", "250"),
    ("127.0.0.17", "554 5.7.1 Bad name"), ("127.0.0.18", "250")],
    ids=["name before address", "no address of that name", "no name", "bogus", "network before the name", "second name",
         "parent of the name", "trusted"])
def test_client_is_judged_by_its_name(named, source, want):
    assert rcpt(named, "x@fine.example", "a@example.org", source=source).startswith(want)


def test_verified_name_is_in_header_and_log(named):
    for source, subject in (("127.0.0.11", "named"), ("127.0.0.16", "second-named")):
        with smtplib.SMTP(source_address=(source, 0)) as client:
            client.connect("127.0.0.1", named.ports["smtp"])
            client.sendmail("x@fine.example", ["a@example.org"], f"Subject: {subject}\r\n\r\nhello\r\n".encode())
    text = head(Mailbox(named, "a@example.org").wait_for(b"Subject: named")[0])
    assert "(mx.good.example [127.0.0.11])" in text and "X-Name: by name" in text
    text = head(Mailbox(named, "a@example.org").wait_for(b"second-named")[0])
    assert "(two.good.example [127.0.0.16])" in text and "X-Name: by parent" in text
    named.wait_logged("smtp.connect", "client=127.0.0.11", "name=mx.good.example")
    assert not any("name=" in line for line in named.logged("smtp.connect", "client=127.0.0.12"))


def test_slow_dns_delays_no_banner_and_refuses_nobody_for_good(named, dns):
    harness.freeze(dns.process.pid)
    try:
        started = time.monotonic()
        with smtplib.SMTP(source_address=("127.0.0.21", 0)) as client:
            client.connect("127.0.0.1", named.ports["smtp"])
            client.ehlo()
            assert time.monotonic() - started < 4
            assert client.mail("x@fine.example")[0] == 250
            assert client.rcpt("a@example.org")[0] == 450
        with smtplib.SMTP(source_address=("127.0.0.22", 0)) as client:
            client.connect("127.0.0.1", named.ports["smtp"])
        harness.wait_until(lambda: named.logged("smtp.connect", "client=127.0.0.22"), what="who leaves is in the log")
    finally:
        dns.process.send_signal(signal.SIGCONT)


def dns_asked(server):
    return sum(int(row["value"]) for row in json.loads(server.command("--json", "metrics").stdout)
               if row["program"] == "smtpd" and row["name"] == "dns_asked")


def test_no_table_no_question(named):
    assert rcpt(named, "x@fine.example", "a@example.org", source="127.0.0.31").startswith("554")
    before = dns_asked(named)
    assert before > 0
    named.write_config(client_access="{}")
    named.command("reload")
    harness.wait_until(lambda: rcpt(named, "x@fine.example", "a@example.org", source="127.0.0.12").startswith("250"), what="no table")
    before = dns_asked(named)
    assert rcpt(named, "x@fine.example", "a@example.org", source="127.0.0.32").startswith("250")
    assert dns_asked(named) == before


# --- PostgreSQL --------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def database():
    try:
        d = postgres.Postgres()
    except (LookupError, OSError, subprocess.CalledProcessError) as e:
        pytest.skip(f"no PostgreSQL: {e}")
    d.sql("CREATE TABLE alias (address text PRIMARY KEY, goto text, active boolean)")
    d.sql("INSERT INTO alias VALUES ('sql@example.org', 'a@example.org', true), ('two@example.org', 'b@example.org', true),"
          " ('off@example.org', 'a@example.org', false), ('o''hara@example.org', 'a@example.org', true)")
    yield d
    d.stop()


@pytest.fixture(scope="module")
def with_sql(database):
    with harness.Postroad(settings={"auth_without_tls": "yes", "smtp_greet_delay_ms": "0"}) as s:
        s.sections = (f'table "people" {{ type = "postgresql" connection = "{database.connection()}" timeout_s = 6\n'
                      "query = \"SELECT goto FROM alias WHERE address = '%u@%d' AND active\" }\n"
                      f'table "file" {{ type = "postgresql" file = "{s.folder}/people.cf" }}\n')
        (s.folder / "people.cf").write_text(
            f"hosts = unix:{database.socket}:{database.port}\nuser = {postgres.USER}\ndbname = {database.database}\npassword = unused\n"
            "query = SELECT goto, address FROM alias\n WHERE address = '%s'\nresult_format = <%s>\n"
            .replace(f"unix:{database.socket}:{database.port}",
                     f"postgresql://{postgres.USER}@/{database.database}?host={database.socket}&port={database.port}"))
        s.write_config(alias_tables='{"people"}')
        s.start()
        for name in "ab":
            s.add_account(f"{name}@example.org", PASSWORD)
        yield s


def test_keys_go_to_the_database_as_parameters(with_sql):
    def query(key):
        return with_sql.command("table", "query", "people", key, check=False).stdout.decode().strip()
    assert query("sql@example.org") == "a@example.org"
    assert query("o'hara@example.org") == "a@example.org"
    assert query("off@example.org") == query("' OR true --@example.org") == query("a") == ""
    done = with_sql.command("table", "query", "file", "two@example.org")
    assert done.stdout == b"<b@example.org>,<two@example.org>\n"


def test_mail_by_aliases_of_a_database(with_sql):
    send(with_sql, "sql@example.org", "by-sql")
    Mailbox(with_sql, "a@example.org").wait_for(b"by-sql")
    assert rcpt(with_sql, "x@y.example", "off@example.org").startswith("550 5.1.1")


def test_a_dead_database_is_451_and_delays_nobody(with_sql, database):
    database.freeze()
    try:
        with smtplib.SMTP("127.0.0.1", with_sql.ports["smtp"]) as slow:
            slow.ehlo()
            slow.mail("x@y.example")
            slow.putcmd("rcpt", "to:<sql@example.org>")
            client = smtplib.SMTP("127.0.0.1", with_sql.ports["submission"])
            client.login("a@example.org", PASSWORD)
            assert not select.select([slow.sock], [], [], 0)[0], "the login did not wait for the database"
            client.close()
            assert slow.getreply()[0] == 451
    finally:
        database.thaw()
    harness.wait_until(lambda: rcpt(with_sql, "x@y.example", "sql@example.org").startswith("250"), what="all is well again")

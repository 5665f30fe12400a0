"""The commands on the queue: who picks what, what it does to the messages, and what is told of them.

Mail to dead1 .. dead3.example finds nobody who listens; all other mail goes to a server of the test,
which asks for patience (451) as long as a domain is in its `later`.
"""
import json
import re
import smtplib
import socketserver
import threading
import time
import uuid

import pytest

import harness
from conftest import PASSWORD, Mailbox

DEAD = ("dead1.example", "dead2.example", "dead3.example")
GREY = "grey.example"


class Next(socketserver.ThreadingTCPServer):
    """The next server. `taken` has the recipients of what it took."""

    allow_reuse_address = daemon_threads = True
    request_queue_size = 100

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Dialogue)
        self.port, self.later, self.taken = self.server_address[1], {GREY}, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *exc):
        self.shutdown()
        self.server_close()


class Dialogue(socketserver.StreamRequestHandler):
    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")

    def handle(self):
        self.say("220 next.example")
        recipients = []
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                address = re.search(b"<(.*)>", line)[1].decode()
                if address.split("@")[1] in self.server.later:
                    self.say("451 4.7.1 Greylisted, try again in 300 seconds")
                    continue
                recipients.append(address)
            if verb == b"DATA":
                if not recipients:
                    self.say("554 5.5.1 nobody")
                    continue
                self.say("354 go on")
                while self.rfile.readline() != b".\r\n":
                    pass
                self.server.taken += recipients
                recipients = []
            self.say("221 bye" if verb == b"QUIT" else "250 2.0.0 ok")
            if verb == b"QUIT":
                return


@pytest.fixture(scope="module")
def there():
    with Next() as server:
        yield server


@pytest.fixture(scope="module")
def own(there):
    [closed] = harness.free_ports(1)
    sections = "".join(f'route "{d}" {{ to = "[127.0.0.1]:{closed}" }}\n' for d in DEAD)
    sections += f'route "*" {{ to = "[127.0.0.1]:{there.port}" tls = "none" }}\n'
    settings = {"trusted_networks": '{"127.0.0.0/8"}', "queue_retry_min": "3600", "queue_retry_max": "3600",
                "auth_without_tls": "yes", "sts": "no"}
    with harness.Postroad(settings=settings, sections=sections) as server:
        server.start()
        server.add_account("a@example.org", PASSWORD)
        yield server


def send(own, *mails):
    """Each (sender, recipients)."""
    with smtplib.SMTP("127.0.0.1", own.ports["smtp"]) as client:
        for n, (sender, recipients) in enumerate(mails):
            client.sendmail(sender, recipients, f"Subject: mail {n}\r\n\tof several\r\nFrom: {sender}\r\n\r\nbody\r\n")


def told(own, *words, status=0):
    done = own.command("--json", "queue", *words, check=False)
    assert done.returncode == status, done.stderr
    return json.loads(done.stdout)


def listed(own, *words):
    return told(own, "list", *words)


def settle(own, n):
    """The queue, once n messages are in it and none is being tried."""
    def look():
        rows = listed(own)
        return rows if len(rows) == n and all(r["status"] != "active" for r in rows) else None
    return harness.wait_until(look, what=f"{n} messages that wait") if n else \
        harness.wait_until(lambda: not listed(own), what="an empty queue")


@pytest.fixture
def full(own, there):
    """{name: id} of 9 messages, three for each dead domain: of anna, of ben at other.example, of nobody."""
    own.command("queue", "remove", "--all", "--yes")
    there.later, there.taken[:] = {GREY}, []
    own.command("queue", "resume")
    settle(own, 0)
    senders = {"anna": "anna@example.net", "ben": "Ben@other.example", "null": ""}
    send(own, *((address, [f"{name}@{domain}"]) for name, address in senders.items() for domain in DEAD))
    yield {r["recipients"][0].split(".")[0]: r["id"] for r in settle(own, 9)}
    own.command("queue", "remove", "--all", "--yes")


# --- list ------------------------------------------------------------------------------------------

PICKS = {
    "all": ((), 9),
    "a domain": (("--to", "dead1.example"), 3),
    "a domain in capitals": (("--to", "DEAD1.Example"), 3),
    "a domain with @": (("--to", "@dead1.example"), 3),
    "a recipient": (("--to", "anna@dead2.example"), 1),
    "a recipient of no message": (("--to", "carl@dead2.example"), 0),
    "part of a domain": (("--to", "example"), 0),
    "a sender": (("--from", "anna@example.net"), 3),
    "a sender's domain": (("--from", "other.example"), 3),
    "the null sender": (("--from", "<>"), 3),
    "deferred": (("--status", "deferred"), 9),
    "held": (("--status", "held"), 0),
    "active": (("--status", "active"), 0),
    "sender and domain": (("--from", "ben@other.example", "--to", "dead3.example"), 1),
    "all three": (("--from", "<>", "--to", "dead3.example", "--status", "deferred"), 1),
    "first two": (("--limit", "2"), 2),
    "first of a domain": (("--to", "dead2.example", "--limit", "1"), 1),
}


@pytest.mark.parametrize("row", PICKS)
def test_list_picks(own, full, row):
    words, n = PICKS[row]
    assert len(listed(own, *words)) == n


def test_list_says_why_and_when(own, full):
    now = time.time()
    [row] = listed(own, "--to", "anna@dead1.example")
    assert set(row) == {"id", "status", "arrived", "age_s", "next_try", "tries", "size", "sender", "recipients",
                        "reason", "meaning", "what_to_do"}
    assert row["status"] == "deferred" and row["sender"] == "anna@example.net" and row["size"] > 50
    assert "refused" in row["reason"] and row["recipients"] == ["anna@dead1.example"]
    assert row["arrived"] < row["next_try"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 4600))
    text = own.command("queue", "list").stdout.decode()
    assert "dead1.example" in text and "in " in text and "<>" in text


def test_list_explains_a_refusal(own, full):
    send(own, ("anna@example.net", [f"x@{GREY}"]))
    settle(own, 10)
    [row] = listed(own, "--to", GREY)
    [recipient] = harness.wait_until(lambda: [
        r for r in told(own, "show", row["id"], "--history")["recipients"] if r["last_reply"]], what="what is logged")
    assert recipient["last_reply"] == "Greylisted, try again in 300 seconds"
    assert f"x@{GREY}: Greylisted" in own.command("queue", "show", row["id"], "--history").stdout.decode()
    assert "451 4.7.1 Greylisted" in row["reason"] and "127.0.0.1" in row["reason"] and row["tries"] == 1
    assert "second attempt" in row["meaning"] and row["what_to_do"]
    assert row["meaning"] in own.command("queue", "list", "--to", GREY).stdout.decode()
    shown = told(own, "show", row["id"])
    assert shown["reply"]["code"] == 451 and shown["reply"]["enhanced"] == "4.7.1"
    assert shown["reply"]["text"].startswith("Greylisted")
    assert row["what_to_do"] in own.command("queue", "show", row["id"]).stdout.decode()


def test_list_has_only_recipients_who_wait(own, full):
    send(own, ("anna@example.net", ["in@live.example", f"x@{GREY}", "y@dead1.example"]))
    settle(own, 10)
    [row] = listed(own, "--to", f"x@{GREY}")
    assert row["recipients"] == [f"x@{GREY}", "y@dead1.example"]
    assert listed(own, "--to", "live.example") == []
    shown = told(own, "show", row["id"])
    assert [(r["address"], r["state"]) for r in shown["recipients"]] == [
        ("in@live.example", "done"), (f"x@{GREY}", "waiting"), ("y@dead1.example", "waiting")]


def test_list_has_all_recipients_of_a_large_message(own, full):
    everybody = [f"{uuid.uuid4().hex}@{DEAD[n % 3]}" for n in range(1000)]
    send(own, ("anna@example.net", everybody))
    settle(own, 10)
    [row] = listed(own, "--to", everybody[-1])
    assert row["recipients"] == everybody
    assert len(told(own, "show", row["id"])["recipients"]) == 1000
    assert "and 997 more" in own.command("queue", "list").stdout.decode()


# --- show ------------------------------------------------------------------------------------------

def test_show_has_envelope_headers_and_history(own, full):
    queue_id = full["anna@dead1"]
    shown = told(own, "show", queue_id, "--history")
    assert shown["sender"] == "anna@example.net" and shown["client"] == "127.0.0.1"
    assert shown["protocol"].startswith("ESMTP") and shown["helo"]
    assert "Subject: mail 0\r\n\tof several\r\n" in shown["headers"] and shown["headers"].startswith("Received:")
    assert "body" not in shown["headers"]
    events = [e["event"] for e in shown["history"]]
    assert events[0] == "smtp.connect" and {"smtp.accepted", "queue.deferred"} & set(events)
    assert "history" not in told(own, "show", queue_id)
    text = own.command("queue", "show", queue_id, "--history").stdout.decode()
    assert "waiting   anna@dead1.example" in text and "  Subject: mail 0\n" in text and "smtp.accepted" in text


def test_show_says_where_an_alias_leads(own, full):
    own.command("alias", "add", "info@example.org", "x@dead1.example")
    try:
        send(own, ("anna@example.net", ["info@example.org"]))
        settle(own, 10)
        [row] = listed(own, "--to", "x@dead1.example")
        [recipient] = told(own, "show", row["id"])["recipients"]
        assert recipient == {"address": "x@dead1.example", "given": "info@example.org", "next_hop": "",
                             "answer": False, "state": "waiting", "last_reply": None}
    finally:
        own.command("alias", "remove", "info@example.org")


# --- changes ---------------------------------------------------------------------------------------

def statuses(own):
    return {r["id"]: r["status"] for r in listed(own)}


def test_hold_and_release_by_id_filter_and_all(own, full):
    two = [full["anna@dead1"], full["ben@dead2"]]
    assert told(own, "hold", *two) == {"messages": 2}
    assert [i for i, s in statuses(own).items() if s == "held"] == two
    assert told(own, "hold", *two, status=1) == {"messages": 0}
    assert told(own, "hold", "--from", "<>") == {"messages": 3}
    assert len(listed(own, "--status", "held")) == 5
    assert told(own, "release", "--status", "held", "--to", "dead1.example") == {"messages": 2}
    assert told(own, "hold", "--all") == {"messages": 6}
    assert told(own, "release", "--all") == {"messages": 9}
    settle(own, 9)


def test_flush_by_id_filter_and_all(own, there, full):
    send(own, *(("anna@example.net", [f"{name}@{GREY}"]) for name in "uvwxyz"))
    settle(own, 15)
    ids = {r["recipients"][0]: r["id"] for r in listed(own, "--to", GREY)}
    there.later = set()

    def arrives(*names):
        harness.wait_until(lambda: {f"{n}@{GREY}" for n in names} <= set(there.taken), what=f"mail to {names}")
    assert told(own, "flush", ids[f"u@{GREY}"], ids[f"v@{GREY}"]) == {"messages": 2}
    arrives(*"uv")
    assert len(settle(own, 13)) == 13 and f"w@{GREY}" not in there.taken
    assert told(own, "flush", "--to", f"w@{GREY}") == {"messages": 1}
    arrives("w")
    assert told(own, "requeue", ids[f"x@{GREY}"]) == {"messages": 1}
    arrives("x")
    assert told(own, "flush", "--all") == {"messages": 11}
    arrives(*"yz")
    assert sorted(there.taken) == [f"{n}@{GREY}" for n in "uvwxyz"]
    settle(own, 9)


def test_requeue_forgets_the_tries(own, there, full):
    send(own, ("anna@example.net", [f"u@{GREY}"]))
    settle(own, 10)
    [row] = listed(own, "--to", GREY)
    for tries in 2, 3:
        own.command("queue", "flush", row["id"])
        harness.wait_until(lambda: listed(own, "--to", GREY)[0]["tries"] == tries, what=f"{tries} tries")
        settle(own, 10)
    assert told(own, "requeue", "--to", GREY) == {"messages": 1}
    harness.wait_until(lambda: listed(own, "--to", GREY)[0]["tries"] == 1, what="the first try")
    assert told(own, "requeue", "--all") == {"messages": 10}
    settle(own, 10)


def test_remove_by_id_filter_and_all(own, full):
    assert told(own, "remove", full["anna@dead1"], full["anna@dead2"]) == {"messages": 2}
    assert told(own, "remove", full["anna@dead1"], full["anna@dead3"], status=1) == {"messages": 1}
    assert len(listed(own)) == 6
    assert own.command("queue", "remove", "--from", "<>", check=False).returncode == 2
    assert len(listed(own)) == 6
    assert told(own, "remove", "--from", "<>", "--yes") == {"messages": 3}
    assert told(own, "remove", "--all", "--yes") == {"messages": 3}
    assert listed(own) == [] and own.wait_logged("queue.command", "verb=remove", "count=3")


def test_bounce_tells_the_sender(own, full):
    inbox = Mailbox(own, "a@example.org")
    inbox.messages(clear=True)
    send(own, *(("a@example.org", [f"lost{n}@{DEAD[n % 3]}"]) for n in range(4)))
    ids = {r["recipients"][0].split("@")[0]: r["id"] for r in settle(own, 13) if r["sender"] == "a@example.org"}
    assert told(own, "bounce", ids["lost0"]) == {"messages": 1}
    assert inbox.wait_for(b"lost0@dead1.example")
    assert own.command("queue", "bounce", "--from", "a@example.org", check=False).returncode == 2
    assert told(own, "bounce", "--from", "a@example.org", "--to", "dead2.example", "--yes") == {"messages": 1}
    assert inbox.wait_for(b"lost1@dead2.example")
    settle(own, 11)
    assert told(own, "hold", ids["lost2"]) == {"messages": 1}
    assert told(own, "bounce", "--all", "--yes") == {"messages": 11}
    assert inbox.wait_for(b"lost2@dead3.example") and inbox.wait_for(b"lost3@dead1.example")
    harness.wait_until(lambda: not listed(own, "--from", "a@example.org"), what="all given up")
    own.wait_logged("queue.done", f"id={ids['lost2']}")
    names = {e["event"]: e["fields"] for e in json.loads(own.command("--json", "trace", ids["lost2"]).stdout)}
    assert "queue.held" in names and names["queue.given_up"]["by"] == "operator"
    [made] = own.wait_logged("bounce.made", f"id={ids['lost0']} ")
    report = re.search(r" report=(\w+)", made)[1]
    for event, queue_id in ("queue.done", ids["lost0"]), ("queue.done", report), ("local.delivered", report):
        own.wait_logged(event, f"id={queue_id}")
    events = json.loads(own.command("--json", "trace", ids["lost0"]).stdout)
    [made] = [e for e in events if e["event"] == "bounce.made"]
    report = made["fields"]["report"]
    assert {e["fields"].get("id") for e in events} >= {ids["lost0"], report}
    assert any(e["event"] == "local.delivered" and e["fields"]["id"] == report for e in events)
    assert own.command("--json", "trace", report).stdout == own.command("--json", "trace", ids["lost0"]).stdout


# --- pause -----------------------------------------------------------------------------------------

def test_pause_and_resume_of_all_mail(own, there, full):
    assert told(own, "pause") == {"domain": "*", "paused": True, "changed": True}
    assert told(own, "pause") == {"domain": "*", "paused": True, "changed": False}
    send(own, ("anna@example.net", ["in@live.example"]), ("anna@example.net", ["a@example.org"]))
    settle(own, 10)
    [row] = listed(own, "--to", "live.example")
    assert "paused by the operator" in row["reason"] and row["tries"] == 0 and there.taken == []
    assert told(own, "stats")["paused"] == ["*"]
    for words in ("queue", "list"), ("queue", "stats"), ("status",):
        assert b"outgoing mail is paused" in own.command(*words).stdout
    assert b"outgoing mail is paused" in own.command(name="mailq").stdout
    own.stop()
    own.start()
    assert harness.wait_until(lambda: told(own, "stats"), what="stats")["paused"] == ["*"]
    assert told(own, "resume") == {"domain": "*", "paused": False, "changed": True}
    assert told(own, "resume") == {"domain": "*", "paused": False, "changed": False}
    harness.wait_until(lambda: there.taken == ["in@live.example"], what="what was paused")
    assert told(own, "stats")["paused"] == [] and b"paused" not in own.command("status").stdout


def test_pause_and_resume_of_a_domain(own, there, full):
    assert own.command("queue", "pause", "--to", "Live.example").stdout == b"mail to Live.example is paused\n"
    send(own, ("anna@example.net", ["in@live.example"]), ("anna@example.net", ["in@other.example"]))
    harness.wait_until(lambda: there.taken == ["in@other.example"], what="mail to another domain")
    settle(own, 10)
    assert told(own, "stats")["paused"] == ["live.example"]
    assert b"mail to live.example is paused" in own.command("queue", "list").stdout
    assert told(own, "resume", "--to", "live.example")["changed"]
    harness.wait_until(lambda: "in@live.example" in there.taken, what="what was paused")


# --- stats -----------------------------------------------------------------------------------------

def test_stats_count_by_domain_and_age(own, full):
    send(own, ("anna@example.net", ["x@dead2.example"]))
    settle(own, 10)
    stats = told(own, "stats")
    assert stats["total"] == 10 and stats["complete"] and stats["paused"] == []
    assert [d["domain"] for d in stats["domains"]] == ["dead2.example", "dead1.example", "dead3.example"]
    for row, n in zip(stats["domains"], (4, 3, 3)):
        assert row["total"] == n == sum(row[k] for k in ("under_5m", "under_1h", "under_6h", "under_1d", "older"))
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["oldest"])
    lines = own.command("queue", "stats").stdout.decode().splitlines()
    assert lines[0].split() == ["domain", "total", "<5m", "<1h", "<6h", "<1d", "older", "oldest"]
    assert lines[1].split()[:2] == ["dead2.example", "4"] and lines[-1].split()[:2] == ["total", "10"]


# --- by the names that other programs know ---------------------------------------------------------------

def test_mailq_has_the_form_of_postfix(own, full):
    own.command("queue", "hold", full["ben@dead2"])
    text = own.command(name="mailq").stdout.decode()
    assert text.startswith("-Queue ID-") and re.search(r"^-- \d+ Kbytes in 9 Requests\.$", text, re.M)
    assert re.search(rf"^{full['ben@dead2']}! +\d+ \w{{3}} \w{{3}} [ \d]\d \d\d:\d\d:\d\d  Ben@other.example$",
                     text, re.M)
    assert re.search(r"^\(.*refused.*\)$", text, re.M) and "MAILER-DAEMON" in text
    assert re.search(r"^ {20,}anna@dead1.example$", text, re.M)
    assert own.command("-bp", name="sendmail").stdout.decode().count("@dead1.example") == 3
    own.command("queue", "remove", "--all", "--yes")
    assert own.command(name="mailq").stdout == b"Mail queue is empty\n"


def test_sendmail_q_tries_again(own, there, full):
    send(own, *((f"{name}@s{name}.example", [f"{name}@{GREY}"]) for name in "tuvwx"))
    settle(own, 14)
    ids = {r["recipients"][0][0]: r["id"] for r in listed(own, "--to", GREY)}
    there.later = set()
    assert own.command("-q1h", name="sendmail").stdout == b""
    for option, name in ("-qSst.example", "t"), (f"-qRu@{GREY}", "u"), (f"-qI{ids['v']}", "v"):
        own.command(option, name="sendmail")
        harness.wait_until(lambda: f"{name}@{GREY}" in there.taken, what=option)
    assert len(there.taken) == 3
    own.command(f"-qR{GREY}", name="sendmail")
    harness.wait_until(lambda: len(there.taken) == 5, what="-qR of a domain")
    there.later = {GREY}
    send(own, ("s@s.example", [f"y@{GREY}"]))
    settle(own, 10)
    there.later = set()
    own.command("-q", name="sendmail")
    harness.wait_until(lambda: f"y@{GREY}" in there.taken, what="-q")
    for wrong in "-qR", "-qX1", "-qIxyz":
        assert own.command(wrong, name="sendmail", check=False).returncode == 2


# --- wrong usage -----------------------------------------------------------------------------------

WRONG = {
    "nothing picked": ("flush",),
    "id and filter": ("hold", "d8g5iqc000042", "--to", "x.example"),
    "filter and all": ("hold", "--to", "x.example", "--all"),
    "no id": ("hold", "none"),
    "good and bad id": ("remove", "d8g5iqc000042", "none"),
    "unknown status": ("list", "--status", "asleep"),
    "empty filter": ("list", "--to", ""),
    "limit of none": ("list", "--limit", "0"),
    "limit of words": ("list", "--limit", "many"),
    "remove all": ("remove", "--all"),
    "bounce a domain": ("bounce", "--to", "x.example"),
    "pause an address": ("pause", "--to", "a@x.example"),
    "pause two": ("pause", "x.example"),
    "show none": ("show",),
    "show id 0": ("show", "0000000000000"),
    "yes for hold": ("hold", "--all", "--yes"),
}


@pytest.mark.parametrize("row", WRONG)
def test_wrong_usage(own, row):
    done = own.command("queue", *WRONG[row], check=False)
    assert done.returncode == 2 and done.stderr and not done.stdout


def test_what_is_not_there(own):
    assert told(own, "hold", "d8g5iqc000042", status=1) == {"messages": 0}
    assert told(own, "flush", "--to", "nobody.example") == {"messages": 0}
    assert own.command("queue", "show", "d8g5iqc000042", check=False).returncode == 1

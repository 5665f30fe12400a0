"""What senders are told: failures, delays, successes, as Python's email package reads them.

The other server is a script: the local part of a recipient says what it answers.
"""
import email
import email.policy
import mailbox as mailboxes
import os
import pty
import re
import signal
import smtplib
import socketserver
import subprocess
import threading
import uuid

import pytest

import harness
from conftest import PASSWORD, Mailbox

REPLIES = {  # by the start of the local part
    "no": "550 5.1.1 <{}> is not known here",
    "full": "552 5.2.2 mailbox full",
    "later": "451 4.7.1 greylisted",
    "deny": "554 5.7.1 Ünwanted",
}


class Scripted(socketserver.ThreadingTCPServer):
    """A server that keeps what it took: (sender, recipients with their parameters, message)."""
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 100

    def __init__(self, extensions=()):
        super().__init__(("127.0.0.1", 0), Dialogue)
        self.extensions, self.taken = extensions, []
        self.port = self.server_address[1]
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Dialogue(socketserver.StreamRequestHandler):
    def say(self, *lines):
        for i, line in enumerate(lines):
            mark = "-" if i < len(lines) - 1 else " "
            self.wfile.write((line[:3] + mark + line[4:] + "\r\n").encode())

    def rcpt(self, argument):
        address = re.match(r"TO:<([^>]*)>", argument, re.I).group(1)
        reply = next((r for start, r in REPLIES.items() if address.startswith(start)), "250 2.1.5 fine")
        if reply.startswith("250"):
            self.recipients.append(argument[3:])
        self.say(reply.format(address))

    def data(self):
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b"..") else line)
        self.server.taken.append((self.sender, list(self.recipients), b"".join(lines)))
        self.say("250 2.0.0 taken")

    def handle(self):
        self.say("220 there.example ready")
        self.sender, self.recipients = "", []
        while line := self.rfile.readline().decode().rstrip("\r\n"):
            verb, _, argument = line.partition(" ")
            if verb.upper() == "EHLO":
                self.say("250 there.example", *(f"250 {e}" for e in self.server.extensions))
            elif verb.upper() == "MAIL":
                self.sender, self.recipients = re.match(r"FROM:<([^>]*)>", argument, re.I).group(1), []
                self.say("250 2.1.0 fine")
            elif verb.upper() == "RCPT":
                self.rcpt(argument)
            elif verb.upper() == "DATA":
                self.data() if self.recipients else self.say("503 5.5.1 nobody")
            else:
                self.say("221 2.0.0 bye" if verb.upper() == "QUIT" else "250 2.0.0 fine")
                if verb.upper() == "QUIT":
                    return


@pytest.fixture(scope="module")
def there():
    """Without DSN, so that success ends with us."""
    return Scripted(("8BITMIME", "SMTPUTF8", "PIPELINING", "ENHANCEDSTATUSCODES"))


@pytest.fixture(scope="module")
def reports_there():
    return Scripted(("8BITMIME", "DSN"))


@pytest.fixture(scope="module")
def server(there, reports_there):
    sections = (f'route "dsn.example" {{ to = "[127.0.0.1]:{reports_there.port}" tls = "none" }}\n'
                f'route "*" {{ to = "[127.0.0.1]:{there.port}" tls = "none" }}\n')
    settings = {"auth_without_tls": "yes", "auth_delay_s": "0", "trusted_networks": '{"127.0.0.0/8"}',
                "postmaster": '"e@example.org"', "queue_retry_min": "1", "queue_retry_max": "1"}
    with harness.Postroad(settings=settings, sections=sections) as s:
        s.start()
        for name in "abcde":
            s.add_account(f"{name}@example.org", PASSWORD)
        s.command("alias", "add", "out@example.org", "no-such@far.example")
        s.command("alias", "add", "both@example.org", "b@example.org", "c@example.org")
        s.command("alias", "add", "one@example.org", "b@example.org")
        yield s


def send(server, sender, recipients, mail_options=(), rcpt_options=(), text="", header="", utf8=False):
    """The token in subject and Message-ID."""
    token = uuid.uuid4().hex
    message = (f"From: {sender}\r\nTo: you\r\nSubject: Grüße {token}\r\nMessage-ID: <{token}@example.org>\r\n"
               f"{header}\r\nHello {token}\r\n{text}").encode()
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=120) as client:
        client.ehlo("client.example.org")
        if utf8:
            client.command_encoding = "utf-8"
        assert client.mail(sender, ["BODY=8BITMIME", *mail_options])[0] == 250
        for recipient in [recipients] if isinstance(recipients, str) else recipients:
            code, reply = client.rcpt(recipient, rcpt_options)
            assert code == 250, reply
        code, reply = client.data(message)
        assert code == 250, reply
    return token


class Report:
    """A report as Python's parser sees it; its shape is checked here."""

    def __init__(self, raw, returned):
        self.raw = raw
        self.message = email.message_from_bytes(raw, policy=email.policy.default)
        assert self.message.get_content_type() == "multipart/report"
        assert not list(self.message.walk())[0].defects
        self.text, self.status, self.original = self.message.get_payload()
        assert self.message.get_param("report-type") == self.status.get_content_subtype()
        assert self.original.get_content_type() == returned
        assert self.message["Auto-Submitted"] == "auto-replied"
        assert "<>" in self.message["Return-Path"]
        assert self.message["From"].addresses[0].addr_spec == "MAILER-DAEMON@mx.example.org"
        self.body = self.text.get_content()
        fields = self.status.get_payload()
        self.about, self.rows = fields[0], [f for f in fields[1:] if f.keys()]
        assert self.about["Reporting-MTA"] == "dns; mx.example.org"
        for part in self.message.walk():
            assert part.isascii() if isinstance(part, str) else True


def report(server, name, token, count=1, returned="text/rfc822-headers"):
    raw = Mailbox(server, f"{name}@example.org").wait_for(f"<{token}@example.org>".encode(), count)
    return [Report(r, returned) for r in raw if b"multipart/report" in r][0]


def no_report(server, name, token):
    server_done(server, token)
    assert not [m for m in Mailbox(server, f"{name}@example.org").messages()
                if token.encode() in m and b"multipart/report" in m]


def queue_id(server, token):
    return re.search(r" id=(\w+)", server.wait_logged("smtp.accepted", token)[0]).group(1)


def server_done(server, token):
    id_ = queue_id(server, token)
    server.wait_logged("queue.done", id_)


# --- failures ---------------------------------------------------------------------------------

def test_alias_to_outside_that_fails_is_told_to_a_user_here(server):
    token = send(server, "a@example.org", "out@example.org")
    r = report(server, "a", token)
    assert r.body.startswith("The message to out@example.org could not be delivered.")
    assert "no-such@far.example" in r.body and "550 5.1.1" in r.body and f"Grüße {token}" in r.body
    row, = r.rows
    assert row["Final-Recipient"] == "rfc822; no-such@far.example"
    assert (row["Action"], row["Status"]) == ("failed", "5.1.1")
    assert row["Diagnostic-Code"] == "smtp; 550 5.1.1 <no-such@far.example> is not known here"
    assert row["Remote-MTA"].startswith("dns; [127.0.0.1]") or row["Remote-MTA"].startswith("dns; ")
    assert "Original-Recipient" not in row
    assert r.message["In-Reply-To"] == r.message["References"] == f"<{token}@example.org>"
    assert r.message["To"] == "a@example.org"
    assert r.about["Arrival-Date"] and r.about["X-Postroad-Queue-Id"] == queue_id(server, token)
    assert f"Subject: Grüße {token}" in r.original.get_payload(decode=True).decode()
    assert f"Hello {token}".encode() not in r.raw
    server_done(server, token)


def test_sender_elsewhere_is_told_there_with_the_null_sender(server, there):
    token = send(server, "x@far.example", "no@far.example")
    taken = harness.wait_until(lambda: [t for t in there.taken if token.encode() in t[2]])
    sender, recipients, raw = taken[0]
    assert sender == "" and recipients[0].startswith("<x@far.example>")
    assert email.message_from_bytes(raw).get_content_type() == "multipart/report"


def test_one_report_tells_of_all_that_failed(server):
    token = send(server, "a@example.org", ["no1@far.example", "b@example.org", "full2@other.example"])
    r = report(server, "a", token)
    assert {row["Final-Recipient"] for row in r.rows} <= {"rfc822; no1@far.example", "rfc822; full2@other.example"}
    server_done(server, token)
    Mailbox(server, "b@example.org").wait_for(token.encode())


@pytest.mark.parametrize("options, envid", [((), None), (("ENVID=QQ+2B314",), "QQ+314")])
@pytest.mark.parametrize("ret, returned", [((), "text/rfc822-headers"), (("RET=HDRS",), "text/rfc822-headers"),
                                           (("RET=FULL",), "message/rfc822")])
@pytest.mark.parametrize("rcpt, original", [((), None), (("ORCPT=rfc822;b+2Bob@x.example",), "rfc822; b+ob@x.example"),
                                            (("NOTIFY=FAILURE,DELAY",), None)])
def test_what_was_asked_for_comes_back(server, options, envid, ret, returned, rcpt, original):
    token = send(server, "a@example.org", "no@far.example", options + ret, rcpt)
    r = report(server, "a", token, returned=returned)
    assert r.about.get("Original-Envelope-Id") == envid
    assert r.rows[0].get("Original-Recipient") == original
    assert (f"Hello {token}".encode() in r.raw) == (returned == "message/rfc822")


@pytest.mark.parametrize("notify", ["NEVER", "SUCCESS", "DELAY", "SUCCESS,DELAY"])
def test_failure_that_nobody_wants_to_hear_of(server, notify):
    token = send(server, "a@example.org", "no@far.example", (), (f"NOTIFY={notify}",))
    no_report(server, "a", token)
    assert server.wait_logged("queue.dropped", queue_id(server, token))


def test_null_sender_gets_no_report(server):
    token = send(server, "", "no@far.example")
    no_report(server, "e", token)
    assert server.wait_logged("queue.dropped", queue_id(server, token))
    assert not server.logged("bounce.made", queue_id(server, token))


def test_large_message_comes_back_without_its_body(server):
    token = send(server, "a@example.org", "no@far.example", ("RET=FULL",), text=("x" * 70 + "\r\n") * 20000)
    r = report(server, "a", token)
    assert len(r.raw) < 20000


def test_message_that_is_larger_than_one_packet_comes_back_whole(server):
    token = send(server, "a@example.org", "no@far.example", ("RET=FULL",), text=("y" * 70 + "\r\n") * 10000)
    r = report(server, "a", token, returned="message/rfc822")
    assert r.original.get_payload()[0].get_payload().count("y" * 70) == 10000


def test_reply_in_other_letters_stays_readable(server):
    token = send(server, "a@example.org", "deny@far.example")
    r = report(server, "a", token)
    assert r.rows[0]["Diagnostic-Code"].isascii()
    assert r.rows[0]["Status"] == "5.7.1"


def test_address_in_other_letters(server):
    token = send(server, "a@example.org", "no-grüße@far.example", ("SMTPUTF8",), utf8=True)
    r = report(server, "a", token, returned="message/global-headers")
    assert r.status.get_content_type() == "message/global-delivery-status"
    assert "Final-Recipient: utf-8; no-grüße@far.example".encode() in r.raw
    assert "no-grüße@far.example" in r.body


# --- success ----------------------------------------------------------------------------------

@pytest.mark.parametrize("recipient, final, action", [
    ("b@example.org", "b@example.org", "delivered"),
    ("one@example.org", "b@example.org", "delivered"),
    ("fine@far.example", "fine@far.example", "relayed"),
    ("both@example.org", "both@example.org", "expanded"),
])
def test_success_is_told_to_who_asks(server, recipient, final, action):
    token = send(server, "a@example.org", recipient, (), ("NOTIFY=SUCCESS,FAILURE",))
    r = report(server, "a", token)
    row, = r.rows
    assert (row["Final-Recipient"], row["Action"]) == (f"rfc822; {final}", action)
    assert row["Status"].startswith("2.")
    assert recipient in r.body
    server_done(server, token)


def test_success_is_left_to_a_server_that_reports_itself(server, reports_there):
    token = send(server, "a@example.org", "fine@dsn.example", ("ENVID=Q7",), ("NOTIFY=SUCCESS",))
    no_report(server, "a", token)
    taken, = [t for t in reports_there.taken if token.encode() in t[2]]
    assert "NOTIFY=SUCCESS" in taken[1][0]


# --- who else is told -------------------------------------------------------------------------

def test_sender_that_is_not_known_here_leads_to_postmaster(server):
    token = send(server, "nobody-here@example.org", "no@far.example")
    r = report(server, "e", token)
    assert "nobody-here@example.org" in r.message["Subject"]
    assert r.rows[0]["Status"] == "5.1.1"
    server_done(server, token)
    assert server.wait_logged("bounce.made", queue_id(server, token), "to=postmaster")


def test_operator_gives_a_message_up(server):
    token = send(server, "a@example.org", "later@far.example")
    id_ = queue_id(server, token)
    server.wait_logged("queue.deferred", id_)
    server.command("queue", "bounce", id_)
    r = report(server, "a", token)
    assert " ".join(r.body.split()).startswith("The message to later@far.example was not delivered: an operator of "
                                               "this server gave it up.")
    assert r.rows[0]["Diagnostic-Code"] == "smtp; 451 4.7.1 greylisted"
    assert (r.rows[0]["Action"], r.rows[0]["Status"]) == ("failed", "5.7.1")
    server_done(server, token)


# --- settings of their own --------------------------------------------------------------------

@pytest.fixture
def own_server(there):
    """Starts servers with settings of the test."""
    started = []

    def start(**settings):
        s = harness.Postroad(settings={"auth_without_tls": "yes", "trusted_networks": '{"127.0.0.0/8"}',
                                       "queue_retry_min": "1", "queue_retry_max": "2",
                                       "postmaster": '"e@example.org"', **settings},
                             sections=f'route "*" {{ to = "[127.0.0.1]:{there.port}" tls = "none" }}\n')
        started.append(s)
        s.start()
        for name in "ae":
            s.add_account(f"{name}@example.org", PASSWORD)
        return s
    yield start
    for s in started:
        s.close()


def test_late_message_is_told_once_then_given_up(own_server):
    server = own_server(queue_warning_after="1", queue_lifetime="8")
    token = send(server, "a@example.org", "later@far.example")
    late = report(server, "a", token)
    assert late.body.startswith("The message to later@far.example has not been delivered yet.")
    row, = late.rows
    assert (row["Action"], row["Status"]) == ("delayed", "4.7.1")
    assert row["Will-Retry-Until"] and row["Last-Attempt-Date"]
    server_done(server, token)
    found = [Report(m, "text/rfc822-headers") for m in Mailbox(server, "a@example.org").wait_for(token.encode(), 2)]
    assert [r.rows[0]["Action"] for r in found] == ["delayed", "failed"]
    assert found[1].rows[0]["Status"] == "4.4.7"
    assert found[1].rows[0]["Diagnostic-Code"] == "smtp; 451 4.7.1 greylisted"
    assert "until its time was up" in " ".join(found[1].body.split())
    assert server.wait_logged("queue.given_up", queue_id(server, token))


def test_postmaster_gets_copies_and_no_doubles_when_the_operator_wants_so(own_server):
    server = own_server(report_copy_postmaster="yes", report_double="no")
    token = send(server, "a@example.org", "no@far.example", ("RET=FULL",))
    assert f"Hello {token}".encode() in report(server, "a", token, returned="message/rfc822").raw
    copy = report(server, "e", token)
    assert "a@example.org" in copy.message["Subject"] and "was told" in copy.body
    assert f"Hello {token}".encode() not in copy.raw
    token = send(server, "nobody@example.org", "no@far.example")
    no_report(server, "e", token)
    assert server.wait_logged("bounce.dropped", queue_id(server, token))


def test_operators_texts(own_server, tmp_path):
    texts = tmp_path / "texts"
    tmp_path.chmod(0o755)
    texts.write_text("[failure]\nSubject: Leider nicht: $recipients\n\n$rows\n\nGrüße von $hostname\n")
    server = own_server(report_templates=f'"{texts}"')
    token = send(server, "a@example.org", "no@far.example")
    r = report(server, "a", token)
    assert r.message["Subject"] == "Leider nicht: no@far.example"
    assert r.body.rstrip().endswith("Grüße von mx.example.org")


def test_texts_that_are_broken_are_found_by_check_and_not_used(own_server, tmp_path):
    texts = tmp_path / "texts"
    tmp_path.chmod(0o755)
    texts.write_text("[failure]\nSubject: x\n\n$rows\n$sendr\n")
    server = own_server(report_templates=f'"{texts}"')
    check = server.command("check", check=False)
    assert f"{texts}:5: no such key: $sendr" in (check.stdout + check.stderr).decode()
    token = send(server, "a@example.org", "no@far.example")
    assert report(server, "a", token).message["Subject"] == "Not delivered: mail to no@far.example"
    assert server.wait_logged("bounce.templates")


def test_bounce_that_is_killed_costs_no_report(own_server):
    server = own_server(restart_pause_max_s="1")
    tokens = []
    for _ in range(10):
        tokens += [send(server, "a@example.org", "no@far.example") for _ in range(5)]
        for pid in server.pids("bounce"):
            os.kill(pid, signal.SIGKILL)
    for token in tokens:
        report(server, "a", token)
        server_done(server, token)


def test_qmgr_that_is_killed_costs_no_report(own_server):
    server = own_server(restart_pause_max_s="1")
    tokens = []
    for _ in range(4):
        tokens += [send(server, "a@example.org", ["no@far.example", "no2@far.example"]) for _ in range(5)]
        for pid in server.pids("qmgr"):
            os.kill(pid, signal.SIGKILL)
    for token in tokens:
        report(server, "a", token)


# --- in a mail program ------------------------------------------------------------------------

def drain(fd):
    try:
        while os.read(fd, 4096):
            pass
    except OSError:
        pass  # the other end is closed


def test_neomutt_shows_text_and_fields(server, tmp_path):
    token = send(server, "a@example.org", "no@far.example", ("RET=FULL",))
    raw = report(server, "a", token, returned="message/rfc822").raw
    box = mailboxes.mbox(tmp_path / "mbox")
    box.add(email.message_from_bytes(raw))
    box.close()
    (tmp_path / "Mail").mkdir()  # or it would ask
    shown, (ours, its) = tmp_path / "shown", pty.openpty()
    program = subprocess.Popen(
        ["neomutt", "-n", "-F", "/dev/null", "-R", "-f", tmp_path / "mbox",
         "-e", "set pipe_decode=yes wait_key=no", "-e", f'push "<pipe-message>cat > {shown}<enter><quit>"'],
        env=dict(os.environ, TERM="vt100", HOME=str(tmp_path), LC_ALL="C.UTF-8"),
        stdin=its, stdout=its, stderr=its, start_new_session=True)
    threading.Thread(target=drain, args=(ours,), daemon=True).start()
    try:
        program.wait(harness.PATIENCE_S)
    finally:
        program.kill()
    text = shown.read_text()
    assert "The message to no@far.example could not be delivered." in text
    assert "Final-Recipient: rfc822; no@far.example" in text
    assert f"Hello {token}" in text

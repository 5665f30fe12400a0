"""Mail to other servers, by route: to scripted ones, to Postfix's smtp-sink, to another Postroad."""
import os
import re
import shutil
import smtplib
import socket
import socketserver
import ssl
import subprocess
import threading
import uuid

import pytest

import harness
from conftest import Mailbox

SMTP_SINK = shutil.which("smtp-sink", path="/usr/sbin:/usr/bin")


class Sink(socketserver.ThreadingTCPServer):
    """A server of few words. `reply(verb, line)` may say something else than 250, or None."""

    allow_reuse_address = daemon_threads = True
    request_queue_size = 100

    def __init__(self, offers=("PIPELINING",), reply=None, lmtp=False, tls=None, address="127.0.0.1"):
        super().__init__((address, 0), Dialogue)
        self.offers, self.reply, self.lmtp, self.tls = offers, reply, lmtp, tls
        self.port = self.server_address[1]
        self.messages, self.commands, self.connections = [], [], 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def __exit__(self, *exc):
        self.shutdown()
        self.server_close()

    def handle_error(self, request, client_address):
        pass  # who is cut off need not be told of


class Drop(Exception):
    pass


class Dialogue(socketserver.StreamRequestHandler):
    def setup(self):
        super().setup()
        self.server.connections += 1
        self.recipients = []

    def choose(self, usual, verb, line):
        text = self.server.reply and self.server.reply(verb, line)
        if text == "drop":
            raise Drop
        return text or usual

    def say(self, usual, verb, line):
        text = self.choose(usual, verb, line)
        self.wfile.write(text.encode() + b"\r\n")
        return text[0] in "23"

    def handle(self):
        try:
            self.say("220 sink.example", "", "")
            while line := self.rfile.readline():
                assert line.endswith(b"\r\n")
                self.command(line.decode().rstrip("\r\n"))
        except (Drop, ConnectionError):
            pass

    def command(self, line):
        verb = line.split(" ")[0].split(":")[0].upper()
        self.server.commands.append(line)
        if verb in ("EHLO", "LHLO"):
            offers = list(self.server.offers)
            if self.server.tls and not isinstance(self.connection, ssl.SSLSocket):
                offers.append("STARTTLS")
            self.say("\r\n".join(["250-sink.example"] + [f"250-{o}" for o in offers] + ["250 HELP"]), verb, line)
        elif verb == "STARTTLS":
            self.say("220 go on", verb, line)
            self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
            self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", 0)
        elif verb == "RCPT":
            if self.say("250 2.1.5 ok", verb, line):
                self.recipients.append(re.search("<(.*)>", line)[1])
        elif verb == "DATA":
            if self.say("354 go on", verb, line):
                self.data()
        elif verb == "QUIT":
            self.say("221 bye", verb, line)
            raise Drop
        else:
            self.say("250 2.0.0 ok", verb, line)

    def data(self):
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            assert line.endswith(b"\r\n"), line
            lines.append(line[1:] if line.startswith(b".") else line)
        replies = [self.choose("250 2.0.0 taken", ".", "") for _ in (self.recipients if self.server.lmtp else [0])]
        if self.server.lmtp or replies[0][0] == "2":
            # Kept before it is said: a test that sees the delivery logged looks here at once.
            self.server.messages.append((self.recipients, b"".join(lines)))
        self.recipients = []
        self.wfile.write("".join(r + "\r\n" for r in replies).encode())


def route(port, more="", domain="*"):
    return f'route "{domain}" {{ to = "[127.0.0.1]:{port}" {more} }}\n'


@pytest.fixture
def sender():
    """Starts a Postroad with these sections; mail to its port may go anywhere."""
    started = []

    def start(sections, **settings):
        s = harness.Postroad(sections=sections, settings={
            "trusted_networks": '{"127.0.0.0/8"}', "queue_retry_min": "1", "queue_retry_max": "2",
            "sts": "no", **settings})
        started.append(s)
        s.start()
        return s

    yield start
    for s in started:
        s.close()


def text_of(token, extra=""):
    return f"From: s@example.org\r\nTo: a@far.example\r\nSubject: {token}\r\n\r\nHello {token}\r\n.dots\r\n..\r\n{extra}"


def send(server, *to, text=None, sender="s@example.org", options=()):
    token = uuid.uuid4().hex
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
        client.sendmail(sender, to, (text or text_of(token)).encode(), mail_options=options)
    return token


def wait_log(server, *needles):
    return server.wait_logged(*needles)


def wait_messages(sink, n=1, seconds=harness.PATIENCE_S):
    harness.wait_until(lambda: len(sink.messages) >= n, seconds, f"{n} messages")
    return sink.messages


def test_a_message_arrives_as_it_was_sent(sender):
    with Sink() as sink:
        server = sender(route(sink.port))
        token = send(server, "joe@far.example", "ann@other.example")
        wait_log(server, "remote.delivered", "joe@far.example", "text=taken")
        wait_log(server, "remote.delivered", "ann@other.example")
        for recipients, content in sink.messages:
            assert content.endswith(text_of(token).encode())
            assert content.startswith(b"Received: ")
        assert sorted(r for m in sink.messages for r in m[0]) == ["ann@other.example", "joe@far.example"]


def test_lines_too_long_for_smtp_are_broken(sender):
    with Sink() as sink:
        server = sender(route(sink.port))
        send(server, "joe@far.example", text=text_of("t", "x" * 2500 + "\r\n" + "y" * 998 + "\r\n"))
        content = wait_messages(sink)[0][1]
        assert content.endswith(b"x" * 998 + b"\r\n " + b"x" * 997 + b"\r\n " + b"x" * 505 + b"\r\n" + b"y" * 998 + b"\r\n")


def test_each_recipient_has_its_own_end(sender):
    asked = []

    def reply(verb, line):
        if verb == "RCPT" and "grey" in line and not asked:
            asked.append(line)
            return "451 4.7.1 greylisted, come again"
        if verb == "RCPT" and "nobody" in line:
            return "550 5.1.1 no such user"
        return None

    with Sink(reply=reply) as sink:
        server = sender(route(sink.port))
        send(server, "joe@far.example", "grey@far.example", "nobody@far.example")
        wait_log(server, "remote.deferred", "grey@far.example", "code=451", "status=4.7.1")
        wait_log(server, "remote.failed", "nobody@far.example", "code=550", "status=5.1.1")
        wait_log(server, "remote.delivered", "grey@far.example")
        assert sorted(r for m in sink.messages for r in m[0]) == ["grey@far.example", "joe@far.example"]


@pytest.mark.parametrize("where", ["", "EHLO", "MAIL", "RCPT", "DATA", "."])
def test_a_drop_is_tried_again(sender, where):
    dropped = []

    def reply(verb, line):
        if verb == where and not dropped:
            dropped.append(line)
            return "drop"
        return None

    with Sink(reply=reply) as sink:
        server = sender(route(sink.port))
        token = send(server, "joe@far.example")
        wait_log(server, "remote.deferred", "joe@far.example", "code=0")
        wait_log(server, "remote.delivered", "joe@far.example")
        assert [m[0] for m in sink.messages] == [["joe@far.example"]]
        assert token.encode() in sink.messages[0][1]


def test_lmtp(sender):
    def reply(verb, line):
        return "552 5.2.2 full" if verb == "RCPT" and "full" in line else None

    with Sink(lmtp=True, reply=reply) as sink:
        server = sender(route(sink.port, "protocol = lmtp"))
        send(server, "joe@far.example", "ann@far.example", "full@far.example")
        wait_log(server, "remote.failed", "full@far.example", "code=552")
        wait_log(server, "remote.delivered", "ann@far.example")
        assert sink.commands[0].startswith("LHLO ")
        assert [m[0] for m in sink.messages] == [["joe@far.example", "ann@far.example"]]


def test_a_smarthost_with_login_under_tls(sender, tmp_path):
    certificate = harness.make_certificate(tmp_path, "smart.example")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)

    def reply(verb, line):
        return "235 2.7.0 welcome" if verb == "AUTH" else None

    with Sink(offers=("AUTH PLAIN",), reply=reply, tls=context) as sink:
        server = sender(route(sink.port, 'tls = verify tls_name = "smart.example" user = "me" password = "word"')
                        + route(sink.port, 'tls = verify tls_name = "wrong.example"', "wrong.example"),
                        tls_ca_file=f'"{certificate[0]}"')
        send(server, "joe@far.example")
        wait_log(server, "remote.delivered", "joe@far.example", 'tls="TLSv1.3 verified"')
        assert "AUTH PLAIN AG1lAHdvcmQ=" in sink.commands
        send(server, "joe@wrong.example")
        wait_log(server, "remote.tls", "wrong.example")
        wait_log(server, "remote.deferred", "joe@wrong.example", "status=4.7.5")
        assert len(sink.messages) == 1


def test_nobody_listens(sender):
    port = harness.free_ports(1)[0]
    server = sender(route(port))
    send(server, "joe@far.example")
    wait_log(server, "remote.deferred", "joe@far.example", "Connection refused", f"[127.0.0.1]:{port}")
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(120)
        listener.accept()[0].close()


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.skipif(not SMTP_SINK, reason="no smtp-sink")
def test_smtp_sink_gets_all_of_many(sender, tmp_path):
    port = harness.free_ports(1)[0]
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    sink = subprocess.Popen([SMTP_SINK, *user, "-c", f"127.0.0.1:{port}", "1000"],
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        harness.wait_until(lambda: listens(port), what="a smtp-sink that listens")
        server = sender(route(port))
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
            for i in range(90):
                client.sendmail("s@example.org", [f"u{i}@far.example"], text_of(str(i), "x" * 3000 + "\r\n").encode())
        server.wait_logged("remote.delivered", count=90)
        assert len(server.logged("remote.delivered")) == 90
        assert not server.logged("remote.deferred")
    finally:
        sink.terminate()
        sink.wait()


def test_another_postroad(sender):
    with harness.Postroad(domains=("far.example",), hostname="mx.far.example",
                          settings={"auth_without_tls": "yes"}) as far:
        far.start()
        far.add_account("joe@far.example")
        server = sender(route(far.ports["smtp"]))
        big = text_of("big", "line of a big message\r\n" * 50000)
        token = send(server, "joe@far.example")
        send(server, "joe@far.example", text=big)
        box = Mailbox(far, "joe@far.example")
        assert box.wait_for(token.encode())[0].endswith(text_of(token).encode())
        assert box.wait_for(b"Subject: big")[0].endswith(big.encode())
        assert all("tls=TLSv1.3" in line for line in wait_log(server, "remote.delivered"))
        send(server, "nobody@far.example")
        wait_log(server, "remote.failed", "nobody@far.example", "code=550")


def test_a_stop_waits_for_the_answer_to_a_message(sender):
    asked, answer = threading.Event(), threading.Event()

    def reply(verb, line):
        if verb == ".":
            asked.set()
            answer.wait(harness.PATIENCE_S)
        return None

    with Sink(reply=reply) as sink:
        server = sender(route(sink.port))
        send(server, "joe@far.example")
        assert asked.wait(harness.PATIENCE_S)
        threading.Timer(1.0, answer.set).start()
        server.stop()
        assert wait_log(server, "remote.delivered", "joe@far.example")
        server.start()
        send(server, "ann@far.example")
        wait_log(server, "remote.delivered", "ann@far.example")
        assert sorted(r for m in sink.messages for r in m[0]) == ["ann@far.example", "joe@far.example"]

"""A scripted SMTP (or LMTP) server: one thread a connection, every fault at a step of its own.

A peer takes every message and answers as a good server does, but where one of its faults says
otherwise. Steps, in the order of the dialogue: connect, greeting, ehlo, starttls, handshake, ehlo2
(EHLO again, under TLS), auth, mail, rcpt, data, content (in the middle of it), dot (all is here, no
answer yet), after (the message is taken and answered), quit.
"""
import base64
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field

ALL = ("PIPELINING", "SIZE 52428800", "8BITMIME", "SMTPUTF8", "CHUNKING", "DSN", "ENHANCEDSTATUSCODES")
STEPS = ("connect", "greeting", "ehlo", "starttls", "handshake", "ehlo2", "auth", "mail", "rcpt", "data",
         "content", "dot", "after", "quit")
VERBS = {"EHLO": "ehlo", "LHLO": "ehlo", "HELO": "ehlo", "STARTTLS": "starttls", "AUTH": "auth", "MAIL": "mail",
         "RCPT": "rcpt", "DATA": "data", "BDAT": "data", "QUIT": "quit"}
HUGE = b"250-" + b"x" * (5 << 20) + b"\r\n"


@dataclass
class Fault:
    """What happens at `step` instead of the usual, `times` times (None: always), to recipients or
    senders that contain `match`: a reply to send, or one of
    "drop" (FIN), "reset" (RST), "stall", "garbage", "huge" (a line of 5 MB)."""
    step: str
    action: str
    times: int | None = 1
    match: str = ""
    skip: int = 0  # so many of these steps go well before
    seen: int = 0

    def takes(self, step, text):
        if step != self.step or self.match not in text:
            return False
        self.seen += 1
        return self.seen > self.skip and (self.times is None or self.seen <= self.skip + self.times)


@dataclass
class Message:
    sender: str
    mail_options: list
    recipients: list = field(default_factory=list)  # those that got 250
    rcpt_options: dict = field(default_factory=dict)
    content: bytes = b""
    tls: str = ""           # protocol version
    server_name: str = ""   # SNI
    connection: int = 0
    at: float = 0.0             # when it was here, and when its 250 was given to the kernel (0: not)
    acknowledged_at: float = 0.0


class Closed(Exception):
    pass


class Reader:
    """Lines and pieces of a socket; knows whether more has come than was asked for."""

    def __init__(self, sock):
        self.sock, self.data = sock, b""

    def more(self):
        chunk = self.sock.recv(65536)
        if not chunk:
            raise Closed
        self.data += chunk

    def line(self):
        while b"\n" not in self.data:
            self.more()
        line, self.data = self.data.split(b"\n", 1)
        return line + b"\n"

    def take(self, n):
        while len(self.data) < n:
            self.more()
        piece, self.data = self.data[:n], self.data[n:]
        return piece


class Connection(threading.Thread):
    def __init__(self, peer, sock, number):
        super().__init__(daemon=True)
        self.peer, self.sock, self.number = peer, sock, number
        self.reader, self.message, self.chunks = Reader(sock), None, b""
        self.tls, self.server_name, self.greeted = "", "", False

    def run(self):
        try:
            self.talk()
        except (Closed, OSError, ssl.SSLError, ValueError) as problem:
            self.peer.note(f"{self.number}: closed: {problem!r}")
        finally:
            self.sock.close()
            self.peer.connections.discard(self)

    def talk(self):
        self.sock.settimeout(120)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.peer.implicit_tls:
            self.start_tls()
        self.spoil("connect")
        if not self.spoil("greeting"):
            self.say(f"220 {self.peer.name} ESMTP")
        while True:
            line = self.reader.line()
            self.peer.note(f"{self.number}: {line!r}")
            if not line.endswith(b"\r\n"):
                self.peer.wrong.append(f"a line without CR: {line!r}")
            self.command(line.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))

    # --- answers

    def say(self, text):
        data = text if isinstance(text, bytes) else (text + "\r\n").encode()
        self.peer.note(f"{self.number}:     {data[:200]!r}")
        if self.peer.byte_pause_s:
            for n in range(len(data)):
                self.sock.sendall(data[n:n + 1])
                if self.peer.ending.wait(self.peer.byte_pause_s):
                    raise Closed
        else:
            self.sock.sendall(data)

    def spoil(self, step, text=""):
        """Does what a fault wants here; true when that took the place of the usual answer."""
        with self.peer.lock:
            fault = next((f for f in self.peer.faults if f.takes(step, text)), None)
        if not fault:
            return False
        self.peer.note(f"{self.number}: fault {fault.action!r} at {step}")
        if fault.action in ("drop", "reset"):
            if fault.action == "reset":
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Closed
        if fault.action == "stall":
            self.peer.ending.wait(3600)
            raise Closed
        if fault.action == "garbage":
            self.say(b"\x00\xff\x16garbage \xe4\r\nmore of it\r\n")
        elif fault.action == "huge":
            self.say(HUGE + b"250 ok\r\n")
        else:
            self.say(fault.action)
            if fault.action.startswith("421"):
                raise Closed
        return True

    # --- commands

    def command(self, line):
        verb = line.split(" ")[0].split(":")[0].upper()
        if not self.peer.offers("PIPELINING") and self.reader.data and verb != "BDAT":
            self.peer.wrong.append(f"pipelined after {line!r}")
        run = getattr(self, "run_" + verb.lower(), None)
        step = "ehlo2" if verb in ("EHLO", "LHLO") and self.tls and not self.peer.implicit_tls else VERBS.get(verb)
        if verb != "BDAT" and step and self.spoil(step, line):
            return
        if run is None:
            self.say("502 5.5.2 what?")
        else:
            run(line)

    def run_ehlo(self, line):
        self.greeted, self.message = True, None
        lines = [self.peer.name, *self.peer.extensions]
        if self.peer.tls and not self.tls:
            lines.append("STARTTLS")
        if self.peer.accounts:
            lines.append("AUTH PLAIN LOGIN")
        self.say("\r\n".join(f"250{' ' if i == len(lines) - 1 else '-'}{x}" for i, x in enumerate(lines)))

    run_lhlo = run_ehlo

    def run_helo(self, line):
        self.say(f"250 {self.peer.name}")

    def run_starttls(self, line):
        if not self.peer.tls:
            return self.say("502 5.5.1 no TLS here")
        self.say("220 2.0.0 go ahead")
        self.spoil("handshake")
        self.start_tls()

    def start_tls(self):
        if self.reader.data and not self.peer.implicit_tls:
            self.peer.wrong.append("bytes between STARTTLS and the handshake's answer")
        self.sock = self.peer.tls.wrap_socket(self.sock, server_side=True)
        self.server_name = getattr(self.sock, "lab_server_name", "")
        self.reader, self.tls = Reader(self.sock), self.sock.version()

    def run_auth(self, line):
        words = line.split(" ")
        given = words[2] if len(words) > 2 else None
        if words[1].upper() != "PLAIN":
            return self.say("504 5.5.4 PLAIN only")
        if given is None:
            self.say("334 ")
            given = self.reader.line().strip().decode()
        _, user, password = base64.b64decode(given).decode().split("\0")
        good = self.peer.accounts.get(user) == password
        self.peer.logins.append((user, good, self.tls))
        self.say("235 2.7.0 welcome" if good else "535 5.7.8 no")

    def run_mail(self, line):
        sender, options = path_and_options(line, "FROM")
        if self.message:
            return self.say("503 5.5.1 one at a time")
        self.message = Message(sender, options, connection=self.number, tls=self.tls or "",
                               server_name=self.server_name)
        self.say("250 2.1.0 ok")

    def run_rcpt(self, line):
        recipient, options = path_and_options(line, "TO")
        if not self.message:
            return self.say("503 5.5.1 MAIL first")
        self.message.recipients.append(recipient)
        self.message.rcpt_options[recipient] = options
        self.say("250 2.1.5 ok")

    def run_data(self, line):
        if not self.message or not self.message.recipients:
            return self.say("503 5.5.1 no recipients")
        self.say("354 go ahead")
        body, first = b"", True
        while (text := self.reader.line()) != b".\r\n":
            body += text[1:] if text.startswith(b".") else text
            if not text.endswith(b"\r\n") or b"\r" in text[:-2]:
                self.peer.wrong.append(f"bare CR or LF in {text[:100]!r}")
            if first:
                first = False
                self.spoil("content")
        self.finish(body)

    def run_bdat(self, line):
        words = line.split()
        piece = self.reader.take(int(words[1]))
        self.chunks += piece
        if not self.message or not self.message.recipients:
            self.chunks = b""
            return self.say("503 5.5.1 no recipients")
        if self.spoil("data", line):
            self.chunks, self.message = b"", None
            return
        self.spoil("content")
        if len(words) > 2 and words[2].upper() == "LAST":
            body, self.chunks = self.chunks, b""
            self.finish(body)
        else:
            self.say("250 2.0.0 more")

    def finish(self, body):
        message, self.message = self.message, None
        message.content, message.at = body[:self.peer.keep_bytes], time.monotonic()
        with self.peer.lock:
            self.peer.arrived.append(message)
        if self.spoil("dot", message.sender):
            return
        answers = len(message.recipients) if self.peer.lmtp else 1
        with self.peer.lock:
            self.peer.messages.append(message)
        self.say(b"250 2.0.0 taken\r\n" * answers)
        message.acknowledged_at = time.monotonic()
        self.spoil("after")

    def run_rset(self, line):
        self.message, self.chunks = None, b""
        self.say("250 2.0.0 ok")

    def run_noop(self, line):
        self.say("250 2.0.0 ok")

    def run_quit(self, line):
        self.say("221 2.0.0 bye")
        raise Closed


def path_and_options(line, word):
    found = re.match(rf"\w+ {word}:\s*<([^>]*)>(.*)$", line, re.I)
    if not found:
        raise ValueError(line)
    return found[1], found[2].split()


def server_tls(cert, key):
    """A context for a peer; it keeps the name that the client asked for."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)

    def keep(sock, name, _):
        sock.lab_server_name = name or ""
    context.sni_callback = keep
    return context


class Peer:
    """Serves the listening sockets it is given until close().

    messages      those that were answered with 250, in order
    arrived       those whose last byte came, answered or not
    wrong         what a client did against the protocol, as texts

    Of each content the first `keep_bytes` are kept (None: all).
    """

    def __init__(self, sockets, name="peer.test", faults=(), extensions=ALL, tls=None, implicit_tls=False,
                 byte_pause_s=0, lmtp=False, accounts=None, keep_dialogue=False, keep_bytes=None):
        self.name, self.faults, self.extensions = name, list(faults), list(extensions)
        self.tls, self.implicit_tls, self.byte_pause_s, self.lmtp = tls, implicit_tls, byte_pause_s, lmtp
        self.accounts, self.logins, self.keep_dialogue = accounts or {}, [], keep_dialogue
        self.keep_bytes = keep_bytes
        self.messages, self.arrived, self.wrong, self.dialogue = [], [], [], []
        self.lock, self.ending, self.connections, self.count = threading.Lock(), threading.Event(), set(), 0
        for fault in self.faults:
            if fault.step not in STEPS:
                raise ValueError(f"no step {fault.step}")
        self.sockets = sockets if isinstance(sockets, (list, tuple)) else [sockets]
        self.threads = [threading.Thread(target=self.accept, args=(s,), daemon=True) for s in self.sockets]
        for thread in self.threads:
            thread.start()

    def offers(self, extension):
        return any(e.split()[0] == extension for e in self.extensions)

    def note(self, text):
        if self.keep_dialogue:
            self.dialogue.append(text)

    def accept(self, sock):
        while True:
            try:
                client, _ = sock.accept()
            except OSError:
                return
            with self.lock:
                self.count += 1
                connection = Connection(self, client, self.count)
                self.connections.add(connection)
            connection.start()

    def with_text(self, text):
        """The acknowledged messages that contain the text."""
        data = text.encode()
        with self.lock:
            return [m for m in self.messages if data in m.content]

    def close(self):
        self.ending.set()
        for sock in self.sockets:
            sock.shutdown(socket.SHUT_RDWR)  # wakes accept()
        for connection in list(self.connections):
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join(5)
        for sock in self.sockets:
            sock.close()

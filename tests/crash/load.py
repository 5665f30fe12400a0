"""Many SMTP sessions at once that remember exactly which messages were answered with 250.

Every try carries a token of its own, so a message whose answer was lost is never
mistaken for the one that was sent after it.
"""
import random
import socket
import threading
import time


class Session(threading.Thread):
    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.number, self.count = load, number, 0
        self.random = random.Random(f"{load.seed}-{number}")

    def run(self):
        while not self.load.ending.is_set():
            try:
                self.talk()
            except (OSError, ConnectionError, ValueError):
                time.sleep(0.02)  # the server is away; try again soon

    def talk(self):
        with socket.create_connection(("127.0.0.1", self.load.port), timeout=20) as s:
            lines = s.makefile("rb")
            expect(lines, b"220")
            command(s, lines, b"EHLO load.example.net", b"250")
            while not self.load.ending.is_set():
                self.send_message(s, lines)
            command(s, lines, b"QUIT", b"221")

    def send_message(self, s, lines):
        self.count += 1
        token = f"t{self.load.run}-{self.number}-{self.count}"
        size = self.random.choice((200, 1000, 4000, 4000, 4000, 20000, 100000, 400000))
        rcpts = self.random.sample(self.load.addresses, self.random.choice((1, 1, 1, 2, 3)))
        command(s, lines, b"MAIL FROM:<load@example.net>", b"250")
        for rcpt in rcpts:
            command(s, lines, b"RCPT TO:<" + rcpt.encode() + b">", b"250")
        command(s, lines, b"DATA", b"354")
        self.load.tried(token, rcpts)
        line = b"x" * 70 + b"\r\n"
        s.sendall(f"Subject: {token}\r\nMessage-ID: <{token}@load>\r\n\r\n".encode()
                  + line * (size // len(line)) + b".\r\n")
        expect(lines, b"250")
        self.load.acknowledged(token)


def expect(lines, code):
    while True:
        line = lines.readline()
        if not line.startswith(code):
            raise ValueError(f"wanted {code!r}, got {line!r}")
        if line[3:4] == b" ":
            return line


def command(s, lines, text, code):
    s.sendall(text + b"\r\n")
    return expect(lines, code)


class Load:
    """`sessions` sessions against one port until stop(); tokens are told apart by `run`."""

    def __init__(self, port, addresses, run, seed, sessions=16):
        self.port, self.addresses, self.run, self.seed = port, addresses, run, seed
        self.targets = {}        # token -> addresses, for every message whose body was sent
        self.acks = {}           # token -> when its 250 was read
        self.ending = threading.Event()
        self.sessions = [Session(self, n) for n in range(sessions)]
        for session in self.sessions:
            session.start()

    def tried(self, token, rcpts):
        self.targets[token] = rcpts

    def acknowledged(self, token):
        self.acks[token] = time.monotonic()

    def stop(self):
        self.ending.set()
        for session in self.sessions:
            session.join(60)

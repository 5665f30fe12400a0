"""IMAP sessions at once that remember what was answered with OK, and every uid they saw.

A letter carries a token of its own in its Subject, and is appended, copied and moved by one
session only; so where it may lie is known at any moment.
"""
import imaplib
import random
import re
import threading
import time

MAILBOXES = ("INBOX", "copies", "moved")


class Letter:
    """What is known of one: "no", "perhaps" (no answer came) or "yes"."""

    def __init__(self):
        self.appended = self.copied = self.moved = "no"


class Ledger:
    """What all sessions were told."""

    def __init__(self):
        self.letters = {}  # (address, token) -> Letter
        self.uids = {}     # (address, mailbox, uidvalidity, uid) -> token
        self.wrong = []
        self.lock = threading.Lock()
        self.commands = 0

    def saw(self, address, mailbox, validity, uid, token):
        with self.lock:
            known = self.uids.setdefault((address, mailbox, validity, uid), token)
            if known != token:
                self.wrong.append(f"{address} {mailbox}: uid {uid} was {known} and is {token}")

    def acknowledged(self):
        return sum(letter.appended == "yes" for letter in list(self.letters.values()))


class Session(threading.Thread):
    def __init__(self, load, number):
        super().__init__(daemon=True)
        self.load, self.number, self.count = load, number, 0
        self.address = load.addresses[number % len(load.addresses)]
        self.random = random.Random(f"{load.seed}-{number}")
        self.mine = []  # (token, uid in the INBOX)

    def run(self):
        while not self.load.ending.is_set():
            try:
                self.talk()
            except (OSError, imaplib.IMAP4.error, EOFError):
                time.sleep(0.02)  # the server is away; try again soon

    def talk(self):
        client = imaplib.IMAP4("127.0.0.1", self.load.port, timeout=20)
        try:
            client.login(self.address, "secret")
            for name in MAILBOXES[1:]:
                client.create(name)
            self.validity = {name: client.status(name, "(UIDVALIDITY)")[1][0].split()[-1].rstrip(b")").decode()
                             for name in MAILBOXES}
            client.select("INBOX")
            while not self.load.ending.is_set():
                self.random.choice((self.append, self.append, self.copy, self.move, self.look))(client)
                self.load.ledger.commands += 1
        finally:
            client.shutdown()

    def append(self, client):
        self.count += 1
        token = f"t{self.load.run}-{self.number}-{self.count}"
        letter = self.load.ledger.letters[self.address, token] = Letter()
        letter.appended = "perhaps"
        body = b"word " * self.random.choice((10, 100, 800, 800, 30000))
        kind, data = client.append("INBOX", None, None, b"Subject: %s\r\n\r\n%s\r\n" % (token.encode(), body))
        if kind != "OK":
            return
        letter.appended = "yes"
        validity, uid = re.search(rb"APPENDUID (\d+) (\d+)", data[0]).groups()
        assert validity.decode() == self.validity["INBOX"]
        self.load.ledger.saw(self.address, "INBOX", validity.decode(), int(uid), token)
        self.mine.append((token, uid.decode()))

    def take_one(self, client, to, mark):
        token, uid = self.mine[self.random.randrange(len(self.mine))]
        letter = self.load.ledger.letters[self.address, token]
        if mark == "moved":
            self.mine.remove((token, uid))
        elif letter.copied != "no":
            return
        setattr(letter, mark, "perhaps")
        kind, _ = client.uid("MOVE" if mark == "moved" else "COPY", uid, to)
        found = client.response("COPYUID")[1]
        if kind != "OK":
            return
        setattr(letter, mark, "yes")
        if found and found[0]:
            validity, _, new = found[0].split()
            self.load.ledger.saw(self.address, to, validity.decode(), int(new), token)

    def copy(self, client):
        if self.mine:
            self.take_one(client, "copies", "copied")

    def move(self, client):
        if self.mine:
            self.take_one(client, "moved", "moved")

    def look(self, client):
        """The newest messages, as any client would see them."""
        client.noop()
        for uid, token in subjects(client, "*"):
            self.load.ledger.saw(self.address, "INBOX", self.validity["INBOX"], uid, token)


def subjects(client, numbers):
    """[(uid, subject)]"""
    kind, rows = client.fetch(numbers, "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
    found = []
    for row in rows if kind == "OK" else []:
        if isinstance(row, tuple):
            found.append((int(re.search(rb"UID (\d+)", row[0]).group(1)), row[1].split()[1].decode()))
    return found


class Load:
    def __init__(self, port, addresses, ledger, seed, run=0, sessions=12):
        self.port, self.addresses, self.ledger, self.seed, self.run = port, addresses, ledger, seed, run
        self.ending = threading.Event()
        self.sessions = [Session(self, n) for n in range(sessions)]
        for session in self.sessions:
            session.start()

    def stop(self):
        self.ending.set()
        for session in self.sessions:
            session.join(60)

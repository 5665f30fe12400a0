"""Sessions of imapd over a pipe: no process, no network. And responses as Python values.

    with Pipe() as imap:
        imap.message(b"Subject: x\\r\\n\\r\\nbody\\r\\n")
        imap.ok("SELECT INBOX")
        imap.fetch("1 (UID BODY[])")  ->  {1: {"UID": 1, "BODY[]": b"Subject: x..."}}
"""
import os
import re
import subprocess

BUILD = os.environ.get("POSTROAD_BUILD", "build/development")
PIPE = os.environ.get("IMAP_PIPE", f"{BUILD}/imapd/session/imap_pipe")

TOKEN = re.compile(rb"""\s*(?:
    (?P<open>\() | (?P<close>\)) |
    "(?P<quoted>(?:[^"\\]|\\.)*)" |
    ~?\{(?P<literal>\d+)\}\r\n |
    (?P<atom>BODY\[[^\]]*\](?:<\d+>)? | [^\s()"{}]+)
)""", re.X | re.S)


class Pipe:
    def __init__(self, path=PIPE):
        self.program = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.tags = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stdin.close()
        assert self.program.wait(60) == 0

    def exchange(self, head, body):
        self.program.stdin.write(head.encode() + b"\n" + body)
        self.program.stdin.flush()
        size = self.program.stdout.readline()
        assert size, "the program ended"
        answer = self.program.stdout.read(int(size))
        assert len(answer) == int(size)
        return answer

    def message(self, content, prefix=b""):
        self.exchange(f"message {len(prefix)} {len(content)}", prefix + content)

    def say(self, data, session=0):
        return self.exchange(f"say {session} {len(data)}", data)

    def command(self, text, session=0):
        """(bytes of the untagged responses, tagged line)"""
        self.tags += 1
        tag = f"T{self.tags}"
        text = text.encode() if isinstance(text, str) else text
        answer = self.say(tag.encode() + b" " + text + b"\r\n", session)
        start = answer.rfind(b"\r\n" + tag.encode() + b" ") + 2
        if answer.startswith(tag.encode() + b" "):
            start = 0
        assert start != 1, answer[-300:]
        return answer[:start], answer[start:].strip().decode()[len(tag) + 1:]

    def ok(self, text, session=0):
        untagged, tagged = self.command(text, session)
        assert tagged.startswith("OK"), (text, tagged)
        return untagged

    def fetch(self, arguments, session=0):
        return fetched(self.ok(f"FETCH {arguments}", session))


def value(data, at):
    """One value of a response: bytes, an int, None for NIL, or a list. And where it ends."""
    token = TOKEN.match(data, at)
    assert token, data[at:at + 80]
    at = token.end()
    if token["open"]:
        items = []
        while not data[at:].lstrip(b" ").startswith(b")"):
            item, at = value(data, at)
            items.append(item)
        return items, data.index(b")", at) + 1
    if token["literal"]:
        size = int(token["literal"])
        assert at + size <= len(data), "a literal that is cut off"
        return data[at:at + size], at + size
    if token["quoted"] is not None:
        return re.sub(rb"\\(.)", rb"\1", token["quoted"]), at
    atom = token["atom"]
    if atom.isdigit():
        return int(atom), at
    return (None if atom == b"NIL" else Atom(atom)), at


class Atom(bytes):
    """What stands without quotes, such as a flag or a name."""


LABEL = re.compile(rb"[A-Z0-9.]+(?:\[[^\]]*\])?(?:<\d+>)?")


def fetched(data):
    """{number: {label: value}} of FETCH responses; each must be whole, and nothing else there."""
    result, at = {}, 0
    head = re.compile(rb"\* (\d+) FETCH \(")
    while at < len(data):
        start = head.match(data, at)
        assert start, data[at:at + 80]
        at = start.end()
        items = result.setdefault(int(start[1]), {})
        while True:
            label = LABEL.match(data, at)
            assert label and data[label.end():label.end() + 1] == b" ", data[at:at + 80]
            items[label[0].decode()], at = value(data, label.end() + 1)
            if data[at:at + 1] != b" ":
                break
            at += 1
        assert data[at:at + 3] == b")\r\n", data[at:at + 80]
        at += 3
    return result

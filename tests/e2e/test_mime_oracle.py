"""Python's email package reads the same messages as common/mime and must agree.

Messages are made at random: SEED= repeats a run. The binary made of
tests/unit/mime_dump.c says what it reads.
"""
import base64
import email
import email.header
import email.utils
import json
import os
import quopri
import random
import subprocess

MESSAGES = 200
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
BUILD = os.environ.get("POSTROAD_BUILD", "build/development")
DUMP = f"{BUILD}/common/mime/mime_dump"

WORDS = "alpha beta gamma delta Grüße naïve façade -- --- = =3D dot . .. From café".split()
ENCODINGS = ["7bit", "8bit", "quoted-printable", "base64", None]
SUBTYPES = ["mixed", "alternative", "related", "digest", "signed"]
DATES = [
    "Mon, 7 Feb 1994 21:52:25 -0800",
    "Thu, 29 Feb 2024 12:00:00 +0000",
    "1 Jan 2024 00:00:00 GMT",
    "Sat, 31 Dec 2022 23:59:59 +1345",
    "Tue, 1 Jul 03 10:52:37 EST",
]


class Maker:
    """Builds messages byte by byte, so that nothing of the oracle is in them."""

    def __init__(self, rnd):
        self.rnd = rnd
        self.boundaries = 0

    def line(self, ascii_only):
        words = [w for w in WORDS if w.isascii()] if ascii_only else WORDS
        return " ".join(self.rnd.choice(words) for _ in range(self.rnd.randrange(12)))

    def text(self, ascii_only):
        lines = [self.line(ascii_only) for _ in range(self.rnd.randrange(8))]
        return "\r\n".join(lines) + self.rnd.choice(["", "\r\n", "\r\n\r\n"])

    def fold(self):
        return self.rnd.choice([" ", "\r\n ", "\r\n\t", "  "])

    def leaf(self, digest):
        encoding = self.rnd.choice(ENCODINGS)
        charset = self.rnd.choice(["utf-8", "iso-8859-1"])
        body = self.text(encoding in ("7bit", None)).encode(charset)
        if encoding == "base64":
            body = base64.encodebytes(body).replace(b"\n", b"\r\n")
        elif encoding == "quoted-printable":
            body = quopri.encodestring(body.replace(b"\r\n", b"\n")).replace(b"\n", b"\r\n")
        kinds = ["text/plain", "TEXT/html", "application/pdf"]
        # Without a type it would be a message in a digest, here one without a header:
        # what stands before its first empty line is header to us, body to Python.
        kind = self.rnd.choice(kinds if digest else kinds + [None])
        head = ""
        if kind:
            quote = self.rnd.choice(['"', ""])
            head = f"Content-Type: {kind};{self.fold()}charset={quote}{charset}{quote}\r\n"
        if encoding:
            head += f"Content-Transfer-Encoding: {encoding}\r\n"
        return head.encode() + b"\r\n" + body

    def multipart(self, depth):
        self.boundaries += 1
        # Now and then one boundary begins another, which parsers tell apart by the line.
        boundary = self.rnd.choice(["=_", "b", "simple boundary "]) + "x" * self.boundaries
        subtype = self.rnd.choice(SUBTYPES)
        head = (f"Content-Type: multipart/{subtype};{self.fold()}"
                f'boundary="{boundary}"\r\n\r\n').encode()
        marker = b"--" + boundary.encode()
        parts = [self.part(depth + 1, subtype == "digest")
                 for _ in range(self.rnd.randrange(1, 4))]
        preamble = self.rnd.choice([b"", b"preamble\r\n", b"\r\n"])
        middle = b"\r\n".join(marker + self.rnd.choice([b"", b" "]) + b"\r\n" + p for p in parts)
        epilogue = self.rnd.choice([b"\r\n", b"", b"\r\nepilogue\r\n"])
        return head + preamble + middle + b"\r\n" + marker + b"--" + epilogue

    def part(self, depth, digest=False):
        choice = self.rnd.random()
        if depth < 4 and choice < 0.4 - 0.05 * depth:
            return self.multipart(depth)
        if depth < 4 and choice > 0.9:
            return b"Content-Type: message/rfc822\r\n\r\n" + self.message(depth + 1)
        return self.leaf(digest)

    def phrase(self):
        text = self.line(False).replace(".", "").strip() or "x"
        return text, email.header.Header(text, "utf-8", maxlinelen=60).encode("\r\n ")

    def message(self, depth=0):
        subject, coded = self.phrase()
        head = (f"From: {self.phrase()[1]} <user{depth}@example.org>\r\n"
                f"Subject:{self.fold()}{coded}\r\nDate: {self.rnd.choice(DATES)}\r\n"
                f"Message-ID: <{self.rnd.randrange(1 << 40)}@example.org>\r\n"
                "MIME-Version: 1.0\r\n")
        return head.encode() + self.part(depth)


def header_text(value):
    text = str(email.header.make_header(email.header.decode_header(value)))
    return " ".join(text.split())


def raw_payload(part):
    """The body as it stood; get_payload() would decode its charset."""
    return part._payload.encode("ascii", "surrogateescape")


def compare_part(ours, theirs, message):
    where = (ours, theirs.get_content_type())
    kind = bytes.fromhex(ours["type"]) + b"/" + bytes.fromhex(ours["subtype"])
    assert kind.decode().lower() == theirs.get_content_type(), where
    assert (ours["kind"] != 0) == theirs.is_multipart(), where
    if theirs.is_multipart():
        return
    body = message[ours["start"]:ours["end"]]
    assert body == raw_payload(theirs), where
    assert ours["lines"] == body.count(b"\n"), where
    charset = bytes.fromhex(ours["charset"]).decode()
    assert charset == (theirs.get_param("charset") or ""), where
    assert bytes.fromhex(ours["decoded"]) == theirs.get_payload(decode=True), where


def compare_message(ours, message):
    theirs = email.message_from_bytes(message)
    parts = list(theirs.walk())
    assert not ours["wrong"]
    assert len(ours["parts"]) == len(parts)
    for our_part, their_part in zip(ours["parts"], parts):
        compare_part(our_part, their_part, message)
    date = email.utils.parsedate_to_datetime(theirs["Date"])
    assert ours["date"] == int(date.timestamp())
    assert bytes.fromhex(ours["message_id"]).decode() == theirs["Message-ID"].strip("<> ")
    assert bytes.fromhex(ours["subject"]).decode() == header_text(theirs["Subject"])
    name, address = email.utils.parseaddr(theirs["From"].replace("\r\n", ""))
    assert bytes.fromhex(ours["from_mailbox"]).decode() == address.split("@")[0]
    display = bytes.fromhex(ours["from_display"]).decode()
    assert " ".join(display.split()) == header_text(name)


def test_mime_python_reads_the_same(tmp_path):
    print(f"SEED={SEED}")
    rnd = random.Random(SEED)
    messages = [Maker(rnd).message() for _ in range(MESSAGES)]
    paths = []
    for i, message in enumerate(messages):
        path = tmp_path / f"{i:03}.eml"
        path.write_bytes(message)
        paths.append(str(path))
    out = subprocess.run([DUMP, *paths], check=True, capture_output=True).stdout
    lines = out.splitlines()
    assert len(lines) == MESSAGES
    for path, line, message in zip(paths, lines, messages):
        try:
            compare_message(json.loads(line), message)
        except AssertionError:
            print(f"SEED={SEED} {path}\n{message.decode('latin-1')}")
            raise

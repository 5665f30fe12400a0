"""What FETCH gives is what stands in the message.

A second reader of MIME, small and of its own making, finds every part, header and field in the
raw bytes; each section that imapd serves must equal it, whole and in pieces. Messages are
made at random: SEED= repeats a run, MESSAGES= makes it longer.
"""
import os
import random
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from corpus import corpus  # noqa: E402
from imap_pipe import Pipe  # noqa: E402

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
MESSAGES = int(os.environ.get("MESSAGES", 300))

# --- the second reader


class Part:
    def __init__(self, header_start):
        self.header_start = header_start
        self.body_start = self.body_end = None
        self.kind, self.boundary, self.encoding = "leaf", None, b"7bit"
        self.children = []


def bare(content):
    """A message whose first line ends in a bare LF has such lines throughout."""
    return re.match(rb"[^\n]*(?<!\r)\n", content) is not None


def split_lines(content):
    end = rb"\n" if bare(content) else rb"\r\n"
    starts = [0] + [m.end() for m in re.finditer(end, content)]
    return [(a, b) for a, b in zip(starts, starts[1:] + [len(content)]) if a < b]


def field(header, name):
    found = re.search(rb"(?im)^" + name + rb"[ \t]*:((?:.*\n?)(?:[ \t].*\n?)*)", header)
    return found[1].strip() if found else None


def classify(part, header, digest):
    kind = field(header, b"Content-Type")
    if kind is None:
        kind = b"message/rfc822" if digest else b"text/plain"
    name = re.match(rb"([^\s;/()]+)/([^\s;/()]+)\s*(?:;|$|\()", kind)
    part.encoding = (field(header, b"Content-Transfer-Encoding") or b"7bit").lower()
    part.digest = bool(name) and name[2].lower() == b"digest"
    if name and name[1].lower() == b"multipart":
        value = re.search(rb';\s*boundary\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;()]+))', kind, re.I)
        if value:
            part.kind = "multipart"
            part.boundary = (value[1] if value[1] is not None else value[2]).rstrip()
    elif name and (name[1] + b"/" + name[2]).lower() in (b"message/rfc822", b"message/global"):
        part.kind = "message"


class Reader:
    def __init__(self, content):
        self.content, self.lines, self.at = content, split_lines(content), 0
        self.open = []  # boundaries, or None where one was closed
        self.hit = None

    def look(self):
        """Is the line at hand a boundary of something open? (index, closing)"""
        start, end = self.lines[self.at]
        text = self.content[start:end].rstrip(b"\r\n \t")
        if not text.startswith(b"--"):
            return None
        text, best = text[2:], None
        for i in reversed(range(len(self.open))):
            b = self.open[i]
            if b and text in (b, b + b"--"):
                return i, text != b
            if b and text.startswith(b) and (best is None or len(b) > len(self.open[best])):
                best = i
        return None if best is None else (best, text[len(self.open[best]):].startswith(b"--"))

    def place(self):
        return self.lines[self.at][0] if self.at < len(self.lines) else len(self.content)

    def end(self, floor):
        """Where a part ends: before the line end that belongs to the boundary."""
        at = self.place()
        if self.hit is None:
            return at
        cut = 2 if self.content[:at].endswith(b"\r\n") else 1
        return at - cut if at - cut >= floor else at

    def header(self, part):
        while self.at < len(self.lines):
            self.hit = self.look()
            if self.hit:
                break
            start, end = self.lines[self.at]
            self.at += 1
            if self.content[start:end] in (b"\r\n", b"\n"):
                break
        part.body_start = self.place()

    def skip(self):
        while self.at < len(self.lines) and not self.hit:
            self.hit = self.look()
            self.at += not self.hit

    def part(self, digest=False):
        part = Part(self.place())
        self.header(part)
        classify(part, self.content[part.header_start:part.body_start], digest)
        if part.kind == "message":
            part.children = [self.empty() if self.hit else self.part()]
        elif part.kind == "multipart":
            self.multipart(part)
        else:
            self.skip()
        part.body_end = self.end(part.body_start)
        return part

    def empty(self):
        part = Part(self.place())
        part.body_start = part.body_end = part.header_start
        return part

    def multipart(self, part):
        mine = len(self.open)
        self.open.append(part.boundary)
        self.skip()
        while self.hit and self.hit[0] == mine:
            closing, self.hit = self.hit[1], None
            self.at += 1
            if closing:
                self.open[mine] = None
                self.skip()
                break
            part.children.append(self.part(part.digest))
        self.open.pop()


def fields_of(header, lf):
    """[(name or None, bytes)] and the empty line."""
    result, end = [], b"\n" if lf else b"\r\n"
    for line in re.findall(rb".*?" + end + rb"|.+", header, re.S):
        if line in ((b"\n", b"\r\n") if lf else (b"\r\n",)):
            return result, line
        if line[:1] in (b" ", b"\t"):
            if result:
                result[-1] = (result[-1][0], result[-1][1] + line)
            else:
                result.append((None, line))
            continue
        name = re.match(rb"([!-9;-~]+)[ \t]*:", line)
        result.append((name[1].lower() if name else None, line))
    return result, b""


def chosen(header, lf, names, inverted):
    fields, empty = fields_of(header, lf)
    return b"".join(text for name, text in fields if (name in names) != inverted) + empty


def decoded_base64(data):
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    out, bits, n = bytearray(), 0, 0
    for c in data + b"=":
        if c == ord("=") and n:
            out += (bits << (24 - 6 * n)).to_bytes(3, "big")[:n * 6 // 8]
            bits = n = 0
        elif c in alphabet:
            bits, n = bits << 6 | alphabet.index(c), n + 1
        if n == 4:
            out += bits.to_bytes(3, "big")
            bits = n = 0
    return bytes(out)


def decoded_quoted(data):
    data = re.sub(rb"[ \t]+(?=\r?\n)", b"", data)
    data = re.sub(rb"=\r?(\n|$)", b"", data)
    return re.sub(rb"=([0-9A-Fa-f]{2})", lambda m: bytes([int(m[1], 16)]), data)


def decoded(data, encoding):
    if encoding == b"base64":
        return decoded_base64(data)
    if encoding == b"quoted-printable":
        return decoded_quoted(data)
    return data if encoding in (b"7bit", b"8bit", b"binary") else None


# --- comparing


def quiet(data):
    return data.replace(b"\0", b"\x80")


class Message:
    def __init__(self, content, prefix):
        self.content, self.prefix, self.lf = content, prefix, bare(content)
        self.root = Reader(content).part()

    def sections(self):
        """{section: bytes} of all there are."""
        body = self.root.body_start
        head = self.prefix + self.content[:body]
        result = {"": self.prefix + self.content, "HEADER": head, "TEXT": self.content[body:]}
        parts = {}
        if self.root.kind == "multipart":
            self.number(self.root, "", parts)
        else:
            parts["1"] = self.root
            if self.root.kind == "message":
                self.message_parts(self.root, "1", parts)
        for path, part in parts.items():
            result[path] = self.content[part.body_start:part.body_end]
            result[path + ".MIME"] = self.content[part.header_start:part.body_start]
            if part is self.root:
                result[path + ".MIME"] = head
            if part.kind == "message":
                inner = part.children[0]
                result[path + ".HEADER"] = self.content[inner.header_start:inner.body_start]
                result[path + ".TEXT"] = self.content[inner.body_start:inner.body_end]
        self.parts = parts
        return result

    def number(self, part, path, out):
        for i, child in enumerate(part.children):
            name = f"{path}{i + 1}"
            out[name] = child
            if child.kind == "multipart":
                self.number(child, name + ".", out)
            elif child.kind == "message":
                self.message_parts(child, name, out)

    def message_parts(self, part, name, out):
        inner = part.children[0]
        if inner.kind == "multipart":
            self.number(inner, name + ".", out)
        else:
            out[name + ".1"] = inner
            if inner.kind == "message":
                self.message_parts(inner, name + ".1", out)

    def fields(self, section, names, inverted):
        if section == "HEADER":
            own = chosen(self.prefix, False, names, inverted)
            return own + chosen(self.content[:self.root.body_start], self.lf, names, inverted)
        return chosen(self.sections()[section], self.lf, names, inverted)


NAMES = ["From", "to", "SUBJECT", "Date", "Message-ID", "References", "Received", "X-Spam-Status", "Content-Type",
         "Return-Path", "Delivered-To", "DKIM-Signature", "List-Id", "X-Empty", "X-Many", "Nobody", "In-Reply-To", "Cc"]


def same(got, want, what):
    assert got == want, f"{what}\n got {got!r}\nwant {want!r}"


def compare_sections(imap, n, message, rnd):
    sections = message.sections()
    items = [f"BODY.PEEK[{s}]" for s in sections] + ["RFC822.SIZE"]
    missing = ["9", "1.9", "1.1.1.1.1.1.1.1"]
    items += [f"BODY.PEEK[{s}]" for s in missing]
    got = imap.fetch(f"{n} ({' '.join(items)})")[n]
    same(got["RFC822.SIZE"], len(got["BODY[]"]), "size")
    for section, want in sections.items():
        same(got[f"BODY[{section}]"], quiet(want), f"BODY[{section}]")
    for section in missing:
        same(got[f"BODY[{section}]"], None, section)
    section = rnd.choice(list(sections))
    want = quiet(sections[section])
    for _ in range(3):
        offset, count = rnd.randrange(len(want) + 3), rnd.choice([1, 2, 70, 10000])
        got = imap.fetch(f"{n} BODY.PEEK[{section}]<{offset}.{count}>")[n]
        same(got[f"BODY[{section}]<{offset}>"], want[offset:offset + count], (section, offset, count))


def compare_fields(imap, n, message, rnd):
    headers = ["HEADER"] + [s for s in message.sections() if s.endswith(".HEADER")]
    for section in headers:
        for inverted in (False, True):
            names = rnd.sample(NAMES, rnd.randrange(1, 9))
            label = f"{section}.FIELDS{'.NOT' if inverted else ''} ({' '.join(names)})"
            want = quiet(message.fields(section, {s.lower().encode() for s in names}, inverted))
            same(imap.fetch(f"{n} BODY.PEEK[{label}]")[n][f"BODY[{label}]"], want, label)
            offset, count = rnd.randrange(len(want) + 2), rnd.randrange(1, 100)
            got = imap.fetch(f"{n} BODY.PEEK[{label}]<{offset}.{count}>")[n]
            same(got[f"BODY[{label}]<{offset}>"], want[offset:offset + count], (label, offset))


def compare_binary(imap, n, message, rnd):
    sections = message.sections()
    for path, part in message.parts.items():
        want = decoded(sections[path], part.encoding)
        untagged, tagged = imap.command(f"FETCH {n} (BINARY.PEEK[{path}] BINARY.SIZE[{path}])")
        if want is None:
            assert tagged.startswith("NO [UNKNOWN-CTE]"), (path, tagged)
            continue
        assert tagged.startswith("OK"), (path, tagged)
        got = imap.fetch(f"{n} (BINARY.PEEK[{path}] BINARY.SIZE[{path}])")[n]
        same(got[f"BINARY[{path}]"], want, f"BINARY[{path}]")
        same(got[f"BINARY.SIZE[{path}]"], len(want), f"BINARY.SIZE[{path}]")
        assert (b"\0" in want) == (b" ~{" in untagged.split(b"\r\n")[0]), path
        offset, count = rnd.randrange(len(want) + 2), rnd.randrange(1, 100)
        got = imap.fetch(f"{n} BINARY.PEEK[{path}]<{offset}.{count}>")[n]
        same(got[f"BINARY[{path}]<{offset}>"], want[offset:offset + count], (path, offset))


def walk(structure, path):
    """(path, octets) of the leaves of a BODYSTRUCTURE; `path` ends in a dot, or is empty."""
    if isinstance(structure[0], list):
        children = [s for s in structure if isinstance(s, list) and s and is_part(s)]
        for i, child in enumerate(children):
            name = f"{path}{i + 1}"
            yield from walk(child, f"{name}." if isinstance(child[0], list) else name)
        return
    name = path.rstrip(".") or "1"
    yield name, structure[6]
    if (structure[0] + b"/" + structure[1]).lower() in (b"message/rfc822", b"message/global"):
        inner = structure[8]
        yield from walk(inner, f"{name}." if isinstance(inner[0], list) else f"{name}.1")


def is_part(item):
    return isinstance(item[0], list) or (len(item) >= 7 and isinstance(item[6], int))


def compare_structure(imap, n, message):
    """The sizes that BODYSTRUCTURE tells are those of the parts."""
    got = imap.fetch(f"{n} (BODYSTRUCTURE)")[n]["BODYSTRUCTURE"]
    sections = message.sections()
    for path, octets in walk(got, ""):
        if path in sections:
            same(octets, len(sections[path]), f"octets of {path}")


def large(rnd):
    """What the corpus has too small: long headers, long parts, NULs."""
    many = b"".join(b"X-Many: %d\r\n folded\r\nReceived: by %d\r\n" % (i, i) for i in range(6000))
    text = bytes(rnd.randrange(1, 256) for _ in range(3000)).replace(b"\n", b"x") * 500
    line = b"QUJD" * 18 + b"\r\n"
    return [
        many + b"Subject: many\r\n\r\nbody\r\n",
        b"Subject: one\r\nX-Many: " + b"x" * 900000 + b"\r\nFrom: a@b.c\r\n\r\nbody\r\n",
        b"Subject: large\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + text + b"\r\n--b\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + line * 20000 + b"\r\n--b--\r\n",
        b"Subject: nul \0 in it\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\0a\0\r\n\0",
        b"Subject: lf\nX-Many: a\r\nFrom: b\n c\n\nbody\n",
        b"Received: crlf\r\nSubject: x\nFrom: not a field\r\nTo: y\r\n\r\nbody\n",
        b" begins with space\r\nSubject: x\r\n\r\nbody",
        b"X",
        b"\n",
    ]


def compare_all(imap, messages):
    """All messages in one command, as clients ask for them."""
    names = "From To Cc Bcc Subject Date Message-ID References In-Reply-To Content-Type Reply-To"
    label = f"HEADER.FIELDS ({names})"
    got = imap.fetch(f"1:* (UID RFC822.SIZE BODY.PEEK[{label}] BODY.PEEK[] BODY.PEEK[1]<0.100>)")
    assert len(got) == len(messages)
    wanted = {name.lower().encode() for name in names.split()}
    for n, (content, prefix) in enumerate(messages, 1):
        message = Message(content, prefix)
        same(got[n]["RFC822.SIZE"], len(prefix) + len(content), (n, "size"))
        same(got[n]["BODY[]"], quiet(prefix + content), (n, "BODY[]"))
        same(got[n][f"BODY[{label}]"], quiet(message.fields("HEADER", wanted, False)), (n, label))
        first = message.sections().get("1")
        same(got[n]["BODY[1]<0>"], first and quiet(first[:100]), (n, "BODY[1]<0.100>"))


def run(imap, messages, rnd):
    for content, prefix in messages:
        imap.message(content, prefix)
    imap.ok("SELECT INBOX")
    compare_all(imap, messages)
    for n, (content, prefix) in enumerate(messages, 1):
        message = Message(content, prefix)
        try:
            compare_sections(imap, n, message, rnd)
            compare_fields(imap, n, message, rnd)
            compare_binary(imap, n, message, rnd)
            compare_structure(imap, n, message)
        except AssertionError:
            print(f"SEED={SEED} message {n}\n{content[:5000].decode('latin-1')}")
            raise


def test_imap_sections_are_what_stands_in_the_message():
    print(f"SEED={SEED}")
    rnd = random.Random(SEED)
    messages = []
    for content in corpus(rnd, MESSAGES) + large(rnd):
        prefix = b"Return-Path: <b@example.net>\r\nDelivered-To: a@example.org\r\n" if rnd.random() < 0.5 else b""
        messages.append((content, prefix))
    with Pipe() as imap:
        run(imap, messages, rnd)

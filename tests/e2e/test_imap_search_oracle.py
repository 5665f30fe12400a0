"""SEARCH, SORT and THREAD against a brute-force oracle, on a corpus of mail as it is.

SEED= repeats a run; MESSAGES= and PROGRAMS= make it larger.
"""
import datetime
import os
import random
import re
import socket
import sys
import time
from pathlib import Path

import pytest

import search_oracle as oracle
from conftest import PASSWORD

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import corpus  # noqa: E402

SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
MESSAGES = int(os.environ.get("MESSAGES", 300))
PROGRAMS = int(os.environ.get("PROGRAMS", 400))
DAY = datetime.date(2020, 1, 1)
FLAGS = ["\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft", "$Label", "work"]
SORTS = ["ARRIVAL", "CC", "DATE", "FROM", "SIZE", "SUBJECT", "TO", "DISPLAYFROM", "DISPLAYTO"]
CHARSETS = ["UTF-8", "ISO-8859-1", "KOI8-R", "ISO-2022-JP", "US-ASCII", "WINDOWS-1252"]


class Client:
    """Commands as bytes; their untagged lines as text."""

    def __init__(self, server):
        self.socket = socket.create_connection(("127.0.0.1", server.ports["imap"]), 120)
        self.file = self.socket.makefile("rb")
        self.n = 0
        self.file.readline()

    def command(self, *pieces):
        """Pieces are text, or bytes that go as a literal."""
        self.n += 1
        out = f"t{self.n} ".encode()
        for piece in pieces:
            out += b"{%d+}\r\n%s" % (len(piece), piece) if isinstance(piece, bytes) else piece.encode()
        self.socket.sendall(out + b"\r\n")
        lines = []
        while True:
            line = self.file.readline()
            assert line, "the server closed the connection"
            lines.append(line.decode("utf-8", "surrogateescape").rstrip("\r\n"))
            if line.startswith(f"t{self.n} ".encode()):
                assert lines[-1].split()[1] == "OK", (pieces, lines[-1])
                return lines[:-1]

    def numbers(self, *pieces, name="SEARCH"):
        line = next(x for x in self.command(*pieces) if x.startswith(f"* {name}"))
        return [int(x) for x in line.split()[2:]]


def imap_date(day):
    return f"{day.day}-{'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split()[day.month - 1]}-{day.year}"


@pytest.fixture(scope="module")
def box(server):
    """(client, messages): a mailbox of the corpus, with gaps among its uids."""
    print(f"SEED={SEED}")
    rnd = random.Random(SEED)
    client = Client(server)
    client.command(f"LOGIN e@example.org {PASSWORD}")
    client.command("CREATE corpus")
    messages = []
    for i, raw in enumerate(corpus.corpus(rnd, MESSAGES)):
        day = DAY + datetime.timedelta(rnd.randrange(-40, 40))
        internal = datetime.datetime.combine(day, datetime.time(rnd.randrange(24), rnd.randrange(60)),
                                             datetime.timezone.utc)
        flags = rnd.sample(FLAGS, rnd.choice([0, 0, 1, 2, 3]))
        client.command(f"APPEND corpus ({' '.join(flags)}) \"{imap_date(day):>11} {internal:%H:%M:%S} +0000\" ", raw)
        message = oracle.Message(raw, int(internal.timestamp()), flags)
        message.uid = i + 1
        messages.append(message)
    client.command("SELECT corpus")
    gone = rnd.sample(range(1, MESSAGES + 1), MESSAGES // 20)
    kept = client.numbers("UID SEARCH KEYWORD kept")
    assert kept == []
    client.command("UID STORE " + ",".join(map(str, gone)) + " +FLAGS.SILENT (\\Deleted gone)")
    deleted = [m.uid for m in messages if "\\Deleted" in m.flags and m.uid not in gone]
    client.command("UID EXPUNGE " + ",".join(map(str, gone)))
    messages = [m for m in messages if m.uid not in gone]
    assert client.numbers("UID SEARCH DELETED") == deleted
    for number, m in enumerate(messages, 1):
        m.number = number
    yield client, messages


# --- random keys: each gives (pieces, what it means) ---------------------------------------------


class Keys:
    def __init__(self, rnd, messages, charset):
        self.rnd, self.messages, self.charset = rnd, messages, charset

    def key(self, depth=0):
        choice = self.rnd.random()
        if depth < 3 and choice < 0.15:
            a, b = self.key(depth + 1), self.key(depth + 1)
            return ["OR ", *a[0], " ", *b[0]], lambda m: a[1](m) or b[1](m)
        if depth < 3 and choice < 0.3:
            a = self.key(depth + 1)
            return ["NOT ", *a[0]], lambda m: not a[1](m)
        if depth < 3 and choice < 0.45:
            keys = [self.key(depth + 1) for _ in range(self.rnd.randrange(1, 4))]
            pieces = [p for k in keys for p in (" ", *k[0])][1:]
            return ["(", *pieces, ")"], lambda m: all(k[1](m) for k in keys)
        return self.rnd.choice([self.flag, self.sets, self.date, self.size, self.header, self.header, self.body,
                                self.body, self.within])()

    def flag(self):
        name = self.rnd.choice(FLAGS)
        if self.rnd.random() < 0.1:
            return ["ALL"], lambda m: True
        if name.startswith("\\"):
            word = name[1:].upper()
            return self.rnd.choice([([word], lambda m: name in m.flags), (["UN" + word], lambda m: name not in m.flags)])
        return self.rnd.choice([(["KEYWORD " + name.swapcase()], lambda m: name in m.flags),
                                (["UNKEYWORD " + name], lambda m: name not in m.flags)])

    def ranges(self, top):
        out = []
        for _ in range(self.rnd.randrange(1, 4)):
            a, b = self.rnd.randrange(1, top + 1), self.rnd.randrange(1, top + 1)
            out.append(self.rnd.choice([(a, a), (a, b), (a, 0), (0, 0)]))
        text = ",".join((f"{a or '*'}" if a == b else f"{a or '*'}:{b or '*'}") for a, b in out)
        return text, lambda n: any(min(a or top, b or top) <= n <= max(a or top, b or top) for a, b in out)

    def sets(self):
        if self.rnd.random() < 0.5:
            text, inside = self.ranges(len(self.messages))
            return [text], lambda m: inside(m.number)
        text, inside = self.ranges(self.messages[-1].uid)
        return ["UID " + text], lambda m: inside(m.uid)

    def date(self):
        m = self.rnd.choice(self.messages)
        sent = self.rnd.random() < 0.5
        day = m.date_field()[1] if sent and m.date_field() else datetime.date.fromtimestamp(m.internal)
        day += datetime.timedelta(self.rnd.choice([-1, 0, 0, 1]))
        word = self.rnd.choice(["BEFORE", "ON", "SINCE"])
        holds = {"BEFORE": lambda d: d < day, "ON": lambda d: d == day, "SINCE": lambda d: d >= day}[word]
        if sent:
            return [f"SENT{word} {imap_date(day)}"], lambda m: bool(m.date_field()) and holds(m.date_field()[1])
        return [f"{word} {imap_date(day)}"], lambda m: holds(
            datetime.datetime.fromtimestamp(m.internal, datetime.timezone.utc).date())

    def within(self):
        m, now = self.rnd.choice(self.messages), int(time.time())
        seconds = now - m.internal + 3600 * 7 + 1800
        return self.rnd.choice([([f"OLDER {seconds}"], lambda m: m.internal < now - seconds),
                                ([f"YOUNGER {seconds}"], lambda m: m.internal >= now - seconds)])

    def size(self):
        size = self.rnd.choice(self.messages).size + self.rnd.choice([-1, 0, 1])
        return self.rnd.choice([([f"LARGER {size}"], lambda m: m.size > size),
                                ([f"SMALLER {max(size, 0)}"], lambda m: m.size < max(size, 0))])

    def needle(self, texts):
        """A piece of some text, in another case; or a word that may be anywhere."""
        texts = [t for t in texts if t.strip()]
        if not texts or self.rnd.random() < 0.2:
            text = self.rnd.choice(corpus.TEXTS)[1]
            text = self.rnd.choice(text.split(" "))
        else:
            text = self.rnd.choice(texts)
            start = self.rnd.randrange(len(text))
            text = text[start:start + self.rnd.choice([1, 2, 3, 5, 8, 13, 30])]
        text = self.rnd.choice([text, text.upper(), text.lower(), oracle.fold(text)])
        if "\ufffd" in text or "\0" in text:
            text = "the"
        try:
            text.encode(self.charset)
        except UnicodeEncodeError:
            text = self.rnd.choice(["the", "budget", "e", ""])
        return text, text.encode(self.charset)

    def header(self):
        m = self.rnd.choice(self.messages)
        name, value = self.rnd.choice(m.lines) if m.lines else ("Subject", "")
        text, raw = self.needle([value]) if self.rnd.random() < 0.9 else ("", b"")
        if name.upper() in ("FROM", "TO", "CC", "BCC", "SUBJECT") and self.rnd.random() < 0.7:
            return [name.upper() + " ", raw], lambda m: m.has_header(name, text)
        return [f"HEADER {self.rnd.choice([name, name.upper()])} ", raw], lambda m: m.has_header(name, text)

    def body(self):
        m = self.rnd.choice(self.messages)
        text, raw = self.needle(m.body)
        return self.rnd.choice([(["BODY ", raw], lambda m: m.in_body(text)),
                                (["TEXT ", raw], lambda m: m.in_text(text))])


def programs(messages, seed, n):
    rnd = random.Random(seed)
    for _ in range(n):
        charset = rnd.choice(CHARSETS)
        keys = [Keys(rnd, messages, charset).key() for _ in range(rnd.choice([1, 1, 1, 2]))]
        pieces = [p for k in keys for p in (" ", *k[0])]
        found = [m for m in messages if all(k[1](m) for k in keys)]
        yield rnd, charset, pieces, found


def spell(pieces):
    return "".join(p if isinstance(p, str) else repr(p) for p in pieces)


def explain(messages, got, want):
    odd = set(got) ^ {m.uid for m in want}
    return "\n".join(f"--- uid {m.uid}, {'not ' * (m.uid not in got)}found\n{m.raw.decode('latin-1')}"
                     for m in messages if m.uid in odd)[:8000]


# --- the tests ---------------------------------------------------------------------------------------


def test_search_equals_the_oracle(box):
    client, messages = box
    for _, charset, pieces, want in programs(messages, SEED + 1, PROGRAMS):
        got = uids(client, pieces, charset)
        assert got == [m.uid for m in want], f"SEED={SEED} {charset}{spell(pieces)}\n{explain(messages, got, want)}"


def test_search_by_numbers_and_returns_equal_the_oracle(box):
    client, messages = box
    for rnd, charset, pieces, want in programs(messages, SEED + 2, PROGRAMS // 4):
        numbers = [m.number for m in want]
        first, last = sorted([rnd.randrange(1, 50), rnd.randrange(1, 50)])
        line = client.command(f"SEARCH RETURN (MIN MAX COUNT PARTIAL {first}:{last}) CHARSET {charset}", *pieces)[0]
        words = re.sub(r'^\* ESEARCH \(TAG "[^"]*"\) ?', "", line).replace("(", "").replace(")", "").split()
        answer = dict(zip(words[::2], words[1::2]))
        text = f"SEED={SEED} {charset}{spell(pieces)} {line} not {sequence(numbers)}"
        assert int(answer["COUNT"]) == len(numbers), text + explain(messages, uids(client, pieces, charset), want)
        assert answer.get("MIN") == (str(min(numbers)) if numbers else None), text
        assert answer.get("MAX") == (str(max(numbers)) if numbers else None), text
        assert line.endswith(f"PARTIAL ({first}:{last} {sequence(numbers[first - 1:last]) or 'NIL'})"), text


def uids(client, pieces, charset):
    return client.numbers("UID SEARCH CHARSET ", charset, *pieces)


def sequence(numbers):
    out = []
    for n in numbers:
        if out and out[-1][1] == n - 1:
            out[-1][1] = n
        else:
            out.append([n, n])
    return ",".join(f"{a}" if a == b else f"{a}:{b}" for a, b in out)


def test_sort_equals_the_oracle(box):
    client, messages = box
    rnd = random.Random(SEED + 3)
    for field in SORTS + ["random"] * (PROGRAMS // 10):
        criteria = ([(field, False)] if field != "random" else
                    [(f, rnd.random() < 0.4) for f in rnd.sample(SORTS, rnd.randrange(1, 4))])
        words = " ".join("REVERSE " * r + f for f, r in criteria)
        chosen = messages if rnd.random() < 0.7 else [m for m in messages if "\\Seen" in m.flags]
        got = client.numbers(f"UID SORT ({words}) UTF-8 {'ALL' if chosen is messages else 'SEEN'}", name="SORT")
        want = oracle.sort(chosen, criteria)
        by_uid = {m.uid: m for m in messages}
        wrong = next((i for i, m in enumerate(want) if i >= len(got) or got[i] != m.uid), None)
        assert got == [m.uid for m in want], f"SEED={SEED} ({words}) at {wrong}: " + "\n".join(
            f"{m.uid} {[oracle.sort_key(m, f) for f, _ in criteria]} {m.raw[:1500]}"
            for m in (want[wrong], by_uid[got[wrong]]))


@pytest.mark.parametrize("algorithm", ["ORDEREDSUBJECT", "REFERENCES"])
def test_thread_equals_the_oracle(box, algorithm):
    client, messages = box
    rnd = random.Random(SEED + 4)
    of = oracle.references if algorithm == "REFERENCES" else oracle.ordered_subject
    for _ in range(max(PROGRAMS // 20, 2)):
        first, last = sorted(rnd.sample(range(1, len(messages) + 1), 2))
        uid = rnd.random() < 0.5
        line = next(x for x in client.command(f"{'UID ' * uid}THREAD {algorithm} UTF-8 {first}:{last}")
                    if x.startswith("* THREAD"))
        want = of(messages[first - 1:last], lambda m: str(m.uid if uid else m.number))
        assert line == "* THREAD " + want, f"SEED={SEED} {first}:{last} uid={uid}"

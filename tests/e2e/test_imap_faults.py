"""IMAP clients that are odd, greedy, slow or gone: each gets its answer, and nobody else notices.

Spoken over bare sockets, since no client library would do such things.
"""
import socket
import subprocess
import threading
import time
import uuid
from pathlib import Path

import harness
import pytest
from conftest import PASSWORD
from test_faults import SOON_S

SETTINGS = {"auth_without_tls": "yes", "auth_delay_s": "0", "account_connections_max": "300",
            "client_connections_per_minute_max": "10000"}


@pytest.fixture(scope="module")
def server():
    with harness.Postroad(settings=SETTINGS) as s:
        s.start()
        for name in "abcdefg":
            s.add_account(f"{name}@example.org", PASSWORD)
        yield s


class Client:
    """Bytes out, lines in."""

    def __init__(self, server, name=None, receive_bytes=None):
        self.socket = socket.socket()
        self.socket.settimeout(120)
        if receive_bytes:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        self.socket.connect(("127.0.0.1", server.ports["imap"]))
        self.lines = self.socket.makefile("rb")
        self.n = 0
        assert self.lines.readline().startswith(b"* OK ")
        if name:
            assert self.ask(f"LOGIN {name}@example.org {PASSWORD}")[-1].split()[1] == b"OK"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def close(self):
        self.lines.close()
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data if isinstance(data, bytes) else data.encode())

    def until(self, tag):
        """The lines up to the answer with this tag; [] at the end of the connection."""
        lines = []
        while not lines or not lines[-1].startswith(tag + b" "):
            line = self.lines.readline()
            if not line:
                return lines
            lines.append(line)
        return lines

    def ask(self, command):
        self.n += 1
        tag = f"t{self.n}"
        self.send(command if isinstance(command, bytes) else f"{tag} {command}\r\n".encode())
        return self.until(tag.encode())

    def ok(self, command):
        lines = self.ask(command)
        assert lines and lines[-1].split()[1] == b"OK", (command, lines[-1:])
        return lines

    def append(self, content, mailbox="INBOX"):
        """The answer's line."""
        self.n += 1
        self.send(f"t{self.n} APPEND {mailbox} {{{len(content)}+}}\r\n".encode() + content + b"\r\n")
        return self.until(f"t{self.n}".encode())[-1]


def memory_kib(server):
    """What all imapd hold now."""
    total = 0
    for pid in server.pids("imapd"):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                total += int(line.split()[1])
    return total


def calm(server):
    """No imapd has ended, and none has complained."""
    return not server.logged("imap.fault") and not server.logged("process.end")


# --- odd, but legal ---------------------------------------------------------------------------------

def test_imap_two_hundred_commands_in_one_piece(server):
    commands = ["NOOP", "STATUS INBOX (MESSAGES UIDNEXT)", 'LIST "" *', "SELECT INBOX", "SEARCH ALL",
                "FETCH 1:* FLAGS", "APPEND INBOX {3+}\r\nx\r\n", "STORE 1 +FLAGS (\\Seen)", "UNSELECT", "CAPABILITY"]
    with Client(server, "a") as client:
        client.send("".join(f"p{i} {commands[i % len(commands)]}\r\n" for i in range(200)))
        tags = [line.split()[0] for line in client.until(b"p199") if not line.startswith(b"*")]
        assert tags == [f"p{i}".encode() for i in range(200)]


def test_imap_byte_by_byte(server):
    with Client(server, "a") as client:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        text = b"a SELECT {5+}\r\nINBOX\r\nb APPEND INBOX (\\Seen) {4+}\r\nx: y\r\n" \
               b"c IDLE\r\nDONE\r\nd UID SEARCH RETURN (COUNT) ALL\r\n"
        for i in range(len(text)):
            client.send(text[i:i + 1])
        lines = client.until(b"d")
        assert [line[:4] for line in lines if line[:1] in b"abcd"] == [b"a OK", b"b OK", b"c OK", b"d OK"]


ODD_NAMES = ["a", "ä", "ä\u0308", "日本語", "a b", 'a"b', "a\\b", "a&b", "a*b", "a%b", "(a)", "a{3}", "NIL", "~", "..",
             ".", "a.b", "inbox2", "INBOX/under", "x" * 255, "ñ" * 120, "\U0001f4ec", "-", "{5+}", "a]b", "#news"]


def quoted(name):
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_imap_mailbox_names_of_every_kind(server):
    with Client(server, "b") as client:
        client.ok("ENABLE UTF8=ACCEPT")
        for name in ODD_NAMES:
            client.ok(f"CREATE {quoted(name)}")
            assert client.append(b"x", quoted(name)).split()[1] == b"OK"
        listed = b"".join(client.ok('LIST "" *')).decode()
        for name in ODD_NAMES:
            assert f'"/" {quoted(name)}\r\n' in listed or f'"/" {name}\r\n' in listed, name
            assert b"MESSAGES 1" in client.ok(f"STATUS {quoted(name)} (MESSAGES)")[0]
        for name in ("", "a//b", "/a", "a\u2028b", "a/" * 70 + "a", "x" * 1001):
            assert client.ask(f"CREATE {quoted(name)}")[-1].split()[1] in (b"NO", b"BAD"), name
    with Client(server, "b") as client:  # the same names, in UTF-7
        for line in client.ok('LIST "" *')[:-1]:
            name = line.split(b' "/" ', 1)[1].strip()
            client.ok(b"t%d EXAMINE %s\r\n" % (client.n + 1, name))
    assert calm(server)


# --- others change what one has selected ------------------------------------------------------------

def test_imap_selected_mailbox_is_renamed_and_deleted(server):
    with Client(server, "c") as one, Client(server, "c") as two, Client(server, "c") as idle:
        one.ok("CREATE old/er")
        one.append(b"x: y\r\n\r\nz", "old/er")
        for client in (two, idle):
            client.ok("SELECT old/er")
        idle.send("i IDLE\r\n")
        assert idle.lines.readline().startswith(b"+ ")
        one.ok("RENAME old new")
        assert b"* 1 FETCH (UID 1 FLAGS" in two.ok("UID FETCH 1 (FLAGS)")[0]
        two.ok("STORE 1 +FLAGS (\\Deleted)")
        assert b"FETCH" in idle.lines.readline()
        one.ok("DELETE new/er")
        assert idle.lines.readline().startswith(b"* BYE ")
        assert idle.lines.readline() == b""
        assert two.ask("NOOP")[0].startswith(b"* BYE ")
        one.ok("CREATE new/er")
        assert b"MESSAGES 0" in one.ok("STATUS new/er (MESSAGES)")[0]


# --- gone -------------------------------------------------------------------------------------------

def test_imap_clients_that_vanish_at_every_byte(server):
    content = b"Subject: gone\r\n\r\nbody\r\n"
    script = b"a ENABLE QRESYNC\r\nb SELECT INBOX\r\nc APPEND INBOX {%d+}\r\n%s\r\n" \
             b"d COPY 1 Trash\r\ne IDLE\r\nDONE\r\nf COMPRESS DEFLATE\r\n" % (len(content), content)
    appended = script.index(b"d COPY")
    with Client(server, "d") as stays:
        stays.append(content)
        stays.ok("SELECT INBOX")
        for cut in range(len(script)):
            client = Client(server, "d")
            client.send(script[:cut])
            if cut % 2:  # at once, whatever is in flight
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:  # what was sent whole is done and answered
                client.socket.shutdown(socket.SHUT_WR)
                assert (b"\nc OK [APPENDUID " in client.lines.read()) == (cut >= appended), cut
            client.close()
        server.wait_logged("imap.logout", "d@example.org", count=len(script))
        exists = [int(line.split()[1]) for line in stays.ok("NOOP") if b"EXISTS" in line]
        got = stays.ok("UID SEARCH ALL")[0].split()[2:]
        assert len(got) == exists[-1] and len(set(got)) == len(got)
        stays.ok("UID FETCH 1:* (FLAGS BODY.PEEK[])")
    assert calm(server)


# --- slow and greedy --------------------------------------------------------------------------------

def test_imap_slow_reader_takes_no_memory_and_no_time(server):
    with Client(server, "e") as client:
        for _ in range(8):
            assert client.append(b"Subject: large\r\n\r\n" + b"0123456789abcde\n" * 250000).split()[1] == b"OK"
    before = memory_kib(server)
    slow = [Client(server, "e", receive_bytes=4096) for _ in range(8)]
    for client in slow:
        client.send("a SELECT INBOX\r\nb FETCH 1:8 BODY.PEEK[]\r\n" * 20)
    with Client(server, "e") as other:
        other.ok("SELECT INBOX")
        waits = []
        for _ in range(50):
            started = time.monotonic()
            other.ok("NOOP")
            waits.append(time.monotonic() - started)
            for client in slow:
                client.socket.recv(512)
    assert memory_kib(server) - before < 100 << 10, "kB, of 5 GB, sanitizer included"
    assert sorted(waits)[25] < 0.5
    for client in slow:
        client.close()
    assert calm(server)


def test_imap_large_appends_at_once(server):
    content = b"Subject: %b\r\n\r\n" + b"The same line again and again, and again.\r\n" * 50000
    answers = []

    def run(i):
        with Client(server, "f") as client:
            answers.append(client.append(content.replace(b"%b", str(i).encode())))
    threads = [threading.Thread(target=run, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(b" OK [APPENDUID " in a for a in answers), answers
    with Client(server, "f") as client:
        client.ok("SELECT INBOX")
        sizes = [line for line in client.ok("FETCH 1:* (UID RFC822.SIZE BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
                 if b"RFC822.SIZE" in line]
        assert len(sizes) == 12
        found = client.ok("UID SEARCH RETURN (COUNT) TEXT \"AND AGAIN\"")[0]
        assert b"COUNT 12" in found
    assert calm(server)


def test_imap_many_sessions_while_one_searches(server):
    """Random commands of many sessions, and a client that searches without end."""
    with Client(server, "g") as client:
        batch = b"".join(b" {22+}\r\nSubject: m\r\n\r\nbody\r\n\r\n" for _ in range(500))
        for i in range(4):
            client.send(b"m%d APPEND INBOX" % i + batch + b"\r\n")
            assert client.until(b"m%d" % i)[-1].split()[1] == b"OK"
    stop = threading.Event()
    commands = ["NOOP", "UID FETCH 1:50 (FLAGS)", "STORE 1:5 +FLAGS (\\Flagged)", "STORE 1:5 -FLAGS.SILENT (\\Flagged)",
                "STATUS Trash (MESSAGES)", "SEARCH FLAGGED", "COPY 1 Trash", "FETCH 1:20 (ENVELOPE)"]
    faults, waits = [], []

    def chat(seed):
        try:
            with Client(server, "g") as client:
                client.ok("SELECT INBOX")
                for i in range(15):
                    client.ok(commands[(seed * 7 + i * 3) % len(commands)])
        except (AssertionError, OSError) as e:
            faults.append(e)

    def flood():
        with Client(server, "g") as client:
            client.ok("SELECT INBOX")
            while not stop.is_set():
                client.send("".join(f"s{i} SEARCH OR TEXT never BODY nowhere\r\n" for i in range(20)))
                client.until(b"s19")
    threads = [threading.Thread(target=chat, args=(i,)) for i in range(32)]
    flooder = threading.Thread(target=flood)
    flooder.start()
    for thread in threads:
        thread.start()
    with Client(server, "a") as other:
        for _ in range(50):
            started = time.monotonic()
            other.ok("NOOP")
            waits.append(time.monotonic() - started)
    for thread in threads:
        thread.join()
    stop.set()
    flooder.join()
    assert not faults, faults[:3]
    assert sorted(waits)[25] < 0.5, sorted(waits)[-5:]
    assert calm(server)


# --- the account changes under a session ------------------------------------------------------------

def test_imap_quota_is_kept_by_many_at_once():
    with harness.Postroad(settings=SETTINGS) as server:
        server.start()
        server.add_account("q@example.org", PASSWORD, quota="1M")
        clients = [Client(server, "q") for _ in range(6)]
        for client in clients:  # each would fit alone
            client.send("a APPEND INBOX {700000}\r\n")
        assert all(client.lines.readline().startswith(b"+ ") for client in clients)
        for client in clients:
            client.send(b"x" * 700000 + b"\r\n")
        answers = [client.until(b"a")[-1] for client in clients]
        assert sum(b" OK [APPENDUID " in a for a in answers) == 1
        assert sum(b" NO [OVERQUOTA] " in a for a in answers) == 5
        for client in clients:
            client.close()


# --- the disk ---------------------------------------------------------------------------------------

@pytest.fixture
def small_mail(tmp_path, need_root):
    image, mount = tmp_path / "image", Path(f"/var/tmp/postroad-test-{uuid.uuid4().hex[:8]}")
    mount.mkdir()
    subprocess.run(["truncate", "-s", "100M", image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    subprocess.run(["mount", "-o", "loop", image, mount], check=True)
    mount.chmod(0o755)
    yield mount
    harness.wait_until(lambda: subprocess.run(["umount", mount]).returncode == 0, what="umount")
    mount.rmdir()


def fill(path):
    with open(path, "ab", buffering=0) as f:
        for size in (65536, 1024, 1):
            try:
                while True:
                    f.write(b"\0" * size)
            except OSError:
                pass


def test_imap_disk_full(small_mail):
    """APPEND is refused and says so; what was acknowledged stays; reading and deleting go on."""
    with harness.Postroad(mail=small_mail / "mail", settings=SETTINGS) as server:
        server.start()
        server.add_account("a@example.org", PASSWORD)
        client, other = Client(server, "a"), Client(server, "a")
        taken, refused = [], []

        def append(kib):
            token = uuid.uuid4().hex.encode()
            answer = client.append(b"Subject: " + token + b"\r\n\r\n" + b"x" * 1022 * kib)
            (taken if answer.split()[1] == b"OK" else refused).append((token, answer))
            return answer.split()[1] == b"OK"
        assert append(1) and append(300)
        fill(small_mail / "filler")
        for _ in range(20):
            append(200)
            append(4)
        assert len(refused) >= 20
        assert all(b" NO [" in answer for _, answer in refused), refused[:2]
        other.ok("SELECT INBOX")
        other.ok("FETCH 1:* (FLAGS BODY.PEEK[HEADER])")
        other.ok("NOOP")
        (small_mail / "filler").unlink()
        started = time.monotonic()
        harness.wait_until(lambda: append(200), what="service after space returned")
        assert time.monotonic() - started < SOON_S
        other.ok("NOOP")
        text = b"".join(other.ok("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
        assert [text.count(token) for token, _ in taken] == [1] * len(taken)
        assert not any(token in text for token, _ in refused)
        client.close()
        other.close()
        server.stop()
        server.start()
        with Client(server, "a") as again:
            again.ok("SELECT INBOX")
            text = b"".join(again.ok("FETCH 1:* (BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
            assert [text.count(token) for token, _ in taken] == [1] * len(taken)

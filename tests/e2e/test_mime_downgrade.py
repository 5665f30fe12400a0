"""Python's email package reads out of a message made 7-bit what it read before.

Messages are made at random: SEED= repeats a run. The binary made of
tests/unit/mime_downgrade_dump.c makes them 7-bit.
"""
import email
import random
import subprocess

from test_mime_oracle import BUILD, MESSAGES, SEED, Maker

DUMP = f"{BUILD}/common/mime/mime_downgrade_dump"
CHANGED = {"content-transfer-encoding", "mime-version", "content-type"}


def is_7bit(data):
    return max(data, default=0) < 0x80


def sealed(message):
    """Parts that nobody may touch: signed or encrypted ones, and all in them."""
    for part in message.walk():
        if part.get_content_type() in ("multipart/signed", "multipart/encrypted"):
            yield from part.walk()


def must_fail(message):
    return not all(is_7bit(part._payload.encode("ascii", "surrogateescape"))
                   for part in sealed(message) if not part.is_multipart())


def fields(part):
    return [(name, value) for name, value in part.items() if name.lower() not in CHANGED]


def compare(before, after):
    old, new = list(before.walk()), list(after.walk())
    assert [p.get_content_type() for p in old] == [p.get_content_type() for p in new]
    untouched = {id(part) for part in sealed(before)}
    for a, b in zip(old, new):
        assert fields(a) == fields(b)
        if id(a) in untouched:
            assert a.items() == b.items() and a._payload == b._payload or a.is_multipart()
            continue
        assert b.get("Content-Transfer-Encoding", "7bit") in ("7bit", "quoted-printable", "base64")
        if a.is_multipart():
            assert b.get("Content-Transfer-Encoding", "7bit") == "7bit"
            continue
        assert a.get_payload(decode=True) == b.get_payload(decode=True)
        if a["Content-Type"]:
            assert a["Content-Type"] == b["Content-Type"]


def check(path, message):
    before = email.message_from_bytes(message)
    out = path.with_name(path.name + ".7bit")
    assert out.exists() != must_fail(before)
    if not out.exists():
        return False
    data = out.read_bytes()
    assert is_7bit(data)
    if is_7bit(message) and b"8bit" not in message:
        assert data == message
    compare(before, email.message_from_bytes(data))
    return not is_7bit(message)


def test_downgrade_python_reads_the_same(tmp_path):
    print(f"SEED={SEED}")
    rnd = random.Random(SEED)
    messages, paths = [Maker(rnd).message() for _ in range(MESSAGES)], []
    for i, message in enumerate(messages):
        paths.append(tmp_path / f"{i:03}.eml")
        paths[-1].write_bytes(message)
    subprocess.run([DUMP, *paths], check=True)
    changed = 0
    for path, message in zip(paths, messages):
        try:
            changed += check(path, message)
        except AssertionError:
            print(f"SEED={SEED} {path}\n{message.decode('latin-1')}")
            raise
    assert changed > MESSAGES // 10

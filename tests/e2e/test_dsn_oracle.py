"""Reports out of random requests, read back by Python's email package.

SEED= repeats a run. Written by the binary made of tests/unit/dsn_dump.c.
"""
import email
import email.policy
import os
import random
import re
import struct
import subprocess

import pytest

REQUESTS = 80
SEED = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
BUILD = os.environ.get("POSTROAD_BUILD", "build/development")
DUMP = f"{BUILD}/common/dsn/dsn_dump"

FAILURE, DELAY, SUCCESS = range(3)
ACTIONS = {FAILURE: [0], DELAY: [1], SUCCESS: [2, 3, 4]}
NAMES = ["failed", "delayed", "delivered", "relayed", "expanded"]
FULL, SMTPUTF8 = 1, 2
ADDRESSES = ["a@example.org", "very.long." + "x" * 54 + "@" + "d" * 60 + ".example", '"a b"@example.org',
             "grüße@example.org", "用户@例え.example", "a@[192.0.2.1]"]
TEXTS = ["", "no such user", "x " * 400, "y" * 1000, "two\r\nlines\r\n\r\nAction: delivered", "\0\x01\x7f tab\t",
         "größer als erlaubt", b"\xff\xfe broken \xc3", "=?utf-8?Q?x?=", "--=_" + "0" * 32 + ".0--"]
CONTENTS = [
    b"", b"Subject: x\r\n\r\nbody\r\n", b"Subject: no end", b"\r\nno header\r\n",
    b"Subject: 8 bit \xc3\xa4\r\nMessage-ID: <1@example.com>\r\n\r\n\xff\xfe\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
    b"Subject: attack\r\n\r\n--=_" + b"0" * 32 + b".0\r\nContent-Type: text/plain\r\n\r\nfalse\r\n--=_"
    + b"0" * 32 + b".0--\r\n",
    b"X: " + b"y" * 3000 + b"\r\n\r\n" + b"z" * 100000,
]


def block(value):
    value = value if isinstance(value, bytes) else value.encode()
    return struct.pack("<I", len(value)) + value


def make_row(rnd, action):
    enhanced = rnd.choice([(0, 0, 0), (5, 1, 1), (4, 2, 2), (2, 0, 0), (9, 999, 0)])
    row = {"action": action, "flags": rnd.randrange(3) if action == 0 else 0, "enhanced": enhanced,
           "code": rnd.choice([0, 250, 451, 550]), "final": rnd.choice(ADDRESSES), "text": rnd.choice(TEXTS),
           "original": rnd.choice(["", *ADDRESSES]), "orcpt": rnd.choice(["", "rfc822;a+2Bb@x.example", "x400;/c=+41"]),
           "host": rnd.choice(["", "mx.example.org[192.0.2.1]:25", "[2001:db8::1]:25", "evil\r\nX: y"])}
    row["bytes"] = struct.pack("<BBHHHHQ", action, row["flags"], row["code"], *enhanced,
                               rnd.choice([0, 1795341600000000])) + b"".join(
        block(row[k]) for k in ("final", "original", "orcpt", "text", "host"))
    return row


def make_request(rnd):
    kind, ret = rnd.choice(list(ACTIONS)), rnd.randrange(3)
    rows = [make_row(rnd, rnd.choice(ACTIONS[kind])) for _ in range(rnd.choice([1, 1, 2, 5]))]
    text = b"".join(r["bytes"] for r in rows)
    envid = rnd.choice(["", "QQ+3D1", "plain"])
    flags = rnd.choice([0, SMTPUTF8])
    encoded = struct.pack("<BBBIQQ", 1, kind, ret, flags, 1795300000000000, 1795400000000000) + b"".join(
        block(x) for x in ("s@example.com", envid, rnd.choice(["", "client.example", "evil\r\nX: y"]),
                           rnd.choice([b"", bytes(16)]), "", "")) + struct.pack("<I", len(rows)) + block(text)
    return {"kind": kind, "ret": ret, "rows": rows, "envid": envid, "flags": flags, "bytes": encoded}


def composed(tmp_path, request, content, whole, to="s@example.com"):
    (tmp_path / "request").write_bytes(request)
    (tmp_path / "content").write_bytes(content)
    done = subprocess.run([DUMP, tmp_path / "request", tmp_path / "content", to, "0", str(int(whole)), "0" * 32],
                          capture_output=True, check=True)
    made, raw = done.stdout.split(b"\n", 1)
    return [flag == b"1" for flag in made.split()], raw


def check_lines(raw, content):
    assert not re.search(rb"(?<!\r)\n|\r(?!\n)", raw.replace(content, b""))
    for line in raw.split(b"\r\n"):
        assert len(line) <= 998 or line in content


def check_row(row, wanted, is_global):
    final = wanted["final"]
    assert row["Action"] == NAMES[wanted["action"]]
    status = re.fullmatch(r"([245])\.\d{1,3}\.\d{1,3}", row["Status"]).group(1)
    assert status in {0: "45", 1: "4"}.get(wanted["action"], "2")
    kind, _, address = row["Final-Recipient"].partition("; ")
    assert kind == ("rfc822" if final.isascii() else "utf-8")
    assert address == final
    assert ("Original-Recipient" in row) == bool(wanted["orcpt"])
    if not is_global:
        assert all(value.isascii() for value in row.values())
    if wanted["flags"] & 1:
        assert row["Status"] == "4.4.7"
    assert set(row.keys()) <= {"Final-Recipient", "Original-Recipient", "Action", "Status", "Remote-MTA",
                               "Diagnostic-Code", "Last-Attempt-Date", "Will-Retry-Until"}


def check(raw, made, request, content):
    message = email.message_from_bytes(raw, policy=email.policy.SMTPUTF8)
    whole = request["ret"] == FULL and request["kind"] == FAILURE
    is_global = bool(request["flags"] & SMTPUTF8) or any(
        not (r["final"] + r["original"]).isascii() for r in request["rows"])
    assert not message.defects and message.is_multipart()
    assert made[0] == (not raw.isascii())
    text, status, original = message.get_payload()
    prefix = "global-" if is_global else ""
    assert message.get_param("report-type") == f"{prefix}delivery-status"
    assert status.get_content_type() == f"message/{prefix}delivery-status"
    assert original.get_content_type() == {
        (True, False): "message/rfc822", (True, True): "message/global",
        (False, False): "text/rfc822-headers", (False, True): "message/global-headers"}[whole, is_global]
    assert " ".join(text.get_content().split()).startswith("The message to ")
    fields = status_fields(raw, message)
    assert len(fields) == 1 + len(request["rows"])
    assert fields[0]["Reporting-MTA"] == "dns; mail.example.net"
    assert fields[0].get("Original-Envelope-Id") == ({"QQ+3D1": "QQ=1"}.get(request["envid"], request["envid"]) or None)
    for row, wanted in zip(fields[1:], request["rows"]):
        check_row(row, wanted, is_global)
    if whole:
        assert content in raw
    else:
        assert b"zzzz" not in raw and b"body\r\n" not in raw


def status_fields(raw, message):
    """Python parses message/delivery-status only; the other type is the same by another name."""
    boundary = message.get_boundary().encode()
    part = raw.split(b"--" + boundary)[2].split(b"\r\n\r\n", 1)[1].rstrip(b"\r\n")
    return [email.message_from_bytes(block + b"\r\n\r\n", policy=email.policy.compat32.clone(cte_type="8bit"))
            if block.isascii() else as_text(block) for block in re.split(rb"\r\n\r\n", part)]


def as_text(block):
    return email.message_from_string(block.decode() + "\r\n\r\n", policy=email.policy.SMTPUTF8)


@pytest.mark.parametrize("n", range(REQUESTS))
def test_random_report_is_read_as_it_was_meant(tmp_path, n):
    rnd = random.Random(f"{SEED} {n}")
    request, content = make_request(rnd), rnd.choice(CONTENTS)
    whole = request["ret"] == FULL and request["kind"] == FAILURE
    made, raw = composed(tmp_path, request["bytes"], content, whole)
    print(f"SEED={SEED}")
    print(raw.decode(errors="replace"))
    check_lines(raw, content)
    check(raw, made, request, content)


def test_request_that_is_cut_is_refused(tmp_path):
    request = make_request(random.Random(1))["bytes"]
    (tmp_path / "content").write_bytes(b"")
    for n in range(0, len(request), 7):
        (tmp_path / "request").write_bytes(request[:n])
        done = subprocess.run([DUMP, tmp_path / "request", tmp_path / "content", "a@b", "0", "0", "0" * 32],
                              capture_output=True)
        assert done.returncode == 1

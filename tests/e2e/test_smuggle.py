"""No sequence but CRLF.CRLF ends a message, however it is cut into packets."""
import time
import uuid

import pytest

from wire import greeted, in_data

# What other servers have taken for the end of a message.
ENDS = {
    "LF.LF": b"\n.\n", "LF.CRLF": b"\n.\r\n", "CR.CR": b"\r.\r", "CRLF.LF": b"\r\n.\n",
    "CRLF.CR": b"\r\n.\r", "CR.CRLF": b"\r.\r\n", "LF.CR": b"\n.\r", "CRLF NUL.CRLF": b"\r\n\0.\r\n",
    "CRLF.NUL CRLF": b"\r\n.\0\r\n", "LFCR.LFCR": b"\n\r.\n\r", "CRCRLF.CRCRLF": b"\r\r\n.\r\r\n",
}
SMUGGLED = b"MAIL FROM:<evil@example.net>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nSubject: %s\r\n\r\nsmuggled"


@pytest.mark.parametrize("end", ENDS)
def test_variant_ends_nothing(server, mailbox, end):
    token = uuid.uuid4().hex.encode()
    with in_data(server.ports["smtp"]) as wire:
        wire.send(b"Subject: outer\r\n\r\nhello" + ENDS[end] + SMUGGLED % token + b"\r\n.\r\n")
        assert wire.reply()[0] == "5"      # one answer, to the whole
        assert wire.say("NOOP").startswith("250")
    assert not any(token in m for m in mailbox("b").messages())
    assert not any(token in m for m in mailbox("a").messages())


@pytest.mark.parametrize("end", ["LF.LF", "LF.CRLF", "CRLF.LF", "CR.CR"])
def test_variant_on_submission_becomes_text(server, mailbox, end):
    import base64
    token = uuid.uuid4().hex.encode()
    with greeted(server.ports["submission"]) as wire:
        login = base64.b64encode(b"\0a@example.org\0secret").decode()
        assert wire.say(f"AUTH PLAIN {login}").startswith("235")
        wire.say("MAIL FROM:<a@example.org>")
        wire.say("RCPT TO:<a@example.org>")
        wire.say("DATA")
        wire.send(b"Subject: outer " + token + b"\r\n\r\nhello" + ENDS[end] + SMUGGLED % token + b"\r\n.\r\n")
        assert wire.reply().startswith("250 2.0.0")
        assert wire.say("NOOP").startswith("250")
    got = mailbox("a").wait_for(b"outer " + token)
    assert len(got) == 1 and b"smuggled" in got[0]
    # A dot that begins a real line is the stuffing of the text behind it.
    assert (b"\r\n\r\nMAIL" if end == "CRLF.LF" else b"\r\n.\r\nMAIL") in got[0]
    assert not any(token in m for m in mailbox("b").messages())


@pytest.mark.only_in("development")
def test_every_cut_of_one_smuggling_try(server, mailbox):
    token = uuid.uuid4().hex.encode()
    text = b"S: o\r\n\r\nx\n.\r\nRSET\r\n" + token + b"\r\n.\r\nNOOP\r\n"
    with greeted(server.ports["smtp"]) as wire:
        for cut in range(1, len(text)):
            if cut % 15 == 0:
                wire.close()
                wire = greeted(server.ports["smtp"])
            wire.say("MAIL FROM:<s@example.net>")
            wire.say("RCPT TO:<a@example.org>")
            assert wire.say("DATA").startswith("354")
            wire.send(text[:cut])
            time.sleep(0.001)  # so that the pieces leave as two packets
            wire.send(text[cut:])
            assert wire.reply()[0] == "5"
            assert wire.reply().startswith("250")
    assert not any(token in m for m in mailbox("a").messages())


def test_bdat_mixed_with_data(server, mailbox):
    with greeted(server.ports["smtp"]) as wire:
        wire.say("MAIL FROM:<s@example.net>")
        wire.say("RCPT TO:<a@example.org>")
        assert wire.say(b"BDAT 5\r\nS: x\r").startswith("250")
        assert wire.say("DATA").startswith("503 5.5.1")


def test_bdat_bare_newline(server):
    with greeted(server.ports["smtp"]) as wire:
        wire.say("MAIL FROM:<s@example.net>")
        wire.say("RCPT TO:<a@example.org>")
        text = b"Subject: x\r\n\r\na\nb\r\n"
        assert wire.say(f"BDAT {len(text)} LAST\r\n".encode() + text)[0] == "5"
        assert wire.say("NOOP").startswith("250")

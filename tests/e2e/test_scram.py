"""SCRAM-SHA-256 and -PLUS over the wire, by a client written from the RFC's formulas."""
import base64
import hashlib
import hmac
import os
import poplib
import smtplib

import pytest

from conftest import PASSWORD, client_tls

USER = "a@example.org"


def digest(key, text):
    return hmac.new(key, text, "sha256").digest()


class Scram:
    """One exchange; `binding` is what the channel shows, None to do without."""

    def __init__(self, user, password, binding=None, flag="n"):
        self.header = "p=tls-server-end-point,," if binding else f"{flag},,"
        self.binding = binding or b""
        self.password = password.encode()
        self.bare = f"n={user},r={base64.b64encode(os.urandom(18)).decode()}"

    def first(self):
        return (self.header + self.bare).encode()

    def final(self, server_first):
        fields = dict(f.split("=", 1) for f in server_first.decode().split(","))
        salted = hashlib.pbkdf2_hmac("sha256", self.password, base64.b64decode(fields["s"]), int(fields["i"]))
        key = digest(salted, b"Client Key")
        channel = base64.b64encode(self.header.encode() + self.binding).decode()
        bare_final = f"c={channel},r={fields['r']}"
        message = f"{self.bare},{server_first.decode()},{bare_final}".encode()
        proof = bytes(a ^ b for a, b in zip(key, digest(hashlib.sha256(key).digest(), message)))
        self.signature = base64.b64encode(digest(digest(salted, b"Server Key"), message)).decode()
        return f"{bare_final},p={base64.b64encode(proof).decode()}".encode()


def smtp_auth(client, mechanism, scram, initial=True):
    """The code that ends the exchange; initial: the first message comes in the command itself."""
    first = base64.b64encode(scram.first()).decode()
    code, text = client.docmd("AUTH", f"{mechanism} {first}" if initial else mechanism)
    if not initial:
        assert (code, text) == (334, b"")
        code, text = client.docmd(first)
    if code != 334:
        return code
    code, text = client.docmd(base64.b64encode(scram.final(base64.b64decode(text))).decode())
    if code != 334:
        return code
    assert base64.b64decode(text).decode() == f"v={scram.signature}"
    return client.docmd("")[0]


def end_point(client):
    return hashlib.sha256(client.sock.getpeercert(True)).digest()


@pytest.fixture
def smtp(server):
    with smtplib.SMTP("127.0.0.1", server.ports["submission"], timeout=120) as client:
        client.starttls(context=client_tls(server))
        client.ehlo()
        assert "SCRAM-SHA-256-PLUS" in client.esmtp_features["auth"].split()
        yield client


def test_smtp_with_the_right_password(smtp):
    assert smtp_auth(smtp, "SCRAM-SHA-256", Scram(USER, PASSWORD)) == 235


@pytest.mark.parametrize("initial", [True, False])
def test_smtp_bound_to_the_channel(smtp, initial):
    assert smtp_auth(smtp, "SCRAM-SHA-256-PLUS", Scram(USER, PASSWORD, end_point(smtp)), initial) == 235


def test_smtp_without_an_initial_response(smtp):
    assert smtp_auth(smtp, "SCRAM-SHA-256", Scram(USER, PASSWORD), initial=False) == 235


@pytest.mark.parametrize("user, password", [(USER, "wrong"), ("nobody@example.org", PASSWORD)])
def test_smtp_wrong_or_unknown_is_refused_by_the_proof(smtp, user, password):
    assert smtp_auth(smtp, "SCRAM-SHA-256", Scram(user, password)) == 535


def test_smtp_bound_to_another_channel(smtp):
    assert smtp_auth(smtp, "SCRAM-SHA-256-PLUS", Scram(USER, PASSWORD, bytes(32))) == 535


def test_smtp_downgrade_is_seen(smtp):
    assert smtp_auth(smtp, "SCRAM-SHA-256", Scram(USER, PASSWORD, flag="y")) == 535


def test_unknown_user_has_always_the_same_salt(smtp):
    salts = set()
    for user in ("nobody@example.org", "NOBODY@example.org"):
        first = base64.b64encode(Scram(user, PASSWORD).first()).decode()
        _, text = smtp.docmd("AUTH", f"SCRAM-SHA-256 {first}")
        salts.add(base64.b64decode(text).split(b",")[1])
        assert smtp.docmd("*")[0] == 501
    assert len(salts) == 1


@pytest.mark.parametrize("initial", [True, False])
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "SCRAM-SHA-256-PLUS"])
def test_pop3(server, mechanism, initial):
    client = poplib.POP3_SSL("127.0.0.1", server.ports["pop3s"], timeout=120, context=client_tls(server))
    scram = Scram(USER, PASSWORD, end_point(client) if mechanism.endswith("PLUS") else None)

    def say(text):
        client._putcmd(text)
        return client._getline()[0]

    first = base64.b64encode(scram.first()).decode()
    if initial:
        first = say(f"AUTH {mechanism} {first}")
    else:
        assert say(f"AUTH {mechanism}") == b"+ "
        first = say(first)
    assert first.startswith(b"+ ")
    last = say(base64.b64encode(scram.final(base64.b64decode(first[2:]))).decode())
    assert base64.b64decode(last[2:]).decode() == f"v={scram.signature}"
    assert say("").startswith(b"+OK")
    assert client.stat() is not None
    client.quit()

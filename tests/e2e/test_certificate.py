"""A certificate is renewed: two files, one after the other. The pair in use stays until there is a good new one."""
import os
import signal
import smtplib
import socket
import ssl

import harness
import pytest


@pytest.fixture
def server():
    with harness.Postroad() as s:
        s.start()
        yield s


def served(s):
    """What clients of each program are shown."""
    return {ssl.get_server_certificate(("127.0.0.1", s.ports[name])) for name in ("submissions", "imaps")}


def pem(path):
    return ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(path.read_text()))


def renewed(folder):
    folder.mkdir()
    return harness.make_certificate(folder)


def start_anew(s):
    """Both programs with TLS, all their processes."""
    for name in ("gate", "smtpd"):
        pids = s.pids(name)
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        for pid in pids:
            s.wait_logged("process.end", f"name={name} ", f"pid={pid} ")
        harness.wait_until(lambda: len(s.pids(name)) == len(pids), what=f"{name} again")
    harness.wait_until(s.all_answer, what="an answer of every program")


def has_starttls(s):
    with smtplib.SMTP("127.0.0.1", s.ports["submission"], timeout=120) as client:
        client.ehlo()
        return client.has_extn("starttls")


@pytest.mark.parametrize("first", [0, 1], ids=["certificate", "key"])
def test_half_a_renewal_changes_nothing(server, tmp_path, first):
    old, new = pem(server.tls[0]), renewed(tmp_path / "new")
    for n in (first, 1 - first):
        assert served(server) == {old}
        server.tls[n].write_bytes(new[n].read_bytes())  # in its place, as careless tools do
        if n == first:
            done = server.command("reload", check=False)
            assert done.returncode == 1 and b"key and certificate do not belong together" in done.stderr
            start_anew(server)
    server.reload()
    assert served(server) == {pem(new[0])}
    assert server.wait_logged("reload.refused", "tls_certificate, tls_key: ")
    assert not server.logged("tls.certificate.bad")


@pytest.mark.parametrize("text", [b"", b"nonsense\n", b"x" * (2 << 20)], ids=["empty", "nonsense", "large"])
def test_what_is_no_certificate_is_refused(server, text):
    old = pem(server.tls[0])
    server.tls[0].write_bytes(text)
    done = server.command("reload", check=False)
    assert done.returncode == 1 and b"tls_certificate" in done.stderr
    start_anew(server)
    assert served(server) == {old}


def test_no_certificate_any_more(server):
    tls = server.tls
    assert has_starttls(server)
    server.tls = None
    server.write_config()
    server.reload()
    assert not has_starttls(server)
    for name in ("gate", "smtpd"):
        server.wait_logged("tls.certificate.none", f" {name}[")
    for name in ("imaps", "submissions"):
        with pytest.raises(ConnectionError):
            socket.create_connection(("127.0.0.1", server.ports[name]), timeout=120)
    server.tls = tls
    server.write_config()
    server.reload()
    assert has_starttls(server) and served(server) == {pem(tls[0])}


def test_start_with_half_a_renewal_is_refused(tmp_path):
    with harness.Postroad() as s:
        s.tls[1].write_bytes(renewed(tmp_path / "new")[1].read_bytes())
        s.start(wait=False)
        assert s.process.wait(harness.PATIENCE_S) == 1
        assert "tls_certificate, tls_key: key and certificate do not belong together" in s.tail()

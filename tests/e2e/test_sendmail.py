"""sendmail by its name: with the server up through its socket, with it down through the drop folder."""
import os
import subprocess
import uuid

import pytest

import harness
from conftest import PASSWORD, Mailbox


@pytest.fixture(scope="module")
def own():
    with harness.Postroad(settings={"auth_without_tls": "yes"}) as server:
        server.start()
        for name in "abc":
            server.add_account(f"{name}@example.org", PASSWORD)
        yield server


def sendmail(server, *args, stdin=b"", check=True):
    return server.command(*args, stdin=stdin, check=check, name="sendmail")


def test_recipients_as_arguments(own):
    token = uuid.uuid4().hex
    sendmail(own, "-f", "a@example.org", "b@example.org", "c",
             stdin=f"Subject: {token}\n\nhello\n.\nnot part of it\n".encode())
    for name in "bc":
        [got] = Mailbox(own, f"{name}@example.org").wait_for(token.encode())
        assert b"hello\r\n" in got and b"not part" not in got
        assert b"\r\nDate: " in got and b"\r\nMessage-ID: <" in got and b"\r\nFrom: a@example.org\r\n" in got


def test_i_keeps_dots(own):
    token = uuid.uuid4().hex
    sendmail(own, "-i", "-F", 'A "quoted" Name', "-fa@example.org", "b@example.org",
             stdin=f"Subject: {token}\n\na\n.\nb\n".encode())
    [got] = Mailbox(own, "b@example.org").wait_for(token.encode())
    assert got.endswith(b"a\r\n.\r\nb\r\n") and b'From: "A \\"quoted\\" Name" <a@example.org>' in got


def test_t_takes_recipients_and_drops_bcc(own):
    token = uuid.uuid4().hex
    sendmail(own, "-t", "-oi", stdin=(f"From: a@example.org\nTo: B <b@example.org>,\n c@example.org\n"
                                      f"Bcc: a@example.org\nSubject: {token}\n\nx\n").encode())
    for name in "abc":
        [got] = Mailbox(own, f"{name}@example.org").wait_for(token.encode())
        assert b"Bcc" not in got and b"To: B <b@example.org>,\r\n c@example.org" in got


def test_bs_speaks_smtp(own):
    token = uuid.uuid4().hex
    text = (f"EHLO x\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\n").encode()
    process = subprocess.Popen([own.build / "bin/sendmail", "-bs"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, env={"POSTROAD_CONFIG": str(own.config)})
    assert process.stdout.readline().startswith(b"220")
    for line in text.splitlines(keepends=True):
        process.stdin.write(line)
        process.stdin.flush()
        while process.stdout.readline()[3:4] == b"-":
            pass
    process.stdin.write(f"Subject: {token}\r\n\r\nx\r\n.\r\n".encode())
    process.stdin.flush()
    assert process.stdout.readline().startswith(b"250 2.0.0")
    process.stdin.write(b"QUIT\r\n")
    process.stdin.close()
    assert process.wait(harness.PATIENCE_S) == 0
    assert Mailbox(own, "b@example.org").wait_for(token.encode())


def test_refused_recipient_is_told(own):
    done = sendmail(own, "nobody@example.org", stdin=b"Subject: x\n\n", check=False)
    assert done.returncode == 1 and b"5.1.1" in done.stderr


def test_no_recipient_is_wrong_usage(own):
    assert sendmail(own, stdin=b"Subject: x\n\n", check=False).returncode == 2


def test_down_then_picked_up(own):
    token = uuid.uuid4().hex
    assert own.stop() == 0
    sendmail(own, "-f", "a@example.org", "b@example.org", stdin=f"Subject: {token}\n\nlater\n".encode())
    bad = sendmail(own, "nobody@example.org", stdin=b"Subject: bad\n\n")
    assert bad.returncode == 0
    assert len(list((own.spool / "drop").glob("*.msg"))) == 2
    own.start()
    assert len(Mailbox(own, "b@example.org").wait_for(token.encode())) == 1
    harness.wait_until(lambda: not list((own.spool / "drop").glob("*.msg")), what="an empty drop folder")


def test_mailq_lists_what_waits(own):
    sendmail(own, "-f", "a@example.org", "someone@elsewhere.example", stdin=b"Subject: out\n\nx\n")
    out = harness.wait_until(lambda: (t := own.command(name="mailq").stdout) if b"elsewhere" in
                             own.command(name="mailq").stdout else None, what="the queue")
    assert b"someone@elsewhere.example" in out


@pytest.mark.skipif(os.geteuid() != 0, reason="another user, and /run of its own, need root")
def test_user_who_may_not_read_the_settings_sends(own):
    token = uuid.uuid4().hex
    before = own.config.stat().st_mode
    own.config.chmod(0o600)
    try:
        # Its sockets are where those of an installation are.
        script = (f"mount -t tmpfs none /run && mkdir /run/postroad && mount --bind {own.run} /run/postroad && "
                  f"exec setpriv --reuid nobody --regid nogroup --clear-groups {own.build}/bin/sendmail b@example.org")
        subprocess.run(["unshare", "--mount", "sh", "-c", script], input=f"Subject: {token}\n\nx\n".encode(),
                       env=dict(os.environ, POSTROAD_CONFIG=str(own.config)), check=True)
    finally:
        own.config.chmod(before)
    assert Mailbox(own, "b@example.org").wait_for(token.encode())

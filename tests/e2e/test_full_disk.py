"""A start on a full disk: what can go on goes on, and all is well within 5 s of space returning."""
import poplib
import time
import uuid

import harness
import pytest

from conftest import PASSWORD, Mailbox
from test_faults import SOON_S, filler, inode_eater, small_disk, try_send  # noqa: F401  small_disk is a fixture

ACCOUNT = "a@example.org"


def delete_first(server):
    client = poplib.POP3("127.0.0.1", server.ports["pop3"], timeout=120)
    client.user(ACCOUNT)
    client.pass_(PASSWORD)
    client.dele(1)
    assert client.quit().startswith(b"+OK")


def sends(server, token, kilobytes):
    """Accepted? A peer that comes while programs start may be told to come again."""
    code = try_send(server, token, kilobytes=kilobytes)
    assert code[:3] in ("250", "451", "452"), code
    return code.startswith("250")


@pytest.mark.parametrize("full", ["space", "inodes"])
@pytest.mark.parametrize("disk", ["spool", "mail"])
def test_start_on_a_full_disk(small_disk, disk, full):  # noqa: F811
    mount = small_disk(400, "-m", "0", *(["-N", "64"] if full == "inodes" else []))
    fill, empty = (filler if full == "space" else inode_eater)(mount)
    with harness.Postroad(settings={"auth_without_tls": "yes"}, **{disk: mount / disk}) as server:
        server.start()
        server.add_account(ACCOUNT, PASSWORD)
        box = Mailbox(server, ACCOUNT)
        for n in range(3):
            assert sends(server, f"before{n}", 1)
        box.wait_for(b"before", count=3)
        assert server.stop() == 0

        fill()
        server.start()
        taken = []

        def send():
            if full == "space":
                fill()  # what the start gave back
            token = uuid.uuid4().hex
            if not sends(server, token, 600):
                return False
            taken.append(token)
            return True
        if disk == "spool":
            harness.wait_until(lambda: not send(), what="a refusal")
        else:
            assert all(send() for _ in range(6))  # where there is a spool, mail is taken
        assert len(box.messages()) >= 3
        delete_first(server)
        assert not any(b"before0" in m for m in box.messages())
        assert server.command("queue", "list").returncode == 0
        assert server.command("account", "list").returncode == 0

        empty()
        emptied, again = time.monotonic(), uuid.uuid4().hex
        harness.wait_until(lambda: sends(server, again, 600), what="new mail")
        for token in (*taken, again):
            assert len(box.wait_for(token.encode())) == 1
        harness.wait_until(lambda: b'"total": 0' in server.command("--json", "queue", "stats").stdout,
                           what="an empty queue")
        assert time.monotonic() - emptied < SOON_S


def test_every_message_can_be_deleted_on_a_full_disk(small_disk):  # noqa: F811
    mount = small_disk(100, "-m", "0")
    fill, _ = filler(mount)
    with harness.Postroad(settings={"auth_without_tls": "yes"}, mail=mount / "mail") as server:
        server.start()
        server.add_account(ACCOUNT, PASSWORD)
        for n in range(40):
            assert sends(server, f"n{n}", 1)
        Mailbox(server, ACCOUNT).wait_for(b"Subject: n", count=40)
        fill()
        for left in range(39, -1, -1):  # a commit each
            delete_first(server)
            fill()
            assert len(Mailbox(server, ACCOUNT).messages()) == left

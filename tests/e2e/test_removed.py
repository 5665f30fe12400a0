"""Mail of accounts that are removed: listed, restored, exported, erased; with the server up and down."""
import json
import os
import smtplib

import pytest

import harness
from conftest import PASSWORD, Mailbox


@pytest.fixture(scope="module", params=["running", "stopped"])
def own(request):
    with harness.Postroad(settings={"auth_without_tls": "yes"}) as server:
        server.start()
        server.stopped = request.param == "stopped"
        yield server


def removed(server):
    return json.loads(server.command("--json", "mailbox", "removed", "list").stdout)


def row_of(server, number):
    found = [row for row in removed(server) if row["number"] == number]
    return found[0] if found else None


class Down:
    """The server is stopped for the commands, in the test that wants it so."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        if self.server.stopped:
            self.server.stop()

    def __exit__(self, *exc):
        if self.server.stopped:
            self.server.start()


def deliver(server, address, *subjects):
    for subject in subjects:
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
            client.sendmail("s@example.net", [address], f"Subject: {subject}\r\n\r\nbody of {subject}\r\n")
    server.wait_logged("local.delivered", address, count=len(subjects))


def removed_account(server, address, *subjects):
    """The number of an account that had such mail, and is removed."""
    server.add_account(address, PASSWORD)
    deliver(server, address, *subjects)
    number = json.loads(server.command("--json", "account", "show", address).stdout)["id"]
    server.command("account", "remove", address)
    return number


def subjects(server, address):
    return sorted(line for message in Mailbox(server, address).messages()
                  for line in message.split(b"\r\n\r\n")[0].split(b"\r\n") if line.startswith(b"Subject:"))


def test_removed_account_is_listed_with_its_number_and_address(own):
    number = removed_account(own, "left@example.org", "one", "two")
    own.add_account("left@example.org", PASSWORD)  # somebody else
    with Down(own):
        row = row_of(own, number)
        assert (row["account"], row["messages"]) == ("left@example.org", 2)
        assert row["removed"].startswith("20") and row["size"] > 0
        there = json.loads(own.command("--json", "account", "list").stdout)
        assert not {a["id"] for a in there} & {r["number"] for r in removed(own)}
        assert "left@example.org" in own.command("mailbox", "removed", "list").stdout.decode()


def test_mail_of_a_removed_account_comes_into_another(own):
    number = removed_account(own, "from@example.org", "old")
    own.add_account("to@example.org", PASSWORD)
    with Down(own):
        done = json.loads(own.command("--json", "mailbox", "removed", "restore", str(number),
                                      "to@example.org").stdout)
        assert (done["number"], done["messages"], done["damaged"]) == (number, 1, 0)
    assert subjects(own, "to@example.org") == [b"Subject: old"]
    with Down(own):
        own.command("mailbox", "removed", "restore", str(number), "to@example.org")
        boxes = json.loads(own.command("--json", "mailbox", "list", "to@example.org").stdout)
        assert {"INBOX": 1, "Restored/INBOX": 1}.items() <= {b["mailbox"]: b["messages"] for b in boxes}.items()
        assert row_of(own, number)["messages"] == 1  # a copy


def test_mail_of_a_removed_account_is_exported(own, tmp_path):
    number = removed_account(own, "out@example.org", "exported")
    with Down(own):
        own.command("mailbox", "removed", "export", str(number), tmp_path / "mail", "--format", "eml")
    [message] = (tmp_path / "mail").glob("*.eml")
    assert b"body of exported" in message.read_bytes()


def test_erasing_shows_first_and_then_takes_all(own):
    number, other = removed_account(own, "erase@example.org", "a"), removed_account(own, "keep@example.org", "b")
    folder = own.mail / f"{number & 255:02x}" / f"{number:016x}"
    with Down(own):
        shown = own.command("--json", "mailbox", "removed", "erase", str(number), check=False)
        assert shown.returncode == 2 and b"--yes" in shown.stderr
        [row] = json.loads(shown.stdout)
        assert (row["number"], row["account"], row["erased"]) == (number, "erase@example.org", False)
        assert row["size"] > 0 and folder.exists() and row_of(own, number)

        [row] = json.loads(own.command("--json", "mailbox", "removed", "erase", str(number), "--yes").stdout)
        assert row["erased"] and row["size"] > 0
        assert not folder.exists() and not row_of(own, number) and row_of(own, other)
        again = own.command("mailbox", "removed", "erase", str(number), "--yes", check=False)
        assert again.returncode == 1 and b"mailbox removed list" in again.stderr


def test_mail_of_an_account_that_is_there_is_not_touched(own):
    own.add_account("here@example.org", PASSWORD)
    deliver(own, "here@example.org", "mine")
    number = json.loads(own.command("--json", "account", "show", "here@example.org").stdout)["id"]
    with Down(own):
        for words in (["erase", str(number), "--yes"], ["erase", "0", "--yes"], ["erase", "here@example.org", "--yes"],
                      ["export", str(number), own.folder / "none"], ["restore", str(number), "here@example.org"],
                      ["restore", "999999", "here@example.org"]):
            done = own.command("mailbox", "removed", *words, check=False)
            assert done.returncode in (1, 2) and done.stderr, words
        assert number not in [row["number"] for row in removed(own)]
    assert subjects(own, "here@example.org") == [b"Subject: mine"]


def test_account_that_lost_its_note_is_known_by_its_number(own):
    """As one that was removed before notes were kept."""
    number = 0x123456
    folder = own.mail / f"{number & 255:02x}" / f"{number:016x}"
    with Down(own):
        folder.mkdir(parents=True)
        owner = own.mail.stat()
        for path in (folder.parent, folder):
            os.chown(path, owner.st_uid, owner.st_gid)
        row = row_of(own, number)
        assert (row["account"], row["messages"]) == ("", 0) and not row["removed"]
        own.command("mailbox", "removed", "erase", str(number), "--yes")
        assert not folder.exists()

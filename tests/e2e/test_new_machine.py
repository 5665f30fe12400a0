"""A machine that is new: what is restored onto it can be started, by programs that are not root."""
import contextlib
import grp
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from harness import Postroad

ADDRESS = "you@example.org"


@pytest.fixture
def deep():
    """An installation whose folders lie in folders that it has to make, as /var/lib/postroad is."""
    folder = Path(tempfile.mkdtemp(prefix="postroad-"))
    with Postroad(folder=folder, spool=folder / "var/spool", mail=folder / "var/lib/mail") as server:
        server.start()
        server.add_account(ADDRESS)
        yield server
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def careful_user():
    """Whose umask leaves nothing to anybody else."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def rights(path):
    info = path.stat()
    return info.st_mode & 0o777, info.st_uid, info.st_gid


def test_everything_comes_back_where_the_programs_can_reach_it(deep, tmp_path):
    p = deep
    files = [p.config, *p.tls]
    p.tls[1].chmod(0o640)
    if os.geteuid() == 0:
        os.chown(p.tls[1], 0, grp.getgrnam("postroad-net").gr_gid)
    was = [rights(path) for path in files]
    p.command("backup", tmp_path / "backup")
    p.stop()
    for folder in ("var", "directory"):
        shutil.rmtree(p.folder / folder)
    for path in files:
        path.unlink()
    with careful_user():
        p.command("restore", tmp_path / "backup")
    assert [rights(path) for path in files] == was
    assert rights(p.folder / "var/lib")[0] == 0o755
    p.start()
    assert [row["account"] for row in json.loads(p.command("--json", "account", "list").stdout)] == [ADDRESS]


def test_settings_that_are_there_count(deep, tmp_path):
    p = deep
    p.command("backup", tmp_path / "backup")
    p.stop()
    for folder in ("var", "directory"):
        shutil.rmtree(p.folder / folder)
    text = p.config.read_text() + "# mine\n"
    p.config.write_text(text)
    done = p.command("restore", tmp_path / "backup")
    assert b"stays as it is" in done.stderr and b"generations/1/files" in done.stderr
    assert p.config.read_text() == text


def test_account_without_mail_comes_back(deep, tmp_path):
    p = deep
    p.command("backup", tmp_path / "backup")
    p.command("account", "remove", ADDRESS)
    shown = json.loads(p.command("--json", "restore", tmp_path / "backup", "--account", ADDRESS).stdout)
    assert (shown["accounts"], shown["messages"]) == (1, 0)
    assert json.loads(p.command("--json", "account", "show", ADDRESS).stdout)["account"] == ADDRESS
    for option in (("--replace",), ("--mailbox", "INBOX")):
        done = p.command("restore", tmp_path / "backup", "--account", ADDRESS, *option, check=False)
        assert done.returncode == 1 and b"no mail of that account" in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="another user makes the folder itself")
def test_directory_that_is_not_there_yet_is_told():
    with Postroad() as server:
        done = server.command("account", "list", check=False)
    assert done.returncode == 1 and b"`postroad run` makes it" in done.stderr

"""postroad backup and restore where the directory is in PostgreSQL: everything into an empty
installation, one account into a running one, and from one backend into the other."""
import json
import pathlib
import smtplib
import sys

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[n]) for n in (0, 1)]
import harness
import postgres
from test_backup import ADDRESS, answers, append, backup, insecure, login, verify

OTHER = "bob@example.org"
pytestmark = pytest.mark.only_in("release")  # ten installations; the same code as in test_backup.py


@pytest.fixture(scope="module")
def database():
    with postgres.Postgres() as server:
        yield server


@pytest.fixture
def connections(database):
    """Of two databases without tables: of an installation, and of the one it is restored into."""
    found = []
    for name in ("one", "two"):
        database.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)", database="postgres")
        database.sql(f"CREATE DATABASE {name} OWNER {postgres.USER} TEMPLATE template0 ENCODING 'UTF8'",
                     database="postgres")
        found.append(database.connection().replace(f"dbname={database.database}", f"dbname={name}"))
    return found


def installation(connection=None, **more):
    """With its directory in that database, or in files; not started."""
    settings = {"auth_delay_s": 0, **more}
    if connection:
        settings.update(directory="postgresql", postgresql_connection=f'"{connection}"')
    made = harness.Postroad(settings=settings)
    if connection:
        made.command("directory", "init")
    return made


def fill(p):
    """One of everything a directory can hold, and mail; an app password."""
    p.start()
    harness.wait_until(lambda: p.logged("directory.domain.made"), what="the first domain")
    p.add_account(ADDRESS, quota="1G")
    p.add_account(OTHER)
    p.command("domain", "set", "example.org", "accounts_max=7")
    p.command("account", "forward", OTHER, ADDRESS, "--keep")
    p.command("alias", "add", "info@example.org", ADDRESS, OTHER)
    p.command("group", "add", "staff@example.org", ADDRESS, OTHER)
    p.command("list", "add", "news@example.org", "posting=members")
    p.command("list", "member", "add", "news@example.org", "group:staff@example.org")
    made = json.loads(p.command("--json", "account", "password", "add", ADDRESS, "phone", "--scope", "imap").stdout)
    m = login(p)
    m.create("Work")
    for n in range(6):
        append(m, "Work" if n % 2 else "INBOX", n, "(\\Flagged $Label)" if n % 3 == 0 else "")
    append(login(p, OTHER), "INBOX", 9)
    return made["password"]


def objects(p):
    """All of the directory as an operator sees it, but for what changes by itself."""
    found = {}
    for noun, names in (("domain", ["example.org"]), ("account", [ADDRESS, OTHER]), ("alias", ["info@example.org"]),
                        ("list", ["news@example.org"]), ("group", ["staff@example.org"])):
        for name in names:
            shown = json.loads(p.command("--json", noun, "show", name).stdout)
            for each in shown if isinstance(shown, list) else [shown]:
                for key in ("last_login", "last_service", "last_address"):
                    each.pop(key, None)
            found[noun, name] = shown
    return found


def mail(p):
    m, other = login(p), login(p, OTHER)
    return {box: {key: value for key, value in answers(m, box).items() if key in ("validity", "messages")}
            for box in ("INBOX", "Work")}, answers(other, "INBOX")["messages"]


def queue(p):
    return {q["id"] for q in json.loads(p.command("--json", "queue", "list").stdout)}


@pytest.mark.parametrize("source, target", [("postgresql", "postgresql"), ("postgresql", "berkeley"),
                                            ("berkeley", "postgresql")])
def test_everything_comes_back_in_either_backend(connections, tmp_path, source, target):
    folder = tmp_path / "backup"
    with installation(connections[0] if source == "postgresql" else None) as p:
        app_password = fill(p)
        p.command("queue", "pause")
        with smtplib.SMTP("127.0.0.1", p.ports["submission"]) as s:
            s.starttls(context=insecure())
            s.login(ADDRESS, "secret")
            s.sendmail(ADDRESS, ["far@example.net"], "Subject: waits\r\n\r\nx\r\n")
        backup(p, folder)
        verify(p, folder)
        known, held, queued = objects(p), mail(p), queue(p)
    assert len(queued) == 1
    with installation(connections[1] if target == "postgresql" else None) as other:
        other.command("restore", folder)
        other.start()
        assert objects(other) == known
        assert mail(other) == held
        login(other).logout()
        m = login(other, ADDRESS, app_password)
        assert m.select("INBOX")[0] == "OK"
        harness.wait_until(lambda: queue(other) == queued, what="the queue")
        # What is made now gets numbers that nobody has.
        other.add_account("new@example.org")
        listed = json.loads(other.command("--json", "account", "list").stdout)
        assert len({a["id"] for a in listed}) == 3
        with smtplib.SMTP("127.0.0.1", other.ports["smtp"]) as s:
            s.sendmail("far@example.net", ["info@example.org"], "Subject: after\r\n\r\nx\r\n")
        harness.wait_until(lambda: m.select("INBOX") == ("OK", [b"%d" % (len(held[0]["INBOX"]["messages"]) + 1)]),
                           30, "the delivery")
        assert json.loads(other.command("--json", "mailbox", "verify", ADDRESS).stdout) == []
        backup(other, folder)
        verify(other, folder)


def test_one_account_comes_back_into_a_running_server(connections, tmp_path):
    folder = tmp_path / "backup"
    with installation(connections[0]) as p:
        app_password = fill(p)
        known, held = objects(p), mail(p)
        backup(p, folder)
        # Replaced, with somebody logged in.
        m = login(p)
        append(m, "INBOX", 20)
        m.select("INBOX")
        p.command("restore", folder, "--account", ADDRESS, "--replace")
        with pytest.raises((m.abort, OSError)):
            for _ in range(100):
                m.noop()
        assert mail(p) == held
        # Gone, and made again with its passwords and its number.
        p.command("account", "remove", ADDRESS)
        p.command("restore", folder, "--account", ADDRESS)
        assert mail(p) == held
        assert login(p, ADDRESS, app_password).select("INBOX")[0] == "OK"
        assert objects(p)["account", ADDRESS]["id"] == known["account", ADDRESS]["id"]


def test_restore_says_what_stands_in_its_way(connections, tmp_path):
    folder = tmp_path / "backup"
    with installation(connections[0]) as p:
        fill(p)
        backup(p, folder)
        p.stop()
        done = p.command("restore", folder, check=False)
        assert done.returncode == 1 and b"not empty" in done.stderr
    settings = {"directory": "postgresql", "postgresql_connection": f'"{connections[1]}"'}
    with harness.Postroad(settings=settings) as other:  # without tables
        done = other.command("restore", folder, check=False)
        assert done.returncode == 1 and b"directory init" in done.stderr, done.stderr
        assert not list(other.mail.rglob("data.*"))
        other.command("directory", "init")
        other.command("restore", folder)
        other.start()
        assert answers(login(other), "INBOX")["messages"]

"""The directory in PostgreSQL: mail comes and goes, and whatever happens to the database, nobody
is refused for good and nothing is lost."""
import imaplib
import json
import os
import pathlib
import signal
import smtplib
import subprocess
import sys
import threading
import time

import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parents[n]) for n in (0, 1)]
import harness
import movein_tables
import postgres
from lab import net

ADDRESS = "anna@example.org"
# After the database is back. A machine with nothing else to do is well within 5 s, which
# `pytest tests/e2e/test_postgresql.py` alone shows with ALL_WELL_S=5; here other tests run beside it.
ALL_WELL_S = int(os.environ.get("ALL_WELL_S", "20"))
UNIT_TESTS = ["pgsql/test_pgsql", "directory/test_postgresql", "directory/test_directory_postgresql"]


@pytest.fixture(scope="module")
def database():
    with postgres.Postgres() as server:
        yield server


@pytest.fixture
def fresh(database):
    """The database without tables."""
    database.sql("DROP SCHEMA IF EXISTS postroad CASCADE")
    return database


def settings_of(database, tcp=None, **more):
    return {"directory": "postgresql", "postgresql_timeout_s": 2, "auth_delay_s": 0,
            "postgresql_connection": f'"{database.connection(tcp)}"', **more}


@pytest.fixture
def server(fresh):
    with harness.Postroad(settings=settings_of(fresh)) as server:
        server.command("directory", "init")
        server.start()
        harness.wait_until(lambda: server.logged("directory.domain.made"), what="the first domain")
        server.add_account(ADDRESS)
        yield server


def rcpt(server, address=ADDRESS):
    """The code of RCPT, and of the message when that was taken."""
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=120) as client:
        client.ehlo("client.example")
        client.mail("sender@elsewhere.example")
        return client.rcpt(address)[0]


def send(server, subject):
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"], timeout=120) as client:
        client.ehlo("client.example")
        client.mail("sender@elsewhere.example")
        code = client.rcpt(ADDRESS)[0]
        if code == 250:
            code = client.data(f"Subject: {subject}\r\n\r\nHello.\r\n")[0]
        return code


def login(server, password="secret"):
    """None, or what the server said against it."""
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"], timeout=120)
    try:
        import ssl
        context = ssl.create_default_context(cafile=server.tls[0])
        context.check_hostname = False
        client.starttls(context)
        client.login(ADDRESS, password)
        client.logout()
        return None
    except imaplib.IMAP4.error as error:
        client.shutdown()
        return str(error)


def subjects(server):
    import ssl
    context = ssl.create_default_context(cafile=server.tls[0])
    context.check_hostname = False
    client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=context)
    client.login(ADDRESS, "secret")
    client.select(readonly=True)
    found = client.fetch("1:*", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]")[1] if client.search(None, "ALL")[1][0] else []
    client.logout()
    return [part[1].split(b":", 1)[1].strip().decode() for part in found if isinstance(part, tuple)]


@pytest.mark.parametrize("name", UNIT_TESTS)
def test_unit_tests_pass_on_a_real_server(database, name):
    build = pathlib.Path(os.environ.get("POSTROAD_BUILD", harness.TOP / "build/development"))
    done = subprocess.run([build / "common" / name], capture_output=True, cwd=harness.TOP,
                          env=dict(os.environ, POSTROAD_POSTGRESQL=database.connection()))
    assert done.returncode == 0, done.stdout.decode()[-3000:] + done.stderr.decode()[-3000:]


def test_mail_comes_in_and_is_read(server, database):
    assert send(server, "first") == 250
    harness.wait_until(lambda: subjects(server) == ["first"], what="the message")
    assert rcpt(server, "nobody@example.org") == 550
    assert "AUTHENTICATIONFAILED" in login(server, "wrong")
    assert database.sql("SELECT domain, local FROM postroad.account") == [["example.org", "anna"]]
    shown = server.command("account", "show", ADDRESS).stdout.decode()
    assert "anna@example.org" in shown


def test_command_works_without_the_server(fresh):
    with harness.Postroad(settings=settings_of(fresh)) as server:
        server.command("directory", "init")
        server.start()  # which makes the folders
        server.stop()
        server.command("domain", "add", "example.net")
        server.command("account", "add", "b@example.net", "--password-stdin", stdin=b"x\n")
        assert b"b@example.net" in server.command("account", "list").stdout
        assert server.command("directory", "check").returncode == 0


def test_upgrade_needs_tables_and_may_be_asked_for_again(fresh):
    with harness.Postroad(settings=settings_of(fresh)) as server:
        refused = server.command("directory", "upgrade", check=False)
        assert refused.returncode == 1 and b"directory init" in refused.stderr
        server.command("directory", "init")
        assert server.command("directory", "init", check=False).returncode == 1
        server.command("directory", "upgrade")
        checked = json.loads(server.command("--json", "directory", "check").stdout)
        assert checked["version"] == checked["wanted"]
        columns = "SELECT count(*) FROM information_schema.columns WHERE table_schema = 'postroad'"
        said = "SELECT col_description('postroad.account'::regclass, 3)"
        assert int(fresh.sql(columns)[0][0]) > 60 and fresh.sql(said) == [["its number, never used again"]]


def test_serves_once_the_tables_are_made(fresh):
    with harness.Postroad(settings=settings_of(fresh)) as server:
        server.start()
        assert rcpt(server) == 451
        assert "UNAVAILABLE" in login(server)
        assert server.command("directory", "check", check=False).returncode == 1
        server.command("directory", "init")
        harness.wait_until(lambda: server.logged("directory.domain.made"), ALL_WELL_S, "life")
        server.add_account(ADDRESS)
        assert rcpt(server) == 250
        assert len(server.logged("program.started", "authd")) <= 1


def test_tables_of_another_version_are_told_and_not_used(server, database):
    database.sql("UPDATE postroad.schema_version SET version = 99")
    database.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'postroad directory'")
    harness.wait_until(lambda: rcpt(server) == 451, ALL_WELL_S, "the fault")
    harness.wait_until(lambda: server.logged("pgsql.down", "a newer Postroad is needed"), ALL_WELL_S, "the line that says why")
    database.sql("UPDATE postroad.schema_version SET version = 1")
    harness.wait_until(lambda: rcpt(server) == 250, ALL_WELL_S, "life")


@pytest.mark.parametrize("tcp", [None, "127.0.0.1"])
def test_authd_has_a_network_only_for_a_database_over_tcp(fresh, tcp):
    if os.geteuid() != 0 or not harness.have_users():
        pytest.skip("needs root and the users of ./dev")
    fresh.sql("SELECT 1")
    with harness.Postroad(settings=settings_of(fresh, tcp)) as server:
        server.command("directory", "init")
        server.start()
        harness.wait_until(lambda: server.logged("directory.domain.made"), what="the first domain")
        spaces = {os.readlink(f"/proc/{pid}/ns/net") for pid in server.pids("authd")}
        assert (spaces == {os.readlink("/proc/self/ns/net")}) == bool(tcp)


class Load:
    """Clients that send and log in, over and over, until they are told to stop; when each began, and the answer."""

    def __init__(self, server):
        self.server, self.stop = server, threading.Event()
        self.codes, self.taken, self.said = [], [], []
        self.threads = [threading.Thread(target=self.run, args=(what,))
                        for what in (self.send, self.send, self.login)]

    def run(self, what):
        n = 0
        while not self.stop.is_set():
            n += 1
            what(f"{threading.get_ident()}-{n}")

    def send(self, subject):
        begun = time.monotonic()
        code = send(self.server, subject)
        self.codes.append((begun, code))
        if code == 250:
            self.taken.append(subject)

    def login(self, _):
        begun = time.monotonic()
        self.said.append((begun, login(self.server)))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for thread in self.threads:
            thread.join()


def stop_and_start(database):
    database.stop(signal.SIGQUIT)
    time.sleep(1)
    database.start()


def restart(database):
    database.stop(signal.SIGINT)
    database.start()


def freeze_and_thaw(database):
    database.freeze()
    time.sleep(3)
    database.thaw()


@pytest.mark.parametrize("trouble", [stop_and_start, restart, freeze_and_thaw])
def test_trouble_under_load_is_never_a_refusal_or_a_loss(server, database, trouble):
    with Load(server) as load:
        harness.wait_until(lambda: len(load.taken) > 5 and load.said, what="load")
        trouble(database)
        back = time.monotonic()

        def well():
            return any(t > back and code == 250 for t, code in load.codes) and \
                any(t > back and said is None for t, said in load.said)
        harness.wait_until(well, ALL_WELL_S, "all well")
        all_well = time.monotonic()
        time.sleep(1)
    assert {code for _, code in load.codes} <= {250, 451}
    assert all(said is None or "UNAVAILABLE" in said for _, said in load.said), load.said
    assert all(code == 250 for t, code in load.codes if t > all_well + 1)
    harness.wait_until(lambda: sorted(subjects(server)) == sorted(load.taken), what="every message once")


def test_copy_there_and_back_is_the_same(fresh):
    with harness.Postroad(settings={"postgresql_connection": f'"{fresh.connection()}"'}) as server:
        server.start()
        for name in "cab":
            server.add_account(f"{name}@example.org", quota="1G")
        server.command("alias", "add", "all@example.org", "a@example.org", "out@elsewhere.example")
        server.command("directory", "init")
        refused = server.command("directory", "copy", "--from", "berkeley", "--to", "postgresql", check=False)
        assert refused.returncode == 1 and b"the server runs" in refused.stderr
        server.stop()
        before = server.command("account", "list").stdout
        said = server.command("directory", "copy", "--from", "berkeley", "--to", "postgresql").stdout
        assert said == b"copied 5 objects; all 5 are the same in both\n"
        # Asked for again, there is nothing left to do; and it goes on where it stopped.
        assert b"copied 0 objects" in server.command("directory", "copy", "--from", "berkeley", "--to", "postgresql").stdout
        fresh.sql("DELETE FROM postroad.alias")
        assert b"copied 1 objects" in server.command("directory", "copy", "--from", "berkeley", "--to", "postgresql").stdout
        # What differs is told, and stays.
        fresh.sql("UPDATE postroad.account SET name = 'Another' WHERE local = 'b'")
        differs = server.command("directory", "copy", "--from", "berkeley", "--to", "postgresql", check=False)
        assert differs.returncode == 1 and b"b@example.org" in differs.stderr
        fresh.sql("UPDATE postroad.account SET name = NULL WHERE local = 'b'")
        # On the other backend all is there, numbers and passwords included.
        server.write_config(directory="postgresql", auth_delay_s=0)
        assert server.command("account", "list").stdout == before
        for path in (server.folder / "directory").iterdir():
            path.unlink()
        assert b"copied 5 objects" in server.command("directory", "copy", "--from", "postgresql", "--to", "berkeley").stdout
        server.write_config(directory="berkeley")
        assert server.command("account", "list").stdout == before


def test_two_servers_that_write_meet_and_lose_nothing(server, database):
    """Both write the same row: 40001 is not an answer of anybody's."""
    with harness.Postroad(settings=settings_of(database)) as other:
        other.start()

        def many(who, name):
            for i in range(10):
                who.command("alias", "add", "all@example.org", f"{name}{i}@elsewhere.example")
        threads = [threading.Thread(target=many, args=args) for args in ((server, "a"), (other, "b"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        targets = database.sql("SELECT cardinality(targets) FROM postroad.alias WHERE local = 'all'")
        assert targets == [["20"]]


# --- over a network -------------------------------------------------------------------------------

# Another run of the tests has another network.
HERE, THERE = (f"10.78.{os.getpid() % 254 + 1}.{host}" for host in (1, 2))


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


@pytest.fixture
def far():
    """A database behind a link of its own, and that link's name space."""
    if os.geteuid() != 0 or not net.can_be_made():
        pytest.skip("needs root and network namespaces")
    space, link = f"postroad-{os.getpid()}-db", f"prdb{os.getpid() % 100000}"
    ip("netns", "add", space)
    try:
        ip("link", "add", link, "type", "veth", "peer", "name", "db0", "netns", space)
        ip("addr", "add", f"{HERE}/30", "dev", link)
        ip("link", "set", link, "up")
        for words in (("addr", "add", f"{THERE}/30", "dev", "db0"), ("link", "set", "db0", "up"),
                      ("link", "set", "lo", "up")):
            ip("-n", space, *words)
        with postgres.Postgres(prefix=["ip", "netns", "exec", space], listen="*") as database:
            yield database, space
    finally:
        subprocess.run(["ip", "link", "del", link], capture_output=True)
        ip("netns", "del", space)


# Who waits for an answer that the link swallows takes its time, all others none; what both are allowed beyond that is
# for a machine with other work.
ANSWER_S, ITS_TIME_S, NO_TIME_S = 6, 30, 4


def within(seconds, function, *args):
    start = time.monotonic()
    answer = function(*args)
    assert time.monotonic() - start < seconds
    return answer


def test_link_that_swallows_everything_delays_nobody_else(far):
    database, space = far
    table = database.folder / "blocked"
    table.write_text("bad.example REJECT\n")
    table.chmod(0o644)
    sections = f'table "blocked" {{ type = "text" file = "{table}" }}'
    with harness.Postroad(settings=settings_of(database, THERE, postgresql_timeout_s=ANSWER_S), sections=sections) as server:
        server.command("directory", "init")
        server.start()
        harness.wait_until(lambda: server.logged("directory.domain.made"), what="the first domain")
        server.add_account(ADDRESS)
        assert rcpt(server) == 250
        before = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"])
        before.login(ADDRESS, "secret")
        ip("-n", space, "route", "add", "blackhole", f"{HERE}/32")
        answers = []
        asker = threading.Thread(target=lambda: answers.append(within(ITS_TIME_S, rcpt, server)))
        asker.start()
        for _ in range(5):
            assert within(NO_TIME_S, before.select)[0] == "OK"
            assert b"REJECT" in within(NO_TIME_S, server.command, "table", "query", "blocked", "bad.example").stdout
            assert b"database.up" in within(NO_TIME_S, server.command, "metrics").stdout
        asker.join()
        assert answers == [451]
        assert "UNAVAILABLE" in within(ITS_TIME_S, login, server)
        ip("-n", space, "route", "del", "blackhole", f"{HERE}/32")
        harness.wait_until(lambda: rcpt(server) == 250, ALL_WELL_S, "all well")
        before.logout()


# --- an operator's own tables ---------------------------------------------------------------------

POSTFIXADMIN = {
    "sql_domain_query": "SELECT d.active AS enabled, a.target_domain AS alias_of FROM domain d "
                        "LEFT JOIN alias_domain a ON a.alias_domain = d.domain AND a.active WHERE d.domain = $1",
    "sql_account_query": "SELECT password, name, quota AS quota_bytes, active AS enabled FROM mailbox "
                         "WHERE username = $1",
    "sql_alias_query": "SELECT goto AS targets FROM alias WHERE address = $1 AND active",
}
HMAILSERVER = {
    "sql_domain_query": "SELECT domainactive AS enabled, NULL AS alias_of FROM hm_domains WHERE domainname = $1 "
                        "UNION ALL SELECT 1, domainname FROM hm_domain_aliases JOIN hm_domains "
                        "ON domainid = dadomainid WHERE daalias = $1",
    "sql_account_query": "SELECT CASE accountpwencryption WHEN 3 THEN '{HMAIL-SHA256}' || accountpassword "
                         "WHEN 2 THEN '{PLAIN-MD5}' || accountpassword END AS password, "
                         "accountmaxsize * 1048576::bigint AS quota_bytes, accountactive AS enabled "
                         "FROM hm_accounts WHERE lower(accountaddress) = $1",
    "sql_alias_query": "SELECT aliasvalue AS targets FROM hm_aliases WHERE lower(aliasname) = $1 AND aliasactive = 1",
}


def sql_settings(database, name, queries):
    return {"directory": "sql", "auth_delay_s": 0, "postgresql_timeout_s": 2,
            "postgresql_connection": f'"{database.connection(more=f"dbname={name}")}"',
            **{key: f'"{text}"' for key, text in queries.items()}}


def filled(database, name, tables):
    database.sql(f"DROP DATABASE IF EXISTS {name}")
    database.sql(f"CREATE DATABASE {name}")
    path = database.folder / f"{name}.sql"
    path.write_text(tables)
    database.run_file(path, name)


def login_as(server, user, password):
    import ssl
    context = ssl.create_default_context(cafile=server.tls[0])
    context.check_hostname = False
    client = imaplib.IMAP4_SSL("127.0.0.1", server.ports["imaps"], ssl_context=context)
    try:
        client.login(user, password)
        client.logout()
        return True
    except imaplib.IMAP4.error:
        client.shutdown()
        return False


def test_tables_of_postfixadmin_are_a_directory(database):
    made = subprocess.run(["openssl", "passwd", "-6", "geheim"], capture_output=True, text=True, check=True)
    hashes = {"jane": "{SHA512-CRYPT}" + made.stdout.strip(), "bob": "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$x$y"}
    filled(database, "postfixadmin", movein_tables.postfixadmin(hashes))
    with harness.Postroad(settings=sql_settings(database, "postfixadmin", POSTFIXADMIN)) as server:
        server.start()
        codes = {who: rcpt(server, who) for who in (
            "jane@example.org", "jane@example.net", "sales@example.org", "office@example.org",
            "anybody@example.org", "gone@example.org", "x@closed.example", "x@unknown.example")}
        assert codes == {"jane@example.org": 250, "jane@example.net": 250, "sales@example.org": 250,
                         "office@example.org": 250, "anybody@example.org": 250, "gone@example.org": 550,
                         "x@closed.example": 550, "x@unknown.example": 550}, codes
        assert login_as(server, "jane@example.org", "geheim")
        assert not login_as(server, "jane@example.org", "wrong")
        assert not login_as(server, "bob@example.org", "anything")
        shown = server.command("account", "show", "jane@example.org").stdout.decode()
        assert "Jane Doe" in shown
        # What is theirs is not changed by us.
        refused = server.command("account", "add", "new@example.org", "--password-stdin", stdin=b"x\n", check=False)
        assert refused.returncode == 1 and b"operator's own tables" in refused.stderr
        # The number of an account stays.
        before = server.command("--json", "account", "show", "jane@example.org").stdout
        server.stop()
        server.start()
        assert json.loads(before)["id"] == json.loads(
            server.command("--json", "account", "show", "jane@example.org").stdout)["id"]


def test_tables_of_hmailserver_are_a_directory(database):
    filled(database, "hmailserver", movein_tables.make(movein_tables.HMAILSERVER) + "\n"
           + "\n".join(movein_tables.hmailserver_objects()))
    with harness.Postroad(settings=sql_settings(database, "hmailserver", HMAILSERVER)) as server:
        server.start()
        assert rcpt(server, "jane@example.org") == 250
        assert rcpt(server, "Jane@example.net") == 250
        assert rcpt(server, "nobody@example.org") == 550
        assert login_as(server, "jane@example.org", "old secret")
        assert not login_as(server, "jane@example.org", "old")

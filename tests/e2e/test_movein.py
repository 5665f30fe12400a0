"""Accounts of other systems, and everything out and in again: import, export.

Tables of Postfixadmin and hMailServer stand in a real PostgreSQL and in a dump of it; old passwords
log in by IMAP afterwards."""
import imaplib
import json
import re
import signal
import smtplib
import subprocess
import time

import pytest

import harness
import movein_tables as tables
import postgres

# Hashes stay as they came in, for a login is not to change what is compared (test_logins has it change).
PLAIN = {"auth_without_tls": "yes", "password_upgrade": "no"}


def login(server, user, password):
    client = imaplib.IMAP4("127.0.0.1", server.ports["imap"])
    client.login(user, password)
    return client


def refused(server, user, password):
    with pytest.raises(imaplib.IMAP4.error):
        login(server, user, password)


def run(server, *args):
    """(exit status, rows by what they count, what was told)"""
    done = server.command("--json", *args, check=False)
    rows = json.loads(done.stdout) if done.stdout else []
    return done.returncode, {row["what"]: row for row in rows}, done.stderr.decode()


def doveadm(scheme, password):
    return subprocess.run(["doveadm", "-O", "pw", "-s", scheme, "-p", password], check=True, text=True,
                          capture_output=True).stdout.strip()


def shown(server, noun, name):
    return json.loads(server.command("--json", noun, "show", name).stdout)


@pytest.fixture
def own():
    with harness.Postroad(settings=PLAIN, domains=()) as server:
        yield server.start()


@pytest.fixture
def down():
    """One that has run and does not now: the command opens the directory itself."""
    with harness.Postroad(settings=PLAIN, domains=()) as server:
        server.start().stop()
        yield server


@pytest.fixture(scope="module")
def database():
    with postgres.Postgres(database="mail") as server:
        yield server


def dump(server, path):
    done = subprocess.run([server.bin / "pg_dump", "-h", server.socket, "-p", str(server.port), "-U",
                           postgres.USER, "mail"], check=True, capture_output=True, env=server.environment())
    path.write_bytes(done.stdout)
    return path


def fill(server, path, text):
    server.sql("DROP SCHEMA public CASCADE")
    server.sql("CREATE SCHEMA public")
    path.write_text(text)
    path.chmod(0o644)
    server.run_file(path)


# --- files of users ---------------------------------------------------------------------------------

SCHEMES = ["PLAIN", "SSHA256", "SSHA512", "SHA512-CRYPT", "BLF-CRYPT", "MD5-CRYPT", "PBKDF2", "SCRAM-SHA-256",
           "PLAIN-MD5", "SMD5"]


def passwd_file(folder):
    lines = [f"{s.lower()}@example.org:{doveadm(s, 'secret ' + s)}:::::: userdb_quota_rule=*:storage=10M"
             for s in SCHEMES]
    lines.append(f"new@example.org:{doveadm('ARGON2ID', 'x')}::::::")
    path = folder / "users"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_dovecot_passwords_log_in(own, tmp_path):
    path = passwd_file(tmp_path)
    status, rows, told = run(own, "import", "dovecot-passwd", path, "--dry-run")
    assert status == 0 and rows["account"]["new"] == len(SCHEMES) + 1, told
    assert own.command("--json", "account", "list").stdout.strip() == b"[]"
    status, rows, told = run(own, "import", "dovecot-passwd", path)
    assert status == 0 and rows["account"]["new"] == len(SCHEMES) + 1, told
    assert "new@example.org: nobody here can check {ARGON2ID}: comes without a password" in told
    for scheme in SCHEMES:
        login(own, f"{scheme.lower()}@example.org", "secret " + scheme).logout()
    refused(own, "ssha256@example.org", "secret")
    refused(own, "new@example.org", "x")


def test_import_is_repeatable_and_names_what_differs(down, tmp_path):
    path = passwd_file(tmp_path)
    run(down, "import", "dovecot-passwd", path)
    status, rows, told = run(down, "import", "dovecot-passwd", path)
    assert status == 0 and rows["account"]["equal"] == len(SCHEMES) + 1 and rows["account"]["new"] == 0, told
    down.command("account", "quota", "smd5@example.org", "1G")
    down.command("account", "passwd", "plain@example.org", "--password-stdin", stdin=b"changed\n")
    path.write_text(path.read_text() + "more@example.org:{PLAIN}x\n")
    status, rows, told = run(down, "import", "dovecot-passwd", path)
    assert status == 1 and rows["account"]["different"] == 2 and rows["account"]["new"] == 1, told
    assert "smd5@example.org: is there with another quota_bytes: left" in told
    assert "plain@example.org: is there with another password: left" in told


def maildir(path, n):
    for name in "cur", "new", "tmp":
        (path / name).mkdir(parents=True)
    for i in range(n):
        file = path / "cur" / f"17000000{i:02d}.M1P1.host:2,S"
        file.write_bytes(tables.letter(i))
    (path / "dovecot-uidlist").write_text(
        f"3 V1600000000 N{n * 2 + 1} G0123456789abcdef0123456789abcdef\n"
        + "".join(f"{i * 2 + 1} :17000000{i:02d}.M1P1.host\n" for i in range(n)))


def postfix(folder):
    (folder / "vhosts/example.org/jane").parent.mkdir(parents=True)
    maildir(folder / "vhosts/example.org/jane", 5)
    (folder / "main.cf").write_text(
        f"base = {folder}/vhosts\nvirtual_mailbox_base = $base\nvirtual_mailbox_domains = example.org\n"
        f"virtual_mailbox_maps = hash:{folder}/vmailbox\nvirtual_alias_maps = hash:{folder}/virtual,\n"
        f"  regexp:{folder}/more\n")
    (folder / "vmailbox").write_text("jane@example.org example.org/jane/\nbob@example.org example.org/bob/\n")
    (folder / "virtual").write_text(
        "# both\nsales@example.org office@example.org,\n  bob@example.org\noffice@example.org jane@example.org\n"
        "bob@example.org bob@example.org, bob@elsewhere.example\n@example.org jane@example.org\n"
        "@example.net @example.org\nlost@example.org nobody@example.org\n")


def test_postfix_maps_and_maildirs_come_in(own, tmp_path):
    postfix(tmp_path)
    status, rows, told = run(own, "import", "postfix", tmp_path, "--mail", tmp_path / "vhosts")
    assert rows["account"]["new"] == 2 and rows["domain"]["new"] == 2 and rows["alias"]["new"] >= 3, told
    assert "more: a map that is no text file: not read" in told
    assert rows["message"]["new"] == 5, told
    assert shown(own, "domain", "example.net")["alias_of"] == "example.org"
    users = tmp_path / "users"
    users.write_text("jane@example.org:{PLAIN}jane's\n")
    status, rows, told = run(own, "import", "dovecot-passwd", users)
    assert status == 0 and rows["account"]["completed"] == 1, told
    client = login(own, "jane@example.org", "jane's")
    assert client.select("INBOX")[1] == [b"5"]
    assert client.response("UIDVALIDITY")[1] == [b"1600000000"]
    assert client.uid("SEARCH", "ALL")[1] == [b"1 3 5 7 9"]
    status, rows, told = run(own, "import", "postfix", tmp_path, "--mail", tmp_path / "vhosts")
    assert rows["account"]["equal"] == 2 and rows["message"]["new"] == 0 and rows["message"]["equal"] == 5, told


def test_mail_that_was_cut_off_goes_on(own, tmp_path):
    accounts, each = 12, 30
    users = tmp_path / "users"
    users.write_text("".join(f"u{i}@example.org:{{SSHA}}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr\n" for i in range(accounts)))
    for i in range(accounts):
        maildir(tmp_path / f"u{i}" / "Maildir", each)
    args = ("import", "dovecot-passwd", users, "--mail", f"{tmp_path}/%n/Maildir")
    command = [own.build / "bin/postroad", "--config", own.config, *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as first:
        harness.wait_until(lambda: any(own.mail.glob("*/*/data.*")), what="the first mail")
        first.send_signal(signal.SIGINT)
        first.communicate(timeout=60)
    assert first.returncode in (0, 75)
    status, rows, told = run(own, *args)
    assert status == 0 and rows["account"]["equal"] == accounts, told
    assert rows["message"]["found"] == accounts * each, told
    assert rows["message"]["new"] + rows["message"]["equal"] == accounts * each, told
    status, rows, told = run(own, *args)
    assert rows["message"]["new"] == 0 and rows["message"]["equal"] == accounts * each, told


def test_userdb_mail_names_control_and_a_second_run_levels(own, tmp_path):
    maildir(tmp_path / "mail/jane", 3)
    (tmp_path / "control/jane/.INBOX").mkdir(parents=True)
    (tmp_path / "mail/jane/dovecot-uidlist").rename(tmp_path / "control/jane/.INBOX/dovecot-uidlist")
    users = tmp_path / "users"
    users.write_text("jane@example.org:{PLAIN}jane's::::::userdb_mail=maildir:/mail/%n:CONTROL=/control/%n\n")
    args = ("import", "dovecot-passwd", users, "--mail", tmp_path)
    status, rows, told = run(own, *args)
    assert status == 0 and rows["message"]["new"] == 3, told
    cur = tmp_path / "mail/jane/cur"
    (cur / "1700000000.M1P1.host:2,S").rename(cur / "1700000000.M1P1.host:2,FS")
    (cur / "1700000001.M1P1.host:2,S").unlink()
    status, rows, told = run(own, *args, "--delete-gone")
    assert status == 0 and "1 changed flags, 1 are gone" in told, told
    client = login(own, "jane@example.org", "jane's")
    client.select("INBOX")
    assert client.uid("SEARCH", "ALL")[1] == [b"1 5"]
    assert client.uid("SEARCH", "FLAGGED")[1] == [b"1"]
    client.logout()


# --- Postfixadmin -----------------------------------------------------------------------------------

def everything(server, folder):
    """What `postroad export` says of the directory, without what no two runs have in common."""
    server.command("export", folder)
    found = []
    for line in (folder / "directory.jsonl").read_text().splitlines():
        row = json.loads(line)
        for key in "id", "created", "first_account", "last_login", "last_service", "last_address", "last_use":
            row.pop(key, None)
        found.append(row)
    return sorted(found, key=lambda row: (row["kind"], row["name"]))


def test_postfixadmin_comes_in_from_database_and_dump(database, tmp_path):
    hashes = {"jane": "$1$" + doveadm("MD5-CRYPT", "old jane").split("$1$")[1], "bob": doveadm("SHA512-CRYPT", "old bob")}
    fill(database, tmp_path / "tables.sql", tables.postfixadmin(hashes))
    found = []
    for i, source in enumerate((database.connection().replace("dbname=postroad", "dbname=mail"),
                                dump(database, tmp_path / "dump.sql"))):
        with harness.Postroad(settings=PLAIN, domains=()) as own:
            own.start()
            status, rows, told = run(own, "import", "postfixadmin", source)
            assert rows["account"]["new"] == 3 and rows["domain"]["new"] == 3, told
            assert rows["alias"]["new"] == 3, told
            assert "{ARGON2ID}" in told and "administrators of all domains" in told
            login(own, "jane@example.org", "old jane").logout()
            login(own, "bob@example.org", "old bob").logout()
            found.append(everything(own, tmp_path / f"out{i}"))
            status, rows, told = run(own, "import", "postfixadmin", source)
            assert status == 0 and rows["account"]["equal"] == 3 and rows["alias"]["equal"] == 3, told
    assert found[0] == found[1]
    by_name = {(row["kind"], row["name"]): row for row in found[0]}
    jane, bob = by_name["account", "jane@example.org"], by_name["account", "bob@example.org"]
    assert jane["forward"] == ["jane@elsewhere.example"] and jane["forward_keep"] is True
    assert jane["quota_bytes"] == 50 << 20 and jane["full_name"] == "Jane Doe"
    assert bob["full_name"] == "Bob O'Neill" and "forward" not in bob
    assert bob["reply_enabled"] is True and bob["reply_text"] == "Back in May.\nBob"
    assert by_name["account", "gone@example.org"]["disabled"] is True
    assert by_name["domain", "example.org"]["administrators"] == ["jane@example.org"]
    assert by_name["domain", "example.org"]["quota_bytes"] == 2048 << 20
    assert by_name["domain", "example.net"]["alias_of"] == "example.org"
    assert by_name["domain", "closed.example"]["enabled"] is False
    assert by_name["alias", "@example.org"]["targets"] == ["jane@example.org"]


# --- hMailServer ------------------------------------------------------------------------------------

NAMES = {21: "INBOX", 22: "Sent", 23: "Entw&APw-rfe", 24: "Entw&APw-rfe/2025"}


def check_hmailserver(own):
    client = login(own, "jane@example.org", "old secret")
    listed = b"\n".join(client.list()[1]).decode()
    for name in NAMES.values():
        assert name in listed
    for number, _, _, _, made, last in tables.FOLDERS:
        client.select(f'"{NAMES[number]}"', readonly=True)
        made_s = int(time.mktime(time.strptime(made + " UTC", "%Y-%m-%d %H:%M:%S %Z"))) - time.timezone
        assert client.response("UIDVALIDITY")[1] == [str(made_s).encode()]
        want = {uid: (flags, when) for folder, uid, flags, when, _ in tables.MESSAGES if folder == number}
        uids = client.uid("SEARCH", "ALL")[1][0].split()
        assert [int(u) for u in uids] == sorted(want)
        for uid, (flags, when) in want.items():
            [(head, body), _] = client.uid("FETCH", str(uid), "(FLAGS INTERNALDATE BODY.PEEK[])")[1]
            assert body == tables.letter(uid)
            assert (b"\\Seen" in head) == bool(flags & 1) and (b"\\Answered" in head) == bool(flags & 8)
            assert (b"\\Draft" in head) == bool(flags & 16) and (b"\\Flagged" in head) == bool(flags & 4)
            date = time.strftime("%d-%b-%Y %H:%M:%S +0000", time.strptime(when, "%Y-%m-%d %H:%M:%S"))
            assert f'"{date.replace("0", " ", 1) if date[0] == "0" else date}"'.encode() in head
        assert client.status(f'"{NAMES[number]}"', "(UIDNEXT)")[1][0].endswith(f"(UIDNEXT {last + 1})".encode())
    client.logout()


def test_hmailserver_comes_in_with_its_mail(database, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    data = tmp_path / "Data"
    fill(database, tmp_path / "tables.sql", tables.hmailserver(data))
    for source in (database.connection().replace("dbname=postroad", "dbname=mail"),
                   dump(database, tmp_path / "dump.sql")):
        with harness.Postroad(settings=PLAIN, domains=()) as own:
            own.start()
            status, rows, told = run(own, "import", "hmailserver", source, "--mail", data)
            assert status == 0, told
            assert rows["account"]["new"] == 5 and rows["alias"]["new"] == 2 and rows["list"]["new"] == 1, told
            assert rows["message"]["new"] == 5 and rows["message"]["failed"] == 0, told
            assert "ad@example.org: its password is Active Directory's" in told
            assert "#Public/Shared: a public folder: left out" in told
            for user, password in (("bob", "geheim!"), ("md5", "md5 secret"), ("plain", "plain secret")):
                login(own, f"{user}@example.org", password).logout()
            check_hmailserver(own)
            status, rows, told = run(own, "import", "hmailserver", source, "--mail", data)
            assert rows["account"]["equal"] == 5 and rows["message"]["equal"] == 5, told
            assert rows["message"]["new"] == 0, told


# --- everything out and in --------------------------------------------------------------------------

def fingerprint(server, user, password):
    """Every mailbox of an account as a client sees it; \\Recent is of who looks first."""
    client = login(server, user, password)
    found = {}
    for line in client.list()[1]:
        name = re.search(rb'"?([^"]+?)"?$', line.split(b' "/" ')[1])[1].decode()
        client.select(f'"{name}"', readonly=True)
        validity = client.response("UIDVALIDITY")[1]
        uidnext = client.status(f'"{name}"', "(UIDNEXT)")[1]
        uids = client.uid("SEARCH", "ALL")[1][0].decode().replace(" ", ",")
        messages = client.uid("FETCH", uids, "(FLAGS INTERNALDATE BODY.PEEK[])")[1] if uids else []
        found[name] = (validity, uidnext, [(re.sub(rb"^\d+ | ?\\Recent", b"", p[0]), p[1]) for p in messages
                                           if isinstance(p, tuple)])
    client.logout()
    return found


def populate(server):
    for user in "jane", "bob", "weird.na-me+x":
        server.command("account", "add", f"{user}@example.org", "--password-stdin", stdin=b"secret\n")
    server.command("account", "quota", "jane@example.org", "1G")
    server.command("alias", "add", "sales@example.org", "jane@example.org", "out@elsewhere.example")
    server.command("alias", "add", "@example.org", "bob@example.org")
    server.command("domain", "set", "example.org", "quota_bytes=10G", "administrators=jane@example.org")
    server.command("domain", "add", "example.net", "alias_of=example.org")
    server.command("group", "add", "staff@example.org", "jane@example.org", "bob@example.org")
    server.command("list", "add", "all@example.org", "members=group:staff@example.org,x@elsewhere.example",
                   "posting=members", "owner=bob@example.org")
    server.command("account", "forward", "weird.na-me+x@example.org", "out@elsewhere.example", "--keep")
    server.command("account", "reply", "bob@example.org", "on", "--subject", "Away: \u00fc", "--text", "a\nb \"c\"")
    made = server.command("--json", "account", "password", "add", "jane@example.org", "phone", "--scope", "imap")
    client = login(server, "jane@example.org", "secret")
    client.create("Work/2026")
    client.subscribe("Work/2026")
    for i in range(20):
        client.append("INBOX" if i % 2 else "Work/2026", ("", "\\Seen", "\\Flagged $Label1")[i % 3] or None,
                      imaplib.Time2Internaldate(1700000000 + i * 1000), tables.letter(i))
    client.select("INBOX")
    client.uid("STORE", "2:4", "+FLAGS", "\\Deleted")
    client.expunge()
    client.logout()
    with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as smtp:
        smtp.sendmail("x@elsewhere.example", ["bob@example.org"], "Subject: hello\r\n\r\nhello\r\n")
    harness.wait_until(lambda: fingerprint(server, "bob@example.org", "secret")["INBOX"][2], what="delivery")
    return json.loads(made.stdout)["password"]


def test_export_and_import_give_everything_back(tmp_path):
    out = tmp_path / "out"
    with harness.Postroad(settings=PLAIN) as before, harness.Postroad(settings=PLAIN, domains=()) as after:
        before.start()
        after.start().stop()
        app_password = populate(before)
        for listed in json.loads(before.command("--json", "account", "list").stdout):
            login(before, listed["account"], "secret").logout()  # the first login makes the mailboxes
        status, rows, told = run(before, "export", out)
        assert status == 0 and rows["account"]["number"] == 3 and rows["message"]["number"] == 18, told
        assert (out / "directory.jsonl").stat().st_mode & 0o777 == 0o600
        ids = {a["account"]: a["id"] for a in json.loads(before.command("--json", "account", "list").stdout)}
        status, rows, told = run(before, "export", out)  # again: nothing is written
        assert status == 0 and rows["message"]["written"] == 0, told

        status, rows, told = run(after, "import", "postroad", out)
        assert status == 0 and rows["account"]["new"] == 3 and rows["message"]["new"] == 18, told
        after.start()
        assert {a["account"]: a["id"] for a in
                json.loads(after.command("--json", "account", "list").stdout)} == ids
        for user in ids:
            assert fingerprint(before, user, "secret") == fingerprint(after, user, "secret")
        login(after, "jane@example.org", app_password).logout()
        assert everything(before, tmp_path / "a") == everything(after, tmp_path / "b")
        status, rows, told = run(after, "import", "postroad", out)
        assert status == 0 and rows["account"]["equal"] == 3 and rows["message"]["equal"] == 18, told


def test_import_takes_a_new_number_where_the_old_one_is_taken(own, tmp_path):
    out = tmp_path / "out"
    with harness.Postroad(settings=PLAIN) as before:
        before.start()
        before.add_account("jane@example.org", "secret")
        before.command("export", out, "--account", "jane@example.org")
        kinds = [json.loads(line)["kind"] for line in (out / "directory.jsonl").read_text().splitlines()]
        assert kinds == ["domain", "account"]
    own.command("domain", "add", "example.net")
    own.add_account("first@example.net", "secret")
    status, rows, told = run(own, "import", "postroad", out)
    assert status == 0 and rows["account"]["new"] == 1, told
    assert "its number was taken" in told
    login(own, "jane@example.org", "secret").logout()


def test_export_of_what_is_not_there_says_so(own, tmp_path):
    done = own.command("export", tmp_path / "out", "--account", "nobody@example.org", check=False)
    assert done.returncode == 1 and b"nobody@example.org" in done.stderr
    done = own.command("import", "exchange", tmp_path, check=False)
    assert done.returncode == 2 and b"hmailserver" in done.stderr

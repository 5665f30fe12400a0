"""Every command whose result is something to read gives it to programs with --json."""
import json
import re
import smtplib

import pytest

import harness
from conftest import PASSWORD

pytestmark = pytest.mark.only_in("release")  # the commands run with sanitizers in all other files
A = "a@example.org"

# What each of them is asked with; in order, since some need what others made.
SHOWS = {
    "status": [], "metrics": [], "settings": [], "check": None, "reload": [],
    "domain list": [], "domain show": ["example.org"],
    "account list": [], "account show": [A], "account password add": [A, "phone"], "account password list": [A],
    "alias list": [], "alias show": ["info@example.org"],
    "list list": [], "list show": ["team@example.org"],
    "group list": [], "group show": ["staff@example.org"],
    "queue list": [], "queue show": ["{id}"], "queue stats": [],
    "table list": [], "table query": ["people", "x@example.org"],
    "mailbox list": [A], "mailbox usage": [A], "mailbox verify": [A],
    "mailbox export": [A, "{folder}/maildir", "--format", "maildir"],
    "mailbox import": ["b@example.org", "{folder}/maildir"],
    "mailbox restore": [A, "--at", "1s ago", "--dry-run"],
    "mailbox removed list": [], "mailbox removed restore": ["{gone}", A],
    "mailbox removed export": ["{gone}", "{folder}/gone"], "mailbox removed erase": ["{gone}", "--yes"],
    "backup": ["{folder}/backup"], "backup list": ["{folder}/backup"], "backup verify": ["{folder}/backup"],
    "export": ["{folder}/all"], "import": ["postroad", "{folder}/all", "--dry-run"],
    "trace": ["{id}"],
    "queue hold": ["{id}"], "queue release": ["{id}"], "queue flush": ["{id}"], "queue requeue": ["{id}"],
    "queue bounce": None, "queue remove": ["{id}"], "queue pause": [], "queue resume": [],
    "directory check": None, "directory copy": None, "restore": None,  # their own tests have what they need
}
# Refused while the message is being tried just now.
NOT_IN_WORK = ("queue flush", "queue requeue")
# They do something, and say nothing when it is done.
SILENT = """run stop domain add domain remove domain set account add account remove account set account passwd
    account password remove account quota account forward account reply account disable account enable alias add
    alias remove list add list remove list set list member add list member remove group add group remove
    group member add group member remove directory init directory upgrade mailbox compact complete"""


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    with harness.Postroad(settings={"trusted_networks": '{"127.0.0.0/8"}', "sts": "no"}) as server:
        people = server.folder / "people"  # where authd may read it
        people.write_text("x@example.org a@example.org\n")
        server.sections = f'table "people" {{ type = text file = "{people}" }}\nroute "*" {{ to = "[127.0.0.1]:1" }}\n'
        server.write_config()
        server.start()
        for user in ("a", "b", "gone"):
            server.add_account(f"{user}@example.org", PASSWORD)
        server.command("alias", "add", "info@example.org", A)
        server.command("list", "add", "team@example.org")
        server.command("group", "add", "staff@example.org", A)
        with smtplib.SMTP("127.0.0.1", server.ports["smtp"]) as client:
            client.sendmail("s@example.org", [A, "out@far.example", "gone@example.org"], "Subject: x\r\n\r\nx\r\n")
        harness.wait_until(lambda: server.logged("remote.deferred"), what="a message that waits")
        server.wait_logged("local.delivered", "gone@example.org")
        server.gone = json.loads(server.command("--json", "account", "show", "gone@example.org").stdout)["id"]
        server.command("account", "remove", "gone@example.org")
        server.message = json.loads(server.command("--json", "queue", "list").stdout)[0]["id"]
        server.folder_of_test = tmp_path_factory.mktemp("json")
        yield server


def commands(server):
    lines = server.command("help").stdout.decode().splitlines()
    return {re.match(r"  ([a-z]+(?: [a-z]+)*)", line)[1] for line in lines if re.match("  [a-z]", line)}


def test_every_command_is_here(own):
    silent = " ".join(SILENT.split())
    for command in commands(own):
        assert (command in SHOWS) != (f" {command} " in f" {silent} "), command


@pytest.mark.parametrize("command", [c for c in SHOWS if SHOWS[c] is not None])
def test_command_speaks_json(own, command):
    words = [w.format(id=own.message, gone=own.gone, folder=own.folder_of_test) for w in SHOWS[command]]

    def ask():
        done = own.command("--json", *command.split(), *words, check=command not in NOT_IN_WORK)
        return done.returncode == 0 and done.stdout

    said = harness.wait_until(ask, what=command)
    assert isinstance(json.loads(said), (list, dict)), said

"""What a shell offers while a command line of postroad is typed."""
import json
import shlex
import shutil
import subprocess

import pytest

import harness
from conftest import PASSWORD

SCRIPT = harness.TOP / "etc/completion/postroad.bash"


@pytest.fixture(scope="module", params=["running", "stopped"])
def own(request):
    with harness.Postroad() as server:
        server.start()
        for user in ("joe", "joan", "ann"):
            server.add_account(f"{user}@example.org", PASSWORD)
        server.command("domain", "add", "second.example")
        server.command("alias", "add", "info@example.org", "ann@example.org")
        server.command("list", "add", "news@example.org")
        server.command("group", "add", "staff@example.org", "joe@example.org")
        message = server.folder / "one.eml"
        message.write_bytes(b"Subject: one\r\n\r\nx\r\n")
        server.command("mailbox", "import", "joe@example.org", message, "--into", "My Papers")
        server.add_account("gone@example.org", PASSWORD)
        server.command("mailbox", "import", "gone@example.org", message)
        server.gone = json.loads(server.command("--json", "account", "show", "gone@example.org").stdout)["id"]
        server.command("account", "remove", "gone@example.org")
        if request.param == "stopped":
            server.stop()
        yield server


LINES = {
    "": {"queue", "account", "domain", "help", "complete"},
    "queue sh": {"show"},
    "queue show --": {"--history"},
    "queue list --limit 3 --": {"--to", "--from", "--status"},
    "account quota joe@example.org ": {"none"},
    "account show jo": {"joe@example.org", "joan@example.org"},
    "account show joe@exam": {"joe@example.org"},
    "account show nobody@sec": {"nobody@second.example"},
    "--json account show an": {"ann@example.org"},
    "account add x@example.org --quota ": set(),
    "domain remove s": {"second.example"},
    "alias remove in": {"info@example.org"},
    "alias remove n": set(),
    "alias add all@example.org an": {"ann@example.org"},
    "list show ": {"news@example.org"},
    "list member add news@example.org jo": {"joe@example.org", "joan@example.org"},
    "list member add news@example.org group:s": {"group:staff@example.org"},
    "group member add st": {"staff@example.org"},
    "group member add staff@example.org an": {"ann@example.org"},
    "account forward joe@example.org a": {"ann@example.org"},
    "account add x@example.org --name ": set(),
    "export /x --domain s": {"second.example"},
    "mailbox restore joe@example.org IN": {"INBOX"},
    "mailbox restore IN": set(),
    "mailbox removed ": {"list", "restore", "export", "erase"},
    "mailbox removed restore ": {"{gone}"},
    "mailbox removed restore {gone} jo": {"joe@example.org", "joan@example.org"},
    "mailbox removed erase {gone} --": {"--yes"},
    "restore /x --account joe@example.org --mailbox I": {"INBOX"},
    "--config ": {":files"},
    "nonsense ": set(),
}


@pytest.mark.parametrize("line", LINES)
def test_the_command_offers_what_fits(own, line):
    words = line.format(gone=own.gone).split(" ")
    found = own.command("complete", "--", *words).stdout.decode().split()
    assert len(found) == len(set(found))
    if line:
        assert set(found) == {word.format(gone=own.gone) for word in LINES[line]}
    else:
        assert set(found) >= LINES[line]


def test_a_word_is_offered_once_for_many_commands(own):
    found = own.command("complete", "--", "q").stdout.decode().split()
    assert found == ["queue"]


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
@pytest.mark.parametrize("line, want", [
    ("account sho", ["show"]),
    ("account show joa", ["joan@example.org"]),
    ("mailbox restore joe@example.org My", ["My\\", "Papers"]),
    # bash breaks the word at the @ and puts back what is behind it only
    ("account show joan@ex", ["example.org"]),
])
def test_bash_completes(own, line, want):
    call = f"{own.build}/bin/postroad --config {own.config} {line}"
    script = (f"source {shlex.quote(str(SCRIPT))}; COMP_LINE={shlex.quote(call)}; COMP_POINT=${{#COMP_LINE}}; "
              "_postroad; printf '%s\\n' \"${COMPREPLY[@]}\"")
    said = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout
    assert said.split() == want

"""What every end-to-end test starts from: a running Postroad and ways to look into it."""
import os
import poplib
import ssl
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import harness  # noqa: E402

PASSWORD = "secret"


def pytest_configure(config):
    config.addinivalue_line("markers", "only_in(build): runs in one of the two builds of ./dev test; says why there")


def pytest_collection_modifyitems(config, items):
    """Both builds run all tests but the few that one of them answers as well: with sanitizers memory and load say
    little, and a long walk through a parser says all."""
    build = Path(os.environ.get("POSTROAD_BUILD", "development")).name
    other = [i for i in items for mark in i.iter_markers("only_in")
             if build in ("development", "release") and mark.args[0] != build]
    config.hook.pytest_deselected(items=other)
    items[:] = [i for i in items if i not in other]


@pytest.fixture(scope="module")
def server():
    """One server for a test file, with accounts a to e, password "secret"."""
    with harness.Postroad(settings={"auth_without_tls": "yes", "auth_delay_s": "0"}) as s:
        s.start()
        for name in "abcde":
            s.add_account(f"{name}@example.org", PASSWORD)
        yield s


@pytest.fixture
def need_root():
    if os.geteuid() != 0:
        pytest.skip("needs root")


def client_tls(server):
    return ssl.create_default_context(cafile=server.tls[0])


class Mailbox:
    """One account as POP3 shows it."""

    def __init__(self, server, address):
        self.server, self.address = server, address

    def messages(self, clear=False):
        """All messages, as bytes with CRLF line ends."""
        poplib._MAXLINE = 1 << 20
        client = poplib.POP3("127.0.0.1", self.server.ports["pop3"], timeout=120)
        client.user(self.address)
        client.pass_(PASSWORD)
        count = client.stat()[0]
        found = [b"".join(line + b"\r\n" for line in client.retr(n)[1])
                 for n in range(1, count + 1)]
        if clear:
            for n in range(1, count + 1):
                client.dele(n)
        client.quit()
        return found

    def wait_for(self, needle, count=1, seconds=harness.PATIENCE_S):
        """The messages that contain `needle`, once there are at least `count`."""
        def look():
            found = [m for m in self.messages() if needle in m]
            return found if len(found) >= count else None
        return harness.wait_until(look, seconds, f"{count} messages with {needle!r}")


@pytest.fixture
def mailbox(server):
    return lambda name: Mailbox(server, f"{name}@example.org")

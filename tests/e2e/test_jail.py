"""Every program asks, from inside its jail, for what it must not have, and is refused.

Needs a build with POSTROAD_HOSTILE (the development preset) and root: only then do
the programs run under their own users. common/proc/hostile.c has the attempts.
"""
import os
import pwd
import re

import harness
import pytest

# What no program may have at all.
NOBODY = {"open.control", "open.tls_key", "fd.directory", "create.file", "setuid", "setgroups",
          "chroot", "mount", "namespace", "kill.master", "trace.master", "trace.sibling",
          "connect.tcp", "socket.raw", "limit.open_files"}
# Programs that face the network see no file, and are alone.
NETWORK = NOBODY | {"open.passwd", "open.upwards", "open.spool", "open.mail", "open.directory",
                    "fork", "thread"}
ROOMS = {"open.spool", "open.mail", "open.directory"}

# program: (its user, what must be refused, what must not: the test is able to see a failure)
PROGRAMS = {
    "smtpd": ("postroad-net", NETWORK, set()),
    "gate": ("postroad-net", NETWORK, set()),
    # The two that connect to others; nothing else of a program that faces the network.
    "resolved": ("postroad-net", NETWORK - {"connect.tcp"}, set()),
    "remote": ("postroad-net", NETWORK - {"connect.tcp"}, set()),
    "bounce": ("postroad-net", NETWORK, set()),
    "spoold": ("postroad-queue", NOBODY | (ROOMS - {"open.spool"}), {"open.spool"}),
    "qmgr": ("postroad-queue", NOBODY | (ROOMS - {"open.spool"}), {"open.spool"}),
    "pickup": ("postroad-queue", NOBODY | (ROOMS - {"open.spool"}), {"open.spool"}),
    "authd": ("postroad-auth", NOBODY | (ROOMS - {"open.directory"}), {"open.directory"}),
    "local": ("postroad-mail", NOBODY | (ROOMS - {"open.mail"}), {"open.mail"}),
    "pop3d": ("postroad-mail", NOBODY | (ROOMS - {"open.mail"}), {"open.mail"}),
    "imapd": ("postroad-mail", NOBODY | (ROOMS - {"open.mail"}), {"open.mail"}),
}


@pytest.fixture(scope="module")
def tries():
    """{program: {what: "yes" or "no"}} and {program: uid}, of all instances."""
    if os.geteuid() != 0 or not harness.have_users():
        pytest.skip("needs root and the users of ./dev")
    os.environ["POSTROAD_HOSTILE"] = "1"
    try:
        with harness.Postroad() as server:
            program = server.build / "libexec/postroad-smtpd"
            if b"hostile.try" not in program.read_bytes():
                pytest.skip("this build has no hostile programs")
            server.start()
            for name in PROGRAMS:
                server.wait_logged(f" {name}[", "hostile.done")
            lines = server.logged("hostile.")
    finally:
        del os.environ["POSTROAD_HOSTILE"]
    found, users = {}, {}
    for line in lines:
        name = re.search(r" ([a-z0-9]+)\[\d+\] hostile\.", line)[1]
        if "hostile.done" in line:
            users.setdefault(name, set()).add(int(re.search(r"uid=(\d+)", line)[1]))
            continue
        what, refused = re.search(r"what=(\S+) refused=(\S+)", line).groups()
        # One instance that was not refused is enough.
        if found.setdefault(name, {}).get(what) != "no":
            found[name][what] = refused
    return found, users


@pytest.mark.parametrize("program", PROGRAMS)
def test_jail_refuses_what_a_program_must_not_have(tries, program):
    found, _ = tries
    _, refused, _ = PROGRAMS[program]
    assert refused <= set(found[program]), "an attempt was not made"
    assert {what for what in refused if found[program][what] != "yes"} == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_jail_leaves_a_program_its_own_room(tries, program):
    found, _ = tries
    assert {what for what in PROGRAMS[program][2] if found[program][what] != "no"} == set()


@pytest.mark.parametrize("program", PROGRAMS)
def test_jail_gives_each_program_its_user(tries, program):
    _, users = tries
    assert users[program] == {pwd.getpwnam(PROGRAMS[program][0]).pw_uid}

"""cmake --install, as README.md says: what it puts where works there."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import harness

CMAKE = shutil.which("cmake")
PROGRAMS = ("authd", "bounce", "gate", "imapd", "local", "logger", "master", "pair", "pickup", "pop3d", "qmgr",
            "remote", "resolved", "smtpd", "spoold")


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    if not CMAKE:
        pytest.skip("no cmake")
    build = Path(os.environ.get("POSTROAD_BUILD", harness.TOP / "build/development"))
    prefix = tmp_path_factory.mktemp("prefix")
    subprocess.run([CMAKE, "--install", build, "--prefix", prefix], check=True, capture_output=True)
    return prefix


def test_pages_and_examples_are_there(prefix):
    for page in "man1/postroad-sendmail.1", "man5/postroad.conf.5", "man8/postroad.8":
        assert (prefix / "share/man" / page).read_text().startswith('.')
    for name in "postroad.conf", "reports.conf":
        assert (prefix / "share/doc/postroad" / name).exists()
    for name in "sendmail", "mailq", "newaliases":
        assert os.readlink(prefix / "sbin" / name) == "postroad"
    assert {p.name for p in (prefix / "libexec/postroad").iterdir()} >= {f"postroad-{name}" for name in PROGRAMS}


def test_unit_starts_what_was_installed(prefix):
    unit = (prefix / "lib/systemd/system/postroad.service").read_text()
    assert unit == (harness.TOP / "etc/postroad.service").read_text().replace("/usr/libexec", f"{prefix}/libexec")
    [program] = re.findall(r"^ExecStart=(\S+)", unit, re.M)
    assert os.access(program, os.X_OK)


def test_example_settings_have_no_fault(prefix):
    done = subprocess.run([prefix / "sbin/postroad", "--config", prefix / "share/doc/postroad/postroad.conf", "check"],
                          capture_output=True, text=True, timeout=harness.PATIENCE_S)
    assert done.returncode == 0, done.stderr
    assert done.stderr == "postroad: warning: no tls_certificate is set, so there is no TLS\n"


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("systemd-sysusers"), reason="needs systemd-sysusers, as root")
def test_users_are_made(prefix, tmp_path):
    """It only looks at what is in a root of its own, and passes over a line that it does not like."""
    (tmp_path / "etc").mkdir()
    done = subprocess.run(["systemd-sysusers", f"--root={tmp_path}", "-"],
                          input=(prefix / "lib/sysusers.d/postroad.conf").read_bytes(), capture_output=True)
    assert done.returncode == 0, done.stderr
    made = {line.split(":")[0] for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert made >= {f"postroad-{name}" for name in ("net", "queue", "auth", "mail")}

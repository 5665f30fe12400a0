"""The short form of `./dev crash imap`: what an OK promised survives kill -9 (tests/crash/imap.py)."""
import os
import subprocess
import sys

import harness


def test_what_ok_promised_survives_kill():
    build = os.environ.get("POSTROAD_BUILD", harness.TOP / "build/development")
    done = subprocess.run([sys.executable, harness.TOP / "tests/crash/imap.py", "6", "--pause", "1", "--build", build],
                          capture_output=True, timeout=300)
    output = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, output
    assert " 0 wrong" in output and " 0 answers differ" in output

"""A few rounds of ./dev crash: kill -9 of programs, file systems that lose what was not synced, relaying."""
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "crash"))
import crash  # noqa: E402
import relay  # noqa: E402


def rounds(n, pause):
    seed = os.environ.get("SEED") or str(time.time_ns())
    print(f"SEED={seed}")
    options = SimpleNamespace(build=None, rounds=n, pause=pause, every=n, accounts=4, sessions=8, seed=seed)
    return options, random.Random(seed)


@pytest.fixture
def need_loop_devices(need_root):
    if not Path("/dev/loop-control").exists():
        pytest.skip("needs loop devices")


@pytest.mark.only_in("release")
def test_crash_of_programs_loses_nothing():
    assert crash.run_kill(*rounds(10, pause=0.4))


@pytest.mark.only_in("release")
def test_crash_of_file_systems_loses_nothing(need_loop_devices):
    done = subprocess.run([sys.executable, crash.__file__, "disk", "5", "--pause", "0.5", "--accounts", "4", "--every", "5",
                           "--build", os.environ["POSTROAD_BUILD"]], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 wrong" in done.stdout


@pytest.mark.only_in("release")
def test_crash_under_relay_load_loses_nothing():
    assert relay.run_relay(*rounds(10, pause=0.4))

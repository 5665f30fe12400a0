"""Builds everything twice and runs every test; called by `./dev test [NAME]`.

Development (AddressSanitizer, UndefinedBehaviorSanitizer) and release builds
both run the unit tests, the fuzz corpora and the end-to-end tests. The last
line is "N passed, N failed".
"""
import os
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PRESETS = ("development", "release")
# Sanitizers make these several times as dear; the release build goes the whole way.
SHORTER = {"development": {"STATES": "250000", "SMTP_COMMANDS": "4", "QUEUED_MESSAGES": "200000"}, "release": {}}
SIDE_BY_SIDE = {"development": "3", "release": "5"}  # files of end-to-end tests; they mostly wait


def start_build(preset):
    """The build, under way; it takes what time of the processors others leave."""
    folder = TOP / "build" / preset
    if not (folder / "build.ninja").exists():
        subprocess.run(["cmake", "--preset", preset], cwd=TOP, check=True,
                       stdout=subprocess.DEVNULL)
    return subprocess.Popen(["nice", "-n", "19", "cmake", "--build", folder, "--", "--quiet"], cwd=TOP)


def count_junit(path):
    """(passed, failed, skipped) out of a JUnit file."""
    passed = failed = skipped = 0
    for case in xml.parse(path).getroot().iter("testcase"):
        if case.find("failure") is not None or case.find("error") is not None:
            failed += 1
        elif case.find("skipped") is not None or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def run_unit(preset, name):
    report = TOP / "build" / preset / "unit.xml"
    report.unlink(missing_ok=True)
    subprocess.run(["ctest", "--test-dir", TOP / "build" / preset, "-j2", "--no-tests=ignore",
                    "--output-on-failure", "--output-junit", report,
                    *(["-R", re.escape(name)] if name else []), "--progress"], cwd=TOP, env={**SHORTER[preset], **os.environ})
    return count_junit(report) if report.exists() else (0, 0 if name else 1, 0)


def run_end_to_end(preset, name):
    report = TOP / "build" / preset / "e2e.xml"
    report.unlink(missing_ok=True)
    env = dict(os.environ, POSTROAD_BUILD=str(TOP / "build" / preset),
               PYTHONDONTWRITEBYTECODE="1")
    subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider",
                    "-n", SIDE_BY_SIDE[preset], "--dist", "loadfile",
                    f"--junitxml={report}", *(["-k", name] if name else []), "tests/e2e"],
                   cwd=TOP, env=env)
    return count_junit(report) if report.exists() else (0, 1, 0)


def run_step(preset, what, step, name, started):
    print(f"== {preset}: {what}", flush=True)
    passed, failed, skipped = step(preset, name)
    print(f"== {preset}: {what}: {passed} passed, {failed} failed, {skipped} skipped, "
          f"{time.monotonic() - started:.0f} s since the start", flush=True)
    return passed, failed, skipped


def main():
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    results = []
    started = time.monotonic()
    building = start_build(PRESETS[0])
    for preset, following in zip(PRESETS, (*PRESETS[1:], None)):
        if building.wait() != 0:
            print(f"0 passed, 1 failed: the build of {preset}")
            return 1
        results.append(run_step(preset, "unit", run_unit, name, started))
        if following:
            building = start_build(following)  # while tests wait
        results.append(run_step(preset, "end to end", run_end_to_end, name, started))
    passed, failed, skipped = (sum(counts) for counts in zip(*results))
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 0 if failed == 0 and passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

"""Debian packages that are unpacked, not installed: Exim cannot stand beside Postfix, and an
installed resolver would start as a service. Kept below build/lab-packages."""
import fcntl
import os
import subprocess
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent.parent / "build/lab-packages"
NAMES = {"unbound": ["unbound"], "exim": ["exim4-base", "exim4-daemon-light"],
         "postgresql": ["postgresql-15", "postgresql-client-15"]}


def fetch(what, folder):
    work = CACHE / f"{what}.{os.getpid()}"
    work.mkdir(exist_ok=True)
    download = ["apt-get", "download", "-qq", *NAMES[what]]
    if subprocess.run(download, cwd=work, capture_output=True).returncode:
        subprocess.run(["apt-get", "update", "-qq"], check=True, capture_output=True)
        subprocess.run(download, cwd=work, check=True, capture_output=True)
    for deb in work.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", deb, work / "root"], check=True)
    os.rename(work / "root", folder)
    for deb in work.glob("*.deb"):
        deb.unlink()
    work.rmdir()


def unpacked(what):
    """The folder that holds them as if it were /; fetched at the first time, by one of the tests
    that run side by side."""
    folder = CACHE / what
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            fetch(what, folder)
    return folder

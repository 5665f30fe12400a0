"""Where log lines go: no program spoils the log of the others; syslog and the journal, also while they are away."""
import contextlib
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import harness
import pytest
from test_master import greeting, taken_descriptor


def connect(server, count=1):
    """So often, each a `gate.connect` and a `gate.disconnect`."""
    for _ in range(count):
        assert greeting(server, server.ports["pop3"]).startswith(b"+OK")


def another(server, program):
    """Kills the one process of a program, and gives the next, once it is ready."""
    [pid] = server.pids(program)
    ready = len(server.logged("process.ready", f"name={program} "))
    os.kill(pid, signal.SIGKILL)
    server.wait_logged("process.ready", f"name={program} ", count=ready + 1)
    return next(iter(server.pids(program)))


# --- a stolen program ---------------------------------------------------------------------------

def stolen_log(server, program):
    """What a program could do to its log, we can with this."""
    [pid] = server.pids(program)
    return socket.socket(fileno=taken_descriptor(pid, 2))


def shut(log):
    log.shutdown(socket.SHUT_RDWR)


def empty(log):
    log.send(b"")


def fill(log):
    log.setblocking(False)
    with pytest.raises(BlockingIOError):
        while True:
            log.send(b"x\n")


@pytest.mark.parametrize("spoil", [shut, empty], ids=lambda spoil: spoil.__name__)
def test_stolen_program_cannot_silence_the_others(need_root, spoil):
    with harness.Postroad(settings={"smtpd_processes": "1"}) as s:
        s.start()
        logger = s.pids("logger")
        with stolen_log(s, "smtpd") as log:
            spoil(log)
        connect(s)
        s.wait_logged("gate.connect")
        another(s, "pickup")
        another(s, "smtpd")
        assert greeting(s, s.ports["smtp"]).startswith(b"220 ")
        s.wait_logged("smtp.connect")
        assert s.pids("logger") == logger and not s.logged("logger.end")


def test_stolen_program_that_fills_its_log_stops_nobody(need_root):
    with harness.Postroad(settings={"smtpd_processes": "1"}) as s:
        s.start()
        [logger] = s.pids("logger")
        harness.freeze(logger)
        with stolen_log(s, "smtpd") as log:
            fill(log)
        connect(s, 3)
        s.command("status")
        os.kill(logger, signal.SIGCONT)
        s.wait_logged("gate.connect", count=3)
        assert not s.logged("log.lost", " gate[") and not s.logged("log.lost", " master[")


def test_logger_that_dies_loses_no_line():
    with harness.Postroad() as s:
        s.start()
        [logger] = s.pids("logger")
        harness.freeze(logger)  # so that it has nothing in its hands
        connect(s, 3)
        os.kill(logger, signal.SIGKILL)
        s.wait_logged("gate.connect", count=3)
        assert s.wait_logged("logger.end", f"pid={logger} ")
        assert logger not in s.pids("logger") and not s.logged("log.lost")


def test_stderr_is_no_other_way():
    with harness.Postroad(settings={"log_to": "stderr"}) as s:
        s.log = s.folder / "output.txt"
        s.start()
        connect(s)
        s.wait_logged("gate.connect")
        s.reload()
        connect(s)
        s.wait_logged("gate.connect", count=2)


# --- syslog and the journal ---------------------------------------------------------------------

class Daemon:
    """Takes what is logged from a socket of ours, and writes it where the harness looks."""

    def __init__(self, folder, file):
        self.path, self.file, self.streams = folder / self.name, file, {}
        self.file.touch()
        self.open()

    def open(self):
        self.socket = socket.socket(socket.AF_UNIX, self.type)
        self.socket.bind(str(self.path))
        if self.type == socket.SOCK_STREAM:
            self.socket.listen()
        self.resume()

    def resume(self):
        self.running = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def pause(self):
        self.running = False
        self.thread.join(harness.PATIENCE_S)

    def close(self):
        self.pause()
        for s in (self.socket, *self.streams):
            s.close()
        self.streams.clear()
        self.path.unlink(missing_ok=True)

    def run(self):
        while self.running:
            for s in select.select([self.socket, *self.streams], [], [], 0.05)[0]:
                self.take(s)

    def note(self, text):
        with self.file.open("a") as f:
            f.write(text)


class Syslog(Daemon):
    name, type = "syslog", socket.SOCK_DGRAM
    # Facility mail [RFC3164 4.1.1], no time [RFC3164 4.3.2], a tag of letters and digits or, as everywhere, a hyphen.
    shape = r"<(?P<priority>\d+)>postroad-(?P<program>[a-z0-9]+)\[\d+\]: (?P<event>[a-z0-9_.]+)( .*)?"
    facility = 2 << 3

    def take(self, s):
        datagram = s.recv(65536).decode()
        self.note(datagram.replace("\n", "\\n") + "\n")


class Journal(Daemon):
    """The protocol of sd_journal_stream_fd(): seven lines about the sender, then lines with their priorities."""
    name, type = "journal", socket.SOCK_STREAM
    shape = r"<(?P<priority>\d)>(?P<program>[a-z0-9]+)\[\d+\] (?P<event>[a-z0-9_.]+)( .*)?"
    facility = 0

    def take(self, s):
        if s is self.socket:
            self.streams[s.accept()[0]] = b""
        elif more := s.recv(65536):
            self.take_text(s, more)
        else:
            del self.streams[s]
            s.close()

    def take_text(self, s, more):
        """Identifier, unit, priority of lines without one, that lines have them, and no copy to other logs."""
        head = b"postroad\n\n6\n1\n0\n0\n0\n"
        before = self.streams[s]
        text = self.streams[s] = before + more
        assert text.startswith(head[:len(text)]), text
        self.note(text[max(len(head), len(before)):].decode())


SEEN_BY_POSTROAD = """set -e
mkdir -p {folder}/dev
mount -t tmpfs none {folder}/dev
for name in null zero full random urandom; do
	: > {folder}/dev/$name
	mount --bind /dev/$name {folder}/dev/$name
done
ln -s {folder}/syslog {folder}/dev/log
mount --rbind {folder}/dev /dev
if [ -d /run/systemd/journal ]; then
	mount -t tmpfs none /run/systemd/journal
else
	mount -t tmpfs none /run
	mkdir -p /run/systemd/journal
fi
ln -s {folder}/journal /run/systemd/journal/stdout
exec "$@"
"""
PLACES = Path("/dev/log"), Path("/run/systemd/journal/stdout")


@contextlib.contextmanager
def places(folder):
    """What stands before a command that is to find our sockets where those of the machine are. In a chroot there
    are no mounts of one's own; but if it has no daemon either, the places are free."""
    prefix = ["unshare", "-m", "sh", "-c", SEEN_BY_POSTROAD.format(folder=folder), "sh"]
    tried = subprocess.run([*prefix, "true"], capture_output=True, text=True)
    if tried.returncode == 0:
        yield prefix
        return
    if any(os.path.lexists(place) for place in PLACES):
        pytest.skip(f"a daemon has {' or '.join(map(str, PLACES))}, and: {tried.stderr.strip()}")
    made = [p for place in PLACES for p in reversed(place.parents) if not p.exists()]
    try:
        for place, name in zip(PLACES, ("syslog", "journal")):
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(folder / name)
        yield []
    finally:
        for place in PLACES:
            place.unlink(missing_ok=True)
        for p in reversed(made):
            p.rmdir()


@pytest.fixture(params=[Syslog, Journal], ids=lambda daemon: daemon.name)
def daemon(request, need_root):
    folder = Path(tempfile.mkdtemp(prefix="postroad-log-"))
    try:
        with places(folder) as prefix:
            d = request.param(folder, folder / "lines")
            try:
                with harness.Postroad(settings={"log_to": d.name}, prefix=prefix) as d.server:
                    d.server.log = d.file
                    d.server.start()
                    yield d
            finally:
                d.close()
    finally:
        shutil.rmtree(folder)


def test_lines_have_program_and_priority(daemon):
    another(daemon.server, "pickup")
    connect(daemon.server)
    daemon.server.wait_logged("gate.disconnect")
    found = {}
    for line in daemon.file.read_text().splitlines():
        parts = re.fullmatch(daemon.shape, line)
        assert parts, line
        found[parts["program"], parts["event"]] = int(parts["priority"]) - daemon.facility
    assert found["master", "master.start"] == 6 and found["master", "process.end"] == 3
    assert found["gate", "gate.connect"] == 6
    assert set(found.values()) <= {3, 4, 6, 7}


def test_lines_wait_while_it_is_away(daemon):
    s = daemon.server
    connect(s)
    s.wait_logged("gate.disconnect")
    daemon.close()
    connect(s, 3)
    s.command("status")
    daemon.open()
    s.wait_logged("gate.connect", count=4)
    s.wait_logged("logger.waits")
    another(s, "pickup")
    connect(s)
    s.wait_logged("gate.connect", count=5)
    assert not s.logged("log.lost")


def test_reload_keeps_it(daemon):
    s = daemon.server
    s.reload()
    connect(s)
    s.wait_logged("gate.connect")
    daemon.close()
    assert s.command("reload", check=False).returncode == 1, "what is not there is refused"
    daemon.open()
    s.wait_logged("reload.refused", "log_to: no " + daemon.name)
    connect(s)
    s.wait_logged("gate.connect", count=2)


def test_full_one_stops_nobody(daemon):
    s = daemon.server
    daemon.pause()
    enough = int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) + 10
    connect(s, enough)
    another_pickup = s.pids("pickup")
    os.kill(*another_pickup, signal.SIGKILL)
    harness.wait_until(lambda: s.pids("pickup") and s.pids("pickup") != another_pickup, what="another pickup")
    s.reload()
    connect(s, enough)
    daemon.resume()
    s.wait_logged("gate.connect", count=2 * enough)
    s.wait_logged("process.start", "name=pickup ", count=2)
    assert not s.logged("log.lost")


def test_stop_does_not_wait_for_one_that_is_away(daemon):
    daemon.close()
    assert daemon.server.stop() == 0

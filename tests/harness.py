"""A Postroad of one's own: made in a fresh folder, on free loopback ports, gone afterwards.

Used by the end-to-end tests, `./dev run`, tests/crash and bench. As root every
program runs under its own user, so the folder is made open to pass through.
"""
import json
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
PATIENCE_S = 60.0  # so long may a machine that has much else to do take for anything
LISTENERS = ("smtp", "submission", "submissions", "pop3", "pop3s", "imap", "imaps")
given_ports = set()


def own_ports():
    """Those that this process may use. Below those that the kernel gives to clients: while a
    server is away for a moment, a client's connection would take its port, and the server could
    not start again. For the same reason tests that run side by side share none."""
    first_of_clients = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    return range(10000 + worker, first_of_clients, workers)


def is_free(port, address="127.0.0.1"):
    """For TCP and for UDP, which a DNS server wants both."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as tcp, socket.socket(family, socket.SOCK_DGRAM) as udp:
        try:
            tcp.bind((address, port))
            udp.bind((address, port))
            return True
        except OSError:
            return False


def free_ports(n, address="127.0.0.1"):
    """n ports that nobody listens on, and that were given to nobody: who got one may not listen yet, or not just now."""
    found, ports = [], own_ports()
    for port in random.sample(ports, len(ports)):
        if port not in given_ports and is_free(port, address):
            given_ports.add(port)
            found.append(port)
        if len(found) == n:
            return found
    raise OSError(f"fewer than {n} ports are free")


def wait_until(true, seconds=PATIENCE_S, what="condition"):
    """Polls `true()` until it gives something true, and returns that. Gives up after `seconds`, but never before
    PATIENCE_S, and not without a last look behind that time: what stood still may have been this process."""
    seconds = max(seconds, PATIENCE_S)
    end = time.monotonic() + seconds
    while True:
        late = time.monotonic() > end
        value = true()
        if value:
            return value
        if late:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(0.01)


def freeze(pid):
    """Stops a process, and comes back when none of its threads runs any more; the signal alone takes its time."""
    def is_stopped():
        try:
            states = [task.read_text().rpartition(")")[2].split()[0] for task in Path(f"/proc/{pid}/task").glob("*/stat")]
        except OSError:  # one just ended
            return False
        return set(states) <= {"T", "X", "Z"}
    os.kill(pid, signal.SIGSTOP)
    wait_until(is_stopped, what=f"process {pid} stands still")


def make_certificate(folder, host="localhost"):
    cert, key = folder / "tls.crt", folder / "tls.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30",
                    "-subj", f"/CN={host}", "-addext",
                    f"subjectAltName=DNS:{host},IP:127.0.0.1", "-keyout", key, "-out", cert],
                   check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


class Postroad:
    """One installation: folders, settings, and the running suite.

    `ports` names the listeners (those left out stand at their usual ports of all addresses),
    `tls` is yes, no or (certificate, key), `sections` is text at the settings' end, `prefix` is
    what stands before the command that runs it.
    """

    def __init__(self, build=None, folder=None, settings=None, ports=None, tls=True,
                 domains=("example.org",), spool=None, mail=None, hostname="mx.example.org",
                 sections="", prefix=()):
        self.build = Path(build or os.environ.get("POSTROAD_BUILD", TOP / "build/development"))
        self.own_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="postroad-"))
        self.folder.chmod(0o755)
        self.spool = Path(spool or self.folder / "spool")
        self.mail = Path(mail or self.folder / "mail")
        self.run = self.folder / "run"
        self.log = self.folder / "postroad.log"
        self.config = self.folder / "postroad.conf"
        self.domains = domains
        self.hostname, self.sections, self.prefix = hostname, sections, list(prefix)
        self.ports = dict(zip(LISTENERS, free_ports(len(LISTENERS)))) if ports is None else ports
        self.tls = make_certificate(self.folder) if tls is True else tls
        self.settings = {**self.few_processes(), **(settings or {})}
        self.process = None
        self.write_config()

    def few_processes(self):
        """One of each kind where sanitizers make starting dear; the release build has as many as the machine asks for."""
        kinds = ("smtpd", "gate", "local", "remote", "imapd", "pop3d")
        return {f"{kind}_processes": "1" for kind in kinds} if self.build.name == "development" else {}

    def write_config(self, **changes):
        """The settings file, with `changes` on top of what was asked before."""
        self.settings.update(changes)
        listed = ", ".join(f'"{d}"' for d in self.domains)
        lines = [f'hostname = "{self.hostname}"', f"domains = {{{listed}}}",
                 f'spool_directory = "{self.spool}"', f'mail_directory = "{self.mail}"',
                 f'directory_directory = "{self.folder}/directory"',
                 f'run_directory = "{self.run}"']
        if "log_to" not in self.settings:
            lines.append(f'log_to = "{self.log}"')
        for name, port in self.ports.items():
            lines.append(f'{name}_listen = {{"127.0.0.1:{port}"}}')
        if self.tls:
            lines += [f'tls_certificate = "{self.tls[0]}"', f'tls_key = "{self.tls[1]}"']
        lines += [f"{key} = {value}" for key, value in self.settings.items()]
        lines.append(self.sections)
        self.config.write_text("\n".join(lines) + "\n")

    # --- the command

    def command(self, *args, stdin=None, check=True, name="postroad"):
        done = subprocess.run(
            [self.build / "bin" / name, "--config", self.config, *args]
            if name == "postroad" else [self.build / "bin" / name, *args],
            input=stdin, capture_output=True, timeout=120,
            env=dict(os.environ, POSTROAD_CONFIG=str(self.config)))
        if check and done.returncode != 0:
            raise AssertionError(f"postroad {' '.join(map(str, args))}: exit "
                                 f"{done.returncode}\n{done.stdout.decode()}{done.stderr.decode()}")
        return done

    def add_account(self, address, password="secret", quota=None):
        self.command("account", "add", address, "--password-stdin", stdin=password.encode() + b"\n")
        if quota:
            self.command("account", "quota", address, quota)

    # --- running

    def start(self, wait=True):
        self.output = open(self.folder / "output.txt", "ab")
        self.process = subprocess.Popen(
            [*self.prefix, self.build / "bin" / "postroad", "--config", self.config, "run"],
            stdout=self.output, stderr=self.output, stdin=subprocess.DEVNULL)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self):
        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"postroad ended with {self.process.returncode}\n{self.tail()}")
            return self.log.exists() and self.log.read_text(errors="replace").count("master.ready") \
                >= self.ready_wanted
        self.ready_wanted = getattr(self, "ready_seen", 0) + 1
        wait_until(ready, what="postroad ready")
        self.ready_seen = self.ready_wanted

    def reload(self):
        """The settings as they are written now, once every program goes by them: the command ends when all are told,
        and each takes what it is told in order."""
        self.command("reload")
        wait_until(self.all_answer, what="an answer of every program")

    def all_answer(self):
        def instances(rows):
            return {(row["program"], row["instance"]) for row in rows}
        running, figures = (json.loads(self.command("--json", word).stdout) for word in ("status", "metrics"))
        return instances(running) == instances(figures)

    def tail(self, lines=40):
        """The end of the log, then what was said before there was a log."""
        text = []
        for path in (self.log, self.folder / "output.txt"):
            if path.exists():
                text += path.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(text)

    def pids(self, program=None):
        """{pid: program name} of the running children, "master" included."""
        found = {}
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                pid, parent = int(entry.name), int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                name = (entry / "cmdline").read_bytes().split(b"\0")[0].decode().rsplit("/", 1)[-1]
            except (OSError, IndexError):
                continue
            if not name:
                continue  # has ended
            if self.process and (pid == self.process.pid or parent == self.process.pid):
                found[pid] = name.removeprefix("postroad-")
        return {p: n for p, n in found.items() if program in (None, n)}

    def stop(self, seconds=60):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(seconds)
        code = self.process.returncode if self.process else None
        self.process = None
        return code

    def kill(self):
        """kill -9 of everything at once."""
        pids = list(self.pids())
        for pid in pids:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait(PATIENCE_S)
        wait_until(lambda: not any(Path(f"/proc/{p}").exists() for p in pids), what="all killed")
        self.process = None

    def close(self):
        try:
            if self.process and self.process.poll() is None:
                try:
                    self.stop()
                except subprocess.TimeoutExpired:
                    self.kill()
        finally:
            if self.own_folder:
                shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # --- what was logged

    def logged(self, *needles):
        """The log lines that contain every needle."""
        if not self.log.exists():
            return []
        return [line for line in self.log.read_text(errors="replace").splitlines()
                if all(n in line for n in needles)]

    def wait_logged(self, *needles, count=1):
        """The same, once there are so many: a line reaches the file a moment after others see what it tells of."""
        return wait_until(lambda: len(found := self.logged(*needles)) >= count and found,
                          what=f"{count} log lines with {needles}")


def have_users():
    try:
        pwd.getpwnam("postroad-net")
        return True
    except KeyError:
        return False

"""A PostgreSQL of one's own: a fresh cluster in its own folder, a Unix socket and a free TCP port,
gone afterwards. The programs come from Debian's package, unpacked and not installed, because
installing it would make and start a cluster of the machine.

`python3 tests/postgres.py COMMAND...` runs a command with POSTROAD_POSTGRESQL set to it, which is
how the unit tests that want a real server get one.
"""
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import harness
from lab import packages

USER = "postroad"  # of the database, with all rights in it
SETTINGS = {
    "fsync": "off", "shared_buffers": "'64MB'", "max_connections": 50, "timezone": "'UTC'",
    "log_min_messages": "warning", "log_line_prefix": "'%m [%p] %a '", "dynamic_shared_memory_type": "mmap",
    "jit": "off", "wal_level": "minimal", "max_wal_senders": 0,
}


def programs():
    """The folder of initdb, postgres and psql."""
    installed = Path("/usr/lib/postgresql/15/bin")
    if (installed / "postgres").exists():
        return installed
    return packages.unpacked("postgresql") / "usr/lib/postgresql/15/bin"


def other_user():
    """PostgreSQL refuses to run as root: whoever else is here then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "postroad-auth", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("no user but root")


class Postgres:
    """One server with an empty database; `settings` are lines of postgresql.conf on top."""

    def __init__(self, port=None, database="postroad", settings=None, prefix=(), listen="127.0.0.1"):
        self.bin, self.user = programs(), other_user()
        self.folder = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.data, self.socket, self.log = (self.folder / n for n in ("data", "socket", "log"))
        self.port = port or harness.free_ports(1)[0]
        self.database, self.prefix, self.listen = database, list(prefix), listen
        self.process = None
        self.socket.mkdir()
        for path in (self.folder, self.socket):
            path.chmod(0o755)
            if self.user:
                os.chown(path, self.user.pw_uid, self.user.pw_gid)
        self.make(settings or {})
        self.start()
        self.sql(f"CREATE DATABASE {database} OWNER {USER} TEMPLATE template0 ENCODING 'UTF8'",
                 database="postgres")

    def as_user(self):
        if not self.user:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def environment(self):
        """What the unpacked programs need to find their parts."""
        root = self.bin.parents[3] if self.bin.parents[2].name == "lib" else None
        env = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "PGUSER": USER}
        if root and str(root) != "/":
            env["LD_LIBRARY_PATH"] = f"{root}/usr/lib/x86_64-linux-gnu"
        return env

    def make(self, settings):
        subprocess.run([self.bin / "initdb", "--pgdata", self.data, "--username", USER,
                        "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8",
                        "--no-sync"], check=True, capture_output=True, cwd="/",
                       env=self.environment(), **self.as_user())
        lines = {**SETTINGS, **settings, "port": self.port,
                 "listen_addresses": f"'{self.listen}'",
                 "unix_socket_directories": f"'{self.socket}'"}
        with open(self.data / "postgresql.conf", "a") as conf:
            conf.writelines(f"{k} = {v}\n" for k, v in lines.items())
        with open(self.data / "pg_hba.conf", "a") as rules:
            rules.write("host all all 10.0.0.0/8 trust\n")  # hosts of a test's own network

    def start(self):
        """`prefix` is run as root, before the user changes: "ip netns exec NAME" for example."""
        command, user = [self.bin / "postgres", "-D", self.data], self.as_user()
        if self.prefix and user:
            command = [*self.prefix, "setpriv", f"--reuid={user['user']}", f"--regid={user['group']}",
                       "--clear-groups", *command]
            user = {}
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", start_new_session=True,
                env=dict(self.environment(), PATH="/usr/sbin:/usr/bin:/sbin:/bin"), **user)
        harness.wait_until(self.answers, 30, "PostgreSQL")
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PostgreSQL ended: {self.log.read_text()[-2000:]}")
        return subprocess.run(self.psql("SELECT 1", "postgres"), capture_output=True,
                              env=self.environment()).returncode == 0

    def stop(self, how=signal.SIGINT):
        """SIGINT is fast, SIGQUIT immediate as if the power went, SIGTERM waits for clients."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(how)
            self.process.wait(30)

    def everybody(self):
        """The process ids of the server and its children."""
        found = [self.process.pid]
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                except OSError:
                    continue
                if parent == self.process.pid:
                    found.append(int(entry.name))
        return found

    def freeze(self):
        """Nothing answers any more, yet every connection stays."""
        for pid in self.everybody():
            harness.freeze(pid)

    def thaw(self):
        for pid in reversed(self.everybody()):
            os.kill(pid, signal.SIGCONT)

    def psql(self, statement, database=None):
        return [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h",
                self.socket, "-p", str(self.port), "-d", database or self.database, "-c", statement]

    def sql(self, statement, database=None):
        """Its rows as lists of texts."""
        done = subprocess.run(self.psql(statement, database), capture_output=True, text=True,
                              env=self.environment())
        if done.returncode:
            raise AssertionError(done.stderr)
        return [line.split("|") for line in done.stdout.splitlines()]

    def run_file(self, path, database=None):
        done = subprocess.run([*self.psql("", database)[:-2], "-f", path], capture_output=True,
                              text=True, env=self.environment())
        if done.returncode:
            raise AssertionError(done.stderr)

    def connection(self, tcp=None, more=""):
        """As the setting postgresql_connection has it; `tcp` is an address, or the socket is used."""
        host = tcp or self.socket
        return f"host={host} port={self.port} dbname={self.database} user={USER} {more}".strip()

    def close(self):
        try:
            self.stop(signal.SIGQUIT)
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def main():
    started = time.monotonic()
    with Postgres() as server:
        print(f"PostgreSQL is here after {time.monotonic() - started:.1f} s", file=sys.stderr)
        env = dict(os.environ, POSTROAD_POSTGRESQL=server.connection())
        return subprocess.run(sys.argv[1:], env=env).returncode


if __name__ == "__main__":
    sys.exit(main())

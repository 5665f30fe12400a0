"""The servers that are measured: Postroad, Postfix with Dovecot, and smtp-sink."""
import grp
import os
import pwd
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
import harness  # noqa: E402

ACCOUNTS = 100
DOMAIN = "example.org"
START_S, STOP_S = 20, 30  # of a server, at the most


def accounts():
    """What `smtp-source -N -t box@example.org` makes of its recipient."""
    return [f"{n}box@{DOMAIN}" for n in range(1, ACCOUNTS + 1)]


def release():
    return os.environ.get("POSTROAD_BUILD", harness.TOP / "build/release")


class PostroadPeer:
    name = "postroad"

    def __init__(self, disk):
        self.server = harness.Postroad(build=release(), folder=make_folder(disk / "postroad"))
        self.logs = (self.server.log,)
        self.seen, self.log_at = 0, 0
        try:
            self.server.start()
            for address in accounts():
                self.server.add_account(address)
        except BaseException:
            self.close()
            raise
        self.port = self.server.ports["smtp"]

    def roots(self):
        return [self.server.process.pid]

    def delivered(self):
        """Messages in mailboxes, by the log: read on from where the last look ended."""
        with open(self.server.log, "rb") as log:
            log.seek(self.log_at)
            for line in log:
                if not line.endswith(b"\n"):
                    break
                self.log_at += len(line)
                self.seen += b" local.delivered " in line
        return self.seen

    def check(self):
        """What the mailboxes themselves say, after all is done."""
        return sum(int(row["messages"]) for row in self.usage())

    def usage(self):
        import json
        for address in accounts():
            out = self.server.command("--json", "mailbox", "usage", address).stdout
            yield json.loads(out)

    def close(self):
        self.server.stop()


def make_folder(path):
    path.mkdir(mode=0o755)
    return path


class Postfix:
    """One with its own settings and queue below `base`, listening on `port`; `settings` are more of main.cf."""

    def start_postfix(self, settings, maps=""):
        # Not on the disk that is measured.
        self.log = self.base.parent.parent / f"{self.base.name}-postfix.log"
        etc = make_folder(self.base / "etc")
        queue = make_folder(self.base / "queue")
        data = make_folder(self.base / "data")
        postfix = pwd.getpwnam("postfix")
        os.chown(data, postfix.pw_uid, postfix.pw_gid)
        (etc / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {queue}
data_directory = {data}
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.{DOMAIN}
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
maillog_file = {self.log}
{settings.format(etc=etc)}
""")
        if maps:
            (etc / "boxes").write_text(maps)
            subprocess.run(["postmap", "-c", etc, f"hash:{etc}/boxes"], check=True)
        services = Path("/usr/share/postfix/master.cf.dist").read_text().splitlines()
        lines = [line.replace("smtp      inet", f"127.0.0.1:{self.port} inet").replace("#tlsproxy ", "tlsproxy ")
                 for line in services]
        (etc / "master.cf").write_text("\n".join(without_chroot(lines)) + "\n")
        self.etc = etc
        subprocess.run(["postfix", "-c", etc, "start"], check=True, capture_output=True, timeout=START_S)
        harness.wait_until((queue / "pid/master.pid").exists, 20, "postfix")
        self.postfix_pid = int((queue / "pid/master.pid").read_text())

    def stop_postfix(self):
        if hasattr(self, "etc"):
            subprocess.run(["postfix", "-c", self.etc, "stop"], capture_output=True, timeout=STOP_S)


class PostfixDovecot(Postfix):
    """Postfix hands over to Dovecot by LMTP; mailboxes are sdbox or maildir."""

    def __init__(self, disk, form):
        self.name, self.form = f"postfix+dovecot {form}", form
        self.base = make_folder(disk / f"pd-{form}")
        self.mail = make_folder(self.base / "mail")
        self.port = harness.free_ports(1)[0]
        self.user = pwd.getpwnam("nobody")
        self.dovecot = None
        os.chown(self.mail, self.user.pw_uid, self.user.pw_gid)
        try:
            self.start_dovecot()
            self.start_postfix(f"virtual_mailbox_domains = {DOMAIN}\nvirtual_mailbox_maps = hash:{{etc}}/boxes\n"
                               f"virtual_transport = lmtp:unix:{self.base}/lmtp\n",
                               "".join(f"{a} x\n" for a in accounts()))
        except BaseException:
            self.close()
            raise
        self.logs = (self.log, self.base / "dovecot.log")

    def start_dovecot(self):
        base, group = self.base, grp.getgrgid(self.user.pw_gid).gr_name
        place = {"sdbox": f"sdbox:{self.mail}/%u", "maildir": f"maildir:{self.mail}/%u"}
        self.dovecot_conf = base / "dovecot.conf"
        self.dovecot_conf.write_text(f"""
protocols = lmtp
base_dir = {base}/dovecot-run
state_dir = {base}/dovecot-state
log_path = {base}/dovecot.log
ssl = no
first_valid_uid = 1
mail_location = {place[self.form]}
mail_uid = {self.user.pw_name}
mail_gid = {group}
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={self.user.pw_name} gid={group} home={self.mail}/%u
}}
service anvil {{
  client_limit = 2000
}}
service lmtp {{
  unix_listener {base}/lmtp {{
    mode = 0666
  }}
}}
""")
        self.dovecot = subprocess.Popen(["dovecot", "-F", "-c", self.dovecot_conf],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until((base / "lmtp").exists, START_S, "dovecot")

    def roots(self):
        return [self.postfix_pid, self.dovecot.pid]

    def delivered(self):
        if self.form == "sdbox":
            return sum(1 for _ in self.mail.glob("*/mailboxes/INBOX/dbox-Mails/u.*"))
        return sum(1 for _ in self.mail.glob("*/new/*"))

    check = delivered

    def close(self):
        try:
            self.stop_postfix()
        finally:
            if self.dovecot:
                stop_dovecot(self.dovecot)


def stop_dovecot(process):
    """In the foreground (-F) it ends with all its children when told so."""
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def without_chroot(lines):
    """The fifth field of a service is its chroot flag."""
    for line in lines:
        fields = line.split()
        if line and not line[0].isspace() and not line.startswith("#") and len(fields) > 7:
            fields[4] = "n"
            line = "  ".join(fields)
        yield line


class Sink:
    """Takes mail and stores nothing: what the load generator itself allows."""
    name = "smtp-sink"

    def __init__(self, disk):
        self.port = harness.free_ports(1)[0]
        self.process = subprocess.Popen(["smtp-sink", "-u", "nobody", f"127.0.0.1:{self.port}", "100"],
                                        stderr=subprocess.DEVNULL)
        time.sleep(0.5)
        self.sent = 0

    def roots(self):
        return [self.process.pid]

    def close(self):
        self.process.terminate()
        self.process.wait()


def remove(path):
    shutil.rmtree(path, ignore_errors=True)

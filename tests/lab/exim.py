"""Debian's Exim, unpacked; runs wholly as an ordinary user in its namespace; verifies DANE when it sends."""
import os
import pwd
import re
import subprocess

import harness

from . import packages
from .station import BOXES, Station, maildir_messages

USER = "nobody"
SETTINGS = """
exim_path = {exim}
exim_user = {user}
exim_group = {group}
never_users =
primary_hostname = {mx}
spool_directory = {base}/spool
log_file_path = {base}/log/%slog
log_selector = +tls_cipher +tls_certificate_verified +tls_sni +dnssec +smtp_connection
domainlist local_domains = {domains}
hostlist relay_from_hosts = {networks}
acl_smtp_rcpt = acl_rcpt
accept_8bitmime = true
smtputf8_advertise_hosts = *
dsn_advertise_hosts = *
chunking_advertise_hosts = *
tls_advertise_hosts = *
tls_certificate = {cert}
tls_privatekey = {key}
host_lookup =
rfc1413_hosts =
dns_dnssec_ok = 1
queue_run_max = 4
deliver_drop_privilege = true
daemon_smtp_ports = 25
local_interfaces = <; {addresses}
message_logs = false
keep_environment =
smtp_accept_max = 100

begin acl
acl_rcpt:
  accept hosts = +relay_from_hosts
  require message = relay not permitted
          domains = +local_domains
  require verify = recipient
  accept

begin routers
outside:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote
  dnssec_request_domains = *
  no_more
boxes:
  driver = accept
  local_parts = {boxes}
  transport = box

begin transports
remote:
  driver = smtp
  hosts_avoid_tls = ${{if match{{$domain}}{{-plain\\\\.test\\$}}{{*}}{{}}}}
  hosts_try_dane = *
  dnssec_request_domains = *
  connect_timeout = 5s
box:
  driver = appendfile
  directory = {base}/mail/$local_part_data
  maildir_format = true
  create_directory = true
  delivery_date_add
  envelope_to_add
  return_path_add

begin retry
* * F,1h,3s
"""


class Exim(Station):
    def __init__(self, lab, number):
        super().__init__(lab, "exim", number)
        self.exim = packages.unpacked("exim") / "usr/sbin/exim4"
        self.user = pwd.getpwnam(USER)
        self.conf = self.folder / "exim.conf"
        for name in ("spool", "log", "mail"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, self.user.pw_uid, self.user.pw_gid)
        for path in (self.cert, self.key):
            os.chown(path, self.user.pw_uid, self.user.pw_gid)
        networks = [self.host.ipv4, self.host.ipv6.replace(":", "::"), "127.0.0.1"]
        self.conf.write_text(SETTINGS.format(
            exim=self.exim, user=self.user.pw_uid, group=self.user.pw_gid, mx=self.mx[0], base=self.folder,
            domains=" : ".join(self.domains), networks=" : ".join(networks), boxes=" : ".join(BOXES), cert=self.cert, key=self.key,
            addresses=" ; ".join(["127.0.0.1", *self.host.addresses])))

    def as_user(self, *args, **options):
        return self.command(self.exim, "-C", self.conf, *args, user=self.user.pw_uid,
                            group=self.user.pw_gid, extra_groups=[], **options)

    def start(self):
        (self.folder / "output").touch()
        self.command("sysctl", "-qw", "net.ipv4.ip_unprivileged_port_start=0", check=True)
        with open(self.folder / "output", "ab") as out:
            self.process = subprocess.Popen(
                [*self.host.prefix, "setpriv", f"--reuid={self.user.pw_uid}",
                 f"--regid={self.user.pw_gid}", "--clear-groups", self.exim, "-C", self.conf, "-bdf", "-q2s"],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        harness.wait_until(self.is_up, what="exim")

    def is_up(self):
        try:
            self.host.connect(self.host.ipv4, 25, 1).close()
            return True
        except OSError:
            if self.process.poll() is not None:
                raise AssertionError((self.folder / "output").read_text()) from None
            return False

    def close(self):
        self.process.terminate()
        self.process.wait(10)

    def messages(self):
        return maildir_messages(self.folder / "mail")

    def deferred(self, domain):
        """Why mail to that domain waits for another try."""
        return re.findall(rf"== \S*@{re.escape(domain)} .*(?: defer|SMTP error|TLS).*", self.log())

    def verified(self, domain):
        """Was a server of that domain verified by DANE?"""
        return bool(re.search(rf"=> \S*@{re.escape(domain)} .* CV=dane", self.log()))

    def log(self):
        return "".join(p.read_text(errors="replace") for p in sorted((self.folder / "log").glob("*log")))

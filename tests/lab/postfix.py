"""Debian's Postfix with settings, queue and mailboxes of its own; verifies DANE when it sends."""
import os
import pwd
import re
from pathlib import Path

import harness

from .station import BOXES, Station, maildir_messages

MAIN = """
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
myhostname = {mx}
mydestination =
mynetworks = {networks}
inet_interfaces = all
inet_protocols = all
alias_maps =
maillog_file = {base}/log
maillog_file_prefixes = {base}
virtual_mailbox_domains = {domains}
virtual_mailbox_base = {base}/mail
virtual_mailbox_maps = texthash:{base}/etc/boxes
virtual_uid_maps = static:{uid}
virtual_gid_maps = static:{gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
minimal_backoff_time = 2s
maximal_backoff_time = 4s
queue_run_delay = 2s
smtputf8_enable = yes
smtpd_tls_cert_file = {cert}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtp_tls_security_level = dane
smtp_dns_support_level = dnssec
smtp_tls_policy_maps = regexp:{base}/etc/policy
smtp_tls_loglevel = 1
smtp_host_lookup = dns
smtp_address_preference = ipv4
smtp_connect_timeout = 5s
"""


class Postfix(Station):
    def __init__(self, lab, number):
        super().__init__(lab, "postfix", number)
        base = self.folder
        for name in ("etc", "queue", "data", "mail"):
            (base / name).mkdir(mode=0o755)
        owner, nobody = pwd.getpwnam("postfix"), pwd.getpwnam("nobody")
        os.chown(base / "data", owner.pw_uid, owner.pw_gid)
        os.chown(base / "mail", nobody.pw_uid, nobody.pw_gid)
        self.write_settings(base / "etc", nobody)

    def write_settings(self, etc, user):
        own = " ".join([f"{self.host.ipv4}/32", f"[{self.host.ipv6}]/128", "127.0.0.0/8"])
        (etc / "main.cf").write_text(MAIN.format(
            base=self.folder, mx=self.mx[0], networks=own, domains=" ".join(self.domains), uid=user.pw_uid,
            gid=user.pw_gid, cert=self.cert, key=self.key))
        (etc / "boxes").write_text("".join(f"{box}@{domain} {box}/\n"
                                           for box in BOXES for domain in self.domains))
        (etc / "policy").write_text("/-plain\\.test$/ none\n")
        dist = Path("/usr/share/postfix/master.cf.dist").read_text().splitlines()
        (etc / "master.cf").write_text("\n".join(without_chroot(dist)) + "\n")

    def start(self):
        self.command("postfix", "-c", self.folder / "etc", "start", check=True)
        pid = self.folder / "queue/pid/master.pid"
        harness.wait_until(pid.exists, what="postfix")

    def close(self):
        self.command("postfix", "-c", self.folder / "etc", "stop")

    def flush(self):
        self.command("postqueue", "-c", self.folder / "etc", "-f")

    def messages(self):
        return maildir_messages(self.folder / "mail")

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def deferred(self, domain):
        """Why mail to that domain waits for another try."""
        return re.findall(rf"to=<[^>]*@{re.escape(domain)}>.* status=deferred \((.*)\)", self.log())

    def verified(self, domain):
        """Was a server of that domain verified by DANE?"""
        return f"Verified TLS connection established to mx.{domain}" in self.log()

    def queued(self):
        """Queue ids still there."""
        done = self.command("postqueue", "-c", self.folder / "etc", "-j")
        return done.stdout.decode().splitlines()


def without_chroot(lines):
    """The fifth field of a service is its chroot flag."""
    for line in lines:
        fields = line.split()
        if line and not line[0].isspace() and not line.startswith("#") and len(fields) > 7:
            fields[4] = "n"
            line = "  ".join(fields)
        yield line

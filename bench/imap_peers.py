"""The IMAP servers that are measured: Postroad, and Dovecot with each of its formats."""
import grp
import os
import pwd
import subprocess
from pathlib import Path

import peers
from peers import harness

ACCOUNT = f"box@{peers.DOMAIN}"


class PostroadImap:
    name = "postroad"

    def __init__(self, disk, settings=None):
        self.server = harness.Postroad(
            build=os.environ.get("POSTROAD_BUILD", harness.TOP / "build/release"), folder=peers.make_folder(disk / "postroad"),
            settings={"auth_without_tls": "yes", "auth_delay_s": "0",
                      **(settings or {})})
        self.server.start()
        self.server.add_account(ACCOUNT)
        self.port, self.tls_port = self.server.ports["imap"], self.server.ports["imaps"]
        self.delivery_port, self.lmtp = self.server.ports["smtp"], False

    def roots(self):
        return [self.server.process.pid]

    def forget(self):
        """What Postroad keeps is made at delivery; nothing is learnt from a client."""

    def close(self):
        self.server.stop()


class DovecotImap:
    def __init__(self, disk, form, extra=""):
        self.name, self.form = f"dovecot {form}", form
        self.base = peers.make_folder(disk / f"dovecot-{form}")
        self.mail = peers.make_folder(self.base / "mail")
        self.port, self.tls_port, self.delivery_port = harness.free_ports(3)
        self.lmtp = True
        self.user = pwd.getpwnam("nobody")
        os.chown(self.mail, self.user.pw_uid, self.user.pw_gid)
        self.cert, self.key = harness.make_certificate(self.base)
        self.conf = self.base / "dovecot.conf"
        self.conf.write_text(self.settings() + extra)
        self.process = subprocess.Popen(["dovecot", "-F", "-c", self.conf],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        harness.wait_until(self.listens, 20, "dovecot")

    def settings(self):
        group = grp.getgrgid(self.user.pw_gid).gr_name
        return f"""
protocols = imap lmtp
listen = 127.0.0.1
base_dir = {self.base}/run
state_dir = {self.base}/state
log_path = {self.base}/dovecot.log
ssl = yes
ssl_cert = <{self.cert}
ssl_key = <{self.key}
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = {self.form}:{self.mail}/%u
mail_uid = {self.user.pw_name}
mail_gid = {group}
mail_max_userip_connections = 0
passdb {{
  driver = passwd-file
  args = {self.base}/users
}}
userdb {{
  driver = static
  args = uid={self.user.pw_name} gid={group} home={self.mail}/%u
}}
service imap-login {{
  service_count = 0
  process_min_avail = 2
  client_limit = 10000
  vsz_limit = 1G
  inet_listener imap {{
    port = {self.port}
  }}
  inet_listener imaps {{
    port = {self.tls_port}
  }}
}}
service imap {{
  process_limit = 10000
}}
service anvil {{
  client_limit = 30000
}}
service auth {{
  client_limit = 30000
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {self.delivery_port}
  }}
}}
"""

    def listens(self):
        self.write_users("{PLAIN}secret")
        log = self.base / "dovecot.log"
        return (self.base / "run/master.pid").exists() and log.exists()

    def write_users(self, password):
        users = self.base / "users"
        users.write_text(f"{ACCOUNT}:{password}::::::\n")
        users.chmod(0o644)

    def roots(self):
        return [self.process.pid]

    def forget(self):
        """As at the first look of a client: the cache that earlier ones filled is gone."""
        for cache in Path(self.mail).rglob("dovecot.index.cache"):
            cache.unlink()

    def close(self):
        peers.stop_dovecot(self.process)

"""What all mail servers of the lab have in common: a host, a domain with its variants, a mailbox."""
import smtplib
import subprocess
import time

from . import certs

PORT = 25
PATIENCE_S = 120  # for anything, beside other tests
BOXES = ("box", "second", "p\u00f6st")
VARIANTS = ("", "-tls", "-plain", "-wrong")


class Station:
    """Serves box@NAME.test; its variants, box@NAME-tls.test and so on, differ only in DNS and in
    what senders are told to do with them:

    NAME.test        its MX has a TLSA record that is right
    NAME-tls.test    its MX has none
    NAME-plain.test  as -tls, and the others are told to send without TLS
    NAME-wrong.test  its MX has a TLSA record of another key
    """

    def __init__(self, lab, name, number):
        self.lab, self.name = lab, name
        self.host = lab.net.host(name, number)
        self.folder = lab.folder / name
        self.folder.mkdir(mode=0o755)
        self.domains = [f"{name}{v}.test" for v in VARIANTS]
        self.domain = self.domains[0]
        self.mx = [f"mx.{d}" for d in self.domains]
        self.cert, self.key = lab.authority.issue(*self.mx)
        self.add_names()

    def add_names(self):
        names = self.lab.dns
        for domain, mx in zip(self.domains, self.mx):
            names.add(domain, "MX", f"10 {mx}.")
            names.add_host(mx, *self.host.addresses)
        for address in self.host.addresses:
            names.add_pointer(address, self.mx[0])
        names.add(f"_25._tcp.{self.mx[0]}", "TLSA", certs.tlsa(self.cert))
        names.add(f"_25._tcp.{self.mx[3]}", "TLSA", certs.WRONG_TLSA)

    def command(self, *args, **options):
        return subprocess.run([*self.host.prefix, *map(str, args)], capture_output=True, timeout=PATIENCE_S,
                              **options)

    def send(self, sender, recipients, content, mail_options=(), rcpt_options=()):
        """Hands a message to this server, from this server's own host."""
        with self.host.entered():
            client = smtplib.SMTP(self.host.ipv4, PORT, local_hostname="client.test", timeout=PATIENCE_S)
        with client:
            return client.sendmail(sender, recipients, content, mail_options, rcpt_options)

    def wait_received(self, token, seconds=PATIENCE_S, also=b""):
        """The messages with that token (and those bytes), once there is one; at the end none."""
        end = time.monotonic() + seconds
        while True:
            found = [m for m in self.received(token) if also in m]
            if found or time.monotonic() > end:
                return found
            time.sleep(0.2)

    def wait_deferred(self, domain, seconds=PATIENCE_S):
        end = time.monotonic() + seconds
        while True:
            found = self.deferred(domain)
            if found or time.monotonic() > end:
                return found
            time.sleep(0.2)

    def received(self, token):
        """The messages in this server's mailboxes that contain the token."""
        token = token.encode()
        return [m for m in self.messages() if token in m]


def maildir_messages(folder):
    for path in folder.glob("*/new/*"):
        try:
            yield path.read_bytes()
        except FileNotFoundError:
            continue

"""Puts the lab together; `with Lab() as lab:` and all is gone afterwards."""
import contextlib
import os
import shutil
import subprocess
import tempfile
import uuid
from pathlib import Path

from . import certs, dns, net, packages
from .exim import Exim
from .odd import OddDomain, host_names
from .policies import Policies
from .postfix import Postfix
from .postroad import PostroadStation

NUMBERS = {"a": 11, "b": 12, "postfix": 13, "exim": 14}
ODD, POLICIES, FIRST_ODD = 20, 21, 256
MAKERS = {"a": PostroadStation, "b": PostroadStation, "postfix": Postfix, "exim": Exim}


PROGRAMS = ("ip", "knotd", "ldns-signzone", "postfix", "setpriv")
SEARCH = "/usr/sbin:/usr/bin:/sbin:/bin"


def missing():
    """What keeps the lab from standing here, as a text; "" when nothing does."""
    if os.geteuid() != 0:
        return "needs root"
    absent = [p for p in PROGRAMS if not shutil.which(p, path=SEARCH)]
    if absent:
        return f"needs {', '.join(absent)}"
    if not net.can_be_made():
        return "needs network namespaces"
    try:
        for name in packages.NAMES:
            packages.unpacked(name)
    except subprocess.CalledProcessError:
        return f"needs the Debian packages of {name}"
    return ""


class Lab:
    """`stations` of MAKERS, and `domains` {name: odd.Domain} of scripted peers."""

    def __init__(self, stations=(), domains=None, build=None, settings=None, sections=""):
        self.wanted, self.descriptions, self.build_folder = stations, domains or {}, build
        self.settings, self.sections = settings or {}, sections
        self.stations, self.domains, self.odd_count = {}, {}, FIRST_ODD
        self.odd_certificates = {}
        self.closing = contextlib.ExitStack()

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.closing.close()
            raise
        return self

    def __exit__(self, *exc):
        self.closing.close()

    def build(self):
        self.folder = Path(tempfile.mkdtemp(prefix="postroad-lab-"))
        self.folder.chmod(0o755)
        self.closing.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.authority = certs.Authority(self.folder / "certs")
        self.net = net.Net()
        self.closing.callback(self.net.close)
        self.dns = dns.Dns(self.net, self.folder)
        self.closing.callback(self.dns.close)
        self.odd_host = self.net.host("odd", ODD)
        self.policies = Policies(self, POLICIES)
        self.closing.callback(self.policies.close)
        for name in self.wanted:
            self.stations[name] = self.make_station(name)
        for name, description in self.descriptions.items():
            self.domains[name] = OddDomain(self, name, description)
            self.closing.callback(self.domains[name].close)
        self.dns.start()
        for station in self.stations.values():
            (station.host.etc / "resolv.conf").write_text(f"nameserver {self.dns.resolver}\noptions trust-ad\n")
            self.closing.callback(station.close)
            station.start()

    def make_station(self, name):
        maker = MAKERS[name]
        if maker is PostroadStation:
            return maker(self, name, NUMBERS[name], settings=self.settings, sections=self.sections)
        return maker(self, NUMBERS[name])

    def add_odd_address(self, number):
        address = net.ipv4_of(number)
        self.odd_host.add_address(address)
        return address

    def odd_certificate(self, kind):
        """One for all odd hosts of that kind: (certificate, key)."""
        if kind not in self.odd_certificates:
            hosts = [host for name, d in self.descriptions.items()
                     for host, mx in zip(host_names(name, d), d.mx) if mx.tls == kind]
            self.odd_certificates[kind] = self.authority.issue(*hosts, kind=kind)
        return self.odd_certificates[kind]

    def next_number(self):
        self.odd_count += 1
        return self.odd_count

    def __getitem__(self, name):
        return self.stations[name]


def token():
    """A word that no other message contains."""
    return "t" + uuid.uuid4().hex[:12]

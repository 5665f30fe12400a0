"""Puts the lab together; `with Lab() as lab:` and all is gone afterwards."""
import contextlib
import shutil
import tempfile
import uuid
from pathlib import Path

from . import certs, dns, net
from .exim import Exim
from .postfix import Postfix

NUMBERS = {"a": 11, "b": 12, "postfix": 13, "exim": 14, "odd": 20}


class Lab:
    def __init__(self, stations=("postfix", "exim")):
        self.wanted, self.stations = stations, {}
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
        makers = {"postfix": Postfix, "exim": Exim}
        for name in self.wanted:
            self.stations[name] = makers[name](self, NUMBERS[name])
        self.dns.start()
        for station in self.stations.values():
            (station.host.etc / "resolv.conf").write_text(f"nameserver {self.dns.resolver}\noptions trust-ad\n")
            self.closing.callback(station.close)
            station.start()

    def __getitem__(self, name):
        return self.stations[name]


def token():
    """A word that no other message contains."""
    return "t" + uuid.uuid4().hex[:12]

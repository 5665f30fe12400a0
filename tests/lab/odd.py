"""Domains whose servers are scripted peers: how they are described, and how they come to life."""
from dataclasses import dataclass, field

import peers

from . import certs
from .dns import UNSIGNED
from .net import ipv4_of, ipv6_of
from .policies import policy_text

RIGHT, WRONG = "right", "wrong"


@dataclass
class Mx:
    """One host of a domain."""
    faults: list = field(default_factory=list)  # arguments of peers.Fault
    preference: int = 10
    extensions: tuple = peers.ALL
    tls: str | None = certs.GOOD
    tlsa: str | None = None      # RIGHT or WRONG
    ipv4: bool = True
    ipv6: bool = False
    away: bool = False           # an alias that leads to a zone without signatures
    listening: bool = True       # no: connections are refused
    byte_pause_s: float = 0


@dataclass
class Domain:
    """Its hosts, and its MTA-STS policy: (mode, list of mx; None: the right ones, kind of certificate)."""
    mx: list = field(default_factory=lambda: [Mx()])
    sts: tuple | None = None
    null_mx: bool = False


def host_names(name, description):
    return [f"mx{n}.{name}" for n in range(1, len(description.mx) + 1)]


class OddDomain:
    def __init__(self, lab, name, description):
        self.name, self.peers = name, []
        names = lab.dns
        if description.null_mx:
            names.add(name, "MX", "0 .")
        hosts = host_names(name, description)
        for host, mx in zip(hosts, description.mx):
            names.add(name, "MX", f"{mx.preference} {host}.")
            self.peers.append(self.make_peer(lab, host, mx))
        if description.sts:
            mode, listed, kind = description.sts
            lab.policies.add(name, policy_text(mode, *(hosts if listed is None else listed)), kind)

    def make_peer(self, lab, host, mx):
        number = lab.next_number()
        addresses = [make(number) for wanted, make in ((mx.ipv4, ipv4_of), (mx.ipv6, ipv6_of)) if wanted]
        if mx.away:
            lab.dns.add(host, "CNAME", f"host{number}.{UNSIGNED}.")
        lab.dns.add_host(f"host{number}.{UNSIGNED}" if mx.away else host, *addresses)
        for address in addresses:
            lab.odd_host.add_address(address)
            lab.dns.add_pointer(address, host)
        if not mx.listening:
            return None
        context = None
        if mx.tls:
            cert, key = lab.odd_certificate(mx.tls)
            context = peers.server_tls(cert, key)
            if mx.tlsa:
                lab.dns.add(f"_25._tcp.{host}", "TLSA",
                                  certs.tlsa(cert) if mx.tlsa == RIGHT else certs.WRONG_TLSA)
        return peers.Peer([lab.odd_host.listen(a, 25) for a in addresses], host,
                          faults=[peers.Fault(*f) if isinstance(f, tuple) else f for f in mx.faults],
                          extensions=mx.extensions, tls=context, byte_pause_s=mx.byte_pause_s, keep_dialogue=True)

    @property
    def alive(self):
        return [p for p in self.peers if p]

    def taken(self, token):
        """Messages with the token that any host answered with 250."""
        return [m for p in self.alive for m in p.with_text(token)]

    def arrived(self, token):
        data = token.encode()
        return [m for p in self.alive for m in list(p.arrived) if data in m.content]

    def wrong(self):
        return [w for p in self.alive for w in p.wrong]

    def dialogue(self):
        return "\n".join(line for p in self.alive for line in p.dialogue)

    def close(self):
        for peer in self.alive:
            peer.close()

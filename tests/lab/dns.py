"""The lab's DNS: Knot serves the zones (tests/dns_server.py); Unbound asks it, validates, answers all others.

Names below `test.` are signed; those below `broken.` have signatures that do not fit; those below `plain.` have none.
"""
import ipaddress
import socket
import subprocess
import time

from dns_server import DnsServer

from . import packages

SIGNED, BROKEN, UNSIGNED, REVERSE_V4, REVERSE_V6 = "test", "broken", "plain", "10.in-addr.arpa", "d.f.ip6.arpa"
ZONES = {SIGNED: {"signed": True}, BROKEN: {"signed": True, "fault": "broken"}, UNSIGNED: {}, REVERSE_V4: {},
         REVERSE_V6: {}}


class Dns:
    """Knot at .2 and Unbound at .3 of one host. Names are added before start()."""

    def __init__(self, net, folder):
        self.folder = folder / "dns"
        self.folder.mkdir()
        self.host = net.host("dns", 2)
        self.resolver = "10.77.0.3"
        self.host.add_address(self.resolver)
        self.knot = DnsServer(self.host.ipv4, 53, self.folder, self.host.prefix)
        self.unbound, self.records = None, {zone: [] for zone in ZONES}
        self.anchors = self.folder / "anchors"
        self.anchors.write_text(self.knot.trust_anchor + "\n")

    # --- names

    def add(self, name, kind, data):
        zone = next(z for z in ZONES if name == z or name.endswith("." + z))
        self.records[zone].append(f"{name}. {kind} {data}")

    def add_host(self, name, *addresses):
        for address in addresses:
            self.add(name, "AAAA" if ":" in address else "A", address)

    def add_pointer(self, address, name):
        self.add(ipaddress.ip_address(address).reverse_pointer, "PTR", name + ".")

    # --- servers

    def start(self):
        for zone, options in ZONES.items():
            self.knot.zone(zone, "\n".join(dict.fromkeys(self.records[zone])), **options)
        self.knot.start()
        self.start_unbound()

    def start_unbound(self):
        conf, log = self.folder / "unbound.conf", self.folder / "unbound.log"
        conf.write_text(f"""server:
  interface: {self.resolver}
  access-control: 0.0.0.0/0 allow
  chroot: ""
  username: ""
  directory: "{self.folder}"
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  module-config: "validator iterator"
  trust-anchor-file: "{self.anchors}"
  local-zone: "10.in-addr.arpa" nodefault
  local-zone: "d.f.ip6.arpa" nodefault
  local-zone: "test" nodefault
  val-log-level: 2
remote-control:
  control-enable: no
stub-zone:
  name: "."
  stub-addr: {self.host.ipv4}
""")
        program = packages.unpacked("unbound") / "usr/sbin/unbound"
        with open(log, "ab") as out:
            self.unbound = subprocess.Popen([*self.host.prefix, program, "-d", "-c", conf],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        end = time.monotonic() + 20
        while not self.answers():
            if time.monotonic() > end or self.unbound.poll() is not None:
                raise TimeoutError(log.read_text()[-2000:])
            time.sleep(0.05)

    def answers(self):
        """Does the resolver say something to `test. SOA`, with records in it?"""
        question = b"\0\1\1\0\0\1\0\0\0\0\0\0\4test\0\0\6\0\1"
        with self.host.entered():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with s:
            s.settimeout(1)
            try:
                s.sendto(question, (self.resolver, 53))
                answer = s.recv(2000)
            except OSError:
                return False
            return answer[3] & 15 == 0 and answer[7] > 0

    def close(self):
        if self.unbound:
            self.unbound.terminate()
            self.unbound.wait(20)
        self.knot.close()

"""The lab's DNS: Knot serves the zones and signs `test.`; Unbound asks it, validates, and answers others.

Names below `test.` are signed, names below `plain.` are not. A name may be added while all runs.
"""
import ipaddress
import socket
import subprocess
import time

from . import packages

ROOT, SIGNED, UNSIGNED = ".", "test.", "plain."


def reverse_name(address):
    return ipaddress.ip_address(address).reverse_pointer + "."


class Zones:
    """{zone: record lines}; which zone a name belongs to is seen by its end."""

    def __init__(self, server):
        self.serial = 1
        self.lines = {ROOT: [], SIGNED: [], UNSIGNED: []}
        for zone in self.lines:
            self.add(f"ns.{zone.lstrip('.')}" if zone != ROOT else "ns.", "A", server)
        for zone in (SIGNED, UNSIGNED):
            self.lines[ROOT] += [f"{zone} 60 NS ns.{zone}", f"ns.{zone} 60 A {server}"]

    def zone_of(self, name):
        return next((z for z in (SIGNED, UNSIGNED) if name == z or name.endswith("." + z)), ROOT)

    def add(self, name, kind, data, ttl=60):
        name = name if name.endswith(".") else name + "."
        self.lines[self.zone_of(name)].append(f"{name} {ttl} {kind} {data}")

    def add_host(self, name, *addresses):
        for address in addresses:
            self.add(name, "AAAA" if ":" in address else "A", address)

    def add_pointer(self, address, name):
        self.add(reverse_name(address), "PTR", name + ".")

    def text(self, zone):
        ns = "ns." if zone == ROOT else f"ns.{zone}"
        head = [f"{zone} 60 SOA {ns} hostmaster.{ns} {self.serial} 3600 600 86400 1", f"{zone} 60 NS {ns}"]
        return "\n".join(head + list(dict.fromkeys(self.lines[zone]))) + "\n"


class Dns:
    """Knot at .2 and Unbound at .3 of one host."""

    def __init__(self, net, folder):
        self.folder = folder / "dns"
        (self.folder / "db").mkdir(parents=True)
        self.host = net.host("dns", 2)
        self.server, self.resolver = self.host.ipv4, "10.77.0.3"
        self.host.add_address(self.resolver)
        self.zones, self.running = Zones(self.server), []
        self.anchors = self.folder / "anchors"

    def start(self):
        self.start_knot()
        self.anchors.write_text(self.wait_anchor())
        self.start_unbound()

    def write_zones(self):
        for zone in self.zones.lines:
            (self.folder / f"zone.{zone}").write_text(self.zones.text(zone))

    def run(self, *command, log):
        with open(self.folder / log, "ab") as out:
            self.running.append(subprocess.Popen([*self.host.prefix, *map(str, command)],
                                                 stdin=subprocess.DEVNULL, stdout=out, stderr=out))

    def start_knot(self):
        base, zones = self.folder, ""
        for zone in self.zones.lines:
            zones += f"  - domain: {zone}\n    file: {base}/zone.{zone}\n"
            if zone == SIGNED:
                zones += "    dnssec-signing: on\n    dnssec-policy: lab\n"
        self.conf = base / "knot.conf"
        self.conf.write_text(f"""server:
    listen: {self.server}@53
    listen: {self.host.ipv6}@53
    rundir: {base}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {base}/db
control:
    listen: {base}/knot.sock
policy:
  - id: lab
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: off
template:
  - id: default
    zonefile-sync: -1
    zonefile-load: difference
    journal-content: all
zone:
{zones}""")
        self.write_zones()
        self.run("knotd", "-c", self.conf, log="knot.log")

    def wait_anchor(self):
        """The DS of `test.`, once Knot has made its key and signed."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            done = subprocess.run(["keymgr", "-c", self.conf, SIGNED, "ds"], capture_output=True, text=True)
            lines = [line for line in done.stdout.splitlines() if " DS " in line and line.split()[-2] == "2"]
            if lines and self.answers(self.server):
                return "\n".join(lines) + "\n"
            time.sleep(0.1)
        raise TimeoutError((self.folder / "knot.log").read_text()[-2000:])

    def start_unbound(self):
        base = self.folder
        conf = base / "unbound.conf"
        forward = "".join(f'stub-zone:\n  name: "{z}"\n  stub-addr: {self.server}\n  stub-prime: no\n'
                          for z in self.zones.lines)
        conf.write_text(f"""server:
  interface: {self.resolver}
  access-control: 0.0.0.0/0 allow
  chroot: ""
  username: ""
  directory: "{base}"
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
  cache-max-negative-ttl: 1
  val-log-level: 2
remote-control:
  control-enable: no
{forward}""")
        unbound = packages.unpacked("unbound") / "usr/sbin/unbound"
        self.run(unbound, "-d", "-c", conf, log="unbound.log")
        end = time.monotonic() + 20
        while not self.answers(self.resolver):
            if time.monotonic() > end:
                raise TimeoutError((base / "unbound.log").read_text()[-2000:])
            time.sleep(0.05)

    def answers(self, server):
        """Does it say something to `test. SOA`, with records in it?"""
        question = b"\0\1\1\0\0\1\0\0\0\0\0\0\4test\0\0\6\0\1"
        with self.host.entered():
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        with s:
            s.settimeout(1)
            try:
                s.sendto(question, (server, 53))
                answer = s.recv(2000)
            except OSError:
                return False
            return answer[3] & 15 == 0 and answer[7] > 0

    def update(self):
        """What was added to the zones meanwhile is served."""
        self.zones.serial += 1
        self.write_zones()
        subprocess.run(["knotc", "-c", self.conf, "-b", "zone-reload"], check=True, capture_output=True)

    def close(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

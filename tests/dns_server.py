"""A DNS of a test's own: Knot with zones that the test writes, signed or broken as it says.

    with DnsServer() as dns:
        dns.zone("example.org", "@ MX 10 mx\\nmx A 192.0.2.1", signed=True)
        dns.zone("bad.example", "@ A 192.0.2.2", signed=True, fault="expired")
        dns.start()
        dns.port, dns.trust_anchor

One server serves the root, which delegates to every zone, or the nearest zone above it that is served
too; so it can be asked in place of a resolver, and every signature leads to `trust_anchor`, a DS record
of this root. A zone can be changed while the server runs. Faults of a signed zone:

    expired    all signatures ended long ago
    broken     signatures that do not fit
    stripped   no signatures at all, though the zone above promises them
"""
import ipaddress
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import harness

FAULTS = ("", "expired", "broken", "stripped")
ALGORITHM = "ECDSAP256SHA256"
TTL = 300


def absolute(name):
    return name.rstrip(".") + "."


class Zone:
    def __init__(self, name, text, signed, fault):
        if fault not in FAULTS or (fault and not signed):
            raise ValueError(f"fault {fault!r} of a zone that is signed: {signed}")
        self.name, self.text, self.signed, self.fault = absolute(name), text, signed, fault


class DnsServer:
    """On `address`, and those in `also`, at `port` (a free one when not said). `prefix` is put before each
    command, such as ["ip", "netns", "exec", NAME]."""

    def __init__(self, address="127.0.0.1", port=None, folder=None, prefix=(), also=()):
        self.address, self.addresses, self.prefix = address, [address, *also], list(prefix)
        self.port = port or harness.free_ports(1, address)[0]
        self.own_folder = folder is None
        self.folder = Path(folder or tempfile.mkdtemp(prefix="postroad-dns-"))
        self.zones, self.keys, self.serial, self.process = {}, {}, int(time.time()), None
        for name in ("keys", "zones", "db"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self.zones["."] = Zone(".", "", True, "")
        self.trust_anchor = self.delegation_signer(".")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    # --- zones

    def zone(self, name, text, signed=False, fault=""):
        """Adds a zone, or puts another in its place. `text` is as in a zone file: names are relative to the
        zone; SOA, NS and the server's own address are put in."""
        zone = Zone(name, text, signed, fault)
        known = zone.name in self.zones
        self.zones[zone.name] = zone
        if self.process:
            self.write_all()
            if known:
                self.control("-b", "zone-reload")
            else:
                self.write_config()
                self.control("reload")
            self.wait_loaded()

    def key(self, zone):
        """Base name of the files of a zone's key."""
        if zone not in self.keys:
            made = subprocess.run(["ldns-keygen", "-a", ALGORITHM, "-k", zone], cwd=self.folder / "keys",
                                  check=True, capture_output=True, text=True)
            self.keys[zone] = self.folder / "keys" / made.stdout.strip()
        return self.keys[zone]

    def delegation_signer(self, zone):
        return self.key(zone).with_name(self.key(zone).name + ".ds").read_text().strip()

    def parent(self, zone):
        while zone != ".":
            zone = zone.partition(".")[2] or "."
            if zone in self.zones:
                return zone
        return None

    def delegations(self, zone):
        kind = "AAAA" if ipaddress.ip_address(self.address).version == 6 else "A"
        for child in self.zones.values():
            if self.parent(child.name) == zone:
                yield f"{child.name} NS ns.{child.name}"
                yield f"ns.{child.name} {kind} {self.address}"
                if child.signed:
                    yield self.delegation_signer(child.name)

    def plain(self, zone):
        """The whole zone as text, before it is signed."""
        server = "ns." + zone.name.lstrip(".")
        kind = "AAAA" if ipaddress.ip_address(self.address).version == 6 else "A"
        own = "" if re.search(r"^ns[ \t]", zone.text, re.M) else f"{server} {kind} {self.address}"
        return "\n".join([f"$ORIGIN {zone.name}", f"$TTL {TTL}",
                          f"@ SOA {server} hostmaster.{server} {self.serial} 3600 600 86400 60",
                          f"@ NS {server}", own, zone.text, *self.delegations(zone.name), ""])

    def signed(self, zone, path):
        when = ["-i", "20200101", "-e", "20200201"] if zone.fault == "expired" else []
        subprocess.run(["ldns-signzone", *when, "-o", zone.name, "-f", path, path, self.key(zone.name)],
                       check=True, capture_output=True)
        if zone.fault == "broken":
            # The signature is the last field of its record.
            path.write_text(re.sub(r"(\sRRSIG\s.*\s)(\S{6})(\S+)$", r"\1AAAAAA\3", path.read_text(), flags=re.M))

    def path(self, zone):
        return self.folder / "zones" / f"{zone.name.strip('.') or 'root'}.zone"

    def write_all(self):
        self.serial += 1
        for zone in self.zones.values():
            fresh = self.path(zone).with_suffix(".new")
            fresh.write_text(self.plain(zone))
            if zone.signed and zone.fault != "stripped":
                self.signed(zone, fresh)
            fresh.rename(self.path(zone))

    # --- the server

    def write_config(self):
        listen = ", ".join(f"{address}@{self.port}" for address in self.addresses)
        lines = ["server:", f"  rundir: {self.folder}", f"  listen: [{listen}]",
                 "  udp-workers: 1", "  tcp-workers: 1", "  background-workers: 1",
                 "control:", f"  listen: {self.folder}/knot.sock",
                 "database:", f"  storage: {self.folder}/db",
                 "log:", "  - target: stderr", "    any: warning",
                 "template:", "  - id: default", f"    storage: {self.folder}/zones",
                 "    semantic-checks: off", "    zonefile-sync: -1", "    journal-content: none", "zone:"]
        for zone in self.zones.values():
            lines += [f"  - domain: {zone.name}", f"    file: {self.path(zone).name}"]
        (self.folder / "knot.conf").write_text("\n".join(lines) + "\n")

    def control(self, *words):
        return subprocess.run([*self.prefix, "knotc", "-s", self.folder / "knot.sock", *words],
                              check=True, capture_output=True, text=True).stdout

    def loaded(self):
        try:
            status = self.control("zone-status", "+serial")
        except subprocess.CalledProcessError:
            return False
        return len(re.findall(rf"serial: {self.serial}\b", status)) == len(self.zones)

    def wait_loaded(self):
        end = time.monotonic() + harness.PATIENCE_S
        while not self.loaded():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("the DNS server does not serve its zones:\n"
                                     + (self.folder / "knot.log").read_text())
            time.sleep(0.02)

    def start(self):
        self.write_all()
        self.write_config()
        with open(self.folder / "knot.log", "wb") as log:
            self.process = subprocess.Popen([*self.prefix, "knotd", "-c", self.folder / "knot.conf"],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.wait_loaded()

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(harness.PATIENCE_S)
            self.process = None

    def close(self):
        self.stop()
        if self.own_folder:
            shutil.rmtree(self.folder, ignore_errors=True)

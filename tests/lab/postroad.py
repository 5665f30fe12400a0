"""Postroad on a host of the lab, at its usual ports."""
import json
import poplib

import harness

from .station import BOXES, Station

PASSWORD = "secret"
SETTINGS = {
    "auth_without_tls": "yes", "auth_delay_s": "0", "queue_retry_min": '"1s"', "queue_retry_max": '"2s"',
    "remote_connect_timeout_s": "5", "remote_processes": "1", "restart_pause_max_s": "1",
}


class PostroadStation(Station):
    def __init__(self, lab, name, number, settings=None, sections=""):
        super().__init__(lab, name, number)
        self.server = harness.Postroad(
            build=lab.build_folder, folder=self.folder, ports={}, tls=(self.cert, self.key), domains=self.domains,
            hostname=self.mx[0], prefix=self.host.prefix,
            sections=sections,
            settings={**SETTINGS, "dns_servers": f'{{"{lab.dns.resolver}"}}',
                      "dns_trust_anchor": f'"{lab.dns.anchors}"', "tls_ca_file": f'"{lab.authority.cert}"',
                      "trusted_networks": '{"127.0.0.0/8", "%s/32"}' % self.host.ipv4,
                      "limits_exempt": '{"0.0.0.0/0", "::/0"}', **(settings or {})})
        self.messages_read = {}

    def start(self):
        self.server.start()
        for box in BOXES:
            self.server.add_account(f"{box}@{self.domain}", PASSWORD)
            for domain in self.domains[1:]:
                self.server.command("alias", "add", f"{box}@{domain}", f"{box}@{self.domain}")

    def close(self):
        self.server.close()

    def messages(self):
        """All of all boxes; what was read once is not fetched again."""
        poplib._MAXLINE = 1 << 20
        for box in BOXES:
            with self.host.entered():
                client = poplib.POP3(self.host.ipv4, 110, timeout=120)
            client.utf8() if not box.isascii() else None
            client.user(f"{box}@{self.domain}")
            client.pass_(PASSWORD)
            for line in client.uidl()[1]:
                number, uid = line.decode().split()
                if uid not in self.messages_read:
                    self.messages_read[uid] = b"".join(x + b"\r\n" for x in client.retr(int(number))[1])
            client.quit()
        return list(self.messages_read.values())

    def flush(self):
        self.server.command("queue", "flush", "--all")

    def log(self):
        return self.server.log.read_text(errors="replace")

    def deferred(self, domain):
        """Why mail to that domain waits for another try."""
        return [m["reason"] for m in self.queued()
                if any(domain in r for r in m["recipients"]) and m["status"] == "deferred" and m["tries"] > 0]

    def verified(self, domain):
        """Was a server of that domain verified by DANE?"""
        return bool(self.server.logged("remote.delivered", f"mx.{domain}", "dane"))

    def queued(self):
        return json.loads(self.server.command("--json", "queue", "list").stdout)

"""A real postroad-resolved, asked over a pipe; and a web server for the policies it fetches.

    with Resolver(dns) as resolver:
        resolver.ask("MX", "example.org")   ->  Answer(outcome="OK", security="secure", ..., records=[...])
        resolver.sts("example.org")         ->  Policy(mode="enforce", id="1", hosts=[...], text="")
"""
import collections
import http.server
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

BUILD = os.environ.get("POSTROAD_BUILD", "build/development")

Answer = collections.namedtuple("Answer", "outcome security ttl name text records")
Policy = collections.namedtuple("Policy", "mode id text hosts")


class Resolver:
    """`dns` is a DnsServer, which is asked in place of a resolver and whose `prefix` is used here too; None
    leaves dns_servers to `settings`. kept: the file for policies, if any."""

    def __init__(self, dns, kept=None, **settings):
        self.kept = [kept] if kept else []
        self.prefix = dns.prefix if dns else []
        self.folder = Path(tempfile.mkdtemp(prefix="postroad-resolver-"))
        anchor = self.folder / "anchor"
        if dns:
            anchor.write_text(dns.trust_anchor + "\n")
            settings.setdefault("dns_servers", [f"{dns.address}@{dns.port}"])
            settings.setdefault("dns_trust_anchor", str(anchor))
        self.settings = "".join(f"{name} = {self.value(value)}\n" for name, value in settings.items())
        self.tags, self.answers, self.log = 0, {}, []

    @staticmethod
    def value(value):
        if isinstance(value, list):
            return "{" + ", ".join(f'"{v}"' for v in value) + "}"
        return value if value in ("yes", "no") or isinstance(value, int) else f'"{value}"'

    def __enter__(self):
        self.program = subprocess.Popen([*self.prefix, f"{BUILD}/resolver/resolver_pipe", self.settings, *self.kept],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        self.reader = threading.Thread(target=lambda: self.log.extend(self.program.stderr), daemon=True)
        self.reader.start()
        word, _, pid = self.program.stdout.readline().strip().partition("\t")
        if word != "ready":
            self.program.wait(60)
            self.reader.join(10)
            raise AssertionError("".join(self.log))
        self.pid = int(pid)
        return self

    def __exit__(self, *_):
        self.program.stdin.close()
        status = self.program.wait(60)
        self.reader.join(10)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert status == 0, "".join(self.log)

    def send(self, verb, words):
        """Asks and does not wait; the tag to wait for."""
        self.tags += 1
        self.program.stdin.write(f"{verb} {self.tags} {words}\n")
        self.program.stdin.flush()
        return self.tags

    def wait(self, tag):
        while tag not in self.answers:
            line = self.program.stdout.readline()
            assert line and not line.startswith("down"), line + "".join(self.log)
            kind, *fields = line.rstrip("\n").split("\t")
            number = int(fields.pop(0))
            if kind == "dns":
                outcome, security, ttl, name, text, *records = fields
                self.answers[number] = Answer(outcome, security, int(ttl), name, text, records)
            else:
                mode, name, text, *hosts = fields
                self.answers[number] = Policy(mode, name, text, hosts)
        return self.answers.pop(tag)

    def ask(self, kind, name):
        return self.wait(self.send("dns", f"{kind} {name}"))

    def sts(self, domain):
        return self.wait(self.send("sts", domain))

    def status(self):
        self.program.stdin.write("status\n")
        self.program.stdin.flush()
        kind, *rows = self.program.stdout.readline().rstrip("\n").split("\t")
        assert kind == "status"
        return {name: int(value) for name, value in (row.split(" ") for row in rows)}


def make_authority(folder):
    """(certificate, key) of an authority of the test's own."""
    certificate, key = Path(folder) / "ca.pem", Path(folder) / "ca.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=test authority", "-days", "2", "-keyout", key, "-out", certificate],
                   check=True, capture_output=True)
    return certificate, key


def make_leaf(folder, authority, names):
    """One PEM file with key and certificate for all the names."""
    key, request, leaf = (Path(folder) / f"{names[0]}.{end}" for end in ("key", "csr", "pem"))
    extensions = Path(folder) / f"{names[0]}.ext"
    extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names) + "\n")
    subprocess.run(["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj",
                    "/CN=" + names[0], "-keyout", key, "-out", request], check=True, capture_output=True)
    subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", authority[0], "-CAkey", authority[1], "-days", "2",
                    "-extfile", extensions, "-out", leaf], check=True, capture_output=True)
    leaf.write_text(key.read_text() + leaf.read_text())
    return leaf


class SixServer(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6


class PolicyServer:
    """HTTPS on loopback. `pages`: {host: (status, content type, body, more headers)}; `requests`: hosts, as they came.
    One with `v6` listens on ::1 too, at the same port."""

    def __init__(self, certificate, v6=False):
        self.pages, self.requests, pages, requests = {}, [], None, None
        pages, requests = self.pages, self.requests

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                host = self.headers["Host"].partition(":")[0]
                requests.append(host)
                status, kind, body, *more = pages.get(host, (404, "text/plain", b"nothing here"))
                if self.path != "/.well-known/mta-sts.txt":
                    status = 404
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                for name, value in more[0].items() if more else ():
                    self.send_header(name, value)
                self.end_headers()
                try:
                    self.wfile.write(body)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.servers = [self.listen(http.server.ThreadingHTTPServer, "127.0.0.1", 0, Handler, context)]
        self.port = self.servers[0].server_address[1]
        if v6:
            self.servers.append(self.listen(SixServer, "::1", self.port, Handler, context))

    @staticmethod
    def listen(kind, address, port, handler, context):
        server = kind((address, port), handler)
        server.handle_error = lambda *_: None
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def policy(self, host, text, kind="text/plain", status=200, **headers):
        self.pages[host] = (status, kind, text.replace("\n", "\r\n").encode(), headers)

    def close(self):
        for server in self.servers:
            server.shutdown()
            server.server_close()

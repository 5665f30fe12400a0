"""The web server that MTA-STS policies are fetched from [RFC8461 3.3]; every name has a certificate of its own."""
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import certs

PATH = "/.well-known/mta-sts.txt"


def policy_text(mode, *mx, max_age=86400):
    return "".join(f"{line}\r\n" for line in
                   ("version: STSv1", f"mode: {mode}", *(f"mx: {m}" for m in mx), f"max_age: {max_age}"))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        host = self.headers.get("Host", "").split(":")[0]
        text = self.server.policies.get(host)
        self.server.asked.append((host, self.path))
        if text is None or self.path != PATH:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listening):
        super().__init__(("", 0), Handler, bind_and_activate=False)
        self.socket.close()
        self.socket = listening

    def finish_request(self, request, address):
        try:
            request.settimeout(10)
            self.RequestHandlerClass(self.context.wrap_socket(request, server_side=True), address, self)
        except OSError:
            pass


class Policies:
    def __init__(self, lab, number):
        self.lab, self.host = lab, lab.odd_host
        self.address = self.lab.add_odd_address(number)
        self.contexts = {}
        self.server = Server(self.host.listen(self.address, 443))
        self.server.policies, self.server.asked = {}, []
        self.server.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server.context.load_cert_chain(*lab.authority.issue("nobody.test"))
        self.server.context.sni_callback = self.choose
        threading.Thread(target=self.server.serve_forever, args=(0.2,), daemon=True).start()

    def add(self, domain, text, kind=certs.GOOD):
        """A policy for the domain, served under a certificate of that kind."""
        host = f"mta-sts.{domain}"
        self.server.policies[host] = text
        self.contexts[host] = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.contexts[host].load_cert_chain(*self.lab.authority.issue(host, kind=kind))
        self.lab.dns.add_host(host, self.address)
        self.lab.dns.add(f"_mta-sts.{domain}", "TXT", '"v=STSv1; id=20261122;"')

    def choose(self, sock, name, _):
        if name in self.contexts:
            sock.context = self.contexts[name]

    def close(self):
        self.server.shutdown()
        self.server.server_close()

"""SMTP and POP3 by hand: every byte and every packet is the test's own."""
import socket
import ssl


class Wire:
    def __init__(self, port, tls=None, unix=None, timeout=120):
        if unix:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(str(unix))
        else:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self.start_tls(tls)
        else:
            self.lines = self.socket.makefile("rb")

    def start_tls(self, context):
        self.socket = context.wrap_socket(self.socket, server_hostname="localhost")
        self.lines = self.socket.makefile("rb")

    def send(self, data):
        self.socket.sendall(data)

    def reply(self):
        """One whole SMTP reply as text; "" when the server has closed."""
        whole = b""
        while True:
            line = self.lines.readline()
            whole += line
            if not line or line[3:4] == b" ":
                return whole.decode("utf-8", "replace")

    def say(self, line):
        self.send(line if isinstance(line, bytes) else line.encode() + b"\r\n")
        return self.reply()

    def rest(self):
        """All that comes until the server closes."""
        data = b""
        try:
            while chunk := self.socket.recv(65536):
                data += chunk
        except (ConnectionError, ssl.SSLError):
            pass
        return data

    def close(self):
        self.lines.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()


def greeted(port, name="client.example.net", **options):
    """A session behind its EHLO."""
    wire = Wire(port, **options)
    assert wire.reply().startswith("220 ")
    assert wire.say(f"EHLO {name}").startswith("250")
    return wire


def in_data(port, to="a@example.org", sender="s@example.net"):
    """A session that has got its 354."""
    wire = greeted(port)
    assert wire.say(f"MAIL FROM:<{sender}>").startswith("250")
    assert wire.say(f"RCPT TO:<{to}>").startswith("250")
    assert wire.say("DATA").startswith("354")
    return wire

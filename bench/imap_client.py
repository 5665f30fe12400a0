"""An IMAP client that costs next to nothing, so that the server is what is measured."""
import socket
import ssl
import time

TAIL = 4096  # no tagged answer is longer


def last_line(tail):
    return tail[tail.rfind(b"\r\n", 0, -2) + 2 if b"\r\n" in tail[:-2] else 0:]


class Client:
    def __init__(self, port, tls=False):
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(600)
        if tls:
            context = ssl._create_unverified_context()
            self.socket = context.wrap_socket(self.socket)
        self.tags, self.behind = 0, b""
        self.space = memoryview(bytearray(1 << 20))
        self.line()

    def line(self):
        """One line; of greetings and untagged news, which come one by one."""
        while b"\r\n" not in self.behind:
            self.behind += self.socket.recv(65536)
        line, _, self.behind = self.behind.partition(b"\r\n")
        return line

    def send(self, command):
        self.tags += 1
        tag = b"T%05d" % self.tags
        self.socket.sendall(tag + b" " + command + b"\r\n")
        return tag

    def finish(self, tag, keep=False):
        """Reads to the tagged answer, which must be OK; the bytes, when they are wanted."""
        kept = [self.behind]
        tail, n, self.behind = self.behind[-TAIL:], len(self.behind), b""
        while not (tail.endswith(b"\r\n") and last_line(tail).startswith(tag + b" ")):
            got = self.socket.recv_into(self.space)
            if got == 0:
                raise SystemExit(f"the server closed the connection; last was {tail!r}")
            n += got
            if keep:
                kept.append(bytes(self.space[:got]))
            tail = (tail + self.space[:got])[-TAIL:] if got < TAIL else bytes(self.space[got - TAIL:got])
        if not last_line(tail).startswith(tag + b" OK"):
            raise SystemExit(f"the server said {last_line(tail)!r}")
        return b"".join(kept) if keep else n

    def run(self, command, keep=False):
        return self.finish(self.send(command), keep)

    def timed(self, command):
        started = time.perf_counter()
        self.run(command)
        return time.perf_counter() - started

    def login(self, user, password="secret"):
        self.run(b"LOGIN %s %s" % (user.encode(), password.encode()))

    def append(self, mailbox, messages):
        """All of them by one command [RFC3502], without waiting [RFC7888]."""
        parts = [b"APPEND " + mailbox.encode()]
        parts += [b" () {%d+}\r\n%s" % (len(m), m) for m in messages]
        self.run(b"".join(parts))

    def close(self):
        self.socket.close()

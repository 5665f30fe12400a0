"""Where relayed mail ends: servers that take it, store nothing, and know how many messages they took."""
import re
import struct
import subprocess
import time
from pathlib import Path

import peers
from peers import harness

SOURCE = Path(__file__).resolve().parent / "tls_sink.c"


class SmtpSink:
    """Postfix's own; knows no TLS. Says after each step how much it has seen."""
    tls = False

    def __init__(self, folder):
        self.port, self.path = harness.free_ports(1)[0], folder / "smtp-sink.count"
        self.output = open(self.path, "wb")
        self.process = subprocess.Popen(["smtp-sink", "-c", "-u", "nobody", f"127.0.0.1:{self.port}", "1000"],
                                        stdout=self.output, stderr=subprocess.DEVNULL)
        time.sleep(0.5)

    def count(self):
        """Messages since the start."""
        with open(self.path, "rb") as f:
            f.seek(0, 2)
            f.seek(max(0, f.tell() - 4096))
            found = re.findall(rb"mesg=(\d+)", f.read())
        return int(found[-1]) if found else 0

    def close(self):
        self.process.terminate()
        self.process.wait()
        self.output.close()


class TlsSink:
    tls = True

    def __init__(self, folder):
        self.port, self.path = harness.free_ports(1)[0], folder / "tls-sink.count"
        program = folder / "tls_sink"
        subprocess.run(["cc", "-O2", "-o", program, SOURCE, "-lssl", "-lcrypto", "-lpthread"], check=True)
        cert, key = harness.make_certificate(folder)
        self.process = subprocess.Popen([program, str(self.port), self.path, cert, key])
        harness.wait_until(lambda: self.path.exists() and self.path.stat().st_size == 24, 10, "tls_sink")

    def read(self):
        """(messages, connections, bytes of content) since the start"""
        return struct.unpack("QQQ", self.path.read_bytes())

    def count(self):
        return self.read()[0]

    def close(self):
        self.process.terminate()
        self.process.wait()


class PostroadRelay:
    """Sends all mail to that sink."""
    name = "postroad"

    def __init__(self, disk, sink=None, sections="", settings=None):
        to = f'route "*" {{ to = "[127.0.0.1]:{sink.port}" tls = "{"encrypt" if sink.tls else "none"}" }}\n' if sink else ""
        self.server = harness.Postroad(
            build=peers.release(), folder=peers.make_folder(disk / "postroad-relay"), sections=to + sections,
            settings={"trusted_networks": '{"127.0.0.0/8"}', **(settings or {})})
        self.server.start()
        self.port = self.server.ports["smtp"]

    def roots(self):
        return [self.server.process.pid]

    def close(self):
        self.server.close()
        peers.remove(self.server.folder)


class PostfixRelay(peers.Postfix):
    """The same by relayhost; TLS connections are used again, which it does not do by itself."""
    name = "postfix"

    def __init__(self, disk, sink=None, settings=""):
        self.base, self.port = peers.make_folder(disk / "postfix-relay"), harness.free_ports(1)[0]
        if sink:
            settings += (f"relayhost = [127.0.0.1]:{sink.port}\n"
                         f"smtp_tls_security_level = {'encrypt' if sink.tls else 'none'}\n"
                         f"smtp_tls_connection_reuse = {'yes' if sink.tls else 'no'}\n")
        self.start_postfix("mynetworks = 127.0.0.0/8\n" + settings)

    def roots(self):
        return [self.postfix_pid]

    def close(self):
        self.stop_postfix()
        peers.remove(self.base)

"""./dev bench imap - one large mailbox, Postroad beside Dovecot

Every server stands on the same journaled ext4 (a loop mount of one's own) with its syncs on, and
has the same MESSAGES of 2 KB in one mailbox. A plain connection, one command at a time; medians of
REPEAT rounds, in seconds. "first" is a client's first look: for Dovecot its cache file is removed
before each round; Postroad has no such thing to remove. Figures of Dovecot are those of its
better format, sdbox or mdbox, for each line.
"""
import argparse
import smtplib
import statistics
import threading
import time

import disk
import ending
import imap_client
import imap_peers
import letters

FIELDS_THUNDERBIRD = (b"UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (From To Cc Bcc Subject Date Message-ID "
                      b"Priority X-Priority References Newsgroups In-Reply-To Content-Type Reply-To)]")
FIELDS_IPHONE = (b"INTERNALDATE UID RFC822.SIZE FLAGS BODY.PEEK[HEADER.FIELDS (date subject from content-type to cc "
                 b"bcc message-id in-reply-to references)]")
SEARCH_BODY = b"SEARCH BODY " + letters.NEEDLE.encode()
SEARCH_TEXT = b"SEARCH TEXT " + letters.NEEDLE.encode()
SORT = b"SORT (SUBJECT DATE) UTF-8 ALL"
THREAD = b"THREAD REFERENCES UTF-8 ALL"

# name, how many times faster than the better Dovecot, and how it is measured
GOALS = (
    ("select", 1), ("flags", 3), ("envelope first", 20), ("envelope", 8), ("fields thunderbird", 4),
    ("fields iphone", 4), ("bodystructure", 3), ("search body", 20), ("search text", 20), ("sort first", 5),
    ("thread first", 5), ("store", 5), ("copy 10,000", 5), ("expunge 50,000", 3), ("append", 1),
    ("download", 1), ("download tls", 1), ("notify", 0))


class Round:
    """The measurements of one server."""

    def __init__(self, peer, options):
        self.peer, self.options = peer, options
        self.figures = {}

    def client(self, tls=False, mailbox=b"INBOX"):
        client = imap_client.Client(self.peer.tls_port if tls else self.peer.port, tls)
        client.login(imap_peers.ACCOUNT)
        if mailbox:
            client.run(b"SELECT " + mailbox)
        return client

    def median(self, name, measure, repeat=None):
        taken = [measure() for _ in range(repeat or self.options.repeat)]
        self.figures[name] = statistics.median(taken)
        print(f"  {self.peer.name:16} {name:20} {self.figures[name]:9.4f}", flush=True)

    def fill(self):
        client = self.client(mailbox=None)
        step = 1000
        for first in range(0, self.options.messages, step):
            client.append("INBOX", letters.messages(first, step))
        client.close()

    def fresh(self, command):
        """A new session of a client that was never here."""
        self.peer.forget()
        client = self.client()
        taken = client.timed(command)
        client.close()
        return taken

    def looks(self):
        self.median("envelope first", lambda: self.fresh(b"FETCH 1:* ENVELOPE"), repeat=2)
        self.median("sort first", lambda: self.fresh(SORT), repeat=2)
        self.median("thread first", lambda: self.fresh(THREAD), repeat=2)
        client = self.client()
        for name, command in (
                ("select", b"SELECT INBOX"), ("flags", b"FETCH 1:* (UID FLAGS)"), ("envelope", b"FETCH 1:* ENVELOPE"),
                ("fields thunderbird", b"FETCH 1:* (%s)" % FIELDS_THUNDERBIRD),
                ("fields iphone", b"FETCH 1:* (%s)" % FIELDS_IPHONE), ("bodystructure", b"FETCH 1:* BODYSTRUCTURE"),
                ("search body", SEARCH_BODY), ("search text", SEARCH_TEXT)):
            client.timed(command)  # what a server learns from the first look it may use
            self.median(name, lambda: client.timed(command))
        client.close()

    def downloads(self):
        for name, tls in (("download", False), ("download tls", True)):
            client = self.client(tls)
            self.median(name, lambda: client.timed(b"FETCH 1:* BODY.PEEK[]"), repeat=3)
            client.close()

    def changes(self):
        client = self.client()
        signs = iter(b"+-" * 100)
        self.median("store", lambda: client.timed(b"STORE 1:* %cFLAGS.SILENT (\\Flagged)" % next(signs)))
        client.run(b"CREATE copies")
        self.median("copy 10,000", lambda: client.timed(b"COPY 1:%d copies" % min(10000, self.options.messages)))
        extra = iter(range(10 ** 6))
        self.median("append", lambda: self.append_one(client, next(extra)), repeat=200)
        self.median("expunge 50,000", lambda: self.expunge(client, min(50000, self.options.messages // 2)), repeat=1)
        client.close()

    def append_one(self, client, number):
        letter = letters.message(number, seed=2)
        started = time.perf_counter()
        client.append("copies", [letter])
        return time.perf_counter() - started

    @staticmethod
    def expunge(client, n):
        client.run(b"STORE 1:%d +FLAGS.SILENT (\\Deleted)" % n)
        return client.timed(b"EXPUNGE")

    def notify(self):
        client = self.client()
        tag = client.send(b"IDLE")
        client.line()
        smtp = (smtplib.LMTP if self.peer.lmtp else smtplib.SMTP)("127.0.0.1", self.peer.delivery_port)
        self.median("notify", lambda: self.notify_one(client, smtp), repeat=50)
        smtp.quit()
        client.socket.sendall(b"DONE\r\n")
        client.finish(tag)
        client.close()

    @staticmethod
    def notify_one(client, smtp):
        seen = []

        def listen():
            while not client.line().endswith(b"EXISTS"):
                pass
            seen.append(time.perf_counter())
        listener = threading.Thread(target=listen)
        listener.start()
        smtp.sendmail("sender@example.net", [imap_peers.ACCOUNT], letters.message(len(seen), seed=3))
        answered = time.perf_counter()
        listener.join(30)
        time.sleep(0.05)
        return max(seen[0] - answered, 0.0)

    def run(self):
        self.fill()
        self.looks()
        self.downloads()
        self.notify()
        self.changes()
        return self.figures


def measure_peer(make, options):
    with disk.Ext4() as where:
        peer = make(where)
        try:
            return peer.name, Round(peer, options).run()
        finally:
            peer.close()


def print_table(results):
    ours = dict(results).get("postroad")
    others = [figures for name, figures in results if name != "postroad"]
    print(f"{'':20}" + "".join(f"{name:>16}" for name, _ in results) + f"{'ratio':>9}{'goal':>7}")
    for name, goal in GOALS:
        line = f"{name:20}" + "".join(f"{f[name]:16.4f}" if name in f else f"{'-':>16}" for _, f in results)
        if ours and others and name in ours:
            ratio = min(f[name] for f in others) / max(ours[name], 1e-9)
            line += f"{ratio:9.1f}{goal:7}" + ("" if ratio >= goal else "  short")
        print(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--only", help="measure only the peers whose name contains this")
    options = parser.parse_args()
    makers = {"postroad": imap_peers.PostroadImap,
              "dovecot sdbox": lambda d: imap_peers.DovecotImap(d, "sdbox"),
              "dovecot mdbox": lambda d: imap_peers.DovecotImap(d, "mdbox")}
    results = [measure_peer(make, options) for name, make in makers.items()
               if not options.only or options.only in name]
    print()
    print_table(results)


if __name__ == "__main__":
    ending.run(main)

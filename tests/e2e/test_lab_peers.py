"""Mail from Postroad to servers that misbehave (tests/peers), each with a domain of its own (tests/lab).

All mail is sent first, and each test then looks at the fate of its own: delivered exactly once, or
deferred with nothing sent, or refused with a report. LAB=full adds the ways to break a connection
that differ little, and sends the rows that any good server passes by Postfix and Exim too, which proves
the peers themselves.
"""
import itertools
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import peers  # noqa: E402
from lab import certs  # noqa: E402
from lab import lab as laboratory  # noqa: E402
from lab.odd import RIGHT, WRONG, Domain, Mx  # noqa: E402

FULL = os.environ.get("LAB") == "full"
DELIVERED, DEFERRED, REFUSED = "delivered", "deferred", "refused"
UTF8 = ("SMTPUTF8", "BODY=8BITMIME")
PLAIN = tuple(e for e in peers.ALL if e not in ("PIPELINING", "8BITMIME", "SMTPUTF8", "CHUNKING"))
STEPS = ("connect", "greeting", "ehlo", "starttls", "handshake", "ehlo2", "mail", "rcpt", "data", "content", "dot")


@dataclass
class Row:
    name: str
    domain: Domain = field(default_factory=Domain)
    fate: str = DELIVERED
    says: str = ""        # in the reason of a deferral, or in the report
    arrived: int = 1      # how often the whole message came (more: its answer was lost)
    tls: bool | None = None
    rcpts: dict = field(default_factory=lambda: {"x": DELIVERED})
    options: tuple = ()
    body: str = "hello\r\n.dot\r\n"
    sender: str = "box"
    route: str = ""       # inside of this domain's route section
    others: bool = False  # any good server passes
    full: bool = False    # only with LAB=full
    n: int = 1            # messages
    wait_s: float = 120
    zone: str = "test"


def mx(*faults, **options):
    return Domain([Mx(list(faults), **options)])


def drops():
    for step, action in itertools.product(STEPS, ("drop", "reset")):
        yield Row(f"{action} at {step}", mx((step, action)), arrived=2 if step == "dot" else 1, others=True,
                  full=action == "reset" and step not in ("connect", "rcpt", "content"))
    yield Row("drop after the message", mx(("after", "drop")), others=True)


def replies():
    for step in ("greeting", "ehlo", "mail", "rcpt", "data", "dot"):
        yield Row(f"421 at {step}", mx((step, "421 4.3.2 not now")), others=True,
                  arrived=2 if step == "dot" else 1)
        yield Row(f"garbage at {step}", mx((step, "garbage")), arrived=2 if step == "dot" else 1)
        yield Row(f"huge line at {step}", mx((step, "huge")), arrived=2 if step == "dot" else 1, full=step != "mail")
    for step in ("mail", "rcpt", "data", "dot"):
        yield Row(f"451 at {step}", mx((step, "451 4.7.1 greylisted")), others=True,
                  arrived=2 if step == "dot" else 1)
        yield Row(f"550 at {step}", mx((step, "550 5.7.1 we do not like you", None)), REFUSED, "5.7.1", others=True)
    yield Row("421 flood", mx(("greeting", "421 4.7.0 too many", 2)), n=4)
    yield Row("421 flood that lasts", mx(("greeting", "421 4.7.0 too many", 6)), n=4, full=True, wait_s=150)
    yield Row("greylisted thrice", mx(("rcpt", "450 4.2.0 later", 3)), others=True)


def recipients():
    yield Row("partial failure", mx(("rcpt", "550 5.1.1 nobody", None, "bad"), ("rcpt", "451 4.2.1 later", 1, "late")),
              rcpts={"good": DELIVERED, "bad": REFUSED, "late": DELIVERED, "fine": DELIVERED}, says="5.1.1",
              others=True)
    yield Row("many to one place", n=10, others=True)
    yield Row("a hundred recipients", rcpts={f"r{n}": DELIVERED for n in range(100)}, others=True)


def hosts():
    dead = Mx(listening=False)
    yield Row("first of two refuses", Domain([dead, Mx(preference=20)]), others=True)
    yield Row("first of two says 421", Domain([Mx([("greeting", "421 4.3.2 away", None)]), Mx(preference=20)]), others=True)
    yield Row("first of two drops", Domain([Mx([("connect", "drop", None)]), Mx(preference=20)]), others=True)
    yield Row("IPv6 only", mx(ipv4=False, ipv6=True), others=True)
    yield Row("both families", mx(ipv6=True), others=True)
    yield Row("null MX", Domain([], null_mx=True), REFUSED, "5.1.10", others=True)
    yield Row("no such domain", Domain([]), REFUSED, "5.1.2", others=True)
    yield Row("signatures do not fit", Domain(), DEFERRED, zone="broken", others=True)
    yield Row("all are dead", Domain([dead, Mx(listening=False, preference=20)]), DEFERRED, "refused")
    yield Row("slow", mx(byte_pause_s=1 if FULL else 0.05), wait_s=600 if FULL else 120)


def abilities():
    yield Row("few extensions", mx(extensions=("SIZE 1000000",)), others=True)
    yield Row("none at all", mx(extensions=(), tls=None), others=True)
    yield Row("8 bits to a server of 7", mx(extensions=PLAIN), body="gr\u00fc\u00dfe\r\n" * 50, options=("BODY=8BITMIME",))
    yield Row("UTF-8 address not taken", mx(extensions=PLAIN), REFUSED, "5.6.7", options=UTF8, sender="p\u00f6st")
    yield Row("UTF-8 address", options=UTF8, sender="p\u00f6st", others=True)
    yield Row("too large", mx(extensions=("SIZE 1000",)), REFUSED, "5.3.4", body="x" * 70 + "\r\n" + "y\r\n" * 1000)


def tls():
    yield Row("expired, may", mx(tls=certs.EXPIRED), tls=True, others=True)
    yield Row("stranger, may", mx(tls=certs.STRANGER), tls=True, others=True)
    yield Row("no TLS, may", mx(tls=None), tls=False, others=True)
    yield Row("TLS, none", route='tls = "none"', tls=False)
    yield Row("TLS, encrypt", mx(tls=certs.STRANGER), route='tls = "encrypt"', tls=True)
    yield Row("no TLS, encrypt", mx(tls=None), DEFERRED, "TLS", route='tls = "encrypt"')
    yield Row("good, verify", route='tls = "verify"', tls=True)
    yield Row("stranger, verify", mx(tls=certs.STRANGER), DEFERRED, "certificate", route='tls = "verify"')
    yield Row("expired, verify", mx(tls=certs.EXPIRED), DEFERRED, "certificate", route='tls = "verify"')
    yield Row("DANE right", mx(tls=certs.STRANGER, tlsa=RIGHT), tls=True, others=True)
    yield Row("DANE wrong", mx(tlsa=WRONG), DEFERRED, "TLSA", others=True)
    yield Row("DANE right of an alias that leads out", mx(tls=certs.STRANGER, tlsa=RIGHT, away=True), tls=True)
    yield Row("DANE wrong of an alias that leads out", mx(tlsa=WRONG, away=True), DEFERRED, "TLSA")
    yield Row("DANE only without", mx(), DEFERRED, "DANE", route='tls = "dane-only"')
    yield Row("DANE only right", mx(tlsa=RIGHT), route='tls = "dane-only"', tls=True)


def sts():
    good, bad = ("enforce", None, certs.GOOD), ("enforce", ["other.test"], certs.GOOD)
    yield Row("STS good", Domain(sts=good), tls=True)
    yield Row("STS bad certificate", Domain([Mx(tls=certs.STRANGER)], sts=good), DEFERRED, "MTA-STS")
    yield Row("STS without TLS", Domain([Mx(tls=None)], sts=good), DEFERRED, "MTA-STS")
    yield Row("STS unlisted MX", Domain(sts=bad), DEFERRED, "MTA-STS")
    yield Row("STS testing", Domain([Mx(tls=certs.STRANGER)], sts=("testing", None, certs.GOOD)), tls=True)
    yield Row("STS policy of a stranger", Domain([Mx(tls=certs.STRANGER)], sts=("enforce", None, certs.STRANGER)), tls=True)


ROWS = [r for r in itertools.chain(drops(), replies(), recipients(), hosts(), abilities(), tls(), sts())
        if FULL or not r.full]
RUNS = [(r, s) for r in ROWS for s in (("a", "postfix", "exim") if FULL and r.others and not r.route else ("a",))]


def domain_of(row, sender):
    return row.name.lower().replace(" ", "-").replace(",", "") + f"-by-{sender}.{row.zone}"


def run_name(run):
    return f"{run[0].name.replace(' ', '_')}-{run[1]}"


def letter(row, token, sender, domain):
    return (f"From: <{sender}>\r\nTo: <x@{domain}>\r\nSubject: {token}\r\nMessage-ID: <{token}@client.test>\r\n"
            "Date: Sun, 22 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            f"{'Content-Transfer-Encoding: 8bit' if not row.body.isascii() else 'X-Bits: 7'}\r\n\r\n{row.body}").encode()


def send(net, run, tokens):
    row, station = run[0], net[run[1]]
    sender, domain = f"{row.sender}@{station.domain}", domain_of(*run)
    for token in tokens:
        station.send(sender, [f"{box}@{domain}" for box in row.rcpts], letter(row, token, sender, domain), row.options)


@pytest.fixture(scope="module")
def net():
    missing = laboratory.missing()
    if missing:
        pytest.skip(missing)
    domains = {domain_of(*run): fresh(run[0].domain) for run in RUNS}
    sections = "".join(f'route "{domain_of(*run)}" {{ {run[0].route} }}\n' for run in RUNS if run[0].route)
    stations = ("a", "postfix", "exim") if FULL else ("a",)
    with laboratory.Lab(stations, domains, sections=sections) as started:
        started.tokens = {}
        for run in RUNS:
            tokens = started.tokens[run_name(run)] = [laboratory.token() for _ in range(run[0].n)]
            send(started, run, tokens)
        yield started


def fresh(description):
    return Domain(list(description.mx), description.sts, description.null_mx)


def wait_taken(domain, token, wanted, seconds):
    """The messages with the token, once all recipients wanted have it or the time is over."""
    end = time.monotonic() + seconds
    while True:
        taken = domain.taken(token)
        got = [r.split("@")[0] for m in taken for r in m.recipients]
        if set(got) >= wanted or time.monotonic() > end:
            return taken, got
        time.sleep(0.1)


@pytest.mark.parametrize("run", RUNS, ids=run_name)
def test_lab_peer(net, run):
    row, station = run[0], net[run[1]]
    domain = net.domains[domain_of(*run)]
    for token in net.tokens[run_name(run)]:
        CHECKS[row.fate](station, row, domain, token)
    if run[1] in ("a", "b"):
        assert not domain.wrong()


def check_delivered(station, row, domain, token):
    wanted = {box for box, fate in row.rcpts.items() if fate == DELIVERED}
    taken, got = wait_taken(domain, token, wanted, row.wait_s)
    assert sorted(got) == sorted(wanted), f"{station.deferred(domain.name)}\n{domain.dialogue()[-3000:]}"
    assert len(domain.arrived(token)) == row.arrived + len(taken) - 1
    for message in taken:
        check_message(row, message)
    if REFUSED in row.rcpts.values():
        check_report(station, row, token)


def check_message(row, message):
    assert message.sender.startswith(row.sender + "@")
    assert b"\n.dot\r\n" in message.content or ".dot" not in row.body
    if row.tls is not None:
        assert bool(message.tls) == row.tls
    if not row.body.isascii():
        assert message.content.isascii()
        assert b"=C3=BC" in message.content and b"quoted-printable" in message.content.lower()


def check_report(station, row, token):
    reports = station.wait_received(token, row.wait_s, also=b"multipart/report")
    assert len(reports) == 1, station.log()[-3000:]
    assert station.name != "a" or row.says.encode() in reports[0]


def check_refused(station, row, domain, token):
    check_report(station, row, token)
    assert not domain.taken(token)


def check_deferred(station, row, domain, token):
    reasons = station.wait_deferred(domain.name, row.wait_s)
    assert reasons, f"no deferral\n{domain.dialogue()[-3000:]}"
    assert station.name != "a" or row.says in " ".join(reasons)
    assert not domain.arrived(token)


CHECKS = {DELIVERED: check_delivered, DEFERRED: check_deferred, REFUSED: check_refused}


def test_lab_slow_peer_delays_no_other(net):
    """What was sent to good servers behind it was there before the slow one had taken its own."""
    def arrived_at(name):
        row = next(r for r in ROWS if r.name == name)
        [token], domain = net.tokens[f"{name.replace(' ', '_')}-a"], net.domains[domain_of(row, "a")]
        [message], _ = wait_taken(domain, token, {"x"}, row.wait_s)
        return message.at
    names = [r.name for r in ROWS]
    behind = ("few extensions", "none at all", "UTF-8 address")
    assert all(names.index("slow") < names.index(name) for name in behind)
    assert max(arrived_at(name) for name in behind) < arrived_at("slow")


def test_lab_connections_are_used_again(net):
    good = net.domains[domain_of(next(r for r in ROWS if r.name == "many to one place"), "a")]
    assert good.peers[0].count < 10


def test_lab_nothing_is_lost_and_nothing_taken_twice(net):
    """Once more at the end, over all: what a server took stays the only copy that it took."""
    sent = again = 0
    for run in RUNS:
        row, domain = run[0], net.domains[domain_of(*run)]
        wanted = sorted(box for box, fate in row.rcpts.items() if row.fate == fate == DELIVERED)
        for token in net.tokens[run_name(run)]:
            taken = domain.taken(token)
            assert sorted(r.split("@")[0] for m in taken for r in m.recipients) == wanted, row.name
            sent += 1
            again += len(domain.arrived(token)) - len(taken)
    print(f"{sent} messages sent, {again} came again because the answer to them was lost")

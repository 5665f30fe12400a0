"""resolved: what it answers for real zones, signed and broken, and for real MTA-STS policies."""
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import harness  # noqa: E402
from dns_server import DnsServer  # noqa: E402
from lab import net  # noqa: E402
from resolver_pipe import PolicyServer, Resolver, make_authority, make_leaf  # noqa: E402

DIGEST = "ab" * 32
CHAIN = "\n".join(f"c{i} CNAME c{i + 1}" for i in range(9)) + "\nc9 A 192.0.2.9"
HOSTS = f"""
@ MX 10 mx
@ MX 20 Backup.Example.ORG.
mx A 192.0.2.1
mx AAAA 2001:db8::1
alias CNAME mx
away CNAME mx.plain.example.
loop CNAME loop2
loop2 CNAME loop
null MX 0 .
txt TXT "a b" "c"
big TXT {" ".join('"' + "x" * 250 + '"' for _ in range(60))}
_25._tcp.mx TLSA 3 1 1 {DIGEST}
_25._tcp.mx TLSA 2 0 2 {DIGEST * 2}
{CHAIN}
"""
PLAIN = "@ MX 10 mx\nmx A 192.0.2.2\nback CNAME mx.example.org."


@pytest.fixture(scope="module")
def dns():
    with DnsServer() as server:
        server.zone("example.org", HOSTS, signed=True)
        server.zone("sub.example.org", "@ A 192.0.2.3", signed=True)
        server.zone("plain.example", PLAIN)
        for fault in ("broken", "expired", "stripped"):
            server.zone(f"{fault}.example", "@ MX 10 mx\nmx A 192.0.2.4\n_25._tcp.mx TLSA 3 1 1 " + DIGEST,
                        signed=True, fault=fault)
        server.zone("4.3.9.in-addr.arpa", "1 PTR mx.example.org.", signed=True)
        server.start()
        yield server


@pytest.fixture(scope="module")
def resolver(dns):
    with Resolver(dns) as r:
        yield r


ROWS = [
    # type, name, outcome, security, where CNAMEs led, records
    ("MX", "example.org", "OK", "secure", "example.org", ["MX 10 mx.example.org", "MX 20 backup.example.org"]),
    ("MX", "EXAMPLE.Org", "OK", "secure", "example.org", ["MX 10 mx.example.org", "MX 20 backup.example.org"]),
    ("MX", "null.example.org", "OK", "secure", "null.example.org", ["MX 0 "]),
    ("A", "mx.example.org", "OK", "secure", "mx.example.org", ["A c0000201"]),
    ("AAAA", "mx.example.org", "OK", "secure", "mx.example.org", ["AAAA 20010db8000000000000000000000001"]),
    ("A", "sub.example.org", "OK", "secure", "sub.example.org", ["A c0000203"]),
    ("A", "alias.example.org", "OK", "secure", "mx.example.org", ["A c0000201"]),
    ("CNAME", "alias.example.org", "OK", "secure", "alias.example.org", ["CNAME mx.example.org"]),
    # An alias is as secure as its own zone, wherever it leads.
    ("CNAME", "away.example.org", "OK", "secure", "away.example.org", ["CNAME mx.plain.example"]),
    ("CNAME", "back.plain.example", "OK", "insecure", "back.plain.example", ["CNAME mx.example.org"]),
    ("A", "away.example.org", "OK", "insecure", "mx.plain.example", ["A c0000202"]),
    ("A", "back.plain.example", "OK", "insecure", "mx.example.org", ["A c0000201"]),
    ("MX", "alias.example.org", "NO_DATA", "secure", "mx.example.org", []),
    ("MX", "plain.example", "OK", "insecure", "plain.example", ["MX 10 mx.plain.example"]),
    ("A", "nothing.plain.example", "NO_NAME", "insecure", "nothing.plain.example", []),
    ("AAAA", "mx.plain.example", "NO_DATA", "insecure", "mx.plain.example", []),
    ("A", "nothing.example.org", "NO_NAME", "secure", "nothing.example.org", []),
    ("TLSA", "mx.example.org", "NO_DATA", "secure", "mx.example.org", []),
    ("TXT", "txt.example.org", "OK", "secure", "txt.example.org", ["TXT 61206263"]),
    ("TXT", "big.example.org", "OK", "secure", "big.example.org", ["TXT " + "78" * 250 * 60]),
    ("PTR", "1.4.3.9.in-addr.arpa", "OK", "secure", "1.4.3.9.in-addr.arpa", ["PTR mx.example.org"]),
    ("A", "c1.example.org", "OK", "secure", "c9.example.org", ["A c0000209"]),
    ("A", "no.such.tld", "NO_NAME", "secure", "no.such.tld", []),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_dns_answer_says_what_the_zone_says(resolver, row):
    kind, name, *want = row
    answer = resolver.ask(kind, name)
    assert [answer.outcome, answer.security, answer.name, sorted(answer.records)] == want
    assert answer.text == ""
    assert 0 < answer.ttl <= 300


def test_dns_tlsa_is_taken_apart(resolver):
    answer = resolver.ask("TLSA", "_25._tcp.mx.example.org")
    assert answer.security == "secure"
    assert sorted(answer.records) == [f"TLSA 2 0 2 {DIGEST * 2}", f"TLSA 3 1 1 {DIGEST}"]


@pytest.mark.parametrize("name", ["c0.example.org", "loop.example.org"])
def test_dns_chain_too_long_or_in_a_circle_is_a_temporary_failure(resolver, name):
    answer = resolver.ask("A", name)
    assert (answer.outcome, answer.records) == ("LATER", [])
    assert name in answer.text


@pytest.mark.parametrize("fault, why", [("broken", "signature"), ("expired", "expired"), ("stripped", "No DNSKEY")])
@pytest.mark.parametrize("kind, name", [("MX", ""), ("A", "nothing."), ("TLSA", "_25._tcp.mx.")])
def test_dns_bogus_is_a_temporary_failure_that_says_why(resolver, fault, why, kind, name):
    answer = resolver.ask(kind, f"{name}{fault}.example")
    assert (answer.outcome, answer.security, answer.records) == ("LATER", "bogus", [])
    assert "DNSSEC" in answer.text and why in answer.text
    assert harness.wait_until(lambda: any(f" resolver.bogus name={name}{fault}.example" in line
                                          for line in resolver.log))


def test_dns_many_questions_at_once_are_all_answered(resolver):
    tags = [resolver.send("dns", f"A many{i}.example.org") for i in range(500)]
    assert {resolver.wait(tag).outcome for tag in tags} == {"NO_NAME"}
    assert resolver.status()["open"] == 0


def test_dns_question_that_is_none_drops_the_peer(dns):
    with Resolver(dns) as r:
        r.program.stdin.write("dns 1 MX a..b\n")
        r.program.stdin.flush()
        assert r.program.stdout.readline().startswith("down\t")


def test_dns_servers_away_are_a_temporary_failure_in_time(dns):
    """Nothing answers: the question ends by its own deadline."""
    with DnsServer() as mine:
        mine.zone("gone.example", "@ A 192.0.2.1", signed=True)
        mine.start()
        with Resolver(mine) as r:
            assert r.ask("A", "gone.example").outcome == "OK"
            harness.freeze(mine.process.pid)
            begun = time.monotonic()
            answer = r.ask("A", "other.gone.example")
            mine.process.send_signal(signal.SIGCONT)
            assert answer.outcome == "LATER"
            assert time.monotonic() - begun < 25, "a question has 10 s; the rest is for a machine with other work"
            assert r.ask("A", "gone.example").outcome == "OK", "what is known stays known"


def test_dns_server_that_comes_back_is_asked_again(dns):
    with DnsServer() as mine:
        mine.zone("gone.example", "@ A 192.0.2.1", signed=True)
        mine.start()
        with Resolver(mine) as r:
            mine.stop()
            assert r.ask("A", "gone.example").outcome == "LATER"
            mine.start()
            harness.wait_until(lambda: r.ask("A", "gone.example").outcome == "OK", what="an answer again")


def test_dns_zone_that_is_changed_is_seen(dns, resolver):
    dns.zone("fresh.example", "@ A 192.0.2.7", signed=True)
    # A name nobody asked for, so that no answer from before is kept.
    assert resolver.ask("A", "fresh.example").records == ["A c0000207"]


def test_dns_trust_anchor_that_is_none_is_refused_at_the_start(dns, tmp_path):
    anchor = tmp_path / "anchor"
    anchor.write_text("nonsense\n")
    with pytest.raises(AssertionError, match="dns_trust_anchor"):
        with Resolver(dns, dns_trust_anchor=str(anchor)):
            pass


def test_dns_root_anchors_are_built_in(dns):
    """Without the test's anchor everything of its root is bogus."""
    with Resolver(None, dns_servers=[f"{dns.address}@{dns.port}"]) as r:
        answer = r.ask("A", "mx.example.org")
        assert (answer.outcome, answer.security) == ("LATER", "bogus")
        assert r.ask("A", "mx.plain.example").security == "bogus"
    assert len([line for line in r.log if "resolver.blind" in line]) == 1


# Where the root servers are, by the hints in libunbound.
ROOT_SERVERS = ["198.41.0.4", "199.9.14.201", "170.247.170.2", "192.33.4.12", "199.7.91.13", "192.203.230.10",
                "192.5.5.241", "192.112.36.4", "198.97.190.53", "192.36.148.17", "192.58.128.30", "193.0.14.129",
                "199.7.83.42", "202.12.27.33"]


@pytest.fixture
def internet(need_root):
    """The prefix of commands in a network of their own, where this machine is every root server."""
    if not net.can_be_made():
        pytest.skip("needs network namespaces")
    name = f"postroad-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    prefix = ["ip", "netns", "exec", name]
    subprocess.run([*prefix, "ip", "link", "set", "lo", "up"], check=True)
    for address in ROOT_SERVERS:
        subprocess.run([*prefix, "ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    yield prefix
    subprocess.run(["ip", "netns", "delete", name], check=True)


def test_dns_root_itself_is_asked(internet):
    with DnsServer(ROOT_SERVERS[0], 53, prefix=internet, also=ROOT_SERVERS[1:]) as mine:
        mine.zone("example.org", "@ MX 10 mx\nmx A 192.0.2.1", signed=True)
        mine.zone("plain.example", "@ MX 10 mx.example.org.")
        mine.zone("broken.example", "@ MX 10 mx.example.org.", signed=True, fault="broken")
        mine.start()
        with Resolver(mine, dns_servers=["root"]) as r:
            assert r.ask("MX", "example.org")[:2] == ("OK", "secure")
            assert r.ask("MX", "plain.example")[:2] == ("OK", "insecure")
            assert r.ask("MX", "broken.example")[:2] == ("LATER", "bogus")
            assert r.ask("A", "nothing.example")[:2] == ("NO_NAME", "secure")


# --- MTA-STS ------------------------------------------------------------------

ENFORCE = "version: STSv1\nmode: enforce\nmx: mail.{0}\nmx: *.mx.{0}\nmax_age: 86400\n"


class Web:
    """Domains below sts.example, their TXT records and their policies."""

    def __init__(self, dns, folder):
        self.dns, self.texts = dns, {}
        self.authority = make_authority(folder)
        names = ["good", "testing", "none", "two", "late", "moved", "html", "long", "wrong", "changed", "kept",
                 "shared", "off", "short", "six", "lasting", "stripped"]
        self.server = PolicyServer(make_leaf(folder, self.authority,
                                             [f"mta-sts.{name}.sts.example" for name in names]), v6=True)

    def publish(self, name, *texts):
        self.texts[name] = [f'"v=STSv1; id={text};"' if text.isalnum() else f'"{text}"' for text in texts]
        lines = []
        for label, records in self.texts.items():
            lines.append(f"mta-sts.{label} " + ("AAAA ::1" if label == "six" else "A 127.0.0.1"))
            lines += [f"_mta-sts.{label} 1 TXT {record}" for record in records]
        self.dns.zone("sts.example", "\n".join(lines))

    def page(self, name, text=ENFORCE, **more):
        self.server.policy(f"mta-sts.{name}.sts.example", text.format(f"{name}.sts.example"), **more)

    def requests(self, name):
        return self.server.requests.count(f"mta-sts.{name}.sts.example")


@pytest.fixture(scope="module")
def web(dns, tmp_path_factory):
    w = Web(dns, tmp_path_factory.mktemp("sts"))
    for name in ("good", "testing", "none", "late", "moved", "html", "long", "wrong", "other", "kept", "shared", "off",
                 "six", "lasting", "stripped"):
        w.texts[name] = ['"v=STSv1; id=1;"']
    w.texts["two"] = ['"v=STSv1; id=1;"', '"v=STSv1; id=2;"']
    w.texts["short"] = ['"v=STSv1"']
    w.publish("changed", "1")
    for name in w.texts:
        w.page(name)
    w.page("testing", "version: STSv1\nmode: testing\nmx: mail.example.net\nmax_age: 86400\n")
    w.page("none", "version: STSv1\nmode: none\nmax_age: 86400\n")
    w.page("late", status=404)
    w.page("moved", status=302, Location="https://mta-sts.good.sts.example/.well-known/mta-sts.txt")
    w.page("html", kind="text/html")
    w.page("long", ENFORCE + "x: " + "y" * 70000 + "\n")
    w.page("wrong", "version: STSv1\nmode: enforce\nmax_age: 86400\n")
    yield w
    w.server.close()


@pytest.fixture(scope="module")
def sts(dns, web):
    with Resolver(dns, tls_ca_file=str(web.authority[0]), sts_port=web.server.port) as r:
        yield r


def test_sts_policy_is_fetched_and_kept(sts, web):
    for _ in range(3):
        policy = sts.sts("good.sts.example")
        assert (policy.mode, policy.id, policy.text) == ("enforce", "1", "")
        assert policy.hosts == ["mail.good.sts.example", "*.mx.good.sts.example"]
    assert web.requests("good") == 1


def test_sts_policy_is_fetched_by_ipv6(sts):
    assert sts.sts("six.sts.example").mode == "enforce"


@pytest.mark.parametrize("name, mode", [("testing", "testing"), ("none", "none")])
def test_sts_mode_is_told(sts, name, mode):
    policy = sts.sts(f"{name}.sts.example")
    assert (policy.mode, policy.id, policy.text) == (mode, "1", "")


@pytest.mark.parametrize("domain", ["mx.example.org", "two.sts.example", "short.sts.example", "no.such.tld"])
def test_sts_domain_without_a_record_has_no_policy(sts, domain):
    assert sts.sts(domain) == ("none", "", "", [])


@pytest.mark.parametrize("name, why", [
    ("late", "404"), ("moved", "302"), ("html", "text/plain"), ("long", "too long"), ("wrong", "no mx"),
    ("other", "SSL|certificate"),  # its name is not in the certificate
])
def test_sts_policy_that_cannot_be_had_is_none_and_is_not_asked_for_again(sts, web, name, why):
    before = web.requests(name)
    for _ in range(2):
        policy = sts.sts(f"{name}.sts.example")
        assert (policy.mode, policy.hosts) == ("none", [])
        assert any(word in policy.text for word in why.split("|")), policy.text
    assert web.requests(name) - before == (0 if name == "other" else 1)
    assert web.requests("good") <= 1, "a redirect was followed"


def test_sts_new_id_brings_the_new_policy(sts, web):
    assert sts.sts("changed.sts.example").hosts[0] == "mail.changed.sts.example"
    web.page("changed", "version: STSv1\nmode: testing\nmx: new.example.net\nmax_age: 86400\n")
    web.publish("changed", "2")
    policy = wait_for_id(sts, "changed.sts.example", "2")
    assert (policy.mode, policy.hosts) == ("testing", ["new.example.net"])
    assert web.requests("changed") == 2


def wait_for_id(sts, domain, name):
    """The TXT record is cached for a second."""
    return harness.wait_until(lambda: (policy := sts.sts(domain)).id == name and policy, what=f"policy {name}")


def test_sts_policy_is_kept_when_its_record_goes_and_when_fetching_fails(sts, web):
    assert sts.sts("kept.sts.example").mode == "enforce"
    web.page("kept", status=500)
    web.publish("kept", "2")

    def tried():
        policy = sts.sts("kept.sts.example")
        assert (policy.mode, policy.id) == ("enforce", "1")
        return web.requests("kept") >= 2
    harness.wait_until(tried, what="a second fetch")
    web.publish("kept")
    time.sleep(1.2)  # the TTL of the record
    policy = sts.sts("kept.sts.example")
    assert (policy.mode, policy.id) == ("enforce", "1")


def test_sts_policy_outlives_a_restart_with_its_record_and_its_host_gone(dns, web, tmp_path):
    kept, settings = tmp_path / "policies", {"tls_ca_file": str(web.authority[0]), "sts_port": web.server.port}
    with Resolver(dns, kept=kept, **settings) as r:
        policies = {name: r.sts(f"{name}.sts.example") for name in ("lasting", "stripped")}
        assert {policy.mode for policy in policies.values()} == {"enforce"}
        killed = tmp_path / "killed"
        shutil.copyfile(kept, killed)  # as it was when nothing was ended in order
    web.page("lasting", status=500)
    web.publish("lasting", "2")
    web.publish("stripped")
    for file in (kept, kept, killed):
        with Resolver(dns, kept=file, **settings) as r:
            for name, policy in policies.items():
                assert r.sts(f"{name}.sts.example") == policy
            assert r.status()["sts_kept"] == 2
    assert kept.stat().st_size <= 8 << 20
    with Resolver(dns, **settings) as r:
        assert r.sts("stripped.sts.example").mode == "none", "without the file it is forgotten"


def test_sts_kept_policies_that_are_damaged_are_forgotten_and_told_of(dns, web, tmp_path):
    kept, settings = tmp_path / "policies", {"tls_ca_file": str(web.authority[0]), "sts_port": web.server.port}
    with Resolver(dns, kept=kept, **settings) as r:
        assert r.sts("good.sts.example").mode == "enforce"
    bytes_kept = bytearray(kept.read_bytes())
    at = bytes_kept.index(b"good.sts.example")
    bytes_kept[at] ^= 1
    kept.write_bytes(bytes_kept)
    for _ in range(2):
        with Resolver(dns, kept=kept, **settings) as r:
            assert r.status()["sts_kept"] == 0
            assert r.sts("none.sts.example").mode == "none"
        assert any(" sts.damaged " in line for line in r.log)
        kept.write_bytes(b"nonsense")


def test_sts_policies_file_is_made_by_master_and_written_by_resolved(tmp_path):
    with harness.Postroad() as server:
        for start in (1, 2):
            server.start()
            server.wait_logged(" resolved[", " sts.kept ", count=start)
            file = server.spool / "resolved/policies"
            assert file.stat().st_mode & 0o777 == 0o600
            halves = file.read_bytes()[:16], file.read_bytes()[4 << 20:][:16]
            number = max(int.from_bytes(half[8:], "little") for half in halves if half.startswith(b"PRMSTS01"))
            assert number == start
            server.stop()
        assert not server.logged("sts.not_kept") and not server.logged("sts.damaged")


def test_sts_questions_at_once_share_one_fetch(sts, web):
    tags = [sts.send("sts", "shared.sts.example") for _ in range(20)]
    assert {sts.wait(tag).mode for tag in tags} == {"enforce"}
    assert web.requests("shared") == 1


def test_sts_authority_that_is_not_ours_is_refused(dns, web, tmp_path):
    other = make_authority(tmp_path)
    with Resolver(dns, tls_ca_file=str(other[0]), sts_port=web.server.port) as r:
        policy = r.sts("good.sts.example")
        assert policy.mode == "none" and "SSL" in policy.text
        assert r.status()["sts_failed"] == 1


def test_sts_switched_off_asks_nothing(dns, web):
    with Resolver(dns, sts="no", tls_ca_file=str(web.authority[0]), sts_port=web.server.port) as r:
        assert r.sts("off.sts.example") == ("none", "", "", [])
        assert r.status()["lookups"] == 0
    assert web.requests("off") == 0

/* tests/unit/test_remote_hop.c - from what the DNS says to the servers that are tried
 *
 * A zone is lines "TYPE NAME SECURITY DATA...", security s or i. Data of an MX:
 * "10 host"; of A and AAAA: addresses, before them ">target" when CNAMEs led there; of
 * a CNAME its target; of TLSA: "usage.selector.matching.bytes"; or one of: - no data, !
 * no such name, ? no answer, # bogus. "STS mode pattern..." is the policy. What is not
 * there has no data.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "delivery/remote/hop/hop.h"

#include <stdio.h>

#define OWN_V4 "203.0.113.9"

struct row {
	const char *name;
	struct hop_wish wish;
	const char *zone;
	const char *want;
};

/* These two are turned round by row_wish(): without them the MX are wanted, and
 * policies of MTA-STS. */
#define HOST   .mx = true
#define NO_STS .sts = true

/* What the rows do not say. */
static struct hop_wish
row_wish(const struct row *row, const struct net_address *own)
{
	struct hop_wish wish = row->wish;

	wish.mx = !row->wish.mx;
	wish.sts = !row->wish.sts;
	if (wish.domain.n == 0)
		wish.domain = SPAN("d.example");
	if (wish.port == 0)
		wish.port = 25;
	wish.hostname = SPAN("me.example");
	wish.own = own;
	wish.n_own = 1;
	return wish;
}

#define DANE .policy = CONF_REMOTE_TLS_DANE
#define MAY  .policy = CONF_REMOTE_TLS_MAY
#define V4   .family = CONF_REMOTE_IP_4

static struct span
word_take(struct span *rest)
{
	*rest = span_trim(*rest, " ");
	return span_cut(rest, ' ');
}

static uint64_t
number_take(struct span *rest, char end)
{
	uint64_t n = 0;

	assert_true(number_parse(span_cut(rest, end), 65535, &n));
	return n;
}

static void
address_put(struct span text, enum dns_type type, struct buf *list)
{
	struct dns_record r = {.type = type};
	struct net_address a;

	assert_true(net_address_parse(text, &a));
	r.data = type == DNS_A ? span_make(a.ip + 12, 4) : span_make(a.ip, 16);
	dns_record_put(list, &r);
}

static void
tlsa_put(struct span text, struct buf *list)
{
	static const char bytes[64];
	struct dns_record r = {.type = DNS_TLSA};

	r.usage = (uint8_t)number_take(&text, '.');
	r.selector = (uint8_t)number_take(&text, '.');
	r.matching = (uint8_t)number_take(&text, '.');
	r.data = span_make(bytes, (size_t)number_take(&text, '.'));
	dns_record_put(list, &r);
}

static void
cname_put(struct span name, struct buf *list)
{
	struct dns_record r = {.type = DNS_CNAME, .name = name};

	dns_record_put(list, &r);
}

/* The rest of a line. */
static void
data_take(struct span rest, enum dns_type type, struct dns_answer *a, struct buf *list)
{
	a->outcome = DNS_OK;
	while ((rest = span_trim(rest, " ")).n > 0) {
		struct span word = word_take(&rest);
		struct dns_record r = {.type = DNS_MX};

		if (span_equal(word, SPAN("-")))
			a->outcome = DNS_NO_DATA;
		else if (span_equal(word, SPAN("!")))
			a->outcome = DNS_NO_NAME;
		else if (span_equal(word, SPAN("?")) || span_equal(word, SPAN("#")))
			a->outcome = DNS_LATER;
		else if (word.at[0] == '>')
			a->name = span_after(word, 1);
		else if (type == DNS_TLSA)
			tlsa_put(word, list);
		else if (type == DNS_CNAME)
			cname_put(word, list);
		else if (type != DNS_MX)
			address_put(word, type, list);
		else {
			r.preference = (uint16_t)number_take(&word, ' ');
			r.name = word_take(&rest);
			if (span_equal(r.name, SPAN(".")))
				r.name = SPAN("");
			dns_record_put(list, &r);
		}
		if (span_equal(word, SPAN("#")))
			a->security = DNS_BOGUS;
	}
	a->records = buf_span(list);
}

static void
zone_answer(struct span zone, const struct hop_question *q, struct hop_plan *p)
{
	struct buf list = buf_make(DNS_RECORDS_BYTES_MAX);
	struct dns_answer a = {.outcome = DNS_NO_DATA, .ttl_s = 300, .name = q->name};

	while (zone.n > 0) {
		struct span line = span_cut(&zone, '\n');
		struct span type = word_take(&line);

		if (!span_equal(type, span_str(dns_type_name(q->type))) ||
		    !span_equal(word_take(&line), q->name))
			continue;
		a.security = *word_take(&line).at == 's' ? DNS_SECURE : DNS_INSECURE;
		data_take(line, q->type, &a, &list);
	}
	hop_plan_answer(p, q->slot, &a);
	buf_release(&list);
}

static void
zone_answer_sts(struct span zone, struct hop_plan *p)
{
	struct buf hosts = buf_make(1000);
	enum sts_mode mode = STS_NONE;

	while (zone.n > 0) {
		struct span line = span_cut(&zone, '\n'), word;

		if (!span_equal(word_take(&line), SPAN("STS")))
			continue;
		word = word_take(&line);
		while (!span_equal(word, span_str(sts_mode_name(mode))))
			mode++;
		while ((line = span_trim(line, " ")).n > 0) {
			buf_put(&hosts, word_take(&line));
			buf_put_char(&hosts, '\n');
		}
	}
	hop_plan_answer_sts(p, mode, buf_span(&hosts), SPAN(""));
	buf_release(&hosts);
}

static void
question_answer(const struct row *row, const struct hop_question *q, struct hop_plan *p)
{
	if (q->sts)
		zone_answer_sts(span_str(row->zone), p);
	else
		zone_answer(span_str(row->zone), q, p);
}

/* All questions that are open are answered, in an order that the seed makes. */
static enum hop_step
plan_run(const struct row *row, struct hop_plan *p, uint64_t seed)
{
	struct hop_question open[HOP_SLOTS_MAX];
	enum hop_step step;
	size_t n = 0, i;

	for (;;) {
		while ((step = hop_plan_next(p, &open[n])) == HOP_ASK)
			n++;
		if (step != HOP_WAIT)
			return step;
		assert_true(n > 0);
		seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
		i = (size_t)(seed >> 33) % n;
		question_answer(row, &open[i], p);
		open[i] = open[--n];
	}
}

static void
host_text(const struct hop_try *t, struct buf *out)
{
	const struct hop_host *h = t->host;

	hop_try_put(t, out);
	buf_putf(out, " %s", hop_tls_name(h->tls));
	for (size_t i = 0; i < h->n_names && h->tls > HOP_TLS_ENCRYPT; i++)
		buf_putf(out, "%c%.*s", i ? ',' : ' ', SPAN_ARG(h->names[i]));
	if (h->n_tlsa > 0)
		buf_putf(out, " %zu", h->n_tlsa);
	if (h->sts_testing)
		buf_put_str(out, h->sts_mismatch ? " mismatch" : " testing");
	buf_put_char(out, '\n');
}

static void
result_text(const struct hop_plan *p, enum hop_step step, struct buf *out)
{
	struct hop_health *health = hop_health_new();
	struct hop_try tries[HOP_ADDRESSES_MAX];
	size_t n;

	if (step == HOP_FAILED) {
		const struct hop_failure *f = hop_plan_failure(p);

		buf_putf(out, "%s %u %u.%u.%u\n", f->forever ? "FAILED" : "DEFERRED",
			 f->code, f->enhanced[0], f->enhanced[1], f->enhanced[2]);
		assert_true(f->text[0] != '\0');
	} else {
		n = hop_plan_order(p, health, 1000, 1, tries);
		for (size_t i = 0; i < n; i++)
			host_text(&tries[i], out);
	}
	hop_health_free(&health);
}

static void
row_check(const struct row *row, uint64_t seed)
{
	struct buf got = buf_make(10000);
	struct net_address own;
	struct hop_wish wish;
	struct hop_plan *p;

	assert_true(net_address_parse(SPAN(OWN_V4), &own));
	own.port = 25;
	wish = row_wish(row, &own);
	wish.random = seed;
	p = hop_plan_new(&wish);
	result_text(p, plan_run(row, p, seed), &got);
	if (!span_equal(buf_span(&got), span_str(row->want)))
		fail_msg("%s, seed %llu:\n%.*s", row->name, (unsigned long long)seed,
			 SPAN_ARG(buf_span(&got)));
	hop_plan_free(&p);
	buf_release(&got);
}

/* clang-format off */
static const struct row mx_rows[] = {
    {"by preference", {MAY},
     "MX d.example i 20 b.example 10 a.example\nA a.example i 192.0.2.1\nA b.example i 192.0.2.2",
     "a.example[192.0.2.1] may\nb.example[192.0.2.2] may\n"},
    {"both families by turns", {MAY},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1\nAAAA a.example i 2001:db8::1",
     "a.example[2001:db8::1] may\na.example[192.0.2.1] may\n"},
    {"IPv4 only", {MAY, V4},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1\nAAAA a.example i 2001:db8::1",
     "a.example[192.0.2.1] may\n"},
    {"IPv6 only", {MAY, .family = CONF_REMOTE_IP_6},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1\nAAAA a.example i 2001:db8::1",
     "a.example[2001:db8::1] may\n"},
    {"IPv6 only, and there is none", {MAY, .family = CONF_REMOTE_IP_6},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1", "FAILED 0 5.4.4\n"},
    {"implicit MX", {MAY}, "A d.example i 192.0.2.1", "d.example[192.0.2.1] may\n"},
    {"no implicit MX beside one without an address", {MAY},
     "MX d.example i 10 a.example\nA d.example i 192.0.2.1", "FAILED 0 5.4.4\n"},
    {"nothing at all", {MAY}, "", "FAILED 0 5.4.4\n"},
    {"null MX", {MAY}, "MX d.example i 0 .\nA d.example i 192.0.2.1", "FAILED 556 5.1.10\n"},
    {"null MX beside another", {MAY}, "MX d.example i 0 . 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] may\n"},
    {"no such domain", {MAY}, "MX d.example i !", "FAILED 0 5.1.2\n"},
    {"no answer", {MAY}, "MX d.example i ?", "DEFERRED 0 4.4.3\n"},
    {"bogus", {MAY}, "MX d.example i #", "DEFERRED 0 4.4.3\n"},
    {"no answer about the only host", {MAY}, "MX d.example i 10 a.example\nA a.example i ?",
     "DEFERRED 0 4.4.3\n"},
    {"no answer about one family", {MAY},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1\nAAAA a.example i ?",
     "a.example[192.0.2.1] may\n"},
    {"no answer about one host, no address of the other", {MAY},
     "MX d.example i 10 a.example 20 b.example\nA a.example i ?\nAAAA a.example i ?",
     "DEFERRED 0 4.4.3\n"},
    {"one of two hosts is bad", {MAY},
     "MX d.example i 10 a.example 20 b.example\nA a.example i !\nA b.example i 192.0.2.2",
     "b.example[192.0.2.2] may\n"},
    {"named twice", {MAY}, "MX d.example i 20 a.example 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] may\n"},
    {"best five of seven", {MAY, V4},
     "MX d.example i 70 g.example 60 f.example 50 e.example 40 d.example 30 c.example 20 b.example"
     " 10 a.example\nA a.example i 192.0.2.1\nA b.example i 192.0.2.2\nA c.example i 192.0.2.3\n"
     "A d.example i 192.0.2.4\nA e.example i 192.0.2.5\nA f.example i 192.0.2.6\n"
     "A g.example i 192.0.2.7",
     "a.example[192.0.2.1] may\nb.example[192.0.2.2] may\nc.example[192.0.2.3] may\n"
     "d.example[192.0.2.4] may\ne.example[192.0.2.5] may\n"},
    {"we are the best, by name", {MAY},
     "MX d.example i 10 Me.example 20 b.example\nA b.example i 192.0.2.2", "FAILED 0 5.4.6\n"},
    {"we are second, by name", {MAY},
     "MX d.example i 5 a.example 10 me.example 10 c.example 20 b.example\n"
     "A a.example i 192.0.2.1\nA b.example i 192.0.2.2\nA c.example i 192.0.2.3",
     "a.example[192.0.2.1] may\n"},
    {"we are second, by address", {MAY},
     "MX d.example i 5 a.example 10 x.example 20 b.example\n"
     "A a.example i 192.0.2.1\nA b.example i 192.0.2.2\nA x.example i " OWN_V4,
     "a.example[192.0.2.1] may\n"},
    {"we are all, by address", {MAY}, "MX d.example i 10 a.example\nA a.example i " OWN_V4,
     "FAILED 0 5.4.6\n"},
    {"we on another port are not we", {MAY, .port = 2525},
     "MX d.example i 10 a.example\nA a.example i " OWN_V4, "a.example[" OWN_V4 "] may\n"},
    {"loopback at our port is we", {MAY}, "MX d.example i 10 a.example\nA a.example i 127.1.2.3",
     "FAILED 0 5.4.6\n"},
    {"loopback at another port", {MAY, .port = 2525},
     "MX d.example i 10 a.example\nA a.example i 127.1.2.3", "a.example[127.1.2.3] may\n"},
    {"addresses of nobody", {MAY},
     "MX d.example i 10 a.example\nA a.example i 0.0.0.0 224.0.0.1 255.255.255.255 0.1.2.3\n"
     "AAAA a.example i :: ff02::1", "FAILED 0 5.4.4\n"},
    {"implicit MX that is we", {MAY}, "A d.example i " OWN_V4, "FAILED 0 5.4.6\n"},
    {"a host of the operator's may be we", {MAY, HOST}, "A d.example i " OWN_V4,
     "d.example[" OWN_V4 "] may\n"},
};

static const struct row other_rows[] = {
    {"a host has no MX", {MAY, HOST},
     "MX d.example i 10 a.example\nA d.example i 192.0.2.1", "d.example[192.0.2.1] may\n"},
    {"literal", {MAY, .domain = SPAN("[192.0.2.1]")}, "", "[192.0.2.1] may\n"},
    {"literal of IPv6", {MAY, .domain = SPAN("[IPv6:2001:db8::1]")}, "", "[2001:db8::1] may\n"},
    {"literal of a route", {MAY, .domain = SPAN("[2001:db8::1]"), HOST}, "",
     "[2001:db8::1] may\n"},
    {"literal that is we", {MAY, .domain = SPAN("[" OWN_V4 "]")}, "", "FAILED 0 5.4.6\n"},
    {"loopback literal at our port", {MAY, .domain = SPAN("[IPv6:::1]")}, "", "FAILED 0 5.4.6\n"},
    {"literal that is we, on another port", {MAY, .domain = SPAN("[" OWN_V4 "]"), .port = 24}, "",
     "[" OWN_V4 "] may\n"},
    {"literal of nobody", {MAY, .domain = SPAN("[0.0.0.0]")}, "", "FAILED 0 5.4.4\n"},
    {"a literal of the operator's may be we", {MAY, .domain = SPAN(OWN_V4), .literal = true}, "",
     "[" OWN_V4 "] may\n"},
    {"no literal", {MAY, .domain = SPAN("[x]")}, "MX [x] i !", "FAILED 0 5.1.2\n"},
    {"literal, verified", {.domain = SPAN("[192.0.2.1]"), .policy = CONF_REMOTE_TLS_VERIFY},
     "", "[192.0.2.1] verify 192.0.2.1\n"},
    {"no TLS", {.policy = CONF_REMOTE_TLS_NONE}, "A d.example s 192.0.2.1",
     "d.example[192.0.2.1] none\n"},
    {"encrypt", {.policy = CONF_REMOTE_TLS_ENCRYPT}, "A d.example i 192.0.2.1",
     "d.example[192.0.2.1] encrypt\n"},
    {"verify", {.policy = CONF_REMOTE_TLS_VERIFY},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] verify a.example\n"},
    {"verify a name", {.policy = CONF_REMOTE_TLS_VERIFY, .tls_name = SPAN("n.example")},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] verify n.example\n"},
};

#define SIGNED "MX d.example s 10 a.example\nA a.example s 192.0.2.1\n"
/* c.example is an alias of x.example, which is not signed. */
#define ALIAS "MX d.example s 10 c.example\nA c.example i >x.example 192.0.2.1\n"
#define GOOD_TLSA "TLSA _25._tcp.a.example s 3.1.1.32\n"

static const struct row tls_rows[] = {
    {"DANE", {DANE}, SIGNED GOOD_TLSA,
     "a.example[192.0.2.1] dane a.example,d.example 1\n"},
    {"DANE on another port", {DANE, .port = 2525},
     SIGNED "TLSA _2525._tcp.a.example s 2.0.1.32 3.1.2.64",
     "a.example[192.0.2.1] dane a.example,d.example 2\n"},
    {"DANE of a host", {DANE, HOST}, "A d.example s 192.0.2.1\nTLSA _25._tcp.d.example s 3.1.1.32",
     "d.example[192.0.2.1] dane d.example 1\n"},
    {"DANE not with an insecure MX", {DANE},
     "MX d.example i 10 a.example\nA a.example s 192.0.2.1\n" GOOD_TLSA, "a.example[192.0.2.1] may\n"},
    {"DANE not with an insecure address", {DANE},
     "MX d.example s 10 a.example\nA a.example i 192.0.2.1\n" GOOD_TLSA, "a.example[192.0.2.1] may\n"},
    {"DANE not with one insecure address", {DANE},
     SIGNED "AAAA a.example i 2001:db8::1\n" GOOD_TLSA,
     "a.example[2001:db8::1] may\na.example[192.0.2.1] may\n"},
    {"insecure TLSA", {DANE}, SIGNED "TLSA _25._tcp.a.example i 3.1.1.32", "a.example[192.0.2.1] may\n"},
    {"no TLSA", {DANE}, SIGNED "TLSA _25._tcp.a.example s !", "a.example[192.0.2.1] may\n"},
    {"TLSA that cannot be had", {DANE}, SIGNED "TLSA _25._tcp.a.example s ?", "DEFERRED 0 4.7.5\n"},
    {"bogus TLSA", {DANE}, SIGNED "TLSA _25._tcp.a.example s #", "DEFERRED 0 4.7.5\n"},
    {"bogus TLSA of one of two", {DANE},
     "MX d.example s 10 a.example 20 b.example\nA a.example s 192.0.2.1\nA b.example s 192.0.2.2\n"
     "TLSA _25._tcp.a.example s #", "b.example[192.0.2.2] may\n"},
    {"TLSA that nobody can use", {DANE}, SIGNED "TLSA _25._tcp.a.example s 0.0.1.32 1.1.1.32 3.1.1.31",
     "a.example[192.0.2.1] encrypt\n"},
    {"TLSA that nobody can use, and STS", {DANE},
     "STS enforce a.example\n" SIGNED "TLSA _25._tcp.a.example s 3.1.1.31",
     "a.example[192.0.2.1] verify a.example\n"},
    {"DANE where CNAMEs led", {DANE},
     "MX d.example s 10 c.example\nA c.example s >a.example 192.0.2.1\n" GOOD_TLSA,
     "c.example[192.0.2.1] dane a.example,d.example,c.example 1\n"},
    {"DANE of the alias", {DANE},
     "MX d.example s 10 c.example\nA c.example s >a.example 192.0.2.1\nTLSA _25._tcp.c.example s 3.1.1.32",
     "c.example[192.0.2.1] dane c.example,d.example 1\n"},
    {"DANE of the alias, which leads to what is not signed", {DANE},
     ALIAS "CNAME c.example s x.example\nTLSA _25._tcp.c.example s 3.1.1.32",
     "c.example[192.0.2.1] dane c.example,d.example 1\n"},
    {"TLSA where an alias led that is not signed", {DANE},
     ALIAS "CNAME c.example s x.example\nTLSA _25._tcp.x.example s 3.1.1.32", "c.example[192.0.2.1] may\n"},
    {"alias that is not signed itself", {DANE},
     ALIAS "CNAME c.example i x.example\nTLSA _25._tcp.c.example s 3.1.1.32", "c.example[192.0.2.1] may\n"},
    {"alias that is bogus", {DANE}, ALIAS "CNAME c.example s #", "DEFERRED 0 4.7.5\n"},
    {"alias that cannot be asked for", {DANE}, ALIAS "CNAME c.example s ?", "DEFERRED 0 4.7.5\n"},
    {"alias that is gone meanwhile", {DANE}, ALIAS "CNAME c.example s -", "c.example[192.0.2.1] may\n"},
    {"alias whose TLSA cannot be had", {DANE},
     ALIAS "CNAME c.example s x.example\nTLSA _25._tcp.c.example s ?", "DEFERRED 0 4.7.5\n"},
    {"alias with STS, and without TLSA", {DANE},
     "STS enforce c.example\n" ALIAS "CNAME c.example s x.example", "c.example[192.0.2.1] verify c.example\n"},
    {"alias of an MX that is not signed", {DANE},
     "MX d.example i 10 c.example\nA c.example i >x.example 192.0.2.1\n"
     "CNAME c.example s x.example\nTLSA _25._tcp.c.example s 3.1.1.32", "c.example[192.0.2.1] may\n"},
    {"dane-only of the alias", {.policy = CONF_REMOTE_TLS_DANE_ONLY},
     ALIAS "CNAME c.example s x.example\nTLSA _25._tcp.c.example s 3.1.1.32",
     "c.example[192.0.2.1] dane c.example,d.example 1\n"},
    {"alias and DANE switched off", {MAY},
     ALIAS "CNAME c.example s #\nTLSA _25._tcp.c.example s 3.1.1.32", "c.example[192.0.2.1] may\n"},
    {"DANE switched off", {MAY}, SIGNED GOOD_TLSA, "a.example[192.0.2.1] may\n"},
    {"dane-only", {.policy = CONF_REMOTE_TLS_DANE_ONLY}, SIGNED GOOD_TLSA,
     "a.example[192.0.2.1] dane a.example,d.example 1\n"},
    {"dane-only without", {.policy = CONF_REMOTE_TLS_DANE_ONLY}, SIGNED, "DEFERRED 0 4.7.5\n"},
    {"dane-only with what nobody can use", {.policy = CONF_REMOTE_TLS_DANE_ONLY},
     SIGNED "TLSA _25._tcp.a.example s 3.1.1.31", "DEFERRED 0 4.7.5\n"},

    {"STS", {DANE}, "STS enforce *.example\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] verify a.example\n"},
    {"STS chooses", {DANE},
     "STS enforce b.example\nMX d.example i 10 a.example 20 b.example\nA a.example i 192.0.2.1\n"
     "A b.example i 192.0.2.2", "b.example[192.0.2.2] verify b.example\n"},
    {"STS of nobody", {DANE}, "STS enforce x.example\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "DEFERRED 0 4.7.5\n"},
    {"STS of an implicit MX", {DANE}, "STS enforce x.example\nA d.example i 192.0.2.1",
     "DEFERRED 0 4.7.5\n"},
    {"STS in testing", {DANE}, "STS testing a.example\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] may testing\n"},
    {"STS in testing, of nobody", {DANE},
     "STS testing x.example\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] may mismatch\n"},
    {"STS of none", {DANE}, "STS none\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] may\n"},
    {"nobody knows the policy", {DANE}, "STS later\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "DEFERRED 0 4.4.3\n"},
    {"STS switched off", {DANE, NO_STS},
     "STS enforce x.example\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] may\n"},
    {"DANE before STS", {DANE}, "STS enforce x.example\n" SIGNED GOOD_TLSA,
     "a.example[192.0.2.1] dane a.example,d.example 1\n"},
    {"STS with a signed zone without DANE", {DANE}, "STS enforce x.example\n" SIGNED,
     "DEFERRED 0 4.7.5\n"},
    {"DANE of one host, STS of the other", {DANE},
     "STS enforce b.example\nMX d.example s 10 a.example 20 b.example\nA a.example s 192.0.2.1\n"
     "A b.example s 192.0.2.2\n" GOOD_TLSA,
     "a.example[192.0.2.1] dane a.example,d.example 1\nb.example[192.0.2.2] verify b.example\n"},

    {"REQUIRETLS by DANE", {DANE, .require_tls = true}, SIGNED GOOD_TLSA,
     "a.example[192.0.2.1] dane a.example,d.example 1\n"},
    {"REQUIRETLS by DNSSEC and a CA", {MAY, .require_tls = true}, SIGNED,
     "a.example[192.0.2.1] verify a.example\n"},
    {"REQUIRETLS by STS", {MAY, .require_tls = true},
     "STS enforce a.example\nMX d.example i 10 a.example\nA a.example i 192.0.2.1",
     "a.example[192.0.2.1] verify a.example\n"},
    {"REQUIRETLS by nothing", {DANE, .require_tls = true},
     "MX d.example i 10 a.example\nA a.example i 192.0.2.1", "FAILED 0 5.7.30\n"},
    {"REQUIRETLS of the operator's host", {DANE, .require_tls = true, HOST},
     "A d.example i 192.0.2.1", "d.example[192.0.2.1] verify d.example\n"},
    {"REQUIRETLS without TLS", {.policy = CONF_REMOTE_TLS_NONE, .require_tls = true}, SIGNED,
     "FAILED 0 5.7.30\n"},
};
/* clang-format on */

static void
rows_check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (uint64_t seed = 0; seed < 20; seed++)
			row_check(&rows[i], seed);
}

static void
test_hop_hosts_of_a_domain(void **state)
{
	(void)state;
	rows_check(mx_rows, N_ELEMS(mx_rows));
}

static void
test_hop_hosts_without_mx(void **state)
{
	(void)state;
	rows_check(other_rows, N_ELEMS(other_rows));
}

static void
test_hop_tls_rules(void **state)
{
	(void)state;
	rows_check(tls_rows, N_ELEMS(tls_rows));
}

/* --- order ---------------------------------------------------------------- */

static const struct row equals = {
    "equals",
    {MAY, V4},
    "MX d.example i 10 a.example 10 b.example 20 c.example\n"
    "A a.example i 192.0.2.1\nA b.example i 192.0.2.2\nA c.example i 192.0.2.3",
    ""
};

static void
test_hop_equals_share_and_the_failed_come_last(void **state)
{
	struct hop_wish wish = row_wish(&equals, NULL);
	struct hop_plan *p;
	struct hop_health *health = hop_health_new();
	struct hop_try t[HOP_ADDRESSES_MAX];
	struct net_address failed;
	size_t firsts = 0;

	(void)state;
	wish.n_own = 0;
	p = hop_plan_new(&wish);
	assert_int_equal(plan_run(&equals, p, 1), HOP_FOUND);
	for (uint64_t i = 0; i < 1000; i++) {
		assert_int_equal(hop_plan_order(p, health, 10, i, t), 3);
		firsts += span_equal(t[0].host->name, SPAN("a.example"));
		assert_true(span_equal(t[2].host->name, SPAN("c.example")));
	}
	assert_in_range(firsts, 400, 600);
	failed = t[0].address;
	hop_health_failed(health, &failed, 10);
	for (uint64_t i = 0; i < 20; i++) {
		assert_int_equal(hop_plan_order(p, health, 11, i, t), 3);
		assert_true(net_address_equal(&t[2].address, &failed));
	}
	hop_health_free(&health);
	hop_plan_free(&p);
}

static void
test_hop_addresses_of_one_try_are_bounded(void **state)
{
	struct buf zone = buf_make(10000);
	struct hop_health *health = hop_health_new();
	struct hop_try t[HOP_ADDRESSES_MAX];
	struct row row = {"many", {MAY}, "", ""};
	struct hop_wish wish = row_wish(&row, NULL);
	struct hop_plan *p;

	(void)state;
	wish.n_own = 0;
	p = hop_plan_new(&wish);
	buf_put_str(&zone, "MX d.example i 10 a.example 20 b.example 30 c.example "
			   "40 e.example 50 f.example");
	for (const char *c = "abcef"; *c; c++) {
		buf_putf(&zone, "\nA %c.example i", *c);
		for (int i = 0; i < 9; i++)
			buf_putf(&zone, " 192.0.2.%d", *c + i);
		buf_putf(&zone, "\nAAAA %c.example i", *c);
		for (int i = 0; i < 9; i++)
			buf_putf(&zone, " 2001:db8::%d", *c + i);
	}
	buf_put_char(&zone, '\0');
	row.zone = zone.at;
	assert_int_equal(plan_run(&row, p, 1), HOP_FOUND);
	assert_int_equal(hop_plan_order(p, health, 1, 1, t), HOP_ADDRESSES_MAX);
	assert_true(span_equal(t[0].host->name, SPAN("a.example")));
	assert_true(span_equal(t[4].host->name, SPAN("b.example")));
	assert_false(net_address_is_ipv4(&t[0].address));
	assert_true(net_address_is_ipv4(&t[1].address));
	hop_health_free(&health);
	hop_plan_free(&p);
	buf_release(&zone);
}

/* --- health --------------------------------------------------------------- */

static void
test_hop_health_forgets_in_time(void **state)
{
	struct hop_health *h = hop_health_new();
	struct net_address a = {.ip = {1}, .port = 25}, b = a;

	(void)state;
	b.port = 26;
	hop_health_failed(h, &a, 100);
	hop_health_failed(h, &a, 100); /* beside it: not a second time */
	assert_true(hop_health_bad(h, &a, 100 + HOP_HEALTH_FIRST_S - 1));
	assert_false(hop_health_bad(h, &a, 100 + HOP_HEALTH_FIRST_S));
	assert_false(hop_health_bad(h, &b, 100));
	hop_health_failed(h, &a, 200);
	assert_true(hop_health_bad(h, &a, 200 + 2 * HOP_HEALTH_FIRST_S - 1));
	assert_false(hop_health_bad(h, &a, 200 + 2 * HOP_HEALTH_FIRST_S));
	for (uint64_t now = 10000; now < 100000; now += 10000)
		hop_health_failed(h, &a, now);
	assert_true(hop_health_bad(h, &a, 90000 + HOP_HEALTH_LONGEST_S - 1));
	assert_false(hop_health_bad(h, &a, 90000 + HOP_HEALTH_LONGEST_S));
	hop_health_failed(h, &a, 200000);
	hop_health_good(h, &a);
	assert_false(hop_health_bad(h, &a, 200000));
	hop_health_failed(h, &a, 200001);
	assert_false(hop_health_bad(h, &a, 200001 + HOP_HEALTH_FIRST_S));
	hop_health_free(&h);
}

static void
test_hop_health_is_bounded(void **state)
{
	struct hop_health *h = hop_health_new();
	struct net_address a = {.port = 25};

	(void)state;
	for (uint32_t i = 0; i < 100 * HOP_HEALTH_MAX; i++) {
		memcpy(a.ip, &i, sizeof(i));
		hop_health_failed(h, &a, 100 + i / 10000);
		assert_true(hop_health_bad(h, &a, 100 + i / 10000));
	}
	assert_in_range(hop_health_count(h, 100), HOP_HEALTH_MAX / 2, HOP_HEALTH_MAX);
	assert_int_equal(hop_health_count(h, 10000), 0);
	hop_health_free(&h);
}

static void
test_hop_provider_of_a_host(void **state)
{
	static const char *const rows[][2] = {
	    {"aspmx.l.google.com",                      "google.com"   },
	    {"example-org.mail.protection.outlook.com", "outlook.com"  },
	    {"mx.example.co.uk",                        "example.co.uk"},
	    {"example.co.uk",                           "example.co.uk"},
	    {"co.uk",				   "co.uk"        },
	    {"mx01.mail.example.de",                    "example.de"   },
	    {"example.de",			      "example.de"   },
	    {"localhost",			       "localhost"    },
	    {"",					""             },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		assert_true(span_equal(hop_provider(span_str(rows[i][0])),
				       span_str(rows[i][1])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_hop_hosts_of_a_domain),
	    cmocka_unit_test(test_hop_hosts_without_mx),
	    cmocka_unit_test(test_hop_tls_rules),
	    cmocka_unit_test(test_hop_equals_share_and_the_failed_come_last),
	    cmocka_unit_test(test_hop_addresses_of_one_try_are_bounded),
	    cmocka_unit_test(test_hop_health_forgets_in_time),
	    cmocka_unit_test(test_hop_health_is_bounded),
	    cmocka_unit_test(test_hop_provider_of_a_host),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

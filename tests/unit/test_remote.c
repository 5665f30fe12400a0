/* tests/unit/test_remote.c - the real remote, with the test as qmgr, as resolved and as
 * the servers that it talks to
 *
 * JOBS= and CONNECTIONS= make the last test a load, TLS=1 one under TLS; it tells what
 * it cost.
 */
#include "tests/unit/hosted.h"
#include "tests/unit/smtp_sink.h"

#include "common/dns/dns.h"
#include "common/spool/spool.h"
#include "tests/unit/tls_server.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT 7u
#define MAIL    "Subject: hello\r\n\r\n.text of the mail\r\n"

struct told {
	uint8_t outcome;
	uint16_t code;
	uint16_t enhanced[3];
	char text[300], host[128];
};

struct house {
	struct hosted h;
	struct ipc_peer *qmgr, *resolved;
	struct sink sink, other; /* at 127.0.0.1 and 127.0.0.2, same port */
	struct told told[16];    /* by ordinal */
	size_t results, ended, wanted;
	uint8_t connection;
	char provider[64], text[300];
	size_t questions;
	unsigned char key_digest[32];
	uint64_t content_bytes; /* of the message that stands in the segment */
};

static void
text_keep(struct span text, char *out, size_t size)
{
	if (!span_copy(span_first(text, size - 1), out, size))
		out[0] = '\0';
}

static void
results_keep(struct house *house, struct span list)
{
	struct cursor c = cursor_make(list);
	struct relay_result r;

	while (relay_result_next(&c, &r)) {
		struct told *t = &house->told[r.ordinal % 16];

		t->outcome = r.outcome;
		t->code = r.code;
		memcpy(t->enhanced, r.enhanced, sizeof(t->enhanced));
		text_keep(r.text, t->text, sizeof(t->text));
		text_keep(r.host, t->host, sizeof(t->host));
		house->results++;
	}
	assert_false(c.failed);
}

static void
to_qmgr(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	struct house *house = context;

	(void)peer;
	(void)fd;
	if (m->number != IPC_NUMBER_relayed)
		return;
	results_keep(house, m->relayed.results);
	if (!m->relayed.last)
		return;
	house->ended++;
	house->connection = m->relayed.connection;
	text_keep(m->relayed.provider, house->provider, sizeof(house->provider));
	text_keep(m->relayed.text, house->text, sizeof(house->text));
}

/* In dane.example, whose zone is signed, TLSA records name the sink's key, those of
 * "bad" that of nobody. */
static void
tlsa_answer(const struct house *house, struct ipc_dns_answer *a, struct buf *list)
{
	struct dns_record r = {
	    .type = DNS_TLSA, .usage = 3, .selector = 1, .matching = 1};
	unsigned char digest[32];

	memcpy(digest, house->key_digest, sizeof(digest));
	digest[0] ^= span_find_span(a->name, SPAN("bad")) < a->name.n;
	r.data = span_make(digest, sizeof(digest));
	dns_record_put(list, &r);
	a->outcome = DNS_OK;
}

/* two.example has two hosts, none.example does not exist, bad.example has one where
 * nobody listens and one that works. */
static void
to_resolved(struct ipc_peer *peer, void *context, const struct ipc_message *m, int fd)
{
	static const struct row {
		const char *name;
		enum dns_type type;
		const char *data;
	} rows[] = {
	    {"two.example",      DNS_MX, "mx1.two.example mx2.two.example"},
	    {"mx1.two.example",  DNS_A,  "127.0.0.1"                      },
	    {"mx2.two.example",  DNS_A,  "127.0.0.2"                      },
	    {"bad.example",      DNS_MX, "mx0.two.example mx1.two.example"},
	    {"mx0.two.example",  DNS_A,  "127.0.0.9"                      },
	    {"dane.example",     DNS_MX, "mx.dane.example"                },
	    {"mx.dane.example",  DNS_A,  "127.0.0.1"                      },
	    {"bad.dane.example", DNS_A,  "127.0.0.1"                      },
	};
	struct house *house = context;
	struct buf list = buf_make(2000);
	struct ipc_dns_answer a = {.tag = m->dns_ask.tag, .ttl_s = 60};

	(void)fd;
	if (m->number != IPC_NUMBER_dns_ask)
		return;
	house->questions++;
	a.name = m->dns_ask.name;
	a.outcome =
	    span_equal(a.name, SPAN("none.example")) ? DNS_NO_NAME : DNS_NO_DATA;
	for (size_t i = 0; i < N_ELEMS(rows); i++) {
		struct span rest = span_str(rows[i].data);
		struct dns_record r = {.type = rows[i].type};
		struct net_address address;

		if (rows[i].type != m->dns_ask.type ||
		    !span_equal(a.name, span_str(rows[i].name)))
			continue;
		a.outcome = DNS_OK;
		while (rest.n > 0) {
			r.name = span_cut(&rest, ' ');
			r.preference = (uint16_t)(r.preference + 10);
			if (net_address_parse(r.name, &address))
				r.data = span_make(address.ip + 12, 4);
			dns_record_put(&list, &r);
		}
	}
	if (span_ends_nocase(a.name, SPAN("dane.example"))) {
		a.security = DNS_SECURE;
		if (m->dns_ask.type == DNS_TLSA)
			tlsa_answer(house, &a, &list);
	}
	a.records = buf_span(&list);
	ipc_send_dns_answer(peer, &a);
	buf_release(&list);
}

static const struct ipc_callbacks qmgr_callbacks = {NULL, to_qmgr, NULL};
static const struct ipc_callbacks resolved_callbacks = {NULL, to_resolved, NULL};

static bool
is_up(void *context)
{
	return ipc_peer_is_up(context);
}

static bool
all_ended(void *context)
{
	const struct house *house = context;

	return house->ended >= house->wanted;
}

static bool
all_closed(void *context)
{
	const struct house *house = context;

	return house->sink.open == 0;
}

static bool
has_come(void *context)
{
	const struct house *house = context;

	return house->sink.open > 0;
}

static void
segment_send(struct house *house, struct span bytes)
{
	const struct ipc_segment_fd m = {.segment = SEGMENT};
	int fd = memfd_create("segment", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes.at, bytes.n), (ssize_t)bytes.n);
	ipc_send_segment_fd(house->qmgr, &m, fd);
	close(fd);
	house->content_bytes = bytes.n - 4;
}

/* The settings of a house, with `more`; route.example is at `host`. */
static void
settings_put(const struct house *house, const char *more, const char *host,
	     struct buf *out)
{
	buf_putf(out, "sts = no\nremote_port = %u\n%s\n", house->sink.port, more);
	buf_putf(out,
		 "route \"route.example\" {to = \"[%s]\"}\n"
		 "route \"lmtp.example\" {to = \"[127.0.0.1]:%u\" protocol = lmtp}\n"
		 "route \"login.example\" {to = \"[127.0.0.1]\" user = \"u\" "
		 "password = \"p\" tls = none}\n"
		 "route \"must.example\" {to = \"[127.0.0.1]\" tls = encrypt}\n"
		 "route \"verify.example\" {to = \"[127.0.0.1]\" tls = verify}\n",
		 host, house->sink.port);
	buf_put_char(out, '\0');
}

static void
house_open(struct house *house, const char *settings)
{
	struct buf text = buf_make(10000);

	*house = (struct house){0};
	hosted_folder(&house->h);
	sink_start(&house->sink, house->h.base, "127.0.0.1", 0);
	sink_start(&house->other, house->h.base, "127.0.0.2", house->sink.port);
	settings_put(house, settings, "127.0.0.1", &text);
	hosted_start(&house->h, IPC_KIND_REMOTE, text.at);
	buf_release(&text);
	house->qmgr = hosted_peer(&house->h, IPC_KIND_QMGR, &qmgr_callbacks, house);
	house->resolved =
	    hosted_peer(&house->h, IPC_KIND_RESOLVED, &resolved_callbacks, house);
	hosted_until(&house->h, is_up, house->qmgr);
	hosted_until(&house->h, is_up, house->resolved);
	segment_send(house, SPAN("xxxx" MAIL));
}

static void
house_close(struct house *house)
{
	hosted_stop(&house->h);
	ipc_peer_free(&house->qmgr);
	ipc_peer_free(&house->resolved);
	sink_stop(&house->sink);
	sink_stop(&house->other);
	hosted_end(&house->h);
}

/* One job for recipients "a b c" of a domain. */
static void
relay(struct house *house, const char *domain, const char *locals)
{
	static uint64_t last;
	const uint64_t job = ++last;
	struct buf list = buf_make(RELAY_LIST_BYTES_MAX), address = buf_make(300);
	struct ipc_relay m = {.job = job,
			      .id = job,
			      .segment = SEGMENT,
			      .offset = 4,
			      .content_bytes = house->content_bytes,
			      .domain = span_str(domain),
			      .sender = SPAN("a@here.example")};
	struct span rest = span_str(locals);
	struct relay_recipient r = {0};

	while (rest.n > 0) {
		buf_reset(&address);
		buf_put(&address, span_cut(&rest, ' '));
		buf_putf(&address, "@%s", domain);
		r.address = buf_span(&address);
		relay_recipient_put(&list, &r);
		r.ordinal++;
	}
	m.recipients = buf_span(&list);
	ipc_send_relay(house->qmgr, &m);
	buf_release(&list);
	buf_release(&address);
	house->wanted++;
}

static void
wait_all(struct house *house)
{
	ipc_flush_all();
	hosted_until(&house->h, all_ended, house);
}

static void
relay_and_wait(struct house *house, const char *domain, const char *locals)
{
	memset(house->told, 0xff, sizeof(house->told));
	relay(house, domain, locals);
	wait_all(house);
}

/* "DFX": outcomes of the recipients in order: done, failed, deferred; "-": none. */
static void
check(const struct house *house, const char *want)
{
	for (size_t i = 0; want[i]; i++) {
		const struct told *t = &house->told[i];
		char got = t->outcome < 3 ? "DXF"[t->outcome] : '-';

		if (got != want[i])
			fail_msg("recipient %zu: %c, not %c: %u %s", i, got, want[i],
				 t->code, t->text);
	}
}

static void
test_remote_delivers_and_keeps_the_connection(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	relay_and_wait(&house, "route.example", "joe ann");
	check(&house, "DD");
	assert_int_equal(house.connection, RELAY_TALKED);
	assert_int_equal(house.told[0].code, 250);
	assert_string_equal(house.told[0].text, "taken");
	assert_string_equal(house.told[0].host, "[127.0.0.1]");
	assert_true(span_equal(buf_span(&house.sink.content), SPAN(MAIL)));
	relay_and_wait(&house, "route.example", "joe");
	check(&house, "D");
	assert_int_equal(house.sink.connections, 1);
	assert_int_equal(house.sink.messages, 2);
	assert_int_equal(house.sink.recipients, 3);
	house_close(&house);
}

static void
test_remote_opens_connections_side_by_side(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.offers = "250-PIPELINING\r\n250-CHUNKING\r\n";
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5; i++)
			relay(&house, "route.example", "joe");
		wait_all(&house);
	}
	assert_int_equal(house.sink.connections, 5);
	assert_int_equal(house.sink.messages, 15);
	assert_true(span_equal(buf_span(&house.sink.content), SPAN(MAIL)));
	house_close(&house);
}

static void
test_remote_closes_after_its_last_transaction_and_its_rest(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "remote_transactions_max = 2\nremote_idle_s = 1\n");
	for (int i = 0; i < 5; i++)
		relay_and_wait(&house, "route.example", "joe");
	assert_int_equal(house.sink.messages, 5);
	assert_int_equal(house.sink.connections, 3);
	hosted_until(&house.h, all_closed, &house);
	assert_int_equal(house.sink.quits, 3);
	house_close(&house);
}

/* A kept connection that the server has closed costs nothing but another one. */
static void
test_remote_does_not_trip_over_a_connection_that_has_ended(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	relay_and_wait(&house, "route.example", "joe");
	relay(&house, "route.example", "joe"); /* it is on its way when */
	ipc_flush_all();
	sink_drop_all(&house.sink);
	wait_all(&house);
	assert_int_equal(house.sink.messages, 2);
	assert_int_equal(house.sink.connections, 2);
	house_close(&house);
}

static const char *
timeout_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	return c->messages == 1 && span_starts(line, SPAN("MAIL"))
		   ? "421 4.4.2 idle for too long\r\n"
		   : NULL;
}

static void
test_remote_takes_421_on_a_kept_connection_as_its_end(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = timeout_reply;
	relay_and_wait(&house, "route.example", "joe");
	relay_and_wait(&house, "route.example", "joe");
	check(&house, "D");
	assert_int_equal(house.sink.connections, 2);
	house_close(&house);
}

/* --- hosts ---------------------------------------------------------------- */

static void
test_remote_finds_servers_by_mx(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	relay_and_wait(&house, "two.example", "joe");
	check(&house, "D");
	assert_string_equal(house.told[0].host, "mx1.two.example[127.0.0.1]");
	assert_string_equal(house.provider, "two.example");
	assert_int_equal(house.sink.messages, 1);
	relay_and_wait(&house, "none.example", "joe ann");
	check(&house, "FF");
	assert_int_equal(house.told[1].enhanced[1], 1);
	assert_int_equal(house.connection, RELAY_UNTRIED);
	house_close(&house);
}

static void
test_remote_goes_on_to_the_next_host(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	relay_and_wait(&house, "bad.example", "joe");
	check(&house, "D");
	assert_string_equal(house.told[0].host, "mx1.two.example[127.0.0.1]");
	house_close(&house);
}

static const char *
mixed_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	if (span_starts(line, SPAN("RCPT TO:<later")))
		return "451 4.2.0 come again\r\n";
	if (span_starts(line, SPAN("RCPT TO:<never")))
		return "550 5.1.1 nobody\r\n";
	return NULL;
}

static void
test_remote_tells_each_recipient_what_it_got(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = mixed_reply;
	relay_and_wait(&house, "route.example", "joe never later ann");
	check(&house, "DFXD");
	assert_int_equal(house.told[1].code, 550);
	assert_int_equal(house.told[2].code, 451);
	assert_string_equal(house.told[2].text, "come again");
	assert_int_equal(house.sink.recipients, 2);
	/* Another host may take who was only put off; what it says counts. */
	relay_and_wait(&house, "two.example", "joe never later ann");
	check(&house, "DFDD");
	assert_string_equal(house.told[2].host, "mx2.two.example[127.0.0.2]");
	house.other.reply = mixed_reply;
	relay_and_wait(&house, "two.example", "later never joe");
	check(&house, "XFD");
	assert_string_equal(house.told[0].host, "mx2.two.example[127.0.0.2]");
	assert_int_equal(house.results, 11);
	house_close(&house);
}

static const char *
few_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	return span_starts(line, SPAN("RCPT")) && c->recipients == 2
		   ? "452 4.5.3 too many recipients\r\n"
		   : NULL;
}

static void
test_remote_sends_again_at_once_what_was_too_many(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = few_reply;
	relay_and_wait(&house, "route.example", "a b c d e");
	check(&house, "DDDDD");
	assert_int_equal(house.sink.messages, 3);
	assert_int_equal(house.sink.connections, 1);
	house_close(&house);
}

static const char *
no_greeting(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return line.n == 0 ? "554 5.7.1 not for you\r\n" : NULL;
}

static const char *
busy_greeting(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return line.n == 0 ? "421 4.3.2 busy\r\n" : NULL;
}

static void
test_remote_goes_by_the_greeting(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = no_greeting;
	relay_and_wait(&house, "two.example", "joe");
	check(&house, "D");
	house.other.reply = busy_greeting;
	sink_drop_all(&house.other);
	relay_and_wait(&house, "two.example", "joe");
	check(&house, "X"); /* one of them may take it later */
	assert_int_equal(house.told[0].code, 421);
	assert_int_equal(house.connection, RELAY_BUSY);
	house.other.reply = no_greeting;
	relay_and_wait(&house, "two.example", "joe");
	check(&house, "F");
	assert_int_equal(house.told[0].code, 554);
	house_close(&house);
}

static void
test_remote_says_why_nobody_could_be_reached(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	sink_drop_all(&house.sink);
	net_listener_free(&house.sink.listener);
	relay_and_wait(&house, "route.example", "joe ann");
	check(&house, "XX");
	assert_int_equal(house.connection, RELAY_UNREACHABLE);
	assert_non_null(strstr(house.told[0].text, "connect to [127.0.0.1]:"));
	assert_non_null(strstr(house.told[0].text, "Connection refused"));
	assert_string_equal(house.text, house.told[0].text);
	house_close(&house);
}

/* --- drops ---------------------------------------------------------------- */

static const char *drop_at;

static const char *
drop_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return span_starts(line, span_str(drop_at)) ? "" : NULL;
}

static void
test_remote_survives_a_drop_anywhere(void **state)
{
	static const char *const places[] = {"MAIL", "RCPT", "DATA", ".", "EHLO"};
	struct house house;

	(void)state;
	house_open(&house, "");
	for (size_t i = 0; i < N_ELEMS(places); i++) {
		size_t before = house.other.messages;

		drop_at = places[i];
		house.sink.reply = drop_reply;
		relay_and_wait(&house, "route.example", "joe ann");
		check(&house, "XX");
		/* The other host gets it, but when the first may have it. */
		house.sink.reply = drop_reply;
		relay_and_wait(&house, "two.example", "joe ann");
		check(&house, i == 3 ? "XX" : "DD");
		assert_int_equal(house.other.messages, before + (i != 3));
	}
	house_close(&house);
}

/* --- LMTP, AUTH, TLS ------------------------------------------------------ */

static const char *
lmtp_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)c;
	if (!span_equal(line, SPAN(".")))
		return mixed_reply(s, c, line);
	return s->wanted++ == 1 ? "452 4.2.2 full\r\n" : NULL;
}

static void
test_remote_speaks_lmtp(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.lmtp = true;
	house.sink.reply = lmtp_reply;
	relay_and_wait(&house, "lmtp.example", "joe full never ann");
	check(&house, "DXFD");
	assert_int_equal(house.told[1].code, 452);
	assert_true(span_starts(buf_span(&house.sink.commands), SPAN("LHLO ")));
	house_close(&house);
}

static void
test_remote_logs_in(void **state)
{
	struct house house;
	struct span said;

	(void)state;
	house_open(&house, "");
	house.sink.offers = "250-AUTH PLAIN\r\n";
	house.sink.login = true;
	relay_and_wait(&house, "login.example", "joe");
	check(&house, "D");
	said = buf_span(&house.sink.commands);
	assert_true(span_find_span(said, SPAN("AUTH PLAIN AHUAcA==")) < said.n);
	house_close(&house);
}

static void
test_remote_does_tls_as_it_must(void **state)
{
	struct identity id = identity_ecdsa();
	struct house house;

	(void)state;
	house_open(&house, "");
	relay_and_wait(&house, "must.example", "joe");
	check(&house, "X");
	assert_int_equal(house.told[0].enhanced[1], 7);
	house.sink.tls = context_of(&id);
	relay_and_wait(&house, "must.example", "joe");
	check(&house, "D");
	relay_and_wait(&house, "route.example", "joe");
	check(&house, "D");
	assert_int_equal(house.sink.secured, 2);
	relay_and_wait(&house, "must.example", "joe");
	relay_and_wait(&house, "route.example", "joe");
	assert_int_equal(house.sink.secured, 2);
	relay_and_wait(&house, "verify.example", "joe");
	check(&house, "X");
	assert_int_equal(house.told[0].enhanced[2], 5);
	assert_int_equal(house.sink.messages, 4);
	tls_context_free(&house.sink.tls);
	identity_release(&id);
	house_close(&house);
}

static void
digest_of(const struct identity *id, unsigned char out[32])
{
	BIO *bio = BIO_new_mem_buf(id->certificate.at, (int)id->certificate.n);
	X509 *x = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	unsigned char *der = NULL;
	int n = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

	assert_true(n > 0);
	assert_int_equal(EVP_Digest(der, (size_t)n, out, NULL, EVP_sha256(), NULL), 1);
	OPENSSL_free(der);
	X509_free(x);
	BIO_free(bio);
}

static void
test_remote_holds_a_server_to_its_dane_records(void **state)
{
	struct identity id = identity_ecdsa();
	struct house house;

	(void)state;
	house_open(&house, "remote_idle_s = 0\n");
	digest_of(&id, house.key_digest);
	relay_and_wait(&house, "dane.example", "joe");
	check(&house, "X"); /* no STARTTLS at all */
	house.sink.tls = context_of(&id);
	relay_and_wait(&house, "dane.example", "joe");
	check(&house, "D");
	assert_int_equal(house.sink.secured, 1);
	relay_and_wait(&house, "bad.dane.example", "joe");
	check(&house, "X");
	assert_int_equal(house.told[0].enhanced[1], 7);
	assert_int_equal(house.sink.messages, 1);
	tls_context_free(&house.sink.tls);
	identity_release(&id);
	house_close(&house);
}

/* The handshake fails where TLS need not be: then without. */
static void
test_remote_goes_without_tls_where_it_may(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.broken_tls = true;
	relay_and_wait(&house, "route.example", "joe");
	check(&house, "D");
	assert_int_equal(house.sink.connections, 2);
	relay_and_wait(&house, "must.example", "joe");
	check(&house, "X");
	house_close(&house);
}

/* --- what servers cannot do ------------------------------------------------ */

static void
test_remote_makes_8_bit_content_plain_for_a_server_without_8bitmime(void **state)
{
	static const char mail[] =
	    "xxxxSubject: x\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n";
	struct house house;
	struct span got;

	(void)state;
	house_open(&house, "");
	segment_send(&house, span_make(mail, sizeof(mail) - 1));
	relay_and_wait(&house, "route.example", "joe");
	check(&house, "D");
	got = buf_span(&house.sink.content);
	assert_true(span_find_span(got, SPAN("\r\n\r\n=C3=A4")) < got.n);
	house.sink.offers = "250-8BITMIME\r\n";
	sink_drop_all(&house.sink);
	relay_and_wait(&house, "route.example", "joe");
	assert_true(span_equal(buf_span(&house.sink.content),
			       span_make(mail + 4, sizeof(mail) - 5)));
	house_close(&house);
}

static const char *
silent_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	return span_starts(line, span_str(drop_at)) ? "250-half\r\n" : NULL;
}

static void
test_remote_does_not_wait_for_ever(void **state)
{
	static const char *const places[] = {"", "EHLO", "MAIL", "DATA", "."};
	struct house house;

	(void)state;
	house_open(&house, "remote_greeting_timeout_s = 1\n"
			   "remote_command_timeout_s = 1\nremote_data_timeout_s = 1\n");
	house.sink.reply = silent_reply;
	for (size_t i = 0; i < N_ELEMS(places); i++) {
		drop_at = places[i];
		relay(&house, "route.example", "joe");
		ipc_flush_all();
		relay_and_wait(&house, "route.example", "joe");
		check(&house, "X");
		assert_int_equal(house.told[0].code, 0);
	}
	house_close(&house);
}

/* --- the other programs --------------------------------------------------- */

static void
test_remote_defers_what_is_not_in_the_segment(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "");
	ipc_send_segment_drop(house.qmgr, &(struct ipc_segment_drop){SEGMENT});
	relay_and_wait(&house, "route.example", "joe ann");
	check(&house, "XX");
	assert_string_equal(house.told[0].text, "segment of the spool not known");
	assert_int_equal(house.sink.messages, 0);
	house_close(&house);
}

static void
test_remote_gives_back_what_makes_no_sense(void **state)
{
	const struct ipc_relay rows[] = {
	    {.job = 1,			 .domain = SPAN("route.example")},
	    { .job = 2, .domain = SPAN("route.example"),         .recipients = SPAN("x")},
	    { .job = 3,            .offset = UINT64_MAX,              .content_bytes = 2},
	};
	struct house house;

	(void)state;
	house_open(&house, "");
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		ipc_send_relay(house.qmgr, &rows[i]);
	house.wanted = N_ELEMS(rows);
	wait_all(&house);
	assert_int_equal(house.results, 0);
	house_close(&house);
}

/* A new qmgr has other jobs by the same numbers. */
static void
test_remote_forgets_the_jobs_of_a_qmgr_that_is_gone(void **state)
{
	struct house house;

	(void)state;
	house_open(&house, "remote_greeting_timeout_s = 60\n");
	house.sink.reply = silent_reply;
	drop_at = "";
	relay(&house, "route.example", "joe");
	ipc_flush_all();
	hosted_until(&house.h, has_come, &house);
	ipc_peer_free(&house.qmgr);
	house.qmgr = hosted_peer(&house.h, IPC_KIND_QMGR, &qmgr_callbacks, &house);
	hosted_until(&house.h, is_up, house.qmgr);
	hosted_until(&house.h, all_closed, &house);
	house.sink.reply = NULL;
	house.wanted = 0;
	segment_send(&house, SPAN("xxxx" MAIL));
	relay_and_wait(&house, "route.example", "joe");
	check(&house, "D");
	assert_int_equal(house.ended, 1);
	house_close(&house);
}

static void
test_remote_goes_by_new_settings(void **state)
{
	struct buf text = buf_make(10000);
	struct house house;

	(void)state;
	house_open(&house, "");
	relay_and_wait(&house, "route.example", "joe");
	settings_put(&house, "", "127.0.0.2", &text);
	hosted_reload(&house.h, text.at);
	hosted_until(&house.h, all_closed, &house);
	relay_and_wait(&house, "route.example", "joe");
	assert_string_equal(house.told[0].host, "[127.0.0.2]");
	assert_int_equal(house.other.messages, 1);
	buf_release(&text);
	house_close(&house);
}

static const char *
held_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)c;
	if (!span_equal(line, SPAN(".")))
		return NULL;
	s->wanted++;
	return "250-held\r\n"; /* half of a reply */
}

static bool
is_held(void *context)
{
	const struct house *house = context;

	return house->sink.wanted > 0;
}

/* In an orderly stop, what is at the end of its message has its answer awaited; what
 * is not goes back. */
static void
test_remote_stops_in_order(void **state)
{
	struct ipc_ctl_drain drain = {0};
	struct house house;

	(void)state;
	house_open(&house, "");
	house.sink.reply = held_reply;
	memset(house.told, 0xff, sizeof(house.told));
	relay(&house, "route.example", "joe");
	ipc_flush_all();
	hosted_until(&house.h, is_held, &house);
	relay(&house, "must.example", "ann");
	ipc_send_ctl_drain(house.h.master, &drain);
	house.wanted = 1;
	wait_all(&house);
	assert_int_equal(house.connection, RELAY_UNTRIED);
	check(&house, "-");
	house.wanted = 2;
	net_stream_write(LIST_FIRST(&house.sink.clients)->stream, SPAN("250 ok\r\n"));
	wait_all(&house);
	check(&house, "D");
	house_close(&house);
}

/* --- load ----------------------------------------------------------------- */

static uint64_t
number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t n;

	return text && number_parse(span_str(text), UINT64_MAX, &n) ? n : otherwise;
}

static void
mail_of_4k(struct buf *out)
{
	buf_put_str(out, MAIL);
	while (out->n < 4096)
		buf_put_str(out,
			    "A line of text that is as long as lines usually are.\r\n");
}

/* Of the programs that have ended. */
static double
processor_seconds(void)
{
	struct rusage used;

	getrusage(RUSAGE_CHILDREN, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
	       (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static void
test_remote_takes_many(void **state)
{
	uint64_t jobs = number_from("JOBS", 500),
		 at_once = number_from("CONNECTIONS", 16);
	struct buf mail = buf_make(1 << 14);
	struct identity id = identity_ecdsa();
	struct timespec start, end;
	struct house house;
	double seconds, cpu = processor_seconds();

	(void)state;
	house_open(&house, "remote_transactions_max = 1000000\n");
	house.sink.offers = "250-PIPELINING\r\n250-CHUNKING\r\n250-8BITMIME\r\n";
	if (number_from("TLS", 0) > 0)
		house.sink.tls = context_of(&id);
	mail_of_4k(&mail);
	segment_send(&house, buf_span(&mail));
	clock_gettime(CLOCK_MONOTONIC, &start);
	for (uint64_t i = 0; i < jobs; i++) {
		relay(&house, "route.example", "joe");
		while (house.wanted - house.ended >= at_once) {
			ipc_flush_all();
			event_base_loop(house.h.base, EVLOOP_ONCE);
		}
	}
	wait_all(&house);
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_int_equal(house.sink.messages, jobs);
	assert_true(house.sink.connections <= at_once);
	house_close(&house);
	cpu = processor_seconds() - cpu;
	seconds = (double)(end.tv_sec - start.tv_sec) +
		  (double)(end.tv_nsec - start.tv_nsec) / 1e9;
	print_message("%llu jobs in %.2f s, %.1f us of processor each\n",
		      (unsigned long long)jobs, seconds, cpu * 1e6 / (double)jobs);
	tls_context_free(&house.sink.tls);
	identity_release(&id);
	buf_release(&mail);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_remote_delivers_and_keeps_the_connection),
	    cmocka_unit_test(test_remote_opens_connections_side_by_side),
	    cmocka_unit_test(
		test_remote_closes_after_its_last_transaction_and_its_rest),
	    cmocka_unit_test(
		test_remote_does_not_trip_over_a_connection_that_has_ended),
	    cmocka_unit_test(test_remote_takes_421_on_a_kept_connection_as_its_end),
	    cmocka_unit_test(test_remote_finds_servers_by_mx),
	    cmocka_unit_test(test_remote_goes_on_to_the_next_host),
	    cmocka_unit_test(test_remote_tells_each_recipient_what_it_got),
	    cmocka_unit_test(test_remote_sends_again_at_once_what_was_too_many),
	    cmocka_unit_test(test_remote_goes_by_the_greeting),
	    cmocka_unit_test(test_remote_says_why_nobody_could_be_reached),
	    cmocka_unit_test(test_remote_survives_a_drop_anywhere),
	    cmocka_unit_test(test_remote_speaks_lmtp),
	    cmocka_unit_test(test_remote_logs_in),
	    cmocka_unit_test(test_remote_does_tls_as_it_must),
	    cmocka_unit_test(test_remote_holds_a_server_to_its_dane_records),
	    cmocka_unit_test(test_remote_goes_without_tls_where_it_may),
	    cmocka_unit_test(
		test_remote_makes_8_bit_content_plain_for_a_server_without_8bitmime),
	    cmocka_unit_test(test_remote_does_not_wait_for_ever),
	    cmocka_unit_test(test_remote_defers_what_is_not_in_the_segment),
	    cmocka_unit_test(test_remote_gives_back_what_makes_no_sense),
	    cmocka_unit_test(test_remote_forgets_the_jobs_of_a_qmgr_that_is_gone),
	    cmocka_unit_test(test_remote_goes_by_new_settings),
	    cmocka_unit_test(test_remote_stops_in_order),
	    cmocka_unit_test(test_remote_takes_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "tests/unit/remote_house.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

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

const struct ipc_callbacks house_qmgr_callbacks = {NULL, to_qmgr, NULL};
static const struct ipc_callbacks resolved_callbacks = {NULL, to_resolved, NULL};

bool
house_is_up(void *context)
{
	return ipc_peer_is_up(context);
}

static bool
all_ended(void *context)
{
	const struct house *house = context;

	return house->ended >= house->wanted;
}

bool
house_all_closed(void *context)
{
	const struct house *house = context;

	return house->sink.open == 0;
}

bool
house_has_come(void *context)
{
	const struct house *house = context;

	return house->sink.open > 0;
}

void
house_segment_send(struct house *house, struct span bytes)
{
	const struct ipc_segment_fd m = {.segment = SEGMENT};
	int fd = memfd_create("segment", MFD_CLOEXEC);

	assert_int_equal(write(fd, bytes.at, bytes.n), (ssize_t)bytes.n);
	ipc_send_segment_fd(house->qmgr, &m, fd);
	close(fd);
	house->content_bytes = bytes.n - 4;
}

/* The settings of a house, with `more`; route.example is at `host`. */
void
house_settings_put(const struct house *house, const char *more, const char *host,
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

void
house_open(struct house *house, const char *settings)
{
	struct buf text = buf_make(10000);

	*house = (struct house){0};
	hosted_folder(&house->h);
	sink_start(&house->sink, house->h.base, "127.0.0.1", 0);
	sink_start(&house->other, house->h.base, "127.0.0.2", house->sink.port);
	house_settings_put(house, settings, "127.0.0.1", &text);
	hosted_start(&house->h, IPC_KIND_REMOTE, text.at);
	buf_release(&text);
	house->qmgr =
	    hosted_peer(&house->h, IPC_KIND_QMGR, &house_qmgr_callbacks, house);
	house->resolved =
	    hosted_peer(&house->h, IPC_KIND_RESOLVED, &resolved_callbacks, house);
	hosted_until(&house->h, house_is_up, house->qmgr);
	hosted_until(&house->h, house_is_up, house->resolved);
	house_segment_send(house, SPAN("xxxx" MAIL));
}

void
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
void
house_relay(struct house *house, const char *domain, const char *locals)
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
			      .next_hop = span_str(house->next_hop),
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

void
house_wait_all(struct house *house)
{
	ipc_flush_all();
	hosted_until(&house->h, all_ended, house);
}

void
house_relay_and_wait(struct house *house, const char *domain, const char *locals)
{
	memset(house->told, 0xff, sizeof(house->told));
	house_relay(house, domain, locals);
	house_wait_all(house);
}

/* "DFX": outcomes of the recipients in order: done, failed, deferred; "-": none. */
void
house_check(const struct house *house, const char *want)
{
	for (size_t i = 0; want[i]; i++) {
		const struct told *t = &house->told[i];
		char got = t->outcome < 3 ? "DXF"[t->outcome] : '-';

		if (got != want[i])
			fail_msg("recipient %zu: %c, not %c: %u %s", i, got, want[i],
				 t->code, t->text);
	}
}
const char *
house_mixed_reply(struct sink *s, struct sink_client *c, struct span line)
{
	(void)s;
	(void)c;
	if (span_starts(line, SPAN("RCPT TO:<later")))
		return "451 4.2.0 come again\r\n";
	if (span_starts(line, SPAN("RCPT TO:<never")))
		return "550 5.1.1 nobody\r\n";
	return NULL;
}

/* tests/unit/test_remote_session.c - what becomes of whom, reply by reply
 *
 * Every reply of the dialogue × what may come in its place × PIPELINING × DATA or
 * BDAT × SMTP or LMTP × replies whole or byte by byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "tests/unit/relay_peer.h"

static const char *const event_names[EVENT_N] = {
    "usual", "2xx",  "3xx",     "4xx",     "5xx",
    "421",   "drop", "timeout", "garbage", "5 MB line",
};

static const struct relay_recipient recipients[] = {
    {.ordinal = 7, .address = SPAN("anna@example.org")   },
    {.ordinal = 3, .address = SPAN("bert@example.org")   },
    {.ordinal = 5, .address = SPAN("refused@example.org")},
};

/* Fates of the three: D done, d deferred, F failed; then how the session stands:
 * - goes on, R refused, B busy, S no TLS, L lost, T timeout, X broken. One letter and
 * an end: it ended before the transaction, with a reason of that outcome. */
struct row {
	const char *name;
	enum at at;
	unsigned nth;
	enum {
		ANY,
		SMTP,
		LMTP
	} only;
	enum {
		EITHER,
		DATA,
		BDAT
	} how;
	const char *want[EVENT_N];
};

/* clang-format off */
static const struct row rows[] = {
  /*                                                usual   2xx     3xx     4xx     5xx     421     drop    timeout garbage flood */
  {"greeting",          AT_GREETING, 0, ANY, EITHER,  {"DDF-", "dX",   "dX",   "dR",   "FR",   "dB",   "dL",   "dT",   "dX",   "dX"}},
  {"EHLO",              AT_EHLO,     0, SMTP, EITHER, {"DDF-", "DDF-", "dX",   "dR",   "DDF-", "dB",   "dL",   "dT",   "dX",   "dX"}},
  {"LHLO",              AT_EHLO,     0, LMTP, EITHER, {"DDF-", "DDF-", "dX",   "dR",   "FR",   "dB",   "dL",   "dT",   "dX",   "dX"}},
  {"STARTTLS",          AT_STARTTLS, 0, ANY, EITHER,  {"DDF-", "dX",   "dX",   "DDF-", "DDF-", "dB",   "dL",   "dT",   "dX",   "dX"}},
  {"EHLO under TLS",    AT_EHLO_TLS, 0, SMTP, EITHER, {"DDF-", "DDF-", "dX",   "dR",   "DDF-", "dB",   "dL",   "dT",   "dX",   "dX"}},
  {"AUTH",              AT_AUTH,     0, ANY, EITHER,  {"DDF-", "dX",   "dX",   "dR",   "dR",   "dB",   "dL",   "dT",   "dX",   "dX"}},
  {"MAIL",              AT_MAIL,     0, ANY, EITHER,  {"DDF-", "DDF-", "dddX", "ddd-", "FFF-", "dddB", "dddL", "dddT", "dddX", "dddX"}},
  {"RCPT 1",            AT_RCPT,     0, ANY, EITHER,  {"DDF-", "DDF-", "dddX", "dDF-", "FDF-", "dddB", "dddL", "dddT", "dddX", "dddX"}},
  {"RCPT 2",            AT_RCPT,     1, ANY, EITHER,  {"DDF-", "DDF-", "dddX", "DdF-", "DFF-", "dddB", "dddL", "dddT", "dddX", "dddX"}},
  {"DATA",              AT_DATA,     0, ANY, DATA,    {"DDF-", "ddFX", "ddFX", "ddF-", "FFF-", "ddFB", "ddFL", "ddFT", "ddFX", "ddFX"}},
  {"first BDAT of many",AT_CHUNK,    0, ANY, BDAT,    {"DDF-", "DDF-", "ddFX", "ddF-", "FFF-", "ddFB", "ddFL", "ddFT", "ddFX", "ddFX"}},
  {"last BDAT but one", AT_CHUNK,    2, ANY, BDAT,    {"DDF-", "DDF-", "ddFX", "ddF-", "FFF-", "ddFB", "ddFL", "ddFT", "ddFX", "ddFX"}},
  {"end of message",    AT_FINAL,    0, SMTP, EITHER, {"DDF-", "DDF-", "ddFX", "ddF-", "FFF-", "ddFB", "ddFL", "ddFT", "ddFX", "ddFX"}},
  {"end, recipient 1",  AT_FINAL,    0, LMTP, EITHER, {"DDF-", "DDF-", "ddFX", "dDF-", "FDF-", "ddFB", "ddFL", "ddFT", "ddFX", "ddFX"}},
  {"end, recipient 2",  AT_FINAL,    1, LMTP, EITHER, {"DDF-", "DDF-", "DdFX", "DdF-", "DFF-", "DdFB", "DdFL", "DdFT", "DdFX", "DdFX"}},
};
/* clang-format on */

struct mode {
	bool pipelining, chunking, lmtp, bytewise, big;
};

static const char small_text[] = "Subject: x\r\n\r\n.dot\r\nend\r\n";

/* Letters of what became of it, as in the rows. */
static void
put_fates(struct session *s, bool started, char *out)
{
	static const char fates[] = {
	    [DELIVERY_DONE] = 'D', [DELIVERY_DEFERRED] = 'd', [DELIVERY_FAILED] = 'F'};
	static const char ends[] = {
	    [SESSION_END_NONE] = '-',    [SESSION_END_QUIT] = 'Q',
	    [SESSION_END_REFUSED] = 'R', [SESSION_END_BUSY] = 'B',
	    [SESSION_END_TLS] = 'S',     [SESSION_END_LOST] = 'L',
	    [SESSION_END_TIMEOUT] = 'T', [SESSION_END_BROKEN] = 'X',
	};
	size_t n = 1;
	const struct relay_result *r = session_reason(s);

	if (started)
		r = session_results(s, &n);
	for (size_t i = 0; i < n; i++) {
		*out++ = fates[r[i].outcome];
		if (started)
			assert_int_equal(r[i].ordinal, recipients[i].ordinal);
		assert_true(r[i].text.n > 0 && r[i].text.n <= RELAY_TEXT_MAX);
		assert_int_equal(span_find(r[i].text, '\n'), r[i].text.n);
		assert_true(r[i].enhanced[0] == (r[i].outcome == DELIVERY_DONE ? 2
						 : r[i].outcome == DELIVERY_FAILED
						     ? 5
						     : 4));
	}
	*out++ = ends[session_end(s)];
	*out = '\0';
}

static struct span
text_of(const struct mode *m, struct buf *big)
{
	if (!m->big)
		return span_str(small_text);
	buf_put_str(big, "Subject: big\r\n\r\n");
	while (big->n < 500000)
		buf_put_str(big, ".this line and 6,999 others\r\n");
	return buf_span(big);
}

static void
setup(struct peer *p, const struct mode *m, const struct row *row, enum event event)
{
	struct session_config config;

	peer_init(p);
	p->lmtp = m->lmtp;
	p->pipelining = m->pipelining;
	p->chunking = m->chunking;
	p->bytewise = m->bytewise;
	p->piece = m->big ? 30000 : 0;
	p->tls = row->at == AT_STARTTLS || row->at == AT_EHLO_TLS;
	p->auth = row->at == AT_AUTH ? "PLAIN" : NULL;
	p->rule_at = row->at;
	p->rule_nth = row->nth;
	p->rule_event = event;
	config = peer_config(p);
	if (p->auth) {
		config.user = SPAN("me");
		config.password = SPAN("secret");
		config.auth_without_tls = true;
	}
	p->s = session_new(&config);
}

/* In LMTP nobody says how many replies follow when the last chunk is on its way and
 * one before it is refused: the session ends there. */
static bool
ends_early(const struct mode *m, const struct row *row, enum event event)
{
	return row->at == AT_CHUNK && m->lmtp && m->pipelining &&
	       (event == EVENT_4XX || event == EVENT_5XX);
}

static void
run_cell(const struct mode *m, const struct row *row, enum event event)
{
	const char *want = row->want[event];
	struct buf big = buf_make(1 << 20);
	struct span content = text_of(m, &big);
	struct session_transaction t = {.sender = SPAN("me@example.net"),
					.content_bytes = content.n,
					.recipients = recipients,
					.n_recipients = N_ELEMS(recipients)};
	struct peer p;
	bool started;
	char got[8];

	setup(&p, m, row, event);
	peer_run(&p);
	started = session_wish(p.s) == SESSION_READY;
	if (started)
		peer_transact(&p, &t, content);
	put_fates(p.s, started, got);
	if (ends_early(m, row, event)) {
		assert_int_equal(got[3], 'X');
		got[3] = '-';
	}
	if (strcmp(got, want) != 0)
		fail_msg("%s, %s, %s, %s, %s: %s, not %s", row->name,
			 event_names[event], m->lmtp ? "LMTP" : "SMTP",
			 m->pipelining ? "PIPELINING" : "one by one",
			 m->chunking ? "BDAT" : "DATA", got, want);
	if (strchr(want, 'D') && strlen(want) == 4) {
		assert_int_equal(p.n_taken, 1);
		assert_true(span_equal(buf_span(&p.taken), content));
	}
	peer_release(&p);
	buf_release(&big);
}

static void
run_row(const struct row *row, const struct mode *mode)
{
	struct mode m = *mode;

	if ((row->only == SMTP && m.lmtp) || (row->only == LMTP && !m.lmtp) ||
	    (row->how == DATA && m.chunking) || (row->how == BDAT && !m.chunking))
		return;
	m.big = row->at == AT_CHUNK;
	for (enum event e = EVENT_NONE; e < EVENT_N; e++)
		run_cell(&m, row, e);
}

static void
test_session_fate_of_every_reply(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_ELEMS(rows); i++)
		for (unsigned bits = 0; bits < 16; bits++) {
			struct mode m = {.pipelining = bits & 1,
					 .chunking = bits & 2,
					 .lmtp = bits & 4,
					 .bytewise = bits & 8};

			run_row(&rows[i], &m);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_fate_of_every_reply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

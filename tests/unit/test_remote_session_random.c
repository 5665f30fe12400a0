/* tests/unit/test_remote_session_random.c - dialogues with a server of moods
 *
 * A server that offers this or that, refuses, vanishes, talks nonsense; several
 * transactions each. It keeps a record of what it said, and the results must say the
 * same. SEED= repeats a run, N= is how many dialogues.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <cmocka.h>

#include "tests/unit/relay_peer.h"

#define RECIPIENTS_MAX 12

static uint64_t
environment(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);
	uint64_t value;

	return text && number_parse(span_str(text), UINT64_MAX, &value) ? value
									: otherwise;
}

/* What the server said of each recipient of the transaction. */
static struct record {
	enum event mail, data, chunk, final;
	enum event rcpts[RECIPIENTS_MAX], finals[RECIPIENTS_MAX];
	unsigned n_rcpts, n_finals;
	bool over; /* it said what ends the session: the rest counts no more */
} record;

static unsigned mood; /* one in so many replies is not the usual one */

static enum event
draw(struct peer *p, enum at at)
{
	static const enum event events[] = {
	    EVENT_OK,  EVENT_4XX,  EVENT_4XX,     EVENT_5XX,     EVENT_5XX,
	    EVENT_421, EVENT_DROP, EVENT_TIMEOUT, EVENT_GARBAGE, EVENT_STRANGE};

	if (at < AT_MAIL || peer_random(p) % mood != 0)
		return EVENT_NONE;
	return events[peer_random(p) % N_ELEMS(events)];
}

static enum event
moody(struct peer *p, enum at at, unsigned nth)
{
	enum event event = draw(p, at);

	if (at == AT_DATA && event == EVENT_OK)
		event = EVENT_STRANGE; /* no 354: not a yes */
	(void)nth;
	if (record.over)
		return event;
	if (at == AT_MAIL)
		record = (struct record){.mail = event};
	else if (at == AT_RCPT)
		record.rcpts[record.n_rcpts++] = event;
	else if (at == AT_DATA)
		record.data = event;
	else if (at == AT_CHUNK && event > EVENT_OK && record.chunk == EVENT_NONE)
		record.chunk = event;
	else if (at == AT_FINAL)
		record.finals[record.n_finals++] = event;
	record.over = event == EVENT_STRANGE;
	return event;
}

static bool
is_yes(enum event e)
{
	return e == EVENT_NONE || e == EVENT_OK;
}

/* What an event makes of a recipient that it is about. */
static enum delivery_outcome
outcome_of(enum event e)
{
	return is_yes(e)        ? DELIVERY_DONE
	       : e == EVENT_5XX ? DELIVERY_FAILED
				: DELIVERY_DEFERRED;
}

/* From what the server said, the fate of recipient i, of which n_before were
 * accepted. */
static enum delivery_outcome
expected(const struct peer *p, unsigned i, unsigned n_before)
{
	if (!is_yes(record.mail))
		return outcome_of(record.mail);
	if (i >= record.n_rcpts)
		return DELIVERY_DEFERRED;
	if (!is_yes(record.rcpts[i]))
		return outcome_of(record.rcpts[i]);
	if (!is_yes(record.data))
		return outcome_of(record.data);
	if (!is_yes(record.chunk))
		return outcome_of(record.chunk);
	if (p->lmtp)
		return n_before < record.n_finals ? outcome_of(record.finals[n_before])
						  : DELIVERY_DEFERRED;
	return record.n_finals ? outcome_of(record.finals[0]) : DELIVERY_DEFERRED;
}

static void
check_results(const struct peer *p, const struct relay_recipient *r, size_t n)
{
	size_t n_results;
	const struct relay_result *results = session_results(p->s, &n_results);
	unsigned n_before = 0;

	assert_int_equal(n_results, n);
	for (unsigned i = 0; i < n; i++) {
		enum delivery_outcome want = expected(p, i, n_before);

		if (i < record.n_rcpts && is_yes(record.rcpts[i]))
			n_before++;
		assert_int_equal(results[i].ordinal, r[i].ordinal);
		if (results[i].outcome != want)
			fail_msg("recipient %u of %zu: %u, not %u", i, n,
				 results[i].outcome, want);
	}
}

static void
make_content(struct peer *p, struct buf *out)
{
	size_t n = peer_random(p) % 4 ? peer_random(p) % 3000 : peer_random(p) % 700000;

	buf_put_str(out, "Subject: random\r\n\r\n");
	while (out->n < n) {
		for (size_t i = peer_random(p) % 90; i > 0; i--)
			buf_put_char(out, i % 9 == 0 ? '.' : 'x');
		buf_put_str(out, peer_random(p) % 9 ? "\r\n" : "\r\n.\r\n");
	}
}

static void
transact(struct peer *p, unsigned round)
{
	static const struct span names[] = {SPAN("a@x.example"), SPAN("b@x.example"),
					    SPAN("c.d@x.example"),
					    SPAN("\"e f\"@x.example")};
	struct relay_recipient r[RECIPIENTS_MAX];
	struct buf content = buf_make(1 << 20);
	struct session_transaction t = {.sender = SPAN("s@y.example"),
					.recipients = r,
					.n_recipients =
					    1 + peer_random(p) % RECIPIENTS_MAX,
					.seven_bit = peer_random(p) % 2};
	unsigned n_taken = p->n_taken;

	for (uint32_t i = 0; i < t.n_recipients; i++)
		r[i] = (struct relay_recipient){.ordinal = round * 100 + i,
						.address = names[peer_random(p) % 4]};
	make_content(p, &content);
	t.content_bytes = content.n;
	p->piece = peer_random(p) % 3 ? 1 + peer_random(p) % 100000 : 0;
	record = (struct record){.mail = EVENT_DROP};
	peer_transact(p, &t, buf_span(&content));
	check_results(p, r, t.n_recipients);
	if (p->n_taken > n_taken)
		assert_true(span_equal(buf_span(&p->taken), buf_span(&content)));
	buf_release(&content);
}

static void
run_dialogue(uint64_t seed)
{
	struct session_config config;
	struct peer p;

	peer_init(&p);
	p.seed = seed;
	p.rule = moody;
	mood = 1 + (unsigned)(peer_random(&p) % 40);
	p.pipelining = peer_random(&p) % 3 != 0;
	p.chunking = peer_random(&p) % 2;
	p.lmtp = peer_random(&p) % 3 == 0;
	p.tls = peer_random(&p) % 2;
	p.dsn = peer_random(&p) % 2;
	p.eightbit = peer_random(&p) % 4 != 0;
	p.bytewise = peer_random(&p) % 4 == 0;
	p.more = peer_random(&p) % 2 ? "250-SIZE 100000000\r\n250-X\r\n" : NULL;
	config = peer_config(&p);
	config.burst_bytes_max = peer_random(&p) % 100000;
	p.s = session_new(&config);
	peer_run(&p);
	for (unsigned i = 0; i < 6 && session_wish(p.s) == SESSION_READY; i++)
		transact(&p, i);
	peer_release(&p);
}

static void
test_session_results_are_what_the_server_said(void **state)
{
	uint64_t seed = environment("SEED", (uint64_t)time(NULL) * 1000);
	uint64_t n = environment("N", 200);

	(void)state;
	for (uint64_t i = 0; i < n; i++) {
		print_message("\rSEED=%llu N=1", (unsigned long long)(seed + i));
		run_dialogue(seed + i);
	}
	print_message("\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_session_results_are_what_the_server_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

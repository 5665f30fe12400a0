#include "tests/fuzz/smtp_pair.h"

struct session_policy
pair_policy(uint8_t choice)
{
	static const enum session_kind kinds[] = {SESSION_MX, SESSION_SUBMISSION,
						  SESSION_LMTP, SESSION_LOCAL};
	struct session_policy p = script_policy(kinds[choice & 3]);

	p.auth_without_tls = choice & 4;
	p.normalise_bare = choice & 8;
	p.login_required = (choice & 16) != 0;
	p.xclient = choice & 32;
	p.mend = choice & 64;
	p.limits.message_bytes_max = 300;
	p.limits.swallow_bytes_max = 300;
	p.limits.line_bytes_max = 200;
	p.limits.auth_line_bytes_max = 300;
	p.limits.text_line_bytes_max = 40;
	p.limits.header_bytes_max = 100;
	p.limits.header_field_bytes_max = 60;
	p.limits.header_fields_max = 6;
	p.limits.hops_max = 3;
	p.limits.rcpts_max = 5;
	p.limits.transactions_max = 5;
	p.limits.chunks_max = 10;
	p.limits.envelope_bytes_max = 2048;
	return p;
}

static bool
contains(struct span s, const char *text)
{
	return span_find_span(s, span_str(text)) < s.n;
}

/* The first digits of two rows of replies. A message with two faults is refused
 * for the one that was seen first, which depends on what came together. */
static bool
same_outcome(struct span a, struct span b)
{
	while (a.n > 0 && b.n > 0) {
		struct span line_a = span_cut(&a, '\n'), line_b = span_cut(&b, '\n');

		if (line_a.at[0] != line_b.at[0] ||
		    (line_a.at[0] != '5' && !span_equal(line_a, line_b)))
			return false;
	}
	return a.n == b.n;
}

static bool
names_bdat(struct span wire)
{
	for (; wire.n > 0; wire = span_after(wire, 1))
		if (span_starts_nocase(wire, SPAN("bdat")))
			return true;
	return false;
}

static size_t
count_of(struct span s, struct span what)
{
	size_t n = 0;

	for (size_t at; (at = span_find_span(s, what)) < s.n; n++)
		s = span_after(s, at + what.n);
	return n;
}

/* Without a message each whole line taken got one reply, beside the greeting. */
static void
check_replies(const struct script *t, struct span start, struct span wire)
{
	struct span taken = span_first(wire, wire.n - t->pending.n);
	size_t lines = count_of(start, SPAN("\r\n")) + count_of(taken, SPAN("\r\n"));
	struct buf codes = buf_make(1 << 20);

	script_codes(buf_span(&t->out), &codes);
	ASSERT(t->begun > 0 || names_bdat(wire) || codes.n / 4 == lines + 1);
	buf_release(&codes);
}

static void
check(const struct script *t, struct span start, struct span wire)
{
	ASSERT(t->begun >= t->finished + t->aborted);
	ASSERT(t->begun <= t->finished + t->aborted + 1);
	ASSERT(t->out.n <= (start.n + wire.n + 2) * 600);
	ASSERT(t->want == SESSION_WANT_INPUT || t->closed);
	check_replies(t, start, wire);
}

static void
feed(struct script *t, struct span start, struct span wire, uint64_t cuts)
{
	while (start.n > 0) {
		size_t lf = span_find(start, '\n');

		script_feed(t, span_first(start, lf + 1));
		start = span_after(start, lf + 1);
	}
	while (wire.n > 0 && !t->closed) {
		size_t n = cuts ? 1 + script_random(&cuts) % 20 : wire.n;

		script_feed(t, span_first(wire, n));
		wire = span_after(wire, n);
	}
	if (t->closed)
		buf_put(&t->pending, wire);
}

void
pair_run(const struct session_policy *policy, uint64_t seed, struct span start,
	 struct span wire)
{
	struct script whole, cut;

	script_init(&whole, policy, NULL);
	script_init(&cut, policy, NULL);
	whole.seed = cut.seed = seed & 7 ? seed : 0;
	feed(&whole, start, wire, 0);
	feed(&cut, start, wire, seed * 2 + 1);
	check(&whole, start, wire);
	check(&cut, start, wire);
	if (!contains(buf_span(&whole.out), "Improper command pipelining")) {
		ASSERT(same_outcome(buf_span(&whole.out), buf_span(&cut.out)));
		ASSERT(span_equal(buf_span(&whole.mail), buf_span(&cut.mail)));
	}
	script_release(&whole);
	script_release(&cut);
}

/* tests/fuzz/fuzz_pop3.c - both dialogues of POP3: any bytes, any cuts, any answers
 *
 * The first bytes of the input choose the settings; then each byte is a length
 * of input to come next, or an answer from outside, whichever is wanted.
 */
#include "pop3d/session/session.h"
#include "tests/fuzz/login_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pop3_message *
snapshot(size_t n, struct span *data)
{
	struct pop3_message *m = memory_new(n + 1, sizeof(*m));

	for (size_t i = 0; i < n; i++) {
		m[i].bytes = fuzz_choice(data) * (uint64_t)(i + 1);
		m[i].uid = (uint32_t)i + 1;
	}
	return m;
}

static void
check_update(const struct pop3 *s)
{
	uint32_t uid, last = 0;
	size_t at = 0;

	while (pop3_next_deleted(s, &at, &uid)) {
		ASSERT(uid > last);
		last = uid;
	}
	ASSERT(last > 0);
}

/* One answer or input; false at the end. */
static bool
pop3_turn(struct pop3 *s, struct fuzz_feed *feed, struct span *in, struct span *data,
	  struct buf *out)
{
	uint8_t c = 0;

	switch (pop3_step(s, in, out)) {
	case POP3_WANT_MESSAGE:
		c = fuzz_choice(data);
		pop3_answer_message(
		    s, c < 200 ? POP3_MESSAGE_OK : (enum pop3_message_answer)(c % 4),
		    out);
		return true;
	case POP3_WANT_BYTES:
		c = fuzz_choice(data);
		ASSERT(pop3_ask(s)->n > 0);
		pop3_answer_bytes(s, span_first(*data, c), out);
		return true;
	case POP3_WANT_UPDATE:
		check_update(s);
		pop3_answer_update(s, fuzz_choice(data) & 1, out);
		return true;
	case POP3_WANT_INPUT:
		if (data->n == 0)
			return false;
		fuzz_feed_more(feed, *in, data);
		*in = span_make(feed->at, feed->n);
		return true;
	case POP3_WANT_TURN:
	case POP3_WANT_DONE:
		return true;
	case POP3_WANT_FLUSH:
		buf_reset(out);
		return true;
	case POP3_WANT_CLOSE:
	case POP3_WANT_ABORT:
		break;
	}
	return false;
}

static void
fuzz_session(struct span data)
{
	struct pop3_limits limits = pop3_limits_default;
	uint8_t c = fuzz_choice(&data);
	size_t n = c % 16;
	struct buf out = buf_make(1u << 20);
	struct fuzz_feed feed = {0};
	struct span in = {0};
	struct pop3 *s;

	limits.output_high = c & 16 ? 100 : 4096;
	limits.piece_bytes = c & 32 ? 3 : 1000;
	limits.line_bytes_max = c & 64 ? 16 : 512;
	s = pop3_new(&limits, snapshot(n, &data), n);
	pop3_open(s, &out);
	for (int i = 0; i < FUZZ_STEPS_MAX && pop3_turn(s, &feed, &in, &data, &out);
	     i++)
		ASSERT(out.n < 16384);
	pop3_timeout(s, &out);
	pop3_free(&s);
	free(feed.at);
	buf_release(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = span_make(data, size);

	if (fuzz_choice(&rest) & 1)
		fuzz_login(&login_pop3, rest);
	else
		fuzz_session(rest);
	return 0;
}

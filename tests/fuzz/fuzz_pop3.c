/* tests/fuzz/fuzz_pop3.c - both dialogues of POP3: any bytes, any cuts, any answers
 *
 * The first bytes of the input choose the settings; then each byte is a length
 * of input to come next, or an answer from outside, whichever is wanted.
 */
#include "common/base/base.h"
#include "gate/login/login.h"
#include "pop3d/session/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 5000

/* Takes one byte of the input for a choice; zero at its end. */
static uint8_t
choice(struct span *data)
{
	uint8_t c = data->n ? (uint8_t)data->at[0] : 0;

	*data = span_after(*data, 1);
	return c;
}

/* The input in a block of its exact size, so that a read past its end is seen. */
struct feed {
	char *at;
	size_t n;
};

static void
feed_more(struct feed *f, struct span left, struct span *data)
{
	size_t n = (size_t)choice(data) % 64 + 1;
	struct span more = span_first(*data, n);
	char *at;

	at = malloc(left.n + more.n + 1);
	ASSERT(at);
	if (left.n)
		memcpy(at, left.at, left.n);
	if (more.n)
		memcpy(at + left.n, more.at, more.n);
	*data = span_after(*data, more.n);
	free(f->at);
	f->at = realloc(at, left.n + more.n ? left.n + more.n : 1);
	ASSERT(f->at);
	f->n = left.n + more.n;
}

static void
login_answer(struct login *l, struct span *data, struct buf *out)
{
	uint8_t c = choice(data);

	ASSERT(login_ask(l)->text.n <= LOGIN_MESSAGE_MAX);
	if (c % 2)
		login_answer_challenge(l, span_first(*data, c % 32), out);
	else
		login_answer_done(l, (enum login_outcome)(c / 2 % 5), out);
}

static void
fuzz_login(struct span data)
{
	uint8_t c = choice(&data);
	struct login_policy policy = {
	    .protocol = &login_pop3,
	    .limits = login_limits_default,
	    .host_name = SPAN("mx"),
	    .mechanisms_tls = SPAN("PLAIN LOGIN SCRAM-SHA-256"),
	    .mechanisms_plain = SPAN("SCRAM-SHA-256"),
	    .starttls = c & 1,
	    .auth_without_tls = c & 2,
	};
	struct login *l = login_new(&policy, c & 4);
	struct buf out = buf_make(1u << 20);
	struct feed feed = {0};
	struct span in = {0};
	bool open = true;

	policy.limits.line_bytes_max = c & 8 ? 64 : 8192;
	login_open(l, &out);
	for (int i = 0; open && i < STEPS_MAX; i++) {
		switch (login_step(l, &in, &out)) {
		case LOGIN_WANT_AUTH:
			login_answer(l, &data, &out);
			break;
		case LOGIN_WANT_TLS:
			ASSERT(in.n == 0);
			login_answer_tls(l);
			break;
		case LOGIN_WANT_CANCEL:
			break;
		case LOGIN_WANT_INPUT:
			open = data.n > 0;
			feed_more(&feed, in, &data);
			in = span_make(feed.at, feed.n);
			break;
		case LOGIN_WANT_OPEN:
			login_answer_unopened(l, &out);
			break;
		case LOGIN_WANT_CLOSE:
			open = false;
			break;
		}
		buf_reset(&out);
	}
	login_end(l, LOGIN_TIMEOUT, &out);
	login_free(&l);
	free(feed.at);
	buf_release(&out);
}

static struct pop3_message *
snapshot(size_t n, struct span *data)
{
	struct pop3_message *m = memory_new(n + 1, sizeof(*m));

	for (size_t i = 0; i < n; i++) {
		m[i].bytes = choice(data) * (uint64_t)(i + 1);
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
pop3_turn(struct pop3 *s, struct feed *feed, struct span *in, struct span *data,
	  struct buf *out)
{
	uint8_t c = 0;

	switch (pop3_step(s, in, out)) {
	case POP3_WANT_MESSAGE:
		c = choice(data);
		pop3_answer_message(
		    s, c < 200 ? POP3_MESSAGE_OK : (enum pop3_message_answer)(c % 4),
		    out);
		return true;
	case POP3_WANT_BYTES:
		c = choice(data);
		ASSERT(pop3_ask(s)->n > 0);
		pop3_answer_bytes(s, span_first(*data, c), out);
		return true;
	case POP3_WANT_UPDATE:
		check_update(s);
		pop3_answer_update(s, choice(data) & 1, out);
		return true;
	case POP3_WANT_INPUT:
		if (data->n == 0)
			return false;
		feed_more(feed, *in, data);
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
	uint8_t c = choice(&data);
	size_t n = c % 16;
	struct buf out = buf_make(1u << 20);
	struct feed feed = {0};
	struct span in = {0};
	struct pop3 *s;

	limits.output_high = c & 16 ? 100 : 4096;
	limits.piece_bytes = c & 32 ? 3 : 1000;
	limits.line_bytes_max = c & 64 ? 16 : 512;
	s = pop3_new(&limits, snapshot(n, &data), n);
	pop3_open(s, &out);
	for (int i = 0; i < STEPS_MAX && pop3_turn(s, &feed, &in, &data, &out); i++)
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

	if (choice(&rest) & 1)
		fuzz_login(rest);
	else
		fuzz_session(rest);
	return 0;
}

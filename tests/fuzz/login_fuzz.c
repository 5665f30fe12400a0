#include "tests/fuzz/login_fuzz.h"

uint8_t
fuzz_choice(struct span *data)
{
	uint8_t c = data->n ? (uint8_t)data->at[0] : 0;

	*data = span_after(*data, 1);
	return c;
}

void
fuzz_feed_more(struct fuzz_feed *f, struct span left, struct span *data)
{
	size_t n = (size_t)fuzz_choice(data) % 64 + 1;
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
	uint8_t c = fuzz_choice(data);

	ASSERT(login_ask(l)->text.n <= LOGIN_MESSAGE_MAX);
	if (c % 2)
		login_answer_challenge(l, span_first(*data, c % 32), out);
	else
		login_answer_done(l, (enum login_outcome)(c / 2 % 5), out);
}

void
fuzz_login(const struct login_protocol *protocol, struct span data)
{
	uint8_t c = fuzz_choice(&data);
	struct login_policy policy = {
	    .protocol = protocol,
	    .limits = login_limits_default,
	    .host_name = SPAN("mx"),
	    .mechanisms_tls = SPAN("PLAIN LOGIN SCRAM-SHA-256"),
	    .mechanisms_plain = SPAN("SCRAM-SHA-256"),
	    .starttls = c & 1,
	    .auth_without_tls = c & 2,
	};
	struct login *l = login_new(&policy, c & 4);
	struct buf out = buf_make(1u << 20);
	struct fuzz_feed feed = {0};
	struct span in = {0};
	bool open = true;

	policy.limits.line_bytes_max = c & 8 ? 64 : 8192;
	login_open(l, &out);
	for (int i = 0; open && i < FUZZ_STEPS_MAX; i++) {
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
			fuzz_feed_more(&feed, in, &data);
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

#include "tests/unit/smtp_script.h"

struct session_policy
script_policy(enum session_kind kind)
{
	bool submission = kind == SESSION_SUBMISSION || kind == SESSION_SUBMISSIONS;

	return (struct session_policy){
	    .kind = kind,
	    .limits = session_limits_default,
	    .host_name = SPAN("mx.example.org"),
	    .mechanisms = SMTP_AUTH_PLAIN | SMTP_AUTH_LOGIN | SMTP_AUTH_SCRAM_SHA_256 |
			  SMTP_AUTH_SCRAM_SHA_256_PLUS,
	    .starttls = kind != SESSION_SUBMISSIONS && kind != SESSION_LOCAL,
	    .login_required = submission,
	    .normalise_bare = submission || kind == SESSION_LOCAL,
	    .xclient = kind == SESSION_LOCAL,
	};
}

void
script_init(struct script *t, const struct session_policy *policy,
	    const struct session_peer *peer)
{
	struct session_peer stranger = {.address = SPAN("192.0.2.1"),
					.trusted = policy->xclient};

	*t = (struct script){.pending = buf_make(64 << 20),
			     .out = buf_make(16 << 20),
			     .body = buf_make(64 << 20),
			     .trace = buf_make(8192),
			     .mail = buf_make(64 << 20),
			     .asked = buf_make(1 << 20),
			     .now_ms = 1000000};
	t->s = session_new(policy, peer ? peer : &stranger);
	session_open(t->s, t->now_ms);
	script_feed(t, SPAN(""));
}

void
script_release(struct script *t)
{
	session_free(&t->s);
	buf_release(&t->pending);
	buf_release(&t->out);
	buf_release(&t->body);
	buf_release(&t->trace);
	buf_release(&t->mail);
	buf_release(&t->asked);
}

static const struct rule {
	struct span local;
	enum session_rcpt_answer rcpt;
	enum session_sender_answer sender;
} rules[] = {
    {SPAN("unknown"),   SESSION_RCPT_UNKNOWN,    SESSION_SENDER_OK       },
    {SPAN("relay"),     SESSION_RCPT_RELAY,      SESSION_SENDER_OK       },
    {SPAN("disabled"),  SESSION_RCPT_DISABLED,   SESSION_SENDER_OK       },
    {SPAN("overquota"), SESSION_RCPT_OVER_QUOTA, SESSION_SENDER_OK       },
    {SPAN("later"),     SESSION_RCPT_LATER,      SESSION_SENDER_LATER    },
    {SPAN("refused"),   SESSION_RCPT_REFUSED,    SESSION_SENDER_REFUSED  },
    {SPAN("rate"),      SESSION_RCPT_RATE,       SESSION_SENDER_RATE     },
    {SPAN("full"),      SESSION_RCPT_OK,         SESSION_SENDER_FULL     },
    {SPAN("foreign"),   SESSION_RCPT_OK,         SESSION_SENDER_NOT_OWNED},
};

static const struct rule *
find_rule(struct span address)
{
	static const struct rule fine = {SPAN(""), SESSION_RCPT_OK, SESSION_SENDER_OK};
	struct span local = span_first(address, span_find(address, '@'));

	for (size_t i = 0; i < N_ELEMS(rules); i++)
		if (span_equal(rules[i].local, local))
			return &rules[i];
	return &fine;
}

uint64_t
script_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return *seed >> 33;
}

/* `fixed`, or one of n answers; the first one, which is good, half the time. */
static unsigned
draw(struct script *t, unsigned fixed, unsigned n)
{
	uint64_t random;

	if (t->seed == 0)
		return fixed;
	random = script_random(&t->seed);
	return random & 1 ? 0 : (unsigned)(random / 2 % n);
}

static void
answer_sender(struct script *t)
{
	const struct rule *rule = find_rule(session_ask(t->s)->address);

	session_answer_sender(t->s, draw(t, rule->sender, SESSION_SENDER_LATER + 1));
}

/* "table0@" and so on: refused with a reply that is not the session's own. */
static void
answer_table(struct script *t, struct span address)
{
	static const struct span replies[] = {
	    SPAN("554 5.7.1 Go away"),
	    SPAN("450 4.7.1 Not now"),
	    SPAN("250 2.0.0 Fine"),
	    SPAN("554 5.7.1 two\r\n250 lines"),
	    SPAN("554"),
	    SPAN("600 5.7.1 No such code"),
	    SPAN("421 4.7.1 Go"),
	    SPAN("521 5.7.1 Go"),
	};
	size_t n = (size_t)(address.at[5] - '0');

	session_answer_rcpt_refused(t->s, n < N_ELEMS(replies) ? replies[n] : SPAN(""));
}

static void
answer_rcpt(struct script *t)
{
	struct span address = session_ask(t->s)->address;

	buf_put(&t->asked, address);
	buf_put_char(&t->asked, ' ');
	if (span_starts(address, SPAN("table"))) {
		answer_table(t, address);
		return;
	}
	session_answer_rcpt(t->s,
			    draw(t, find_rule(address)->rcpt, SESSION_RCPT_LATER + 1),
			    SPAN("target"));
}

static void
answer_auth(struct script *t)
{
	const struct session_ask *ask = session_ask(t->s);
	bool login = ask->mechanism == SMTP_MECHANISM_LOGIN;

	if (!ask->has_text)
		session_answer_auth(t->s, SESSION_AUTH_CHALLENGE,
				    login ? SPAN("VXNlcm5hbWU6") : SPAN(""));
	else if (login && span_equal(ask->text, SPAN("YWxpY2U=")))
		session_answer_auth(t->s, SESSION_AUTH_CHALLENGE, SPAN("UGFzc3dvcmQ6"));
	else if (span_equal(ask->text, SPAN("AGFsaWNlAHNlY3JldA==")) ||
		 (login && span_equal(ask->text, SPAN("c2VjcmV0"))))
		session_answer_auth(t->s, SESSION_AUTH_OK, SPAN("alice@example.org"));
	else if (span_equal(ask->text, SPAN("!")))
		session_answer_auth(t->s, SESSION_AUTH_SYNTAX, SPAN(""));
	else
		session_answer_auth(t->s, SESSION_AUTH_DENIED, SPAN(""));
}

static void
begin(struct script *t)
{
	ASSERT(!t->open);
	buf_reset(&t->body);
	buf_reset(&t->trace);
	t->begin_answer = draw(t, t->begin_answer, SESSION_MESSAGE_REFUSED + 1);
	if (t->begin_answer == SESSION_MESSAGE_OK) {
		t->open = t->first_piece = true;
		t->begun++;
	}
	session_answer_begin(t->s, t->begin_answer, SPAN("q7"), 1792233296);
}

static void
piece(struct script *t)
{
	struct span bytes = session_ask(t->s)->piece;

	ASSERT(t->open && bytes.n > 0);
	buf_put(t->first_piece ? &t->trace : &t->body, bytes);
	t->first_piece = false;
}

static void
end(struct script *t)
{
	const struct session_envelope *e = session_envelope(t->s);

	ASSERT(t->open && e->n_rcpts > 0);
	t->open = false;
	t->finished++;
	buf_put(&t->mail, e->sender);
	for (size_t i = 0; i < e->n_rcpts; i++) {
		ASSERT(span_equal(e->rcpts[i].target, SPAN("target")));
		buf_put_char(&t->mail, i == 0 ? '>' : ',');
		buf_put(&t->mail, e->rcpts[i].address);
	}
	buf_put_char(&t->mail, ':');
	buf_put(&t->mail, buf_span(&t->body));
	buf_put_char(&t->mail, '\n');
	t->end_answer = draw(t, t->end_answer, SESSION_MESSAGE_REFUSED + 1);
	session_answer_end(t->s, t->end_answer);
}

static void
abort_message(struct script *t)
{
	ASSERT(t->open);
	t->open = false;
	t->aborted++;
}

static void
flush(struct script *t)
{
	struct buf *out = session_out(t->s);

	buf_put(&t->out, buf_span(out));
	buf_drop_front(out, out->n);
}

/* Does what is wanted; false when only new input helps. */
static bool
fulfil(struct script *t)
{
	switch (t->want) {
	case SESSION_WANT_INPUT:
		return false;
	case SESSION_WANT_CLOSE:
		t->closed = true;
		return false;
	case SESSION_WANT_PAUSE:
		t->now_ms = session_deadline_ms(t->s);
		session_timeout(t->s, t->now_ms);
		return true;
	case SESSION_WANT_FLUSH:
		flush(t);
		return true;
	case SESSION_WANT_SENDER:
		answer_sender(t);
		return true;
	case SESSION_WANT_RCPT:
		answer_rcpt(t);
		return true;
	case SESSION_WANT_AUTH:
		answer_auth(t);
		return true;
	case SESSION_WANT_BEGIN:
		begin(t);
		return true;
	case SESSION_WANT_PIECE:
		piece(t);
		return true;
	case SESSION_WANT_END:
		end(t);
		return true;
	case SESSION_WANT_ABORT:
		abort_message(t);
		return true;
	case SESSION_WANT_TLS:
		session_answer_tls(t->s, SPAN("TLSv1.3"), t->now_ms);
		return true;
	}
	return false;
}

void
script_feed(struct script *t, struct span in)
{
	struct span rest;

	buf_put(&t->pending, in);
	rest = buf_span(&t->pending);
	do {
		t->want = session_step(t->s, &rest, t->now_ms);
	} while (fulfil(t));
	flush(t);
	buf_drop_front(&t->pending, t->pending.n - rest.n);
}

void
script_feed_cut(struct script *t, struct span in, size_t cut)
{
	script_feed(t, span_first(in, cut));
	if (cut < in.n)
		script_feed(t, span_after(in, cut));
}

void
script_feed_bytes(struct script *t, struct span in)
{
	for (size_t i = 0; i < in.n; i++)
		script_feed(t, span_make(in.at + i, 1));
}

void
script_codes(struct span out, struct buf *codes)
{
	while (out.n > 0) {
		struct span line = span_cut(&out, '\n');

		if (line.n < 4 || line.at[3] != ' ')
			continue;
		buf_put(codes, span_first(line, 4));
	}
}

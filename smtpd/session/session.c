#include "smtpd/session/inner.h"

#define OUT_HIGH_BYTES  16384       /* unsent output that stops parsing */
#define OUT_BYTES_MAX   (16u << 20) /* LMTP: a reply for each recipient */
#define OUT_KEEP_BYTES  4096        /* an empty output buffer keeps this much */
#define TRACE_BYTES_MAX 4096
#define RCPTS_KEEP      16 /* of the recipient array between messages */

const struct session_limits session_limits_default = {
    .message_bytes_max = 50 << 20,
    .line_bytes_max = 2048,
    .auth_line_bytes_max = 12288,
    .text_line_bytes_max = 64 << 10,
    .header_bytes_max = 1 << 20,
    .header_field_bytes_max = 100 << 10,
    .header_fields_max = 5000,
    .hops_max = 50,
    .rcpts_max = 1000,
    .transactions_max = 100,
    .chunks_max = 10000,
    .errors_delay = 10,
    .errors_max = 20,
    .idle_commands_max = 100,
    .long_lines_max = 3,
    .logins_max = 5,
    .envelope_bytes_max = 8 << 20,
    .swallow_bytes_max = 50 << 20,
    .greet_ms = 0,
    .login_ms = 60000,
    .hello_ms = 60000,
    .command_ms = 300000,
    .session_ms = 7200000,
    .tls_ms = 10000,
    .answer_ms = 120000,
    .error_pause_ms = 1000,
    .data_window_ms = 30000,
    .data_window_bytes = 15000,
};

void
text_set(char **at, struct span text)
{
	free(*at);
	*at = text.n > 0 ? span_dup(text) : NULL;
}

struct session *
session_new(const struct session_policy *policy, const struct session_peer *peer)
{
	struct session *s = memory_new(1, sizeof(*s));

	s->policy = policy;
	s->state = S_CONNECT;
	s->tls = peer->tls;
	s->trusted = peer->trusted;
	text_set(&s->address, peer->address);
	text_set(&s->name, peer->name);
	text_set(&s->login, peer->login);
	text_set(&s->tls_text, peer->tls_text);
	buf_init(&s->out, OUT_BYTES_MAX);
	buf_init(&s->trace, TRACE_BYTES_MAX);
	s->mending = mending_new(policy);
	arena_init(&s->arena, policy->limits.envelope_bytes_max);
	return s;
}

void
session_set_name(struct session *s, struct span name)
{
	text_set(&s->name, name);
}

void
session_free(struct session **s)
{
	struct session *old = *s;

	*s = NULL;
	if (!old)
		return;
	arena_release(&old->arena);
	free(old->envelope.rcpts);
	buf_release(&old->out);
	buf_release(&old->trace);
	mending_free(&old->mending);
	free(old->address);
	free(old->name);
	free(old->login);
	free(old->tls_text);
	free(old->hello);
	free(old);
}

static void
forget_transaction(struct session *s)
{
	struct session_rcpt *rcpts = s->envelope.rcpts;

	if (s->intake.begun)
		s->want = SESSION_WANT_ABORT;
	if (s->rcpts_size > RCPTS_KEEP) {
		free(rcpts);
		rcpts = NULL;
		s->rcpts_size = 0;
	}
	arena_release(&s->arena);
	s->envelope = (struct session_envelope){.rcpts = rcpts};
	s->intake = (struct intake){0};
	s->rcpts_refused = 0;
	s->chunks = 0;
	mending_forget(s);
}

static void
forget_peer(struct session *s)
{
	text_set(&s->hello, SPAN(""));
	text_set(&s->login, SPAN(""));
	s->extended = false;
}

void
enter(struct session *s, enum state to)
{
	if (to & (S_START | S_READY | S_CLOSED))
		forget_transaction(s);
	if (to == S_START && s->state != S_CONNECT)
		forget_peer(s);
	if (to & (S_DATA | S_CHUNK)) {
		s->window_ms = s->now_ms;
		s->window_bytes = 0;
	}
	s->state = to;
}

static void
put(struct session *s, enum reply reply, struct span added)
{
	s->last_code = reply_code(reply);
	reply_put(&s->out, reply, added);
}

void
say_and_close(struct session *s, enum reply reply)
{
	put(s, reply, SPAN(""));
	enter(s, S_CLOSED);
	s->want = SESSION_WANT_CLOSE;
}

/* Counts what is the peer's error; false when it was one too many. */
static bool
error_counted(struct session *s, unsigned code)
{
	if (code < 500 || ++s->errors < s->policy->limits.errors_max)
		return true;
	say_and_close(s, REPLY_TOO_MANY_ERRORS);
	return false;
}

/* After the reply to it. */
static void
error_pause(struct session *s, unsigned code)
{
	const struct session_limits *l = &s->policy->limits;

	if (code < 500 || s->errors < l->errors_delay || s->want != SESSION_WANT_INPUT)
		return;
	s->pause_until_ms = s->now_ms + l->error_pause_ms;
	s->want = SESSION_WANT_PAUSE;
}

void
say_more(struct session *s, enum reply reply, struct span added)
{
	if (!error_counted(s, reply_code(reply)))
		return;
	put(s, reply, added);
	error_pause(s, reply_code(reply));
}

void
say_each(struct session *s, enum reply reply, struct span added, size_t n)
{
	for (size_t i = 1; i < n; i++)
		put(s, reply, added);
	say_more(s, reply, added);
}

static void
put_line(struct session *s, unsigned code, struct span line)
{
	s->last_code = code;
	buf_put(&s->out, line);
	buf_put(&s->out, SPAN("\r\n"));
}

void
say_line(struct session *s, unsigned code, struct span line)
{
	if (!error_counted(s, code))
		return;
	put_line(s, code, line);
	error_pause(s, code);
}

void
say_last(struct session *s, unsigned code, struct span line)
{
	put_line(s, code, line);
	enter(s, S_CLOSED);
	s->want = SESSION_WANT_CLOSE;
}

void
say(struct session *s, enum reply reply)
{
	say_more(s, reply, SPAN(""));
}

void
greet(struct session *s)
{
	struct buf text = buf_make(2 * SMTP_DOMAIN_BYTES_MAX);

	buf_put(&text, s->policy->host_name);
	buf_put_str(&text, s->policy->kind == SESSION_LMTP ? " LMTP" : " ESMTP");
	buf_put_str(&text, " Postroad");
	say_more(s, REPLY_GREETING, buf_span(&text));
	buf_release(&text);
	enter(s, S_START);
	s->since_ms = s->now_ms;
}

void
session_open(struct session *s, uint64_t now_ms)
{
	ASSERT(s->state == S_CONNECT);
	s->now_ms = s->open_ms = s->mail_ms = s->since_ms = now_ms;
	if (s->trusted || s->policy->limits.greet_ms == 0)
		greet(s);
}

void
session_early(struct session *s)
{
	ASSERT(s->state == S_CONNECT);
	say_and_close(s, REPLY_EARLY);
}

void
session_end(struct session *s, enum session_ending why)
{
	static const enum reply replies[] = {
	    [SESSION_TOO_MANY] = REPLY_TOO_MANY, [SESSION_TOO_FAST] = REPLY_TOO_FAST,
	    [SESSION_BUSY] = REPLY_BUSY,         [SESSION_STOPPING] = REPLY_STOPPING,
	    [SESSION_BARRED] = REPLY_BARRED,
	};

	ASSERT(why < N_ELEMS(replies));
	if (s->state != S_CLOSED)
		say_and_close(s, replies[why]);
}

static void
long_line(struct session *s)
{
	bool auth = s->state == S_AUTH;

	if (auth)
		enter(s, S_READY);
	if (++s->long_lines >= s->policy->limits.long_lines_max)
		say_and_close(s, REPLY_TOO_MANY_LONG);
	else
		say(s, auth ? REPLY_LONG_AUTH_LINE : REPLY_LONG_LINE);
}

static void
bad_line(struct session *s)
{
	if (s->state == S_AUTH)
		enter(s, S_READY);
	say(s, REPLY_BAD_BYTE);
}

static size_t
line_bytes_max(const struct session *s, struct span in)
{
	const struct session_limits *limits = &s->policy->limits;

	if (s->state == S_AUTH || span_starts_nocase(in, SPAN("AUTH ")))
		return limits->auth_line_bytes_max;
	return limits->line_bytes_max;
}

/* One command line, or one line of an AUTH exchange. */
static bool
line_step(struct session *s, struct span *in)
{
	struct span line;
	enum crlf_result result =
	    crlf_take(&s->lines, line_bytes_max(s, *in), in, &line);

	if (result == CRLF_MORE)
		return false;
	s->since_ms = s->now_ms;
	if (result == CRLF_LONG)
		long_line(s);
	else if (result == CRLF_BAD)
		bad_line(s);
	else if (s->state == S_AUTH && in->n > 0)
		say_and_close(s, REPLY_PIPELINING);
	else if (s->state == S_AUTH)
		auth_line(s, line);
	else
		command_run(s, line, in->n > 0);
	return true;
}

/* False when it needs more input, or output must leave first. */
static bool
advance(struct session *s, struct span *in)
{
	if (s->out.n >= OUT_HIGH_BYTES) {
		s->want = SESSION_WANT_FLUSH;
		return false;
	}
	if (s->state & (S_DATA | S_CHUNK))
		return intake_step(s, in);
	if (s->state != S_CONNECT)
		return line_step(s, in);
	if (in->n == 0)
		return false;
	say_and_close(s, REPLY_EARLY);
	return true;
}

/* What was waited for is there, or the wait goes on. */
static void
wake(struct session *s, uint64_t now_ms)
{
	enum session_want was = s->want;

	/* An answer may have brought the next want, which is not yet fulfilled. */
	if (!s->answered && (was == SESSION_WANT_PIECE || was == SESSION_WANT_ABORT ||
			     was == SESSION_WANT_FLUSH)) {
		s->window_ms += now_ms - s->now_ms; /* not the peer's time */
		s->want = SESSION_WANT_INPUT;
	}
	if (was == SESSION_WANT_PAUSE && now_ms >= s->pause_until_ms)
		s->want = SESSION_WANT_INPUT;
	if (s->answered || (was == SESSION_WANT_PAUSE && s->want != was))
		s->since_ms = s->window_ms = now_ms;
	s->answered = false;
	s->now_ms = now_ms;
	if (s->out.n == 0 && s->out.size > OUT_KEEP_BYTES)
		buf_release(&s->out);
}

enum session_want
session_step(struct session *s, struct span *in, uint64_t now_ms)
{
	wake(s, now_ms);
	if (s->want == SESSION_WANT_INPUT && s->state != S_CONNECT &&
	    now_ms >= session_over_ms(s))
		say_and_close(s, REPLY_SESSION_OVER);
	while (s->want == SESSION_WANT_INPUT && advance(s, in))
		;
	return s->want;
}

struct buf *
session_out(struct session *s)
{
	return &s->out;
}

enum session_want
session_wanted(const struct session *s)
{
	return s->want;
}

const struct session_ask *
session_ask(const struct session *s)
{
	return &s->ask;
}

const struct session_envelope *
session_envelope(const struct session *s)
{
	return &s->envelope;
}

struct span
session_login(const struct session *s)
{
	return span_str(s->login);
}

struct span
session_hello(const struct session *s)
{
	return span_str(s->hello);
}

bool
session_tls(const struct session *s)
{
	return s->tls;
}

unsigned
session_errors(const struct session *s)
{
	return s->errors;
}

unsigned
session_last_code(const struct session *s)
{
	return s->last_code;
}

struct span
session_message_id(const struct session *s)
{
	return header_scan_message_id(&s->intake.header);
}

struct span
session_refusal(const struct session *s)
{
	enum reply fault = s->intake.fault;

	return fault == REPLY_NONE ? SPAN("") : reply_text(fault);
}

#include "gate/login/inner.h"

const struct login_limits login_limits_default = {
    .line_bytes_max = 8192,
    .failures_max = 5,
    .errors_max = 20,
    .commands_max = 100,
    .long_lines_max = 3,
    .steps_max = 8,
};

/* In the order of enum login_ending. */
static const struct {
	enum login_reply reply;
	const char *reason;
} endings[] = {
    {REPLY_TIMEOUT,  "timeout"             },
    {REPLY_TOO_MANY, "too many connections"},
    {REPLY_TOO_FAST, "too fast"            },
    {REPLY_BUSY,     "busy"                },
    {REPLY_STOPPING, "stopping"            },
};

/* In the order of enum login_outcome; LOGIN_OK has no reply of ours. */
static const enum login_reply outcomes[] = {
    REPLY_DENIED, REPLY_DENIED, REPLY_BAD_EXCHANGE, REPLY_NO_MECHANISM, REPLY_LATER,
};

struct login *
login_new(const struct login_policy *policy, bool tls)
{
	struct login *l = memory_new(1, sizeof(*l));

	l->policy = policy;
	l->tls = tls;
	l->reason = "";
	buf_init(&l->name, LOGIN_NAME_MAX);
	buf_init(&l->agent, LOGIN_AGENT_MAX);
	imap_frame_init(&l->frame,
			&(struct imap_frame_limits){
			    .line_bytes_max = policy->limits.line_bytes_max,
			    .literal_bytes_max = LOGIN_LITERAL_MAX,
			    .frame_bytes_max = policy->limits.line_bytes_max +
					       LOGIN_LITERALS * LOGIN_LITERAL_MAX,
			});
	/* base64_parse() of the longest line, and of PLAIN from USER and PASS. */
	buf_init(&l->text, policy->limits.line_bytes_max + LOGIN_NAME_MAX);
	return l;
}

static void
wipe(struct buf *b)
{
	if (b->at)
		explicit_bzero(b->at, b->size);
	buf_release(b);
}

void
login_wipe_frame(struct login *l)
{
	if (l->frame.bytes.at)
		explicit_bzero(l->frame.bytes.at, l->frame.bytes.size);
}

void
login_free(struct login **l)
{
	if (!*l)
		return;
	wipe(&(*l)->name);
	wipe(&(*l)->text);
	login_wipe_frame(*l);
	imap_frame_release(&(*l)->frame);
	buf_release(&(*l)->agent);
	free(*l);
	*l = NULL;
}

void
login_enter(struct login *l, enum login_state to)
{
	if (to != L_AUTH && to != L_INITIAL && to != L_RESPONSE) {
		wipe(&l->text);
		l->ask = (struct login_ask){0};
		l->steps = 0;
	}
	if (to == L_OPEN || to == L_CLOSED || to == L_TLS)
		wipe(&l->name);
	l->state = to;
}

void
login_say(struct login *l, enum login_reply reply, struct buf *out)
{
	const char *text = l->policy->protocol->replies[reply];

	if (text[0] == ' ')
		buf_put_str(out, l->tag[0] ? l->tag : "*");
	buf_put_str(out, text);
}

void
login_close(struct login *l, enum login_reply reply, const char *reason,
	    struct buf *out)
{
	login_say(l, reply, out);
	l->reason = reason;
	login_enter(l, L_CLOSED);
}

void
login_error(struct login *l, struct buf *out)
{
	if (++l->errors >= l->policy->limits.errors_max)
		login_close(l, REPLY_TOO_MANY_ERRORS, "too many errors", out);
}

struct span
login_mechanisms(const struct login *l)
{
	return l->tls ? l->policy->mechanisms_tls : l->policy->mechanisms_plain;
}

bool
login_may_bare(const struct login *l)
{
	return l->tls || l->policy->auth_without_tls;
}

/* --- logging in ----------------------------------------------------------- */

static bool
offered(const struct login *l, struct span mechanism)
{
	struct span rest = login_mechanisms(l);

	while (rest.n > 0)
		if (span_equal_nocase(span_cut(&rest, ' '), mechanism))
			return true;
	return false;
}

static void
ask(struct login *l, bool has_text)
{
	l->ask.has_text = has_text;
	l->ask.text = buf_span(&l->text);
	login_enter(l, L_AUTH);
}

/* base64 of the client's into the ask; false when it is none, or too long. */
static bool
decode(struct login *l, struct span text)
{
	buf_reset(&l->text);
	return base64_parse(text, &l->text) && l->text.n <= LOGIN_MESSAGE_MAX;
}

static void
refuse(struct login *l, enum login_reply reply, struct buf *out)
{
	login_enter(l, L_COMMAND);
	login_say(l, reply, out);
	login_error(l, out);
}

void
login_exchange(struct login *l, struct span mechanism, bool has_initial,
	       struct span initial, struct buf *out)
{
	bool empty = span_equal(initial, SPAN("="));

	if (!offered(l, mechanism) ||
	    !span_copy(mechanism, l->mechanism, sizeof(l->mechanism))) {
		refuse(l, REPLY_NO_MECHANISM, out);
		return;
	}
	l->ask = (struct login_ask){.mechanism = span_str(l->mechanism), .first = true};
	if (has_initial) {
		if (!decode(l, empty ? SPAN("") : initial))
			refuse(l, REPLY_BAD_BASE64, out);
		else
			ask(l, true);
	} else if (span_equal_nocase(mechanism, SPAN("LOGIN"))) {
		ask(l, false); /* the server begins it */
	} else {
		login_enter(l, L_INITIAL);
		buf_put_str(out, l->policy->protocol->challenge);
		buf_put_str(out, "\r\n");
	}
}

void
login_password(struct login *l, struct span name, struct span password)
{
	struct span plain = SPAN("PLAIN");

	ASSERT(span_copy(plain, l->mechanism, sizeof(l->mechanism)));
	l->ask = (struct login_ask){.mechanism = span_str(l->mechanism), .first = true};
	buf_reset(&l->text);
	buf_put_char(&l->text, '\0');
	buf_put(&l->text, name);
	buf_put_char(&l->text, '\0');
	buf_put(&l->text, password);
	ask(l, true);
}

/* A line of an exchange. */
static void
respond(struct login *l, struct span line, struct buf *out)
{
	bool began = l->state == L_RESPONSE;

	if (span_equal(line, SPAN("*"))) {
		login_say(l, REPLY_CANCELLED, out);
		login_enter(l, began ? L_CANCEL : L_COMMAND);
	} else if (!decode(l, line)) {
		login_say(l, REPLY_BAD_BASE64, out);
		login_enter(l, began ? L_CANCEL : L_COMMAND);
		l->errors++;
	} else {
		l->ask.first = !began;
		ask(l, true);
	}
}

void
login_answer_challenge(struct login *l, struct span challenge, struct buf *out)
{
	ASSERT(l->state == L_AUTH);
	wipe(&l->text);
	if (++l->steps > l->policy->limits.steps_max) {
		login_close(l, REPLY_BAD_EXCHANGE, "endless exchange", out);
		return;
	}
	buf_put_str(out, l->policy->protocol->challenge);
	base64_put(out, challenge);
	buf_put_str(out, "\r\n");
	login_enter(l, L_RESPONSE);
}

void
login_answer_done(struct login *l, enum login_outcome outcome, struct buf *out)
{
	ASSERT(l->state == L_AUTH);
	if (outcome == LOGIN_OK) {
		login_enter(l, L_OPEN);
		return;
	}
	if (outcome == LOGIN_DENIED)
		l->failures++;
	if (l->failures >= l->policy->limits.failures_max) {
		login_close(l, REPLY_TOO_MANY_FAILURES, "too many failed logins", out);
		return;
	}
	login_say(l, outcomes[outcome], out);
	login_enter(l, L_COMMAND);
	if (outcome == LOGIN_BAD_EXCHANGE)
		login_error(l, out);
}

void
login_answer_unopened(struct login *l, struct buf *out)
{
	ASSERT(l->state == L_OPEN);
	login_close(l, REPLY_UNOPENED, "no session program", out);
}

/* --- TLS ------------------------------------------------------------------ */

void
login_begin_tls(struct login *l, struct span rest, struct buf *out)
{
	/* What came in the same breath was not sent under TLS, whoever sent it
	 * [RFC3207 6]. */
	if (rest.n > 0)
		login_close(l, REPLY_BEHIND_TLS, "plaintext behind STLS", out);
	else
		login_enter(l, L_TLS);
}

void
login_answer_tls(struct login *l)
{
	ASSERT(l->state == L_TLS);
	l->tls = true;
	login_enter(l, L_COMMAND);
}

/* --- the dialogue --------------------------------------------------------- */

void
login_open(struct login *l, struct buf *out)
{
	l->policy->protocol->greet(l, out);
}

void
login_end(struct login *l, enum login_ending why, struct buf *out)
{
	if (l->state != L_CLOSED)
		login_close(l, endings[why].reply, endings[why].reason, out);
}

/* The next line, or command. */
static enum crlf_result
take(struct login *l, struct span *in, struct span *line, struct buf *out)
{
	if (l->state == L_COMMAND && l->policy->protocol->take)
		return l->policy->protocol->take(l, in, line, out);
	return crlf_take(&l->lines, l->policy->limits.line_bytes_max, in, line);
}

static void
take_line(struct login *l, struct span line, struct span rest, struct buf *out)
{
	if (l->state != L_COMMAND)
		respond(l, line, out);
	else if (++l->commands > l->policy->limits.commands_max)
		login_close(l, REPLY_TOO_MANY_COMMANDS, "too many commands", out);
	else
		l->policy->protocol->command(l, line, rest, out);
}

/* A line that is none ends an exchange too. */
static void
take_fault(struct login *l, enum crlf_result how, struct buf *out)
{
	bool exchange = l->state == L_RESPONSE;

	login_say(l, how == CRLF_LONG ? REPLY_LONG_LINE : REPLY_BAD_LINE, out);
	login_enter(l, exchange ? L_CANCEL : L_COMMAND);
	if (how == CRLF_LONG && ++l->long_lines >= l->policy->limits.long_lines_max)
		login_close(l, REPLY_TOO_MANY_ERRORS, "too many long lines", out);
	else
		login_error(l, out);
}

static enum login_want
want(const struct login *l)
{
	static const enum login_want wants[] = {
	    [L_COMMAND] = LOGIN_WANT_INPUT,  [L_INITIAL] = LOGIN_WANT_INPUT,
	    [L_RESPONSE] = LOGIN_WANT_INPUT, [L_TLS] = LOGIN_WANT_TLS,
	    [L_AUTH] = LOGIN_WANT_AUTH,      [L_CANCEL] = LOGIN_WANT_CANCEL,
	    [L_OPEN] = LOGIN_WANT_OPEN,      [L_CLOSED] = LOGIN_WANT_CLOSE,
	};

	return wants[l->state];
}

enum login_want
login_step(struct login *l, struct span *in, struct buf *out)
{
	if (l->state == L_CANCEL)
		login_enter(l, L_COMMAND);
	for (int i = 0; i < LOGIN_COMMANDS_PER_STEP && want(l) == LOGIN_WANT_INPUT;
	     i++) {
		struct span line;
		enum crlf_result got = take(l, in, &line, out);

		if (got == CRLF_MORE)
			break;
		if (got == CRLF_LINE)
			take_line(l, line, *in, out);
		else
			take_fault(l, got, out);
	}
	return want(l);
}

const struct login_ask *
login_ask(const struct login *l)
{
	return &l->ask;
}

bool
login_waits(const struct login *l)
{
	return l->state == L_AUTH;
}

bool
login_tls(const struct login *l)
{
	return l->tls;
}

unsigned
login_failures(const struct login *l)
{
	return l->failures;
}

const char *
login_reason(const struct login *l)
{
	return l->reason;
}

struct span
login_tag(const struct login *l)
{
	return span_str(l->tag);
}

struct span
login_agent(const struct login *l)
{
	return buf_span(&l->agent);
}

#include "smtpd/session/inner.h"

/* Takes "FROM:" or "TO:" off the front; spaces behind it are let pass. A path must
 * follow in its brackets. */
static bool
take_word(struct span *args, struct span word)
{
	if (!span_starts_nocase(*args, word))
		return false;
	*args = span_trim(span_after(*args, word.n), " ");
	return args->n > 0 && args->at[0] == '<';
}

/* A canonical copy that lives as long as the transaction. */
static bool
keep_address(struct session *s, const struct smtp_path *path, struct span *out)
{
	struct buf text = buf_make(SMTP_ADDRESS_BYTES_MAX);
	bool kept;

	smtp_path_canonical(path, &text);
	kept = arena_copy(&s->arena, buf_span(&text), out);
	buf_release(&text);
	return kept;
}

/* Path and parameters of MAIL into the envelope. */
static enum reply
take_sender(struct session *s, struct span args)
{
	struct smtp_path path;
	enum reply fault;

	if (!take_word(&args, SPAN("FROM:")))
		return REPLY_SYNTAX;
	if (smtp_path_parse(&args, &path) != SMTP_PATH_OK ||
	    (path.local.n > 0 && path.domain.n == 0))
		return REPLY_BAD_SENDER;
	if (!keep_address(s, &path, &s->envelope.sender))
		return REPLY_FULL;
	fault = params_mail(s, args);
	if (fault == REPLY_NONE && path.utf8 && !s->envelope.utf8)
		fault = REPLY_NEED_UTF8;
	return fault;
}

void
cmd_mail(struct session *s, struct span args)
{
	enum reply fault;

	if (s->policy->login_required && !s->login) {
		say(s, s->policy->starttls && !s->tls && !auth_offered(s)
			   ? REPLY_TLS_FIRST
			   : REPLY_LOGIN_FIRST);
		return;
	}
	if (s->transactions >= s->policy->limits.transactions_max) {
		say_and_close(s, REPLY_TOO_MANY_MAILS);
		return;
	}
	s->transactions++;
	s->mail_ms = s->now_ms;
	fault = take_sender(s, args);
	if (fault != REPLY_NONE) {
		enter(s, S_READY);
		say(s, fault);
		return;
	}
	s->ask = (struct session_ask){.address = s->envelope.sender,
				      .size_declared = s->envelope.size_declared,
				      .utf8 = s->envelope.utf8};
	s->want = SESSION_WANT_SENDER;
}

static const enum reply sender_replies[] = {
    [SESSION_SENDER_OK] = REPLY_SENDER_OK,
    [SESSION_SENDER_NOT_OWNED] = REPLY_SENDER_NOT_OWNED,
    [SESSION_SENDER_REFUSED] = REPLY_SENDER_REFUSED,
    [SESSION_SENDER_RATE] = REPLY_SENDER_RATE,
    [SESSION_SENDER_FULL] = REPLY_FULL,
    [SESSION_SENDER_LATER] = REPLY_LATER,
};

void
session_answer_sender(struct session *s, enum session_sender_answer answer)
{
	ASSERT(s->want == SESSION_WANT_SENDER && answer < N_ELEMS(sender_replies));
	s->want = SESSION_WANT_INPUT;
	s->answered = true;
	enter(s, answer == SESSION_SENDER_OK ? S_MAIL : S_READY);
	say(s, sender_replies[answer]);
}

/* Path and parameters of RCPT into s->rcpt. */
static enum reply
take_rcpt(struct session *s, struct span args)
{
	struct smtp_path path;

	s->rcpt = (struct session_rcpt){0};
	if (!take_word(&args, SPAN("TO:")))
		return REPLY_SYNTAX;
	if (smtp_path_parse(&args, &path) != SMTP_PATH_OK || path.local.n == 0)
		return REPLY_BAD_RCPT;
	if (path.utf8 && !s->envelope.utf8)
		return REPLY_NEED_UTF8;
	if (!keep_address(s, &path, &s->rcpt.address))
		return REPLY_TOO_MANY_RCPTS;
	return params_rcpt(s, args);
}

/* As many refused recipients as could have been accepted, and no more. */
static void
refuse_rcpt(struct session *s, enum reply why)
{
	if (++s->rcpts_refused > s->policy->limits.rcpts_max)
		say_and_close(s, REPLY_TOO_MANY_ERRORS);
	else
		say(s, why);
}

void
cmd_rcpt(struct session *s, struct span args)
{
	enum reply fault = REPLY_TOO_MANY_RCPTS;

	if (s->envelope.n_rcpts < s->policy->limits.rcpts_max)
		fault = take_rcpt(s, args);
	if (fault != REPLY_NONE) {
		refuse_rcpt(s, fault);
		return;
	}
	s->ask = (struct session_ask){.address = s->rcpt.address,
				      .size_declared = s->envelope.size_declared,
				      .utf8 = s->envelope.utf8};
	s->want = SESSION_WANT_RCPT;
}

#define REFUSAL_BYTES_MAX 510 /* [RFC5321 4.5.3.1.5] without CRLF */

static const enum reply rcpt_replies[] = {
    [SESSION_RCPT_OK] = REPLY_RCPT_OK,
    [SESSION_RCPT_UNKNOWN] = REPLY_RCPT_UNKNOWN,
    [SESSION_RCPT_RELAY] = REPLY_RCPT_RELAY,
    [SESSION_RCPT_DISABLED] = REPLY_RCPT_DISABLED,
    [SESSION_RCPT_OVER_QUOTA] = REPLY_OVER_QUOTA,
    [SESSION_RCPT_SYNTAX] = REPLY_BAD_RCPT,
    [SESSION_RCPT_REFUSED] = REPLY_RCPT_REFUSED,
    [SESSION_RCPT_RATE] = REPLY_RCPT_RATE,
    [SESSION_RCPT_LOOP] = REPLY_RCPT_LOOP,
    [SESSION_RCPT_FORGED] = REPLY_RCPT_FORGED,
    [SESSION_RCPT_EXPIRED] = REPLY_RCPT_EXPIRED,
    [SESSION_RCPT_NOT_ALLOWED] = REPLY_RCPT_NOT_ALLOWED,
    [SESSION_RCPT_TOO_BIG] = REPLY_TOO_BIG,
    [SESSION_RCPT_LATER] = REPLY_LATER,
};

static void
add_rcpt(struct session *s)
{
	struct session_envelope *e = &s->envelope;

	if (e->n_rcpts == s->rcpts_size) {
		s->rcpts_size = s->rcpts_size ? s->rcpts_size * 2 : 4;
		e->rcpts = memory_resize(e->rcpts, s->rcpts_size, sizeof(*e->rcpts));
	}
	e->rcpts[e->n_rcpts++] = s->rcpt;
}

unsigned
session_refusal_code(struct span reply)
{
	uint64_t code;

	if (reply.n < 5 || reply.n > REFUSAL_BYTES_MAX || reply.at[3] != ' ' ||
	    !number_parse(span_first(reply, 3), 599, &code) || code < 400)
		return 0;
	for (size_t i = 0; i < reply.n; i++)
		if (reply.at[i] < ' ' || reply.at[i] > '~')
			return 0;
	return (unsigned)code;
}

void
session_answer_rcpt_refused(struct session *s, struct span reply)
{
	unsigned code = session_refusal_code(reply);

	if (code == 0) {
		session_answer_rcpt(s, SESSION_RCPT_LATER, SPAN(""));
		return;
	}
	ASSERT(s->want == SESSION_WANT_RCPT);
	s->want = SESSION_WANT_INPUT;
	s->answered = true;
	if (++s->rcpts_refused > s->policy->limits.rcpts_max)
		say_and_close(s, REPLY_TOO_MANY_ERRORS);
	else if (code == 421 || code == 521)
		say_last(s, code, reply);
	else
		say_line(s, code, reply);
}

void
session_answer_rcpt(struct session *s, enum session_rcpt_answer answer,
		    struct span target)
{
	enum reply reply;

	ASSERT(s->want == SESSION_WANT_RCPT && answer < N_ELEMS(rcpt_replies));
	s->want = SESSION_WANT_INPUT;
	s->answered = true;
	reply = rcpt_replies[answer];
	if (answer == SESSION_RCPT_OK &&
	    !arena_copy(&s->arena, target, &s->rcpt.target))
		reply = REPLY_TOO_MANY_RCPTS;
	if (reply != REPLY_RCPT_OK) {
		refuse_rcpt(s, reply);
		return;
	}
	add_rcpt(s);
	enter(s, S_RCPT);
	say(s, reply);
}

unsigned
session_sender_code(enum session_sender_answer answer)
{
	return reply_code(sender_replies[answer]);
}

unsigned
session_rcpt_code(enum session_rcpt_answer answer)
{
	return reply_code(rcpt_replies[answer]);
}

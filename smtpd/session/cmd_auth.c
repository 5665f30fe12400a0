#include "smtpd/session/inner.h"

bool
auth_offered(const struct session *s)
{
	return s->policy->mechanisms != 0 && s->extended &&
	       (s->tls || s->policy->auth_without_tls);
}

static void
ask_auth(struct session *s, struct span text, bool first, bool has_text)
{
	s->ask = (struct session_ask){.mechanism = s->mechanism,
				      .text = text,
				      .first = first,
				      .has_text = has_text};
	s->want = SESSION_WANT_AUTH;
}

static enum reply
choose_mechanism(struct session *s, struct span name)
{
	enum smtp_mechanism mechanism;

	if (s->login)
		return REPLY_ALREADY;
	if (s->policy->mechanisms == 0)
		return REPLY_NO_COMMAND;
	if (!s->extended)
		return REPLY_SEQUENCE;
	if (!auth_offered(s))
		return s->policy->starttls ? REPLY_TLS_FIRST : REPLY_NO_COMMAND;
	if (name.n == 0)
		return REPLY_SYNTAX;
	if (!smtp_mechanism_parse(name, &mechanism) ||
	    !(s->policy->mechanisms & 1u << mechanism) ||
	    (mechanism == SMTP_MECHANISM_SCRAM_SHA_256_PLUS && !s->tls))
		return REPLY_BAD_MECHANISM;
	s->mechanism = mechanism;
	return REPLY_NONE;
}

void
cmd_auth(struct session *s, struct span args)
{
	enum reply fault = choose_mechanism(s, smtp_word(&args));
	struct span text = smtp_word(&args);

	if (fault == REPLY_NONE && args.n > 0)
		fault = REPLY_SYNTAX;
	if (fault != REPLY_NONE) {
		say(s, fault);
		return;
	}
	s->auth_due = text.n == 0 && s->mechanism != SMTP_MECHANISM_LOGIN;
	if (s->auth_due) {
		enter(s, S_AUTH);
		say(s, REPLY_CHALLENGE);
		return;
	}
	/* "=" is an initial response without bytes [RFC4954 4]. */
	ask_auth(s, span_equal(text, SPAN("=")) ? span_first(text, 0) : text, true,
		 text.n > 0);
}

void
auth_line(struct session *s, struct span line)
{
	if (span_equal(line, SPAN("*"))) {
		enter(s, S_READY);
		say(s, REPLY_AUTH_CANCELLED);
		return;
	}
	ask_auth(s, line, s->auth_due, true);
	s->auth_due = false;
}

static void
login_failed(struct session *s)
{
	if (++s->logins_failed >= s->policy->limits.logins_max)
		say_and_close(s, REPLY_TOO_MANY_LOGINS);
	else
		say(s, REPLY_AUTH_DENIED);
}

void
session_answer_auth(struct session *s, enum session_auth_answer answer,
		    struct span text)
{
	ASSERT(s->want == SESSION_WANT_AUTH);
	s->want = SESSION_WANT_INPUT;
	s->answered = true;
	enter(s, answer == SESSION_AUTH_CHALLENGE ? S_AUTH : S_READY);
	switch (answer) {
	case SESSION_AUTH_CHALLENGE:
		say_more(s, REPLY_CHALLENGE, text);
		break;
	case SESSION_AUTH_OK:
		text_set(&s->login, text);
		say(s, REPLY_AUTH_OK);
		break;
	case SESSION_AUTH_DENIED:
		login_failed(s);
		break;
	case SESSION_AUTH_SYNTAX:
		say(s, REPLY_AUTH_SYNTAX);
		break;
	case SESSION_AUTH_LATER:
		say(s, REPLY_AUTH_LATER);
		break;
	}
}

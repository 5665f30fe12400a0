#include "smtpd/session/inner.h"

static bool
take_hello(struct session *s, struct span name, bool extended)
{
	if (!smtp_hello_valid(name)) {
		say(s, REPLY_BAD_HELLO);
		return false;
	}
	enter(s, S_READY);
	text_set(&s->hello, name);
	s->extended = extended;
	return true;
}

void
cmd_helo(struct session *s, struct span args)
{
	if (take_hello(s, args, false))
		say_more(s, REPLY_HELLO, s->policy->host_name);
}

static void
put_mechanisms(const struct session *s, struct buf *out)
{
	buf_put_str(out, "250-AUTH");
	for (unsigned i = 0; i < SMTP_MECHANISM_N; i++) {
		if (!(s->policy->mechanisms & 1u << i) ||
		    (i == SMTP_MECHANISM_SCRAM_SHA_256_PLUS && !s->tls))
			continue;
		buf_put_char(out, ' ');
		buf_put(out, smtp_mechanism_name(i));
	}
	buf_put_str(out, "\r\n");
}

/* EHLO and LHLO. */
void
cmd_hello(struct session *s, struct span args)
{
	const struct session_policy *p = s->policy;
	struct buf *out = &s->out;

	if (!take_hello(s, args, true))
		return;
	buf_put_str(out, "250-");
	buf_put(out, p->host_name);
	buf_putf(out, "\r\n250-PIPELINING\r\n250-SIZE %llu\r\n",
		 (unsigned long long)p->limits.message_bytes_max);
	if (p->starttls && !s->tls)
		buf_put_str(out, "250-STARTTLS\r\n");
	if (auth_offered(s) && !s->login)
		put_mechanisms(s, out);
	if (p->xclient && s->trusted)
		buf_put_str(out, "250-XCLIENT LOGIN\r\n");
	buf_put_str(out, "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-DSN\r\n"
			 "250-SMTPUTF8\r\n250-CHUNKING\r\n");
	buf_putf(out, "250-LIMITS MAILMAX=%u RCPTMAX=%u\r\n",
		 p->limits.transactions_max, p->limits.rcpts_max);
	say_more(s, REPLY_HELLO, SPAN("HELP"));
}

void
cmd_starttls(struct session *s, struct span args)
{
	(void)args;
	if (s->tls)
		say(s, REPLY_ALREADY);
	else if (!s->policy->starttls)
		say(s, REPLY_NO_COMMAND);
	else {
		say(s, REPLY_TLS_READY);
		s->want = SESSION_WANT_TLS;
	}
}

void
session_answer_tls(struct session *s, struct span tls_text, uint64_t now_ms)
{
	ASSERT(s->want == SESSION_WANT_TLS);
	s->want = SESSION_WANT_INPUT;
	s->tls = true;
	text_set(&s->tls_text, tls_text);
	/* Nothing said in plain text counts any more [RFC3207 4.2]. */
	enter(s, S_START);
	s->since_ms = now_ms;
}

/* Only LOGIN=, from a peer the listener trusts: who the mail is from. The session
 * starts over with a greeting. */
void
cmd_xclient(struct session *s, struct span args)
{
	static const struct span key = SPAN("LOGIN=");
	struct buf login = buf_make(SMTP_ADDRESS_BYTES_MAX);

	if (!s->policy->xclient || !s->trusted) {
		say(s, REPLY_NEED_XCLIENT);
	} else if (!span_starts_nocase(args, key) ||
		   !smtp_xtext_parse(span_after(args, key.n), &login)) {
		say(s, REPLY_SYNTAX);
	} else {
		greet(s);
		if (!span_equal(buf_span(&login), SPAN("[UNAVAILABLE]")))
			text_set(&s->login, buf_span(&login));
	}
	buf_release(&login);
}

/* Greeting, EHLO, HELO and STARTTLS [RFC5321 4.1.1.1] [RFC3207] */
#include "delivery/remote/session/inner.h"

static bool
replied(const struct session *s, unsigned class)
{
	return s->reply.code / 100 == class;
}

/* Refused for now or for ever: we say good-bye. */
static void
refused(struct session *s, enum place place)
{
	buf_put(&s->out, SPAN("QUIT\r\n"));
	over(s, SESSION_END_REFUSED, verdict_reply(s, place));
}

static bool
refuses(const struct session *s)
{
	return replied(s, 4) || replied(s, 5);
}

static void
put_hello(struct session *s, const char *verb)
{
	buf_putf(&s->out, "%s %s\r\n", verb, s->helo ? s->helo : "localhost");
}

void
hello_send(struct session *s)
{
	put_hello(s, s->lmtp ? "LHLO" : "EHLO");
	enter(s, S_EHLO);
}

void
hello_greeting(struct session *s)
{
	if (s->reply.code == 220)
		hello_send(s);
	else if (refuses(s))
		refused(s, P_GREETING);
	else
		broken(s, "no greeting, but a strange reply to");
}

static void
end_without_tls(struct session *s, const char *text, struct span more)
{
	buf_put(&s->out, SPAN("QUIT\r\n"));
	over(s, SESSION_END_TLS, verdict_more(s, STATUS(4, 7, 5), text, more));
}

/* The hello is done: whatever is missing comes next. */
static void
settle(struct session *s)
{
	if (s->tls == SESSION_TLS_MUST && !s->secured)
		end_without_tls(s, "TLS is required, but the server does not offer it",
				SPAN(""));
	else if (s->user)
		login_start(s);
	else
		enter(s, S_READY);
}

void
hello_answer(struct session *s)
{
	if (replied(s, 5) && !s->lmtp && !s->user &&
	    (s->secured || s->tls != SESSION_TLS_MUST)) {
		put_hello(s, "HELO");
		enter(s, S_HELO);
		return;
	}
	if (!replied(s, 2)) {
		if (refuses(s))
			refused(s, P_HELLO);
		else
			broken(s, "a strange reply to");
		return;
	}
	offers_parse(&s->offers, &s->reply, s->avoid);
	if (!s->secured && s->tls != SESSION_TLS_NEVER &&
	    s->offers.set & SESSION_STARTTLS) {
		buf_put(&s->out, SPAN("STARTTLS\r\n"));
		/* Should it be refused, the offers still stand. */
		enter(s, S_STARTTLS);
		return;
	}
	settle(s);
}

void
hello_helo_answer(struct session *s)
{
	if (replied(s, 2))
		settle(s);
	else if (refuses(s))
		refused(s, P_HELLO);
	else
		broken(s, "a strange reply to");
}

void
hello_starttls_answer(struct session *s)
{
	if (s->reply.code == 220) {
		enter(s, S_TLS);
	} else if (!refuses(s)) {
		broken(s, "a strange reply to");
	} else if (s->tls == SESSION_TLS_MUST) {
		end_without_tls(s, "TLS is required, but STARTTLS was refused",
				buf_span(&s->reply.text));
	} else {
		s->offers.set &= ~(unsigned)SESSION_STARTTLS;
		settle(s);
	}
}

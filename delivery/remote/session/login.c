/* AUTH [RFC4954], where a route has a user and a password */
#include "delivery/remote/session/inner.h"

static void scram_begin(struct session *s);
static void scram_step(struct session *s, struct span challenge);
static void plain_begin(struct session *s);
static void plain_step(struct session *s, struct span challenge);
static void login_begin(struct session *s);
static void login_step(struct session *s, struct span challenge);

/* The best one first. */
static const struct mechanism {
	enum sasl_mechanism id;
	void (*begin)(struct session *s);
	void (*step)(struct session *s, struct span challenge);
} mechanisms[] = {
    {SASL_SCRAM_SHA_256, scram_begin, scram_step},
    {SASL_PLAIN,         plain_begin, plain_step},
    {SASL_LOGIN,         login_begin, login_step},
};

static void
fail(struct session *s, const char *text)
{
	buf_put(&s->out, SPAN("QUIT\r\n"));
	over(s, SESSION_END_REFUSED, verdict_own(s, STATUS(4, 7, 0), text));
}

static void
put_base64_line(struct session *s, struct span bytes)
{
	base64_put(&s->out, bytes);
	buf_put(&s->out, SPAN("\r\n"));
}

void
login_forget(struct session *s)
{
	scram_client_free(&s->scram);
	s->auth_step = 0;
}

static const struct mechanism *
find_mechanism(const struct session *s)
{
	unsigned usable = s->offers.mechanisms & ~s->mechanisms_failed;

	for (size_t i = 0; i < N_ELEMS(mechanisms); i++)
		if (usable & 1u << mechanisms[i].id)
			return &mechanisms[i];
	return NULL;
}

void
login_start(struct session *s)
{
	const struct mechanism *m = find_mechanism(s);

	if (!s->secured && !s->auth_without_tls) {
		fail(s, "a login is configured, but it must not go without TLS");
	} else if (!m) {
		fail(s, s->mechanisms_failed
			    ? "the server refused every way to log in"
			    : "a login is configured, but the server offers no way "
			      "to log in");
	} else {
		s->mechanism = m->id;
		enter(s, S_AUTH);
		m->begin(s);
	}
}

static void
step(struct session *s)
{
	struct buf challenge = buf_make(SASL_MESSAGE_MAX);
	struct span text = buf_span(&s->reply.text);

	if (!base64_parse(smtp_reply_line(&text), &challenge))
		broken(s, "no base64 came in answer to");
	for (size_t i = 0; s->state == S_AUTH && i < N_ELEMS(mechanisms); i++)
		if (mechanisms[i].id == s->mechanism)
			mechanisms[i].step(s, buf_span(&challenge));
	buf_release(&challenge);
}

void
login_answer(struct session *s)
{
	unsigned code = s->reply.code;

	if (code == 334) {
		step(s);
	} else if (code == 235 && s->mechanism == SASL_SCRAM_SHA_256 &&
		   s->auth_step < 2) {
		fail(s, "the server took the login without a proof that it is the "
			"right server");
	} else if (code == 235) {
		enter(s, S_READY);
	} else if (code == 504 || code == 534) { /* not this way */
		s->mechanisms_failed |= 1u << s->mechanism;
		login_start(s);
	} else if (code >= 400) {
		buf_put(&s->out, SPAN("QUIT\r\n"));
		over(s, SESSION_END_REFUSED, verdict_reply(s, P_AUTH));
	} else {
		broken(s, "a strange reply to");
	}
}

/* Ends the exchange, which the server then refuses [RFC4954 4]. */
static void
cancel(struct session *s, const char *why)
{
	buf_put(&s->out, SPAN("*\r\n"));
	fail(s, why);
}

/* --- SCRAM-SHA-256 -------------------------------------------------------- */

static void
scram_begin(struct session *s)
{
	struct buf first = buf_make(SASL_MESSAGE_MAX);

	s->scram = scram_client_new(span_str(s->user), span_str(s->password),
				    span_str(s->nonce));
	if (!s->scram || !s->nonce) {
		fail(s, "the configured user or password is none that SASL allows");
		return;
	}
	scram_client_first(s->scram, &first);
	buf_put(&s->out, SPAN("AUTH SCRAM-SHA-256 "));
	put_base64_line(s, buf_span(&first));
	buf_release(&first);
}

static void
scram_fault(struct session *s, enum scram_client_result result)
{
	cancel(s, result == SCRAM_CLIENT_ROUNDS ? "the server asks for too few or too "
						  "many rounds of SCRAM-SHA-256"
		  : result == SCRAM_CLIENT_FALSE
		      ? "the server could not prove that it knows the password"
		      : "the server does not keep to SCRAM-SHA-256");
}

static void
scram_step(struct session *s, struct span challenge)
{
	struct buf answer = buf_make(SASL_MESSAGE_MAX);
	enum scram_client_result result;

	if (s->auth_step == 0)
		result = scram_client_final(s->scram, challenge, &answer);
	else if (s->auth_step == 1)
		result = scram_client_check(s->scram, challenge);
	else
		result = SCRAM_CLIENT_SYNTAX;
	s->auth_step++;
	if (result == SCRAM_CLIENT_OK)
		put_base64_line(s, buf_span(&answer));
	else
		scram_fault(s, result);
	buf_release(&answer);
}

/* --- PLAIN and LOGIN ------------------------------------------------------ */

static void
plain_begin(struct session *s)
{
	struct buf message = buf_make(SASL_NAME_MAX + SASL_PASSWORD_MAX + 2);

	buf_put_char(&message, '\0');
	buf_put(&message, span_str(s->user));
	buf_put_char(&message, '\0');
	buf_put(&message, span_str(s->password));
	buf_put(&s->out, SPAN("AUTH PLAIN "));
	put_base64_line(s, buf_span(&message));
	if (message.size > 0)
		explicit_bzero(message.at, message.size);
	buf_release(&message);
}

static void
plain_step(struct session *s, struct span challenge)
{
	(void)challenge;
	cancel(s, "the server asks for more than PLAIN has");
}

static void
login_begin(struct session *s)
{
	buf_put(&s->out, SPAN("AUTH LOGIN\r\n"));
}

static void
login_step(struct session *s, struct span challenge)
{
	(void)challenge; /* "Username:", "Password:", in whatever words */
	if (s->auth_step < 2)
		put_base64_line(s, span_str(s->auth_step == 0 ? s->user : s->password));
	else
		cancel(s, "the server asks for more than LOGIN has");
	s->auth_step++;
}
